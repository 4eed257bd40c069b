import { LookupError } from '../../model/lookup-error.ts';
import { windowWaitMs } from '../cache/call-windows.ts';
import type { OwnShare, Payer } from '../cache/redis/shared-cache.ts';
import { dayOf, monthOf } from '../clock.ts';
import type { Job } from './jobs/job.ts';
import type { ClientOptions } from './provider-client.ts';
import { StoreBusyError } from '../cache/verdict-store.ts';

/** While Redis is away nothing waits longer than this: it may be back. */
const LOOK_AGAIN_MS = 1000;

/** Our own limits and budgets, shared by all processes. */
export interface Spending {
  /** Books one call against own limits: milliseconds to wait, or 0 when it is booked. */
  bookCall(): number;
  /** The same, for all machines that share a Redis. */
  bookShared(): Promise<number>;
  /** How many look-ups the budgets still pay; `Infinity`: there are none. */
  affordable(): number;
  /** Books a call for these jobs against own limits and the budgets: `null` when booked, else why not. */
  book(batch: readonly Job[]): LookupError | null;
  /** A budget that all machines share is used up. */
  overBudget(period: 'day' | 'month'): LookupError;
}

/** What is counted for whom, as of now. */
export function payerOf({ provider, account, limits, clock }: Pick<ClientOptions, 'provider' | 'account' | 'limits' | 'clock'>): Payer {
  const budgets = [[dayOf(clock), limits.budgetPerDay] as const, [monthOf(clock), limits.budgetPerMonth] as const] as const;
  return { provider: provider.id, account, windows: limits.quotas, budgets };
}

export function createSpending(options: ClientOptions): Spending {
  const { provider, shared } = options;
  const shareNow = () => shared?.ownShare(payerOf(options), options.clock.epochMs()) ?? null;
  const bookCall = createBooking(options, shareNow);
  const credits = createCredits(options, shareNow);
  return {
    bookCall,
    async bookShared() {
      const request = { ...payerOf(options), wanted: [], leaseMs: 0, cost: 0 };
      return (await shared?.claim(request))?.waitMs ?? bookCall();
    },
    overBudget: (period) => credits.overBudget(period, false),
    affordable: () => (provider.cost === 0 ? Infinity : Math.max(0, Math.floor(credits.left() / provider.cost))),
    book(batch) {
      if (batch.length === 0) return null;
      const waitMs = bookCall();
      if (waitMs > 0) return limitReached(provider.id, waitMs, shareNow() !== null);
      const sum = provider.cost * batch.length;
      try {
        return sum === 0 ? null : credits.spend(sum);
      } catch (error) {
        if (!(error instanceof StoreBusyError)) throw error;
        return new LookupError('rate_limited', provider.id, error.message, { retryAfterMs: error.retryAfterMs });
      }
    },
  };
}

function createBooking(options: ClientOptions, shareNow: () => OwnShare | null): () => number {
  const { account, limits, store, clock, shared } = options;
  const { quotas } = limits;
  const longestMs = Math.max(...quotas.map(({ perMs }) => perMs));
  /** Own calls by the monotonic clock: when the wall clock is set forward, the shared ones seem to be long ago. */
  let ownMs: number[] = [];
  return () => {
    if (quotas.length === 0) return 0;
    const nowMs = clock.monotonicMs();
    // Stryker disable next-line EqualityOperator: what is in no window counts in none
    ownMs = ownMs.filter((at) => at > nowMs - longestMs);
    const share = shareNow();
    const windows = share?.windows ?? quotas;
    const waitMs = share?.waitMs || windowWaitMs(ownMs, windows, 1, nowMs) || store.book(account, windows, 1, clock.epochMs());
    if (waitMs > 0) return share === null ? waitMs : Math.min(waitMs, LOOK_AGAIN_MS);
    ownMs.push(nowMs);
    if (share !== null) shared?.calledAlone(payerOf(options), clock.epochMs());
    return 0;
  };
}

function createCredits(options: ClientOptions, shareNow: () => OwnShare | null) {
  const { provider, account, limits, store, shared } = options;
  function overBudget(period: 'day' | 'month', isShare: boolean): LookupError {
    const budget = period === 'day' ? limits.budgetPerDay : limits.budgetPerMonth;
    const text = `the budget of ${budget} a ${period} is used up`;
    return new LookupError('over_budget', provider.id, isShare ? `${text}, as far as it is ours while Redis is away` : text);
  }
  return {
    overBudget,
    /** From both budgets or from none. */
    spend(credits: number): LookupError | null {
      const payer = payerOf(options);
      const [[day], [month]] = payer.budgets;
      const share = shareNow();
      const [perDay, perMonth] = share?.budgets ?? [limits.budgetPerDay, limits.budgetPerMonth];
      if (!store.spend(account, day, credits, perDay)) return overBudget('day', share !== null);
      if (store.spend(account, month, credits, perMonth)) {
        if (share !== null) shared?.paidAlone(payer, credits);
        return null;
      }
      store.spend(account, day, -credits, null);
      return overBudget('month', share !== null);
    },
    left(): number {
      const share = shareNow();
      const left = payerOf(options).budgets.map(([day, limit], n) => {
        if (share !== null) return (share.budgets[n] ?? Infinity) - (share.paid[n] ?? 0);
        return limit === null ? Infinity : limit - store.spent(account, day);
      });
      return Math.min(...left);
    },
  };
}

/** Our own limits let no call out; `isShare`: only our share of them, while nobody can be asked what the others do. */
export function limitReached(provider: string, waitMs: number, isShare = false): LookupError {
  const text = isShare
    ? 'Redis is away, and our share of the limit is used up'
    : `own limit reached, free again in ${Math.ceil(waitMs / 1000)} s`;
  return new LookupError('rate_limited', provider, text, { retryAfterMs: waitMs });
}
