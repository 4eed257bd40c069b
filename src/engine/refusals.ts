import type { LookupError } from '../model/lookup-error.ts';
import { LookupError as LookupFault } from '../model/lookup-error.ts';
import { dayOf, monthOf } from './clock.ts';
import type { Job } from './job.ts';
import type { ClientOptions } from './provider-client.ts';
import { StoreBusyError } from './verdict-store.ts';

/** Waits longer than this are not waits but failures. */
export const LONGEST_WAIT_MS = 300_000;
const MAX_ATTEMPTS = 3;
const BACKOFF_MS = 250;
/** A refused key is not tried again for so long: ten calls with a wrong key can lock an account. */
const UNAUTHORIZED_MS = 60_000;
/** An exhausted quota is believed this long by other processes; the plan may have been raised since. */
const QUOTA_BELIEVED_MS = 900_000;

/** Milliseconds until the next attempt (full jitter), or `null` when it was the last one. */
export function delayAfter(attempts: number, error: LookupError, random: () => number): number | null {
  // Another answer of an unknown shape costs a credit and seldom differs: once more is enough.
  if (attempts >= (error.code === 'bad_response' ? 2 : MAX_ATTEMPTS)) return null;
  const delayMs = Math.max(error.retryAfterMs ?? 0, Math.ceil(random() * BACKOFF_MS * 2 ** attempts));
  return delayMs > LONGEST_WAIT_MS ? null : delayMs;
}

/** Refusals that outlast a call: a wrong key, an exhausted quota, our own limits and budgets. */
export interface Refusals {
  /** The refusal in force; `null`: none. */
  standing(nowMs: number): LookupError | null;
  stand(error: LookupError, nowMs: number): void;
  /** Books one call against own limits: milliseconds to wait, or 0 when it is booked. */
  bookCall(): number;
  /** How many look-ups the budgets still pay; `Infinity`: there are none. */
  affordable(): number;
  /** Books a call for these jobs against own limits and the budgets: `null` when booked, else why not. */
  book(batch: readonly Job[], nowMs: number): LookupError | null;
}

export function createRefusals({ provider, account, limits, store, clock }: ClientOptions): Refusals {
  const noteName = `${account}.quota-exhausted`;
  let current: { error: LookupError; untilMs: number } | null = null;
  const note = store.note(noteName);
  const believedMs = note ? note.atS * 1000 + QUOTA_BELIEVED_MS - clock.epochMs() : 0;
  if (note && believedMs > 0) {
    current = { error: new LookupFault('quota_exhausted', provider.id, note.text), untilMs: clock.monotonicMs() + believedMs };
  }
  const bookCall = () => (limits.quotas.length > 0 ? store.book(account, limits.quotas, 1, clock.epochMs()) : 0);
  /** From both budgets or from none. */
  function spend(credits: number): LookupError | null {
    const [day, month] = [dayOf(clock), monthOf(clock)];
    if (!store.spend(account, day, credits, limits.budgetPerDay))
      return new LookupFault('over_budget', provider.id, `the budget of ${limits.budgetPerDay} a day is used up`);
    if (store.spend(account, month, credits, limits.budgetPerMonth)) return null;
    store.spend(account, day, -credits, null);
    return new LookupFault('over_budget', provider.id, `the budget of ${limits.budgetPerMonth} a month is used up`);
  }
  return {
    bookCall,
    affordable() {
      const left = [
        limits.budgetPerDay === null ? Infinity : limits.budgetPerDay - store.spent(account, dayOf(clock)),
        limits.budgetPerMonth === null ? Infinity : limits.budgetPerMonth - store.spent(account, monthOf(clock)),
      ];
      return provider.cost === 0 ? Infinity : Math.max(0, Math.floor(Math.min(...left) / provider.cost));
    },
    standing: (nowMs) => (current && nowMs < current.untilMs ? current.error : null),
    stand(error, nowMs) {
      if (error.code === 'unauthorized') current = { error, untilMs: nowMs + UNAUTHORIZED_MS };
      else {
        const untilMs = nowMs + (error.retryAfterMs ?? Infinity);
        current = { error, untilMs };
        store.setNote(noteName, error.message.slice(provider.id.length + 2), Math.floor(clock.epochMs() / 1000));
      }
    },
    book(batch) {
      if (batch.length === 0) return null;
      const waitMs = bookCall();
      if (waitMs > 0)
        return new LookupFault('rate_limited', provider.id, `own limit reached, free again in ${Math.ceil(waitMs / 1000)} s`, {
          retryAfterMs: waitMs,
        });
      const credits = provider.cost * batch.length;
      try {
        return credits === 0 ? null : spend(credits);
      } catch (error) {
        if (!(error instanceof StoreBusyError)) throw error;
        return new LookupFault('rate_limited', provider.id, error.message, { retryAfterMs: error.retryAfterMs });
      }
    },
  };
}
