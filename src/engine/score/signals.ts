import type { ProviderResult } from '../../model/enrichment.ts';
import { OWN_ECHO } from '../../model/formats/own-export.ts';
import { OWN_WORD, type Scoring, type Signal, type Subject, weightOf } from './scoring.ts';

const DAY_S = 86_400;
/** Words by which providers say that a value is on a list of known good ones. */
const ALLOWLIST_ATTRIBUTES = ['allowlist', 'known-good'];

/** What is heard of what was said: a result that only repeats ours says nothing beside somebody who gives a score of their own. */
export function heardOf(results: readonly ProviderResult[], scoring: Scoring): readonly ProviderResult[] {
  const isEcho = ({ provider, attributes }: ProviderResult) => provider === 'local' && attributes.includes(OWN_ECHO);
  if (!results.some(isEcho)) return results;
  if (!results.some((result) => !isEcho(result) && result.score !== null && weightOf(scoring, result) > 0)) return results;
  return results.map((result) => (isEcho(result) ? { ...result, verdict: 'unknown', score: null, confidence: null } : result));
}

/** The scores that count, each after its age and what allow lists say. A provider's own allow list is in its own score already. */
export function signalsOf(results: readonly ProviderResult[], scoring: Scoring, subject: Subject): Signal[] {
  const vouchers = results.filter(({ attributes }) => ALLOWLIST_ATTRIBUTES.some((word) => attributes.includes(word)));
  return results.flatMap((result, at) => {
    const weight = weightOf(scoring, result);
    if (result.score === null || weight === 0) return [];
    const { provider, confidence } = result;
    const notes: string[] = [];
    let { score } = result;
    const aged = decay(result, scoring, subject);
    if (aged !== null && aged.score < score) {
      notes.push(`${provider}: ${score} counts ${aged.score}, last seen ${aged.days} days ago`);
      ({ score } = aged);
    }
    const voucher = OWN_WORD.has(provider) ? undefined : vouchers.find((other) => other.provider !== provider);
    if (voucher && score > scoring.allowlistMaxScore) {
      notes.push(`${provider}: ${score} counts ${scoring.allowlistMaxScore}, on an allow list by ${voucher.provider}`);
      score = scoring.allowlistMaxScore;
    }
    return [{ at, provider, weight, score, confidence, notes }];
  });
}

/** Halved for every half-life since the provider last saw it; `null`: no age, or its kind does not age. */
function decay(
  { score, lastSeen }: ProviderResult,
  { halfLifeDays }: Scoring,
  { type, nowS }: Subject,
): { score: number; days: number } | null {
  const halfLife = halfLifeDays?.[type] ?? null;
  if (score === null || lastSeen === null || halfLife === null) return null;
  // A time that cannot be read, or lies ahead, is no age.
  const days = Math.max(0, Math.floor((nowS - Date.parse(lastSeen) / 1000) / DAY_S)) || 0;
  return { score: Math.round(score * 0.5 ** (days / halfLife)), days };
}
