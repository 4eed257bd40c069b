import type { Outcome } from '../../../src/engine/score/outcome.ts';
import type { Scoring } from '../../../src/engine/score/scoring.ts';
import { LookupError, type LookupErrorCode } from '../../../src/model/lookup-error.ts';
import { BARE_VERDICT, type Verdict } from '../../../src/model/verdict.ts';

export const NOW_S = Date.parse('2026-11-21T00:00:00Z') / 1000;

/** The rules unless set otherwise; all weigh the same. */
export const RULES: Scoring = {
  formula: 'weighted',
  tiers: { p1: 80, p2: 60, watch: 40 },
  autoResolveConfidence: 80,
  weights: {},
  allowlistMaxScore: 59,
  halfLifeDays: null,
};

/** What a provider said; `null`: it does not list it. */
export function answered(provider: string, facts: Partial<Verdict> | null, isStale = false): Outcome {
  const verdict = facts && { ...BARE_VERDICT, provider, verdict: 'unknown' as const, ...facts };
  return { kind: 'answered', provider, verdict, source: 'live', checkedAtS: 1, expiresAtS: 2, isStale };
}

/** A provider that gave no answer. */
export function failed(provider: string, code: LookupErrorCode): Outcome {
  return { kind: 'failed', provider, error: new LookupError(code, provider, 'did not answer') };
}
