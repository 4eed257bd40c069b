import { type Latencies, type Report, TARGETS, type TrendWeek } from './weekly-report.ts';
import type { CallerSum } from '../privacy/search-audit-log.ts';
import { inertText } from '../../model/formats/inert-text.ts';

const SECOND_MS = 1000;

/** What a provider may cost and costs; `null`: no budget or price is set. */
export interface ProviderCost {
  readonly provider: string;
  readonly spentThisMonth: number;
  readonly budgetPerMonth: number | null;
  /** Credits of the period times their price. */
  readonly money: number | null;
}

/** A report with what surrounds the figures of the period. */
export interface WholeReport extends Report {
  readonly targets: typeof TARGETS;
  readonly costs: readonly ProviderCost[];
  /** By program, user and search, out of the audit log; those who sent most first. */
  readonly callers: readonly CallerSum[];
  readonly trend: readonly TrendWeek[];
}

/** The report for people. */
export function reportText({ from, to, latency, successRate, onTarget, providers, feedback, costs, callers, trend }: WholeReport): string {
  const lines = [
    `period               ${from} to ${to}`,
    `true-positive rate   ${percent(feedback.truePositiveRate)} (${feedback.truePositives} confirmed, ${feedback.falsePositives} false alarms, ${feedback.falseNegatives} missed; ${feedback.overrides} overrides)`,
    `success rate         ${percent(successRate)}${held(onTarget.successRate, `at least ${TARGETS.successRate * 100} %`)}`,
    `time to an answer    ${spell(latency)}${held(onTarget.latency, `p95 at most ${TARGETS.latencyP95Ms / SECOND_MS} s`)}`,
  ];
  const rows = providers.map(({ provider, calls, lookups, answered, successRate: rate, credits, latency: own, failed }) => {
    const why = Object.entries(failed).map(([code, count]) => `${code} ${count}`);
    const cost = costs.find((one) => one.provider === provider);
    return `  ${provider.padEnd(16)} ${calls} calls, ${lookups} look-ups, ${answered} answered (${percent(rate)}), ${credits} credits${costText(cost)}, ${spell(own)}${why.length > 0 ? `; ${why.join(', ')}` : ''}`;
  });
  return [...lines, ...rows, ...callerLines(callers), ...trendLines(trend)].join('\n');
}

function costText(cost: ProviderCost | undefined): string {
  if (cost === undefined) return '';
  const { money, budgetPerMonth, spentThisMonth } = cost;
  const paid = money === null ? '' : ` (cost ${money.toFixed(2)})`;
  return budgetPerMonth === null ? paid : `${paid}, ${spentThisMonth} of ${budgetPerMonth} this month`;
}

function callerLines(callers: readonly CallerSum[]): string[] {
  if (callers.length === 0) return [];
  const rows = callers.map(({ program, user, search, calls, values, credits }) => {
    const who = [program, user, search].filter((part) => part !== null).map(inertText);
    return `  ${who.join(' ')}: ${calls} calls, ${values} values, ${credits} credits`;
  });
  return ['sent by program, user and search', ...rows];
}

function trendLines(trend: readonly TrendWeek[]): string[] {
  const rows = trend
    .filter(({ calls, latencyP95Ms }) => calls > 0 || latencyP95Ms !== null)
    .map(
      ({ from, successRate, latencyP95Ms, truePositiveRate, calls, credits }) =>
        `  ${from}  success ${percent(successRate)}, p95 ${latencyP95Ms === null ? 'not measured' : `${latencyP95Ms} ms`}, true positives ${percent(truePositiveRate)}, ${calls} calls, ${credits} credits`,
    );
  return rows.length === 0 ? [] : [`weeks (of the last ${trend.length}, those with calls)`, ...rows];
}

function held(isMet: boolean | null, target: string): string {
  return isMet === null ? '' : `; target ${target}: ${isMet ? 'met' : 'MISSED'}`;
}

function percent(share: number | null): string {
  return share === null ? 'not known yet' : `${(share * 100).toFixed(1)} %`;
}

function spell({ p50, p95, p99 }: Latencies): string {
  return p50 === null ? 'not measured yet' : `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`;
}
