import type { Answer, ProviderResult, Status, Tier } from '../model/enrichment.ts';
import type { LookupErrorCode } from '../model/lookup-error.ts';
import { VERDICT_WORDS, type VerdictWord } from '../model/verdict.ts';
import type { Outcome } from './outcome.ts';

/** How verdicts become one score and one decision. */
export interface Scoring {
  /** Lowest score of each tier; what is below `watch` is `log`. */
  readonly tiers: { readonly p1: number; readonly p2: number; readonly watch: number };
  /** Lowest confidence with which a clean, low answer may be resolved without a person. */
  readonly autoResolveConfidence: number;
  /** Weight by provider id; 1 where none is given. */
  readonly weights: Readonly<Record<string, number>>;
}

/** The most telling first: what a user has to mend comes before what mends itself. */
const FAILURE_ORDER: readonly LookupErrorCode[] = [
  'unauthorized',
  'quota_exhausted',
  'over_budget',
  'rate_limited',
  'timeout',
  'unavailable',
  'bad_response',
  'invalid',
];

/** The tier of a score. No score: somebody has to look. */
export function tierOf(score: number | null, tiers: Scoring['tiers']): Tier {
  if (score === null) return 'review';
  if (score >= tiers.p1) return 'p1';
  if (score >= tiers.p2) return 'p2';
  return score >= tiers.watch ? 'watch' : 'log';
}

/** Splits a whole score into whole parts by their weighted scores, so that the parts add up exactly (largest remainder). */
export function contributionsOf(score: number, parts: readonly number[]): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total === 0) return parts.map(() => 0);
  const exact = parts.map((part) => (score * part) / total);
  const whole = exact.map(Math.floor);
  const missing = score - whole.reduce((sum, part) => sum + part, 0);
  const byRemainder = exact.map((part, n) => [part - Math.floor(part), n] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (const [, n] of byRemainder.slice(0, missing)) whole[n] = (whole[n] ?? 0) + 1;
  return whole;
}

function resultOf(outcome: Outcome): ProviderResult {
  const nothing = { categories: [], attributes: [], sightings: null, firstSeen: null, lastSeen: null, reference: null, contribution: 0 };
  const { provider } = outcome;
  if (outcome.kind === 'failed') {
    return {
      provider,
      status: outcome.error.code,
      verdict: 'unknown',
      score: null,
      confidence: null,
      ...nothing,
      message: outcome.error.message,
    };
  }
  const { verdict } = outcome;
  if (verdict === null)
    return { provider, status: 'not_listed', verdict: 'unknown', score: null, confidence: null, ...nothing, message: null };
  const { tlp: _tlp, isPending, ...said } = verdict;
  return { ...said, provider, status: isPending ? 'pending' : 'ok', contribution: 0, message: null };
}

function statusOf(outcomes: readonly Outcome[], results: readonly ProviderResult[]): { status: Status; message: string | null } {
  const failures = results.filter((result) => result.message !== null);
  const [worst] = failures.toSorted((a, b) => rank(a) - rank(b));
  if (worst && failures.length === results.length) return { status: worst.status as LookupErrorCode, message: worst.message };
  if (worst) return { status: 'partial', message: failures.map((failure) => failure.message).join('; ') };
  if (results.some((result) => result.status === 'pending'))
    return { status: 'pending', message: 'the provider is still working on it: ask again in a minute' };
  const isStale = outcomes.some((outcome) => outcome.kind === 'answered' && outcome.isStale);
  return isStale
    ? { status: 'stale', message: 'older than its lifetime: the provider could not be asked anew' }
    : { status: 'ok', message: null };
}

function rank(result: ProviderResult): number {
  return FAILURE_ORDER.indexOf(result.status as LookupErrorCode);
}

function worstVerdict(results: readonly ProviderResult[]): VerdictWord {
  return VERDICT_WORDS.find((word) => results.some((result) => result.verdict === word)) ?? 'unknown';
}

/** Mean of what was said, weighted; `null` when nobody said anything. */
function weightedMean(values: readonly (readonly [number | null, number])[]): number | null {
  let sum = 0;
  let weights = 0;
  for (const [value, weight] of values) {
    if (value === null) continue;
    sum += value * weight;
    weights += weight;
  }
  return weights === 0 ? null : Math.round(sum / weights);
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.length === 1 ? (lists[0] ?? []) : [...new Set(lists.flat())];
}

function extreme(times: readonly (string | null)[], pick: 'first' | 'last'): string | null {
  const said = times.filter((time) => time !== null).sort();
  return (pick === 'first' ? said[0] : said.at(-1)) ?? null;
}

/** Merges what all asked providers said about one indicator. Weights go over those that gave a score: one that is missing is not a zero. */
export function mergeOutcomes(outcomes: readonly Outcome[], scoring: Scoring): Answer {
  const results = outcomes.map(resultOf);
  const weightOf = (result: ProviderResult) => scoring.weights[result.provider] ?? 1;
  const score = weightedMean(results.map((result) => [result.score, weightOf(result)]));
  const confidence = weightedMean(results.map((result) => [result.confidence, weightOf(result)]));
  const contributions =
    score === null
      ? []
      : contributionsOf(
          score,
          results.map((result) => (result.score ?? 0) * weightOf(result)),
        );
  const { status, message } = statusOf(outcomes, results);
  const verdict = worstVerdict(results);
  const tier = tierOf(score, scoring.tiers);
  const sightings = results.reduce<number | null>(
    (most, { sightings: count }) => (count === null ? most : Math.max(most ?? 0, count)),
    null,
  );
  return {
    verdict,
    status,
    score,
    confidence,
    tier,
    autoResolve:
      tier === 'log' && status === 'ok' && verdict === 'clean' && confidence !== null && confidence >= scoring.autoResolveConfidence,
    categories: union(results.map((result) => result.categories)),
    attributes: union(results.map((result) => result.attributes)),
    sightings,
    firstSeen: extreme(
      results.map((result) => result.firstSeen),
      'first',
    ),
    lastSeen: extreme(
      results.map((result) => result.lastSeen),
      'last',
    ),
    reference: results.find((result) => result.reference !== null)?.reference ?? null,
    message,
    providers: results.map((result, n) => ({ ...result, contribution: contributions[n] ?? 0 })),
  };
}

/** An answer that no provider gave: invalid, private, allow-listed. Nobody said anything, so there is no score. */
export function unaskedAnswer(status: Status, message: string): Answer {
  return {
    verdict: 'unknown',
    status,
    score: null,
    confidence: null,
    tier: 'review',
    autoResolve: false,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message,
    providers: [],
  };
}
