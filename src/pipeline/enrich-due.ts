import type { StoredIndicator } from '../store/observation.ts';
import { type Enrichment, isFailure, unaskedAnswer } from '../model/enrichment.ts';
import { isWithinTlp } from '../model/tlp.ts';
import { nowS } from './pipeline-clock.ts';
import type { Pipeline } from './pipeline.ts';
import type { RunReport } from './run-report.ts';

/** What the look-ups of a run did; `faults`: one line for each kind of failure. */
export interface EnrichCounts {
  readonly counts: RunReport['enrichment'];
  readonly faults: readonly string[];
}

/** A run at the time it looks things up. `budget`: paid look-ups it still may make, `null`: no bound of its own. */
export interface Looking {
  readonly pipeline: Pipeline;
  readonly signal: AbortSignal;
  readonly budget: { remaining: number } | null;
}

/** Looks up everything that is due, batch by batch, and keeps each batch before the next is asked. */
export async function enrichDue({ pipeline, signal, budget }: Looking): Promise<EnrichCounts> {
  const { store, clock, limits, onProgress } = pipeline;
  const atS = nowS(clock);
  const due = await store.countDue(atS);
  const counts = { due, enriched: 0, skipped: 0, failed: 0, left: 0, byStatus: {} as Record<string, number>, live: 0 };
  const failures = new Map<string, number>();
  while (counts.enriched + counts.skipped + counts.failed < due) {
    signal.throwIfAborted();
    const batch = await store.due(atS, limits.batchSize);
    if (batch.length === 0) break;
    const answers = await lookUp(batch, { pipeline, signal, budget });
    const done = await store.record(answers, nowS(clock));
    counts.enriched += done.changed + done.unchanged;
    counts.skipped += done.skipped;
    counts.failed += done.failed;
    for (const [, { answer, source }] of answers) {
      counts.byStatus[answer.status] = (counts.byStatus[answer.status] ?? 0) + 1;
      if (source === 'live') counts.live += 1;
      if (isFailure(answer.status)) failures.set(answer.status, (failures.get(answer.status) ?? 0) + 1);
    }
    onProgress?.({ stage: 'look-ups', done: counts.enriched + counts.skipped + counts.failed, of: due });
  }
  counts.left = counts.byStatus.over_budget ?? 0;
  return { counts, faults: [...failures].map(([status, count]) => `${count} look-ups: ${status}, they stay due`) };
}

/** One answer for each indicator, in order. `maxAgeS`: older answers are asked again. */
export async function lookUp(
  batch: readonly StoredIndicator[],
  { pipeline, signal, budget }: Looking,
  maxAgeS?: number,
): Promise<(readonly [string, Enrichment])[]> {
  const { enricher, limits } = pipeline;
  const isAllowed = ({ tlp }: StoredIndicator) => tlp === null || isWithinTlp(tlp, limits.maxTlp);
  const values = batch.filter(isAllowed).map(({ indicator }) => indicator.value);
  const found =
    values.length > 0
      ? await enricher.enrichMany(values, {
          signal,
          timeoutMs: 0,
          ...(budget ? { budget } : {}),
          ...(maxAgeS === undefined ? {} : { maxAgeS }),
        })
      : new Map<string, Enrichment>();
  return batch.map((stored) => {
    const { value } = stored.indicator;
    return [value, found.get(value) ?? refused(stored, isAllowed(stored) ? 'unavailable' : 'skipped_tlp')] as const;
  });
}

/** No answer: over its TLP label, or (which the engine never does) left out. */
function refused({ indicator, tlp }: StoredIndicator, status: 'skipped_tlp' | 'unavailable'): Enrichment {
  const message = status === 'skipped_tlp' ? `marked TLP:${tlp}: raise pipeline.max_tlp to look it up` : 'the engine gave no answer';
  const answer = unaskedAnswer(status, message);
  return { input: indicator.value, indicator, answer, source: 'none', checkedAtS: null, expiresAtS: null };
}
