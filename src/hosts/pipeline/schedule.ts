import type { RunReport } from './run-report.ts';
import { type NotLeaderError, type Pipeline, runPipeline } from './run-pipeline.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** When runs happen. */
export interface Schedule {
  readonly everyMinutes: number;
  readonly jitterSeconds: number;
  /** Told after each run, or why there was none. */
  readonly onRun: (outcome: RunReport | NotLeaderError | Error) => void;
}

/** The next time after `afterMs` that is a whole number of `everyMinutes` after midnight UTC; the last stretch of a day may be shorter. */
export function nextRunMs(afterMs: number, everyMinutes: number): number {
  const midnight = Math.floor(afterMs / DAY_MS) * DAY_MS;
  const everyMs = everyMinutes * MINUTE_MS;
  if (everyMs >= DAY_MS) return (Math.floor(afterMs / everyMs) + 1) * everyMs;
  const next = midnight + (Math.floor((afterMs - midnight) / everyMs) + 1) * everyMs;
  return Math.min(next, midnight + DAY_MS);
}

/**
 * Runs the pipeline again and again until `signal` aborts. One run at a time; of several processes on one state folder the one that holds
 * the lease runs. A run that was missed (the machine was off) is caught up once, at the start.
 */
export async function runOnSchedule(pipeline: Pipeline, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const { store, clock, random } = pipeline;
  const [last] = await store.runs(1);
  let atMs = last ? nextRunMs(last.atS * 1000, schedule.everyMinutes) : clock.nowMs();
  while (!signal.aborted) {
    const startMs = Math.max(atMs, clock.nowMs()) + Math.round(random() * schedule.jitterSeconds * 1000);
    try {
      await clock.wait(startMs - clock.nowMs(), signal);
      schedule.onRun(await runPipeline(pipeline, { signal, isDry: false }));
    } catch (error) {
      if (signal.aborted) return;
      schedule.onRun(error instanceof Error ? error : new Error(String(error)));
    }
    atMs = nextRunMs(clock.nowMs(), schedule.everyMinutes);
  }
}
