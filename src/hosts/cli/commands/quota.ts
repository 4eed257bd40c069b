import { openEngine } from '../../../compose/open-engine.ts';
import type { EngineStats } from '../../../engine/engine.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { probeProviders } from '../../../compose/check/doctor-findings.ts';
import { warn } from '../messages.ts';
import { parseOptions } from '../parse-options.ts';
import { quotaSynopsis } from '../synopses/set-up.ts';

type ProviderStats = EngineStats['providers'][number];

/** What is left of one provider's credits, spent and to be expected. Credits are counted by UTC days and months. */
interface Quota {
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

/** `ismalicious quota` */
export const quota: Command = {
  synopsis: quotaSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, quotaSynopsis);
    const { engine, config, warnings } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, warnings);
    try {
      if (config.wanted.length === 0)
        throw new UsageError('no provider has a key: there are no credits to show. ismalicious init sets one.');
      if (values.ask) await probeProviders(engine, config, io.env);
      const nowMs = Date.now();
      const quotas = engine.stats().providers.map((stats) => quotaOf(stats, nowMs));
      io.stdout.write(values.json ? quotas.map((one) => `${JSON.stringify(one)}\n`).join('') : `${quotas.map(describe).join('\n\n')}\n`);
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};

function quotaOf(stats: ProviderStats, nowMs: number): Quota {
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

function describe(one: Quota): string {
  const reported = one.reported.map(
    ({ window, limit, left, resets }) =>
      `  ${window.padEnd(14)}${left ?? 'not reported'} left${limit === null ? '' : ` of ${limit}`}${resets === null ? '' : `, resets ${resets}`}`,
  );
  const ofBudget = (budget: number | null) => (budget === null ? '' : ` of a budget of ${budget}`);
  return [
    one.provider,
    ...(reported.length === 0 ? ['  the provider reports no credits, or was not asked yet (--ask)'] : reported),
    `  ${'today'.padEnd(14)}${one.spent_today} credits spent${ofBudget(one.budget_per_day)}`,
    `  ${'this month'.padEnd(14)}${one.spent_this_month} credits spent${ofBudget(one.budget_per_month)}`,
    `  ${'forecast'.padEnd(14)}${one.forecast_this_month} credits by the end of the month`,
    ...(one.refusal === null ? [] : [`  ${'not asked'.padEnd(14)}${inertText(one.refusal)}`]),
  ].join('\n');
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
