import type { EngineStats } from '../../engine/engine.ts';

type ProviderStats = EngineStats['providers'][number];

/** What is left of one provider's credits, spent and to be expected. Credits are counted by UTC days and months. */
export interface Quota {
  readonly provider: string;
  /** By window (`day`, `month`, …), as the provider last said. */
  readonly reported: readonly {
    readonly window: string;
    readonly limit: number | null;
    readonly left: number | null;
    readonly resets: string | null;
  }[];
  readonly spent_today: number;
  readonly budget_per_day: number | null;
  readonly spent_this_month: number;
  readonly budget_per_month: number | null;
  /** Credits by the end of the month at this month's pace. */
  readonly forecast_this_month: number;
  /** Why it is not asked now, and until when; `null`: it is. */
  readonly refusal: string | null;
}

/** From what the engine counted and what the provider last reported: no call is made. */
export function quotaOf(stats: ProviderStats, nowMs: number): Quota {
  const { provider, notices, spentToday, budgetPerDay, spentThisMonth, budgetPerMonth, refusal, blockedUntilMs } = stats;
  return {
    provider,
    reported: notices
      .filter(({ window }) => window !== 'burst')
      .map(({ window, limit, remaining, resetsAtS }) => ({
        window,
        limit,
        left: remaining,
        resets: resetsAtS === null ? null : iso(resetsAtS * 1000),
      })),
    spent_today: spentToday,
    budget_per_day: budgetPerDay,
    spent_this_month: spentThisMonth,
    budget_per_month: budgetPerMonth,
    forecast_this_month: forecast(spentThisMonth, nowMs),
    refusal: refusal === null ? null : `${refusal}${blockedUntilMs === null ? '' : ` until ${iso(blockedUntilMs)}`}`,
  };
}

/** Spent by the end of the month (UTC) when it goes on as so far; the first day counts whole, or its first hour would decide. */
export function forecast(spent: number, nowMs: number): number {
  const now = new Date(nowMs);
  const startMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const dayMs = 86_400_000;
  return Math.round((spent * (endMs - startMs)) / Math.max(dayMs, nowMs - startMs));
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
