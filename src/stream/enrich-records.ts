// src/stream/: records of Kafka in, the same records with our fields out.
import { systemClock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import { enrichInTurns } from '../engine/enrich-in-turns.ts';
import { createTextEnricher, type TextEnricher } from '../events/enrich-text.ts';
import { describeFault } from '../events/json/describe-json-fault.ts';
import { type RenderedVerdict, renderVerdict } from '../events/rendered-verdict.ts';
import { createVerdictMemory } from '../events/verdict-memory.ts';
import { createWantedFields } from '../events/wanted-fields.ts';
import type { EcsDetail } from '../mapping/ecs-roll-up.ts';

const MAX_DEPTH = 128;
const FRONT_CACHE = 1 << 16;
const FRONT_CACHE_MS = 60_000;

/** What the value of a record became: the same bytes when there was nothing to add; `fault`: why it is no event. */
export type EnrichedValue =
  | { readonly value: Buffer | undefined; readonly fault: null }
  | { readonly value: Buffer | undefined; readonly fault: string };

/** How values are enriched. */
export interface RecordEnricherOptions {
  readonly enricher: Enricher;
  readonly fields: readonly string[];
  /** Milliseconds a batch waits for look-ups; 0: as long as it takes. */
  readonly timeoutMs: number;
  readonly providers?: readonly string[] | undefined;
  readonly maxAgeS?: number | undefined;
  /** How much is written: see `ecs.detail` in the settings. */
  readonly detail: EcsDetail;
}

/** Enriches the values of a batch together, so that what is in several of them is asked for once. Rejects only when `signal` aborts. */
export type EnrichRecords = (values: readonly (Buffer | undefined)[], signal: AbortSignal) => Promise<EnrichedValue[]>;

/** One enricher for all batches of a run. */
export function createRecordEnricher(options: RecordEnricherOptions): EnrichRecords {
  const { enricher, fields, detail } = options;
  const texts = createTextEnricher({
    wanted: createWantedFields(fields),
    known: createVerdictMemory({ enricher, clock: systemClock, fields, size: FRONT_CACHE, ttlMs: FRONT_CACHE_MS }),
    rules: { fields, matchedType: 'indicator_match_rule', writesPlaybook: false, detail },
    maxDepth: MAX_DEPTH,
    maxEvents: Number.MAX_SAFE_INTEGER,
    clock: systemClock,
    allocate: (size) => Buffer.allocUnsafe(size),
  });
  return (values, signal) => enrichBatch(options, texts, values, signal);
}

async function enrichBatch(
  { enricher, timeoutMs, providers, maxAgeS }: RecordEnricherOptions,
  texts: TextEnricher,
  values: readonly (Buffer | undefined)[],
  signal: AbortSignal,
): Promise<EnrichedValue[]> {
  const enriched: EnrichedValue[] = values.map((value) => ({ value, fault: null }));
  const answers = new Map<string, RenderedVerdict>();
  let waiting = [...values.keys()];
  for (;;) {
    const missing = new Set<string>();
    waiting = waiting.filter((n) => {
      const outcome = enrichValue(texts, values[n], answers);
      if ('fault' in outcome) {
        enriched[n] = outcome;
        return false;
      }
      for (const value of outcome) missing.add(value);
      return true;
    });
    if (waiting.length === 0) return enriched;
    const asked = { timeoutMs, signal, ...(providers ? { providers } : {}), ...(maxAgeS === undefined ? {} : { maxAgeS }) };
    for (const [text, enrichment] of await enrichInTurns(enricher, missing, asked)) answers.set(text, renderVerdict(enrichment));
  }
}

/** The value enriched, or those in it that nobody knows yet. A tombstone has none, and stays one. */
function enrichValue(
  texts: TextEnricher,
  value: Buffer | undefined,
  answers: ReadonlyMap<string, RenderedVerdict>,
): EnrichedValue | ReadonlySet<string> {
  if (value === undefined) return { value, fault: null };
  const result = texts.enrich(value, 'json', answers);
  if (result.kind === 'missing') return result.values;
  if (result.kind === 'enriched') return { value: result.text, fault: null };
  if (result.kind === 'fault') return { value, fault: describeFault(value, result.offset, MAX_DEPTH) };
  throw new Error('a record without a bound is always enriched');
}
