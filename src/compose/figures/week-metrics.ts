import type { ClientStats } from '../../engine/calls/provider-client.ts';
import { FeedbackStoreError } from '../../engine/feedback/overrides.ts';
import { TARGETS } from '../../engine/feedback/weekly-report.ts';
import type { Sample } from '../../model/formats/prometheus-text.ts';
import { render } from './engine-metrics.ts';
import { readFigures, type ReportParts } from './read-report.ts';

/** How long they are given again: they change by the day. Milliseconds. */
const KEPT_MS = 60_000;
const WEEK_DAYS = 7;
const SECOND_MS = 1000;

/**
 * The figures of the last eight weeks against their targets, in Prometheus' text format, at most a minute old. What was not measured has no
 * series: it would read as zero. Users and searches are not in it: they are no bounded set.
 */
export function createWeekMetrics(parts: ReportParts, nowMs: () => number = Date.now): () => string {
  let text = '';
  let madeAtMs = -Infinity;
  return () => {
    const now = nowMs();
    if (now - madeAtMs < KEPT_MS) return text;
    try {
      text = renderWeeks(readFigures(parts, { nowMs: now, days: WEEK_DAYS }), parts.engine.stats().providers);
      madeAtMs = now;
    } catch (error) {
      // Another process writes overrides at this moment: what was there before is given, and the next call reads them.
      if (!(error instanceof FeedbackStoreError)) throw error;
    }
    return text;
  };
}

function renderWeeks({ figures, trend }: ReturnType<typeof readFigures>, stats: readonly ClientStats[]): string {
  const weeks = trend.toReversed();
  const byWeek = (pick: (week: (typeof weeks)[number]) => number | null) =>
    weeks.flatMap((week, ago) => sample(`{weeks_ago="${ago}"}`, pick(week)));
  const bySource = (pick: (source: (typeof figures)['providers'][number]) => number | null) =>
    figures.providers.flatMap((source) => sample(`{provider="${source.provider}"}`, pick(source)));
  const budgets = stats.flatMap(({ provider, budgetPerDay, budgetPerMonth }) => [
    ...sample(`{provider="${provider}",period="day"}`, budgetPerDay),
    ...sample(`{provider="${provider}",period="month"}`, budgetPerMonth),
  ]);
  const gauges: readonly (readonly [name: string, help: string, samples: readonly Sample[]])[] = [
    ['target_latency_p95_seconds', 'Within this 95 of 100 answers are to be there.', [['', TARGETS.latencyP95Ms / SECOND_MS]]],
    ['target_success_ratio', 'At least this share of the look-ups is to be answered.', [['', TARGETS.successRate]]],
    [
      'week_latency_p95_seconds',
      'Within this 95 of 100 answers were there that memory alone could not give; 0: the seven days until today.',
      byWeek(({ latencyP95Ms }) => inSeconds(latencyP95Ms)),
    ],
    ['week_success_ratio', 'Share of the look-ups that were answered.', byWeek(({ successRate }) => successRate)],
    ['week_true_positive_ratio', 'Share of the judged alarms that analysts confirmed.', byWeek(({ truePositiveRate }) => truePositiveRate)],
    ['week_calls', 'Calls made.', byWeek(({ calls }) => calls)],
    ['week_credits', 'Credits spent.', byWeek(({ credits }) => credits)],
    ['week_cost', 'Credits times credit_price, where one is set.', byWeek(({ money }) => money)],
    ['week_source_success_ratio', 'The same of each source, this week.', bySource(({ successRate }) => successRate)],
    ['week_source_latency_p50_seconds', 'Half of its calls took no longer.', bySource(({ latency }) => inSeconds(latency.p50))],
    ['week_source_latency_p95_seconds', '95 of 100 of its calls took no longer.', bySource(({ latency }) => inSeconds(latency.p95))],
    ['week_source_credits', 'Credits spent on it this week.', bySource(({ credits }) => credits)],
    ['provider_budget', 'Most credits it may cost.', budgets],
    [
      'provider_credits_spent_this_month',
      'Credits spent in this month (UTC), by all processes.',
      stats.map(({ provider, spentThisMonth }) => [`{provider="${provider}"}`, spentThisMonth] as const),
    ],
  ];
  return gauges
    .filter(([, , samples]) => samples.length > 0)
    .map(([name, help, samples]) => render({ name, type: 'gauge', help, samples }))
    .join('');
}

function sample(labels: string, value: number | null): Sample[] {
  return value === null ? [] : [[labels, value]];
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / SECOND_MS;
}
