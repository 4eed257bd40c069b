import type { Override } from './overrides.ts';
import { longestOf } from './figures.ts';
import type { VerdictStore } from '../cache/verdict-store.ts';

const DAY_MS = 86_400_000;

/** Latencies in milliseconds, right to a quarter; `null`: nothing was measured. */
export interface Latencies {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What a week is held against: an alert is enriched within 30 s, and 99 of 100 look-ups are answered. */
export const TARGETS = { latencyP95Ms: 30_000, successRate: 0.99 } as const;

/** Whether a target is met; `null`: not known. */
export interface OnTarget {
  readonly latency: boolean | null;
  readonly successRate: boolean | null;
}

/** One week of a trend: the figures that have a target, and what they cost. */
export interface TrendWeek extends Pick<Report, 'from' | 'to' | 'successRate'> {
  readonly latencyP95Ms: number | null;
  readonly truePositiveRate: number | null;
  readonly calls: number;
  readonly credits: number;
  /** The credits times their prices; `null`: no price is set. */
  readonly money: number | null;
}

/** What one provider did in the period. */
export interface ProviderReport {
  readonly provider: string;
  readonly calls: number;
  readonly lookups: number;
  readonly answered: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Share of the look-ups that ended which were answered, 0 to 1; `null`: none ended. */
  readonly successRate: number | null;
  /** Credits spent, over all keys. */
  readonly credits: number;
  readonly latency: Latencies;
}

/** The figures of a period, over all processes that share the cache file. */
export interface Report {
  /** First and last day (UTC). */
  readonly from: string;
  readonly to: string;
  /** Of answers that memory alone could not give. */
  readonly latency: Latencies;
  readonly successRate: number | null;
  readonly onTarget: OnTarget;
  readonly providers: readonly ProviderReport[];
  readonly feedback: {
    readonly overrides: number;
    /** Overrides on values that we had called malicious or suspicious: confirmed, and called clean. */
    readonly truePositives: number;
    readonly falsePositives: number;
    /** Overrides that call malicious or suspicious what we had called clean. */
    readonly falseNegatives: number;
    /** Confirmed share of those that analysts judged, 0 to 1; `null`: they judged none. */
    readonly truePositiveRate: number | null;
  };
}

/** Which days, what credits are counted by, and what one costs, by provider. */
export interface ReportPeriod {
  /** Some time on the last day. */
  readonly nowMs: number;
  readonly accounts: ReadonlyMap<string, readonly string[]>;
  readonly prices?: ReadonlyMap<string, number>;
}

/** Adds up the last `days` days (UTC), the last one included. */
export function makeReport(
  store: VerdictStore,
  overrides: readonly Override[],
  { nowMs, days, accounts }: ReportPeriod & { readonly days: number },
): Report {
  const dates = Array.from({ length: days }, (_, n) => new Date(nowMs - (days - 1 - n) * DAY_MS).toISOString().slice(0, 10));
  const [from = '', to = from] = [dates[0], dates.at(-1)];
  const counts = new Map<string, Map<string, number>>();
  for (const [name, count] of store.figures(from, to)) {
    const [who = '', what = ''] = name.split(' ');
    const mine = counts.get(who) ?? new Map<string, number>();
    counts.set(who, mine.set(what, count));
  }
  const ids = [...new Set([...accounts.keys(), ...counts.keys()])].filter((id) => id !== '*').toSorted();
  const providers = ids.map((provider): ProviderReport => {
    const mine = counts.get(provider) ?? new Map<string, number>();
    const failed = Object.fromEntries([...mine].filter(([name]) => name.startsWith('failed.')).map(([name, n]) => [name.slice(7), n]));
    const answered = mine.get('answered') ?? 0;
    const ended = answered + Object.values(failed).reduce((sum, n) => sum + n, 0);
    const credits = (accounts.get(provider) ?? [provider]).flatMap((account) => dates.map((day) => store.spent(account, day)));
    return {
      provider,
      calls: mine.get('calls') ?? 0,
      lookups: mine.get('lookups') ?? 0,
      answered,
      failed,
      successRate: ended === 0 ? null : answered / ended,
      credits: credits.reduce((sum, n) => sum + n, 0),
      latency: latenciesOf(mine),
    };
  });
  const answered = providers.reduce((sum, one) => sum + one.answered, 0);
  const ended = providers.reduce((sum, one) => sum + Object.values(one.failed).reduce((all, n) => all + n, one.answered), 0);
  const latency = latenciesOf(counts.get('*') ?? new Map());
  const successRate = ended === 0 ? null : answered / ended;
  return {
    from,
    to,
    latency,
    successRate,
    onTarget: {
      latency: latency.p95 === null ? null : latency.p95 <= TARGETS.latencyP95Ms,
      successRate: successRate === null ? null : successRate >= TARGETS.successRate,
    },
    providers,
    feedback: judge(overrides.filter(({ atS }) => isWithin(new Date(atS * 1000).toISOString().slice(0, 10), { from, to }))),
  };
}

/** The last `weeks` weeks of seven days, today's the last one. */
export function makeTrend(
  store: VerdictStore,
  overrides: readonly Override[],
  period: ReportPeriod & { readonly weeks: number },
): TrendWeek[] {
  const { nowMs, accounts, weeks, prices = new Map<string, number>() } = period;
  return Array.from({ length: weeks }, (_, n) => {
    const week = makeReport(store, overrides, { nowMs: nowMs - (weeks - 1 - n) * 7 * DAY_MS, days: 7, accounts });
    return {
      from: week.from,
      to: week.to,
      successRate: week.successRate,
      latencyP95Ms: week.latency.p95,
      truePositiveRate: week.feedback.truePositiveRate,
      calls: week.providers.reduce((sum, { calls }) => sum + calls, 0),
      credits: week.providers.reduce((sum, { credits }) => sum + credits, 0),
      money: prices.size === 0 ? null : week.providers.reduce((sum, one) => sum + one.credits * (prices.get(one.provider) ?? 0), 0),
    };
  });
}

function isWithin(day: string, { from, to }: { readonly from: string; readonly to: string }): boolean {
  return day >= from && day <= to;
}

function latenciesOf(counts: ReadonlyMap<string, number>): Latencies {
  const classes = [...counts]
    .filter(([name]) => name.startsWith('ms.'))
    .map(([name, count]) => [Number(name.slice(3)), count] as const)
    .sort((a, b) => a[0] - b[0]);
  const total = classes.reduce((sum, [, count]) => sum + count, 0);
  const at = (share: number) => {
    let passed = 0;
    for (const [latencyClass, count] of classes) if ((passed += count) >= total * share) return longestOf(latencyClass);
    return null;
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function judge(overrides: readonly Override[]): Report['feedback'] {
  const accusing = (word: string | null) => word === 'malicious' || word === 'suspicious';
  const alarms = overrides.filter(({ saidVerdict }) => accusing(saidVerdict));
  const truePositives = alarms.filter(({ verdict }) => accusing(verdict)).length;
  return {
    overrides: overrides.length,
    truePositives,
    falsePositives: alarms.length - truePositives,
    falseNegatives: overrides.filter(({ saidVerdict, verdict }) => saidVerdict === 'clean' && accusing(verdict)).length,
    truePositiveRate: alarms.length === 0 ? null : truePositives / alarms.length,
  };
}
