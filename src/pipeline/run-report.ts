import type { OutboxCounts } from '../store/outbox.ts';
import type { FeedReport } from './read-feed.ts';
import { inertText } from '../model/formats/inert-text.ts';

/** What one output was told in one run, and how its journal stands. */
export interface OutputReport extends OutboxCounts {
  /** Taken into the journal by this run. */
  readonly new: number;
  /** Dry run: what would have been taken. */
  readonly wouldSend: number;
  /** Waits in the store because the journal is full. */
  readonly held: number;
  /** Went into quarantine in this run. */
  readonly givenUp: number;
  /** Why it stopped before its journal was empty; `null`: it is empty. */
  readonly halt: string | null;
}

/** Everything about one run. */
export interface RunReport {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly isDryRun: boolean;
  /** Left out: everything. */
  readonly only?: 'watchlist';
  readonly feeds: Readonly<Record<string, FeedReport>>;
  readonly store: { readonly new: number; readonly updated: number };
  readonly enrichment: {
    /** Look-ups that were due. */
    readonly due: number;
    /** Answered. */
    readonly enriched: number;
    /** Refused before anybody was asked: private, allow-listed, over its TLP. */
    readonly skipped: number;
    /** No answer: stays due. */
    readonly failed: number;
    /** Left for the next run: over budget. */
    readonly left: number;
    readonly byStatus: Readonly<Record<string, number>>;
    /** Paid look-ups of this run: the answers that came live. */
    readonly live: number;
  };
  readonly watches: { readonly checked: number; readonly changed: number; readonly failed: number };
  readonly outputs: Readonly<Record<string, OutputReport>>;
  /** What went wrong, one line each, for people. */
  readonly failures: readonly string[];
}

/** The run report of the contract: the last line of `pipeline run --json`. */
export function toContractReport(report: RunReport) {
  return {
    feeds: mapValues(report.feeds, ({ items, accepted, quarantined }) => ({ items, accepted, quarantined })),
    store: { new: report.store.new, updated: report.store.updated },
    enriched: report.enrichment.enriched,
    outputs: mapValues(report.outputs, ({ accepted, delivered, pending, quarantined }) => ({ accepted, delivered, pending, quarantined })),
  };
}

/** Exit code of a run: 0 all done, 1 nothing could be read, 3 some of it failed and is kept for the next run. */
export function exitCodeOf({ feeds, failures }: RunReport): 0 | 1 | 3 {
  const all = Object.values(feeds);
  if (all.length > 0 && all.every(({ failure, pages }) => failure !== null && pages === 0)) return 1;
  return failures.length > 0 ? 3 : 0;
}

/** The report in a few lines, for a terminal. */
export function toReportText(report: RunReport): string {
  const { enrichment, store, watches } = report;
  const lines = [
    ...(report.only === undefined && Object.keys(report.feeds).length === 0
      ? ['no feed is switched on: set feeds.<id>.enabled, see docs/pipeline.md']
      : []),
    ...Object.entries(report.feeds).map(
      ([id, feed]) =>
        `feed ${id}: ${feed.items} items, ${feed.accepted} accepted, ${feed.quarantined} quarantined${feed.failure === null ? '' : ` — ${feed.failure}`}`,
    ),
    ...(Object.values(report.feeds).some(({ quarantined }) => quarantined > 0)
      ? ['what was quarantined, and why: ismalicious store quarantine --feeds']
      : []),
    `store: ${store.new} new, ${store.updated} updated`,
    `look-ups: ${enrichment.due} due, ${enrichment.enriched} answered (${enrichment.live} live), ${enrichment.skipped} refused, ${enrichment.failed} failed, ${enrichment.left} left`,
    ...(watches.checked + watches.failed > 0
      ? [`watchlist: ${watches.checked} checked, ${watches.changed} changed, ${watches.failed} failed`]
      : []),
    ...Object.entries(report.outputs).map(([id, output]) =>
      report.isDryRun || output.wouldSend > 0
        ? `output ${id}: ${output.wouldSend} messages would be sent${report.isDryRun ? ' (of what is judged so far)' : ''}`
        : `output ${id}: ${output.new} new; in all ${output.accepted} accepted = ${output.delivered} delivered + ${output.pending} pending + ${output.quarantined} quarantined${output.halt === null ? '' : ` — ${output.halt}`}`,
    ),
    ...report.failures.map((failure) => `failed: ${failure}`),
  ];
  return `${report.isDryRun ? 'dry run, nothing was kept or sent\n' : ''}${lines.map(inertText).join('\n')}\n`;
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
