import type { Pipeline } from './pipeline.ts';
import { type NextTime, parseCron } from './settings/cron.ts';
import type { PipelineSettings } from './settings/pipeline-settings.ts';
import type { RunReport } from './run-report.ts';
import { type NotLeaderError, runPipeline } from './run-pipeline.ts';
import type { WatchlistSettings } from './settings/watchlist-settings.ts';
import type * as z from 'zod/mini';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** When runs happen. */
export interface Schedule {
  /** The next run of everything. */
  readonly next: NextTime;
  /** The next check of the watchlist alone; `null`: it is checked by the runs. */
  readonly nextWatch: NextTime | null;
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

/** The times that the settings name; a cron expression goes before minutes. */
export function scheduleOf(
  pipeline: Pick<z.output<typeof PipelineSettings>, 'everyMinutes' | 'schedule' | 'jitterSeconds'>,
  watchlist: Pick<z.output<typeof WatchlistSettings>, 'schedule'>,
): Omit<Schedule, 'onRun'> {
  return {
    next: cronOf(pipeline.schedule) ?? ((afterMs) => nextRunMs(afterMs, pipeline.everyMinutes)),
    nextWatch: cronOf(watchlist.schedule),
    jitterSeconds: pipeline.jitterSeconds,
  };
}

/**
 * Runs the pipeline again and again until `signal` aborts. One run at a time; of several processes on one state folder the one that holds
 * the lease runs. A run that was missed (the machine was off) is caught up once, at the start.
 */
export async function runOnSchedule(pipeline: Pipeline, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const { store, clock, random } = pipeline;
  const { next, nextWatch, jitterSeconds, onRun } = schedule;
  const [last] = await store.runs(1);
  let atMs = last ? next(last.atS * 1000) : clock.nowMs();
  let watchMs = nextWatch?.(clock.nowMs()) ?? Infinity;
  while (!signal.aborted) {
    // A run checks the watchlist as well: what falls on the same time is one run.
    const isWatch = watchMs < atMs;
    const startMs = Math.max(Math.min(atMs, watchMs), clock.nowMs()) + Math.round(random() * jitterSeconds * 1000);
    try {
      await clock.wait(startMs - clock.nowMs(), signal);
      onRun(await runPipeline(pipeline, { signal, isDry: false, ...(isWatch ? { only: 'watchlist' as const } : {}) }));
    } catch (error) {
      if (signal.aborted) return;
      onRun(error instanceof Error ? error : new Error(String(error)));
    }
    if (!isWatch) atMs = next(clock.nowMs());
    watchMs = nextWatch?.(clock.nowMs()) ?? Infinity;
  }
}

/** A wrong expression never comes this far: the settings refuse it. */
function cronOf(expression: string | undefined): NextTime | null {
  if (expression === undefined) return null;
  const next = parseCron(expression);
  if (typeof next === 'string') throw new TypeError(next);
  return next;
}
