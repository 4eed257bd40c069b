import type { LookupErrorCode } from '../model/lookup-error.ts';
import type { QuotaNotice } from '../providers/provider.ts';
import { dayOf } from './clock.ts';
import type { ClientOptions, ClientStats } from './provider-client.ts';

/** What is counted about one provider. */
export interface Tally {
  readonly counts: { calls: number; lookups: number; answered: number; retries: number };
  failed(code: LookupErrorCode): void;
  /** Keeps what the provider says of our account; milliseconds to stay away when a burst is used up, else 0. */
  notice(notices: readonly QuotaNotice[]): number;
  stats(): Omit<ClientStats, 'queued' | 'inFlight' | 'breaker' | 'blockedUntilMs'>;
}

export function createTally({ provider, limits, store, clock }: ClientOptions): Tally {
  const counts = { calls: 0, lookups: 0, answered: 0, retries: 0 };
  const failures: Partial<Record<LookupErrorCode, number>> = {};
  const kept = new Map<string, QuotaNotice>();
  return {
    counts,
    failed(code) {
      failures[code] = (failures[code] ?? 0) + 1;
    },
    notice(notices) {
      let waitMs = 0;
      for (const notice of notices) {
        kept.set(notice.window, notice);
        if (notice.window !== 'burst' || notice.remaining !== 0 || notice.resetsAtS === null) continue;
        waitMs = Math.max(waitMs, notice.resetsAtS * 1000 - clock.epochMs());
      }
      return waitMs;
    },
    stats: () => ({
      provider: provider.id,
      ...counts,
      failures: { ...failures },
      spentToday: store.spent(provider.id, dayOf(clock)),
      budgetPerDay: limits.budgetPerDay,
      notices: [...kept.values()],
    }),
  };
}
