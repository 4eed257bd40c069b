import type { Enrichment, Status, Tier } from '../model/enrichment.ts';
import type { VerdictWord } from '../model/verdict.ts';

/** The tag of an event of which one value at least could not be looked up. */
export const FAILURE_TAG = '_ismalicious_failure';

/** `ismalicious.*`: the worst of an event's enrichments, flat, for searches and tables that cannot see nested fields. What nobody said is left out. */
export interface EcsRollUp {
  readonly verdict: VerdictWord;
  readonly status: Status;
  readonly score?: number;
  readonly confidence?: number;
  readonly categories: readonly string[];
  readonly attributes: readonly string[];
  readonly tier: Tier;
  readonly auto_resolve: boolean;
  readonly source: Enrichment['source'];
  readonly checked_at?: string;
  readonly indicator: string;
  readonly field: string;
  readonly malicious?: boolean;
  readonly message?: string;
}

/** The members of `EcsRollUp`, in the order they are written. */
export const ROLL_UP_MEMBERS = [
  'verdict',
  'status',
  'score',
  'confidence',
  'categories',
  'attributes',
  'tier',
  'auto_resolve',
  'source',
  'checked_at',
  'indicator',
  'field',
  'malicious',
  'message',
] as const satisfies readonly (keyof EcsRollUp)[];

/** What is written about the worst value of an event, which stood in `field`. */
export function toRollUp(enrichment: Enrichment, field: string): EcsRollUp {
  const { answer, checkedAtS } = enrichment;
  const isMalicious = maliciousFlag(answer.verdict);
  return {
    verdict: answer.verdict,
    status: answer.status,
    ...(answer.score !== null && { score: answer.score }),
    ...(answer.confidence !== null && { confidence: answer.confidence }),
    categories: answer.categories,
    attributes: answer.attributes,
    tier: answer.tier,
    auto_resolve: answer.autoResolve,
    source: enrichment.source,
    ...(checkedAtS !== null && { checked_at: new Date(checkedAtS * 1000).toISOString() }),
    indicator: enrichment.indicator?.value ?? enrichment.input,
    field,
    ...(isMalicious !== null && { malicious: isMalicious }),
    ...(answer.message !== null && { message: answer.message }),
  };
}

/** The playbook's boolean: `null` when nobody knows, so that an unknown never reads as "not malicious". */
export function maliciousFlag(verdict: VerdictWord): boolean | null {
  return verdict === 'unknown' ? null : verdict === 'malicious';
}

/** The playbook's own fields, `threat.enrichment.*` (singular; not ECS), for those who have dashboards on them. */
export function toPlaybook(enrichment: Enrichment): { malicious?: boolean; score?: number; category: readonly string[] } {
  const { answer } = enrichment;
  const isMalicious = maliciousFlag(answer.verdict);
  return {
    ...(isMalicious !== null && { malicious: isMalicious }),
    ...(answer.score !== null && { score: answer.score }),
    category: answer.categories,
  };
}
