import type { LookupErrorCode } from '../../model/lookup-error.ts';
import type { QuotaNotice } from '../../providers/provider.ts';
import { dayOf, epochS, monthOf } from '../clock.ts';
import type { ClientOptions, ClientStats } from './provider-client.ts';

/** Credits change with every answer: they are noted for other processes no oftener than this. */
const NOTE_EVERY_S = 5;

/** What a provider takes in a burst: calls left, calls in all (`null`: it does not say), milliseconds until it counts anew. */
export interface BurstLeft {
  readonly left: number;
  readonly perWindow: number | null;
  readonly endsInMs: number;
}

/** What is counted about one provider. */
export interface CallCounts {
  readonly counts: { calls: number; lookups: number; answered: number; retries: number };
  failed(code: LookupErrorCode): void;
  /** Keeps what the provider says of our account; what is left of a burst, and for how long; `null`: it does not say. */
  notice(notices: readonly QuotaNotice[]): BurstLeft | null;
  /** Leaves what the provider last said to other processes. */
  close(): void;
  stats(): Omit<ClientStats, 'queued' | 'inFlight' | 'breaker' | 'blockedUntilMs' | 'refusal' | 'nextCallInMs' | 'quotas'>;
}

export function createCallCounts({ provider, account, limits, store, clock }: ClientOptions): CallCounts {
  const counts = { calls: 0, lookups: 0, answered: 0, retries: 0 };
  const failures: Partial<Record<LookupErrorCode, number>> = {};
  const noteName = `${account}.quota-notices`;
  const kept = readNotices(store.note(noteName)?.text, epochS(clock));
  let notedAtS = 0;
  let isNoted = true;
  function note(): void {
    const lasting = [...kept.values()].filter(({ window }) => window !== 'burst');
    if (isNoted || lasting.length === 0) return;
    isNoted = true;
    notedAtS = epochS(clock);
    store.setNote(noteName, JSON.stringify(lasting), notedAtS);
  }
  return {
    close: note,
    counts,
    failed(code) {
      failures[code] = (failures[code] ?? 0) + 1;
    },
    notice(notices) {
      let burst: BurstLeft | null = null;
      for (const notice of notices) {
        kept.set(notice.window, notice);
        const { window, remaining, limit, resetsAtS } = notice;
        if (window !== 'burst' || remaining === null || resetsAtS === null) continue;
        burst = { left: remaining, perWindow: limit, endsInMs: resetsAtS * 1000 - clock.epochMs() };
      }
      isNoted = false;
      if (epochS(clock) - notedAtS >= NOTE_EVERY_S) note();
      return burst;
    },
    stats: () => ({
      provider: provider.id,
      ...counts,
      failures: { ...failures },
      spentToday: store.spent(account, dayOf(clock)),
      budgetPerDay: limits.budgetPerDay,
      spentThisMonth: store.spent(account, monthOf(clock)),
      budgetPerMonth: limits.budgetPerMonth,
      notices: [...kept.values()],
    }),
  };
}

/** What another process was told; counters that have started again since are forgotten. */
function readNotices(text: string | undefined, nowS: number): Map<string, QuotaNotice> {
  if (text === undefined) return new Map();
  const notices = parseNotices(text);
  return new Map(notices.filter(({ resetsAtS }) => resetsAtS === null || resetsAtS > nowS).map((notice) => [notice.window, notice]));
}

/** A note in a damaged file is none: the provider says it again with its next answer. */
function parseNotices(text: string): readonly QuotaNotice[] {
  try {
    const said: unknown = JSON.parse(text);
    return Array.isArray(said) ? said.filter(isNotice) : [];
  } catch {
    return [];
  }
}

function isNotice(said: unknown): said is QuotaNotice {
  const isCountOrNull = (value: unknown) => value === null || (typeof value === 'number' && Number.isFinite(value));
  const { window, limit, remaining, resetsAtS } = (said ?? {}) as Record<string, unknown>;
  return typeof window === 'string' && [limit, remaining, resetsAtS].every(isCountOrNull);
}
