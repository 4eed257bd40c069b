// src/pipeline/state/: what the store tells people: of the pipeline, of one value.
import type { Store } from '../../store/store-client.ts';
import { type RunReport, toContractReport } from '../run-report.ts';

const MAX_RUNS = 10;
const MAX_GIVEN_UP = 20;

/** How the pipeline stands: its last runs, what it holds, and what no output took. */
export interface PipelineState {
  /** Newest first. */
  readonly runs: readonly PipelineRun[];
  readonly indicators: number;
  readonly watched: number;
  readonly sightings: number;
  /** Items of feeds that could not be used. */
  readonly quarantined_items: number;
  /** Messages that were given up, by output: `ismalicious store replay` sends them again. */
  readonly given_up: readonly { readonly output: string; readonly total: number; readonly reasons: readonly string[] }[];
}

/** One run in figures. */
interface PipelineRun {
  readonly finished_at: string;
  readonly feeds: ReturnType<typeof toContractReport>['feeds'];
  readonly enriched: number;
  readonly failures: readonly string[];
}

/** Reads it from the store. */
export async function readPipelineState(store: Store): Promise<PipelineState> {
  const [runs, stats, outputs] = await Promise.all([store.runs(MAX_RUNS), store.stats(), store.outputs()]);
  const givenUp = await Promise.all(
    outputs.map(async (output) => {
      const { quarantined: total } = await store.counts(output);
      const kept = total === 0 ? [] : await store.quarantined(output, MAX_GIVEN_UP);
      return { output, total, reasons: [...new Set(kept.map(({ reason }) => reason))] };
    }),
  );
  return {
    runs: runs.map(({ report }) => runOf(JSON.parse(report) as RunReport)),
    indicators: stats.indicators,
    watched: stats.watched,
    sightings: stats.sightings,
    quarantined_items: stats.quarantinedItems,
    given_up: givenUp.filter(({ total }) => total > 0),
  };
}

function runOf(report: RunReport): PipelineRun {
  const { feeds, enriched } = toContractReport(report);
  return { finished_at: report.finishedAt, feeds, enriched, failures: report.failures };
}
