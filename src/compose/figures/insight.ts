import type { WholeReport } from '../../engine/feedback/report-text.ts';
import { type SettingInForce, settingsInForce } from '../check/settings-in-force.ts';
import type { SourceOptions } from '../config-sources.ts';
import { readRecentReport, type ReportParts } from './read-report.ts';

/** How long a report is given again before another one is made, in milliseconds. */
const KEPT_MS = 60_000;
/** Periods whose reports are kept. */
const MOST_KEPT = 8;

/** What a program that stays tells of itself: the settings it works with, and its figures. */
export interface Insight {
  readonly settings: readonly SettingInForce[];
  /** The figures of so many days (UTC), today included; at most a minute old. */
  report(days: number): Promise<WholeReport>;
}

/** Reads the settings once: what is in force is what was there at the start. `set`: what the command line set, by dotted key. */
export async function openInsight(
  parts: ReportParts,
  sources: SourceOptions,
  { set, nowMs = Date.now }: { readonly set: ReadonlyMap<string, unknown>; readonly nowMs?: () => number },
): Promise<Insight> {
  const settings = await settingsInForce(sources, set);
  const kept = new Map<number, { readonly atMs: number; readonly report: Promise<WholeReport> }>();
  return {
    settings,
    report(days) {
      const now = nowMs();
      const known = kept.get(days);
      if (known && now - known.atMs < KEPT_MS) return known.report;
      if (kept.size >= MOST_KEPT) kept.clear();
      const report = readRecentReport(parts, days, now);
      kept.set(days, { atMs: now, report });
      // What went wrong is not kept.
      report.catch(() => kept.delete(days));
      return report;
    },
  };
}
