import { systemClock } from '../../../src/engine/clock.ts';
import type { Enricher } from '../../../src/engine/enricher.ts';
import { createTextEnricher } from '../../../src/events/enrich-text.ts';
import type { EnrichedText, TextEnricher, TextForm } from '../../../src/events/enrich-text.ts';
import type { EcsDetail } from '../../../src/mapping/ecs-roll-up.ts';
import { createWantedFields, DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { createVerdictMemory } from '../../../src/events/verdict-memory.ts';

/** A text enricher with everything at its default. */
export function textEnricherOn(
  enricher: Enricher,
  { fields = DEFAULT_FIELDS, writesPlaybook = false, maxDepth = 32, maxEvents = 10_000, size = 1024, detail = 'full' as EcsDetail } = {},
): TextEnricher {
  return createTextEnricher({
    wanted: createWantedFields(fields),
    known: createVerdictMemory({ enricher, clock: systemClock, fields, size, ttlMs: 5000 }),
    rules: { fields, matchedType: 'indicator_match_rule', writesPlaybook, detail },
    maxDepth,
    maxEvents,
    clock: systemClock,
    allocate: (bytes) => Buffer.allocUnsafe(bytes),
  });
}

/** Enriches a text that has to succeed. */
export function enriched(texts: TextEnricher, text: string, form: TextForm = 'json'): string {
  const result = texts.enrich(Buffer.from(text), form);
  if (result.kind !== 'enriched') throw new Error(JSON.stringify(result));
  return result.text.toString();
}

/** Where a text is refused; -1: it is not. */
export function faultIn(texts: TextEnricher, text: string | Buffer, form: TextForm = 'json'): number {
  const result: EnrichedText = texts.enrich(Buffer.from(text), form);
  return result.kind === 'fault' ? result.offset : -1;
}
