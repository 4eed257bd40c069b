import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { routeByField } from '../../../model/question.ts';
import type { LateEnrichment } from '../../../events/enrich-later.ts';
import type { TextEnricher } from '../../../events/enrich-text.ts';
import type { Caller } from '../http/caller.ts';

/** Who answers calls that say as whom they ask, and how texts are enriched for them. */
export interface AsCallerOptions {
  readonly enricher: Enricher;
  readonly clock: Clock;
  /** Makes a text enricher that finds out by this one; called at most once, with the first such call. */
  readonly createTexts: (enricher: Enricher) => TextEnricher;
}

/** The enrichment of one call's text, asked as that call says. */
export type EnrichAsCaller = (asking: Caller) => LateEnrichment;

/**
 * Keeps calls with a profile or a label of their own apart from all others: what memory holds was asked with the keys and for the eyes of
 * the house, so nothing is taken from it and nothing is put there.
 */
export function createEnrichAsCaller({ enricher, clock, createTexts }: AsCallerOptions): EnrichAsCaller {
  // Whose settings say who is asked about which field is not known before the call.
  const routeOf = enricher.routeOf && routeByField;
  const forgetful: Enricher = { ...bound(enricher), routeOf, peek: () => undefined };
  let texts: TextEnricher | null = null;
  return (asking) => ({
    clock,
    texts: (texts ??= createTexts(forgetful)),
    enricher: { ...forgetful, enrichMany: (values, options) => enricher.enrichMany(values, { ...options, ...asking }) },
  });
}

function bound(enricher: Enricher): Enricher {
  return {
    peek: (value) => enricher.peek(value),
    enrichMany: (values, options) => enricher.enrichMany(values, options),
    plan: (values, options) => enricher.plan(values, options),
    close: () => enricher.close(),
  };
}
