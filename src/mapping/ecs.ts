// src/mapping/: an enrichment as fields of Splunk, ECS and STIX. Pure.
import type { Enrichment } from '../model/enrichment.ts';
import { toEcsIndicatorValue } from './ecs-indicator.ts';
import type { EcsIndicatorValue } from './ecs-indicator.ts';

/** Words of `threat.indicator.confidence` (ECS 9.4, after STIX 2.1 appendix A). */
export type EcsConfidence = 'Not Specified' | 'None' | 'Low' | 'Medium' | 'High';

/** Where in the event a value stood, and how the match is to be written down. */
export interface EcsMatch {
  /** Dotted ECS name of the field. */
  readonly field: string;
  /** Time of the match, ISO 8601 with milliseconds, UTC. */
  readonly occurred: string;
  /** `matched.type`. Kibana shows `indicator_match_rule`, `investigation_time` and entries without one, and hides all others; `null`: without. */
  readonly type: string | null;
  /** Digest of a text, in hex: `matched.id` is made of it. */
  readonly digest: (text: string) => string;
}

/** One entry of `threat.enrichments` (nested; every member is in ECS 9.4, but for `feed`, which Kibana writes and reads). */
export interface ThreatEnrichment {
  readonly indicator: EcsIndicatorValue & {
    readonly provider: string;
    readonly confidence: EcsConfidence;
    readonly description: string;
    readonly first_seen?: string;
    readonly last_seen?: string;
    readonly sightings?: number;
    readonly scanner_stats?: number;
    readonly reference?: string;
  };
  readonly matched: {
    readonly atomic: string;
    readonly field: string;
    readonly id: string;
    readonly occurred: string;
    readonly type?: string;
  };
  readonly feed: { readonly name: string };
}

/** Who the entry is from, in ECS and in the title of Kibana's flyout. */
const PROVIDER = 'isMalicious';

/** STIX 2.1, appendix A, "None / Low / Med / High", as Elastic's own integrations cut it. */
export function toEcsConfidence(confidence: number | null): EcsConfidence {
  if (confidence === null) return 'Not Specified';
  if (confidence <= 0) return 'None';
  if (confidence < 30) return 'Low';
  return confidence < 70 ? 'Medium' : 'High';
}

/** The event's entry for one enrichment; `null` unless it is malicious or suspicious (any entry reads as "threat match detected"). */
export function toThreatEnrichment(enrichment: Enrichment, match: EcsMatch): ThreatEnrichment | null {
  const { answer, indicator } = enrichment;
  if (indicator === null || (answer.verdict !== 'malicious' && answer.verdict !== 'suspicious')) return null;
  const firstSeen = toDate(answer.firstSeen);
  const lastSeen = toDate(answer.lastSeen);
  const sightings = toCount(answer.sightings);
  const flagging = answer.providers.filter(({ verdict }) => verdict === 'malicious' || verdict === 'suspicious').length;
  return {
    indicator: {
      ...toEcsIndicatorValue(indicator),
      provider: PROVIDER,
      confidence: toEcsConfidence(answer.confidence),
      description: describe(enrichment),
      ...(firstSeen !== null && { first_seen: firstSeen }),
      ...(lastSeen !== null && { last_seen: lastSeen }),
      ...(sightings !== null && { sightings }),
      ...(flagging > 0 && { scanner_stats: flagging }),
      ...(answer.reference !== null && isWebPage(answer.reference) && { reference: answer.reference }),
    },
    matched: {
      atomic: enrichment.input,
      field: match.field,
      id: matchId(enrichment, match),
      occurred: match.occurred,
      ...(match.type !== null && { type: match.type }),
    },
    feed: { name: PROVIDER },
  };
}

/** `matched.id`: the same for the same value in the same field, and for nothing else. Kibana shows entries of one id and field once. */
export function matchId(enrichment: Enrichment, match: Pick<EcsMatch, 'field' | 'digest'>): string {
  const { indicator, input } = enrichment;
  return match.digest(`${indicator?.type ?? ''}\n${indicator?.value ?? input}\n${match.field}`).slice(0, 32);
}

function describe({ answer }: Enrichment): string {
  const score = answer.score === null ? '' : `, score ${answer.score}`;
  const categories = answer.categories.length === 0 ? '' : `: ${answer.categories.join(', ')}`;
  const providers = answer.providers.filter(({ contribution }) => contribution > 0).map(({ provider }) => provider);
  return `${answer.verdict}${score}${categories}${providers.length === 0 ? '' : ` (${providers.join(', ')})`}`;
}

function toDate(text: string | null): string | null {
  const time = text === null ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time)) return null;
  const date = new Date(time).toISOString();
  // A year of more than four digits is spelled with a sign, which Elasticsearch's `date` refuses.
  return /^\d{4}-/.test(date) ? date : null;
}

function toCount(count: number | null): number | null {
  return count !== null && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

function isWebPage(reference: string): boolean {
  return /^https?:\/\//i.test(reference) && URL.canParse(reference);
}
