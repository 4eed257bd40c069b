// src/engine/calls/: how one provider is called: queue, pace, breaker, leases, refusals, bulk, exchange.
import type { Indicator } from '../../model/indicator.ts';
import type { LookupError, LookupErrorCode } from '../../model/lookup-error.ts';
import type { Provider, Quota, QuotaNotice } from '../../providers/provider.ts';
import type { Clock } from '../clock.ts';
import type { Exchange } from './exchange.ts';
import type { Lifetimes, Outcome } from '../score/outcome.ts';
import type { SharedCache } from '../cache/redis/shared-cache.ts';
import type { VerdictStore } from '../cache/verdict-store.ts';

/** Limits of one provider, from its defaults and the settings. */
export interface ClientLimits {
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly quotas: readonly Quota[];
  /** Credits a day (UTC), for all processes together; `null`: no budget. */
  readonly budgetPerDay: number | null;
  /** Credits a month (UTC), for all processes together; `null`: no budget. */
  readonly budgetPerMonth: number | null;
  readonly useBulk: boolean;
}

export interface ClientOptions {
  readonly provider: Provider;
  /** What limits and credits are counted by: the provider's id, and the profile when that has a key of its own. */
  readonly account: string;
  /** Stands for the key in what processes tell each other: another key is another matter. It cannot be turned back into the key. */
  readonly key: () => string;
  readonly exchange: Exchange;
  readonly limits: ClientLimits;
  readonly lifetimes: Lifetimes;
  readonly store: VerdictStore;
  /** What several machines share; left out: this one is alone. */
  readonly shared?: SharedCache | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told in one line of a throw that nobody expected; the look-ups that it ended say so themselves. */
  readonly onFault?: (message: string) => void;
  /** Why nothing may leave at the moment, whoever asks; `null`: nothing against it. */
  readonly refuseToSend?: () => string | null;
}

/** What one caller asks of a look-up. */
export interface Wanted {
  /** Monotonic milliseconds; `Infinity`: has all the time. */
  readonly deadlineMs: number;
  readonly budget?: { remaining: number } | undefined;
  /** An answer that another process gets meanwhile counts when checked at this time or later; left out: any fresh one. Seconds since 1970. */
  readonly sinceS?: number | undefined;
  /** Asks for real, whatever was refused before. */
  readonly isTest?: boolean | undefined;
}

/** Figures of one provider, for `doctor`, `/metrics` and the quota page. */
export interface ClientStats {
  readonly provider: string;
  readonly calls: number;
  readonly lookups: number;
  readonly answered: number;
  readonly retries: number;
  readonly failures: Readonly<Partial<Record<LookupErrorCode, number>>>;
  readonly queued: number;
  readonly inFlight: number;
  readonly breaker: 'closed' | 'open' | 'probe';
  /** Epoch milliseconds until which nobody is asked, because the provider told us or another process so; `null`: it did not. */
  readonly blockedUntilMs: number | null;
  /** What it refuses until then: our key, our quota, or any call for now; `null`: nothing. */
  readonly refusal: LookupErrorCode | null;
  readonly spentToday: number;
  readonly budgetPerDay: number | null;
  readonly spentThisMonth: number;
  readonly budgetPerMonth: number | null;
  readonly notices: readonly QuotaNotice[];
  /** Milliseconds that the next call is held back; 0: it is not, or there is none. */
  readonly nextCallInMs: number;
  /** Own limits in force. */
  readonly quotas: readonly Quota[];
}

/** Everything that stands between "somebody wants to know" and a provider: single flight, batching, pacing, retry, breaker, budgets. */
export interface ProviderClient {
  readonly provider: Provider;
  /** Own limits in force. */
  readonly quotas: readonly Quota[];
  lookup(indicator: Indicator, wanted: Wanted): Promise<Outcome>;
  /** A caller went away; a look-up that nobody wants any more is dropped. */
  abandon(indicator: Indicator): void;
  /** How many calls so many look-ups take, as far as that is known; the one that asks for the bulk cap among them. */
  callsFor(lookups: number): number;
  /** How long so many look-ups take at our own limits, with the calls that all processes made in their windows; `null`: there are no limits. */
  estimateMs(lookups: number): number | null;
  /** Why look-ups wait right now; `null`: they do not. */
  delay(): LookupError | null;
  notice(notices: readonly QuotaNotice[]): void;
  stats(): ClientStats;
  /** Makes no further call; resolves when those that are out have been answered, and their answers kept. `close` comes after it. */
  finish(): Promise<void>;
  close(): void;
}
