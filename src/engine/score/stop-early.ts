import { BARE_VERDICT, type Verdict } from '../../model/verdict.ts';
import { mergeOutcomes } from './merge-outcomes.ts';
import type { Outcome } from './outcome.ts';
import type { Scoring, Subject } from './scoring.ts';

/**
 * Whether any answer of the providers that were not asked yet could move the indicator to another tier. The score rises with each of
 * theirs, so it is enough to try them all at 0 and all at 100. An allow list that only they know is not waited for.
 */
export function canChangeTier(told: readonly Outcome[], remaining: readonly string[], scoring: Scoring, subject: Subject): boolean {
  const tierWith = (score: number) =>
    mergeOutcomes([...told, ...remaining.map((provider) => sureOutcome(provider, score))], scoring, subject).tier;
  const now = told.length === 0 ? null : mergeOutcomes(told, scoring, subject).tier;
  return now === null || tierWith(0) !== now || tierWith(100) !== now;
}

function sureOutcome(provider: string, score: number): Outcome {
  const verdict: Verdict = {
    ...BARE_VERDICT,
    provider,
    verdict: 'unknown',
    score,
    confidence: 100,
  };
  // Stryker disable next-line all: of all this nothing goes into the tier
  return { kind: 'answered', provider, verdict, source: 'live', checkedAtS: 0, expiresAtS: 0, isStale: false };
}
