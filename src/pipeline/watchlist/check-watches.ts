// src/pipeline/watchlist/: indicators somebody wants to be told about.
import { BARE_OBSERVATION } from '../../model/observation.ts';
import type { StoredIndicator } from '../../store/observation.ts';
import type { Watch } from '../../store/watchlist.ts';
import { isFailure } from '../../model/enrichment.ts';
import { lookUp, type Looking } from '../enrich-due.ts';
import { nowS } from '../pipeline-clock.ts';

const RETRY_S = 900;

/** What checking the watchlist did. */
export interface WatchCounts {
  readonly checked: number;
  /** The verdict turned since the last check. */
  readonly changed: number;
  readonly failed: number;
  readonly faults: readonly string[];
}

/**
 * Checks the watched indicators that are due, within the run's budget. They live in the store like any other, listed by `watchlist`, so
 * that a verdict that turned goes to the outputs as `verdict_changed` with who was seen with it.
 */
export async function checkWatches(looking: Looking): Promise<WatchCounts> {
  const { store, clock, limits } = looking.pipeline;
  const counts = { checked: 0, changed: 0, failed: 0 };
  for (;;) {
    looking.signal.throwIfAborted();
    const watches = await store.dueWatches(nowS(clock), limits.batchSize);
    if (watches.length === 0) break;
    await store.observe(watches.map(observationOf), nowS(clock));
    const stored = await Promise.all(watches.map(({ indicator }) => store.get(indicator.value, nowS(clock))));
    const known = stored.filter((one): one is StoredIndicator => one !== null);
    const answers = await lookUp(known, looking, Math.min(...watches.map(({ everyS }) => everyS)));
    await store.record(answers, nowS(clock));
    const verdicts = new Map(answers.map(([value, { answer }]) => [value, answer]));
    const checks = watches.map((watch) => {
      const answer = verdicts.get(watch.indicator.value);
      const isAnswered = answer !== undefined && !isFailure(answer.status) && !answer.status.startsWith('skipped_');
      counts[isAnswered ? 'checked' : 'failed'] += 1;
      if (isAnswered && watch.verdict !== null && watch.verdict !== answer.verdict) counts.changed += 1;
      return { value: watch.indicator.value, verdict: isAnswered ? answer.verdict : null, score: isAnswered ? answer.score : null };
    });
    await store.saveChecks(checks, { nowS: nowS(clock), retryS: RETRY_S });
  }
  return { ...counts, faults: counts.failed > 0 ? [`${counts.failed} watched indicators could not be checked, they are tried again`] : [] };
}

function observationOf({ indicator, reason }: Watch) {
  return { ...BARE_OBSERVATION, indicator, source: 'watchlist', tags: [reason] };
}
