import type { ProviderResult } from '../../model/enrichment.ts';
import { type Scoring, weightOf } from './scoring.ts';

/** A provider that does not say how sure it is counts as this sure. */
const UNSAID_CONFIDENCE = 50;
/** Scores this near to the merged one agree with it. */
const AGREES_WITHIN = 20;
/** Every further provider that agrees takes a fifth of the doubt away. */
const DOUBT_LEFT = 0.8;

/**
 * How sure the merged answer is: the mean of those who gave a score, surer with everyone who agrees, less sure the more they differ and the
 * more of those asked did not answer. An analyst's own counts alone. The only provider that was asked keeps its own confidence.
 */
export function mergeConfidence(results: readonly ProviderResult[], score: number | null, scoring: Scoring): number | null {
  // Own lists are looked into, not asked: when they say nothing they take no part.
  const asked = results.filter(({ provider, status, score: own }) => status !== 'skipped_tlp' && (provider !== 'local' || own !== null));
  const override = results.find(({ provider }) => provider === 'feedback');
  if (override) return override.confidence;
  const [only] = asked;
  if (asked.length === 1 && only) return only.confidence;
  const scorers = asked.flatMap((result) => {
    const weight = weightOf(scoring, result);
    return result.score === null || weight === 0
      ? []
      : [{ score: result.score, weight, confidence: result.confidence ?? UNSAID_CONFIDENCE }];
  });
  if (score === null || scorers.length === 0) return meanOf(asked.flatMap(({ confidence }) => confidence ?? []));
  const total = scorers.reduce((sum, { weight }) => sum + weight, 0);
  const base = scorers.reduce((sum, { weight, confidence }) => sum + weight * confidence, 0) / total;
  const distance = scorers.reduce((sum, one) => sum + one.weight * Math.abs(one.score - score), 0) / total;
  const agreeing = scorers.filter((one) => Math.abs(one.score - score) <= AGREES_WITHIN).length;
  const surer = 100 - (100 - base) * DOUBT_LEFT ** Math.max(0, agreeing - 1);
  return Math.round(surer * (1 - distance / 100) * coverageOf(asked, scoring));
}

/** The share, by weight, of those asked who answered; "not listed" is an answer. Somebody of weight has to be among them. */
function coverageOf(asked: readonly ProviderResult[], scoring: Scoring): number {
  // Stryker disable next-line ArithmeticOperator: of a share the sign falls out
  const weightIn = (results: readonly ProviderResult[]) => results.reduce((sum, result) => sum + weightOf(scoring, result), 0);
  const answered = asked.filter(({ status }) => status === 'ok' || status === 'not_listed' || status === 'pending');
  return weightIn(answered) / weightIn(asked);
}

function meanOf(confidences: readonly number[]): number | null {
  return confidences.length === 0 ? null : Math.round(confidences.reduce((sum, one) => sum + one, 0) / confidences.length);
}
