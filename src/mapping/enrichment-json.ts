import type { Enrichment } from '../model/enrichment.ts';
import { toExplainLine } from './explain-line.ts';
import { toTrace } from './trace.ts';

/** One enrichment as `/v1/lookup` and `check --json` print it (the contract of docs/fields.md). */
export interface EnrichmentJson {
  /** The canonical value; the value as given when it is no indicator. */
  readonly indicator: string;
  /** What was given, when it is spelt differently. */
  readonly input?: string;
  readonly type: string | null;
  readonly verdict: string;
  readonly status: string;
  readonly score: number | null;
  readonly confidence: number | null;
  readonly categories: readonly string[];
  readonly attributes: readonly string[];
  readonly tier: string;
  readonly auto_resolve: boolean;
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly checked_at: string | null;
  /** ISO 8601, UTC. */
  readonly expires_at: string | null;
  readonly message: string | null;
  readonly providers: readonly ProviderResultJson[];
  /** Where the answer comes from (see `toTrace`), where traces are asked for. */
  readonly trace?: readonly string[];
  /** How the score came about, where that was asked for: the contributions, which add up to it, then how they were merged. */
  readonly explain?: readonly string[];
}

/** What one provider said, and how many points of the score come from it. */
export interface ProviderResultJson {
  readonly provider: string;
  readonly status: string;
  readonly score: number | null;
  readonly confidence: number | null;
  readonly categories: readonly string[];
  readonly sightings: number | null;
  readonly first_seen: string | null;
  readonly last_seen: string | null;
  readonly reference: string | null;
  readonly contribution: number;
  readonly message?: string;
}

function isoOf(seconds: number | null): string | null {
  return seconds === null || !Number.isFinite(seconds) ? null : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** The same with how the score came about; `reasons`: the engine's own words on how it was merged. */
export function toExplainedJson(enrichment: Enrichment, reasons: readonly string[]): EnrichmentJson {
  return { ...toEnrichmentJson(enrichment), explain: [toExplainLine(enrichment.answer), ...reasons] };
}

/** Maps an enrichment to the JSON of the contract. */
export function toEnrichmentJson(enrichment: Enrichment): EnrichmentJson {
  const { input, indicator, answer, source } = enrichment;
  const value = indicator?.value ?? input;
  return {
    indicator: value,
    ...(value === input ? {} : { input }),
    type: indicator?.type ?? null,
    verdict: answer.verdict,
    status: answer.status,
    score: answer.score,
    confidence: answer.confidence,
    categories: answer.categories,
    attributes: answer.attributes,
    tier: answer.tier,
    auto_resolve: answer.autoResolve,
    source,
    checked_at: isoOf(enrichment.checkedAtS),
    expires_at: isoOf(enrichment.expiresAtS),
    message: answer.message,
    providers: answer.providers.map((result) => ({
      provider: result.provider,
      status: result.status,
      score: result.score,
      confidence: result.confidence,
      categories: result.categories,
      sightings: result.sightings,
      first_seen: result.firstSeen,
      last_seen: result.lastSeen,
      reference: result.reference,
      contribution: result.contribution,
      ...(result.message === null ? {} : { message: result.message }),
    })),
    ...(enrichment.trace === undefined ? {} : { trace: toTrace(enrichment) }),
  };
}
