import { enrichInTurns } from '../engine/enrich-in-turns.ts';
import type { Clock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import type { EnrichedText, TextEnricher, TextForm } from './enrich-text.ts';
import { renderVerdict } from './rendered-verdict.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';

/** A text some of whose values nobody knows yet. */
export interface LateText {
  readonly text: Buffer;
  readonly form: TextForm;
  readonly missing: ReadonlySet<string>;
  /** When the answer is due, by the clock that only grows; `null`: whenever all is known. */
  readonly dueMs: number | null;
  readonly signal: AbortSignal;
}

/** Who fetches and who writes. */
export interface LateEnrichment {
  readonly enricher: Enricher;
  readonly texts: TextEnricher;
  readonly clock: Clock;
}

/**
 * Fetches what is missing and enriches the text with it. What memory knew at first may be forgotten meanwhile: then that is fetched
 * as well, so it ends. Rejects only when `signal` aborts.
 */
export async function enrichLater({ enricher, texts, clock }: LateEnrichment, late: LateText): Promise<EnrichedText> {
  const answers = new Map<string, RenderedVerdict>();
  let { missing } = late;
  for (;;) {
    const timeoutMs = late.dueMs === null ? 0 : Math.max(1, Math.ceil(late.dueMs - clock.monotonicMs()));
    for (const [text, enrichment] of await enrichInTurns(enricher, missing, { timeoutMs, signal: late.signal }))
      answers.set(text, renderVerdict(enrichment));
    const result = texts.enrich(late.text, late.form, answers);
    // What the enricher counts in is the next text's by the time this promise is heard.
    if (result.kind === 'enriched') return { ...result, worsts: [...result.worsts] };
    if (result.kind !== 'missing') return result;
    missing = result.values;
  }
}
