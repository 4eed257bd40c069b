import type { Answer, Enrichment, Status, Tier } from '../model/enrichment.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { toTrace } from './trace.ts';

/** The tag of an event of which one value at least could not be looked up. */
export const FAILURE_TAG = '_ismalicious_failure';

/** How much is written: see `ecs.detail` in the settings. */
export type EcsDetail = 'lean' | 'full';

/** `ismalicious.*`: the worst of an event's enrichments, flat, for searches and tables that cannot see nested fields. What nobody said is left out. */
export interface EcsRollUp {
  readonly verdict: VerdictWord;
  readonly status: Status;
  readonly score?: number;
  readonly confidence?: number;
  readonly categories?: readonly string[];
  readonly attributes?: readonly string[];
  readonly tier?: Tier;
  readonly auto_resolve?: boolean;
  readonly source?: Enrichment['source'];
  readonly checked_at?: string;
  readonly indicator?: string;
  readonly field?: string;
  readonly malicious?: boolean;
  readonly message?: string;
  /** See `toTrace`; only where traces are asked for (`ecs.trace`). */
  readonly trace?: readonly string[];
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
  'trace',
] as const satisfies readonly (keyof EcsRollUp)[];

/** What a roll-up depends on besides the answer and its field. */
export interface RollUpRules {
  /** Whether the answer's `auto_resolve` holds for the whole event. */
  readonly canResolve: boolean;
  readonly detail: EcsDetail;
}

const WHOLE_ANSWER: RollUpRules = { canResolve: true, detail: 'full' };

/** Whether an answer asks nothing of anybody: what is lean says no more of it than that it was looked up, and when. */
export function hasNothingToSay({ verdict, status, message }: Answer): boolean {
  // A message says what was asked in place of the value (the host of a URL that is too long): that is something to say.
  return status === 'ok' && message === null && (verdict === 'clean' || verdict === 'unknown');
}

/** What is written about the worst value of an event, which stood in `field`. */
export function toRollUp(enrichment: Enrichment, field: string, { canResolve, detail }: RollUpRules = WHOLE_ANSWER): EcsRollUp {
  const { answer } = enrichment;
  const isLean = detail === 'lean';
  const isMalicious = maliciousFlag(answer.verdict);
  const { verdict, status } = answer;
  if (isLean && hasNothingToSay(answer)) return { verdict, status, ...timeOf(enrichment, isLean) };
  return {
    verdict,
    status,
    ...(answer.score !== null && { score: answer.score }),
    ...(answer.confidence !== null && { confidence: answer.confidence }),
    ...(isWritten(answer.categories, isLean) && { categories: answer.categories }),
    ...(isWritten(answer.attributes, isLean) && { attributes: answer.attributes }),
    tier: answer.tier,
    auto_resolve: answer.autoResolve && canResolve,
    source: enrichment.source,
    ...timeOf(enrichment, isLean),
    indicator: enrichment.indicator?.value ?? enrichment.input,
    field,
    ...(isMalicious !== null && { malicious: isMalicious }),
    ...(answer.message !== null && { message: answer.message }),
    ...(enrichment.trace !== undefined && { trace: toTrace(enrichment) }),
  };
}

/** The seconds are all that is known of the time: lean does not write zeros behind them. */
function timeOf({ checkedAtS }: Enrichment, isLean: boolean): Pick<EcsRollUp, 'checked_at'> {
  if (checkedAtS === null) return {};
  const text = new Date(checkedAtS * 1000).toISOString();
  return { checked_at: isLean ? text.replace(/\.\d+Z$/, 'Z') : text };
}

function isWritten(list: readonly string[], isLean: boolean): boolean {
  return !isLean || list.length > 0;
}

/** The playbook's boolean: `null` when nobody knows, so that an unknown never reads as "not malicious". */
export function maliciousFlag(verdict: VerdictWord): boolean | null {
  return verdict === 'unknown' ? null : verdict === 'malicious';
}

/** The playbook's own fields, `threat.enrichment.*` (singular; not ECS), for those who have dashboards on them. */
export function toPlaybook(
  { answer }: Enrichment,
  detail: EcsDetail = 'full',
): { malicious?: boolean; score?: number; category?: readonly string[] } {
  const isMalicious = maliciousFlag(answer.verdict);
  return {
    ...(isMalicious !== null && { malicious: isMalicious }),
    ...(answer.score !== null && { score: answer.score }),
    ...(isWritten(answer.categories, detail === 'lean') && { category: answer.categories }),
  };
}
