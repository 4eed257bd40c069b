import type { Enricher } from '../engine/enricher.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { EnrichJob } from './enrich-job.ts';
import { countOutcome } from './run-counts.ts';
import { createSeenValues } from './seen-values.ts';

/** Distinct values that are told apart; beyond, a value may count twice. */
const MAX_SEEN = 4_000_000;

/** The engine with this run's options, counting each distinct value once. */
export function countingEnricher({ engine, asked, tally }: EnrichJob): Enricher {
  const seen = createSeenValues(MAX_SEEN);
  const count = (enrichment: Enrichment) => {
    if (seen.add(enrichment.input)) countOutcome(tally, enrichment);
  };
  return {
    routeOf: engine.routeOf,
    peek(value) {
      const known = asked.providers || asked.maxAgeS !== undefined ? undefined : engine.peek(value);
      if (known) count(known);
      return known;
    },
    async enrichMany(values, options) {
      const found = await engine.enrichMany(values, { ...asked, ...(options?.signal ? { signal: options.signal } : {}) });
      for (const enrichment of found.values()) count(enrichment);
      return found;
    },
    plan: (values, options) => engine.plan(values, options),
    close: () => Promise.resolve(),
  };
}
