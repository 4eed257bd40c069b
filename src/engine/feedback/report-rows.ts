import type { CallerSum } from '../privacy/search-audit-log.ts';
import type { WholeReport } from './report-text.ts';

/** Columns of a report as rows, but for those of callers: `kind` is `week` or `source`. */
export const REPORT_FIELDS = [
  'kind',
  'from',
  'to',
  'provider',
  'success_rate',
  'success_target',
  'success_met',
  'latency_p50_ms',
  'latency_p95_ms',
  'latency_target_ms',
  'latency_met',
  'true_positive_rate',
  'calls',
  'lookups',
  'credits',
  'money',
  'spent_this_month',
  'budget_per_month',
] as const;

/** One row; what is not known is left out, so that nothing unknown reads as zero. */
export type ReportRow = Readonly<Partial<Record<(typeof REPORT_FIELDS)[number] | keyof CallerSum, string | number | boolean>>>;

/** A row for each week of the trend, oldest first; then for each source and each caller (kind `caller`) of the period. */
export function reportRows(report: Omit<WholeReport, 'callers'> & Partial<Pick<WholeReport, 'callers'>>): ReportRow[] {
  const { from, to, targets, providers, costs, callers = [], trend } = report;
  const against = (successRate: number | null, p95: number | null) => ({
    success_rate: successRate,
    success_target: targets.successRate,
    success_met: successRate === null ? null : successRate >= targets.successRate,
    latency_p95_ms: p95,
    latency_target_ms: targets.latencyP95Ms,
    latency_met: p95 === null ? null : p95 <= targets.latencyP95Ms,
  });
  const weeks = trend.map((week) => ({
    kind: 'week',
    from: week.from,
    to: week.to,
    ...against(week.successRate, week.latencyP95Ms),
    true_positive_rate: week.truePositiveRate,
    calls: week.calls,
    credits: week.credits,
    money: week.money,
  }));
  const sources = providers.map(({ provider, successRate, latency, calls, lookups, credits }) => {
    const cost = costs.find((one) => one.provider === provider);
    return {
      kind: 'source',
      from,
      to,
      provider,
      ...against(successRate, latency.p95),
      latency_p50_ms: latency.p50,
      calls,
      lookups,
      credits,
      money: cost?.money ?? null,
      spent_this_month: cost?.spentThisMonth ?? null,
      budget_per_month: cost?.budgetPerMonth ?? null,
    };
  });
  return [...weeks, ...sources, ...callers.map((caller) => ({ kind: 'caller', from, to, ...caller }))].map(known);
}

function known(row: Readonly<Record<string, string | number | boolean | null>>): ReportRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as ReportRow;
}
