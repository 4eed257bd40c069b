import { LookupError } from '../../model/lookup-error.ts';
import { windowWaitMs } from '../cache/call-windows.ts';
import { dayOf, monthOf } from '../clock.ts';
import type { Job } from './jobs/job.ts';
import type { ClientOptions } from './provider-client.ts';
import { StoreBusyError } from '../cache/verdict-store.ts';

/** Our own limits and budgets, shared by all processes. */
export interface Spending {
  /** Books one call against own limits: milliseconds to wait, or 0 when it is booked. */
  bookCall(): number;
  /** How many look-ups the budgets still pay; `Infinity`: there are none. */
  affordable(): number;
  /** Books a call for these jobs against own limits and the budgets: `null` when booked, else why not. */
  book(batch: readonly Job[]): LookupError | null;
}

export function createSpending({ provider, account, limits, store, clock }: ClientOptions): Spending {
  const { quotas } = limits;
  const longestMs = Math.max(...quotas.map(({ perMs }) => perMs));
  /** Own calls by the monotonic clock: when the wall clock is set forward, the shared ones seem to be long ago. */
  let ownMs: number[] = [];
  function bookCall(): number {
    if (quotas.length === 0) return 0;
    const nowMs = clock.monotonicMs();
    // Stryker disable next-line EqualityOperator: what is in no window counts in none
    ownMs = ownMs.filter((at) => at > nowMs - longestMs);
    const waitMs = windowWaitMs(ownMs, quotas, 1, nowMs) || store.book(account, quotas, 1, clock.epochMs());
    if (waitMs === 0) ownMs.push(nowMs);
    return waitMs;
  }
  /** From both budgets or from none. */
  function spend(credits: number): LookupError | null {
    const [day, month] = [dayOf(clock), monthOf(clock)];
    if (!store.spend(account, day, credits, limits.budgetPerDay))
      return new LookupError('over_budget', provider.id, `the budget of ${limits.budgetPerDay} a day is used up`);
    if (store.spend(account, month, credits, limits.budgetPerMonth)) return null;
    store.spend(account, day, -credits, null);
    return new LookupError('over_budget', provider.id, `the budget of ${limits.budgetPerMonth} a month is used up`);
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
    book(batch) {
      if (batch.length === 0) return null;
      const waitMs = bookCall();
      if (waitMs > 0)
        return new LookupError('rate_limited', provider.id, `own limit reached, free again in ${Math.ceil(waitMs / 1000)} s`, {
          retryAfterMs: waitMs,
        });
      const credits = provider.cost * batch.length;
      try {
        return credits === 0 ? null : spend(credits);
      } catch (error) {
        if (!(error instanceof StoreBusyError)) throw error;
        return new LookupError('rate_limited', provider.id, error.message, { retryAfterMs: error.retryAfterMs });
      }
    },
  };
}
