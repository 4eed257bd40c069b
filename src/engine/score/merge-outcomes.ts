import type { Answer, ProviderResult, Status } from '../../model/enrichment.ts';
import type { LookupErrorCode } from '../../model/lookup-error.ts';
import { VERDICT_WORDS, type VerdictWord } from '../../model/verdict.ts';
import { mergeConfidence } from './merge-confidence.ts';
import { mergeScores } from './merge-score.ts';
import { mergeSingle, PENDING_MESSAGE, STALE_MESSAGE } from './merge-single.ts';
import { heardOf } from './signals.ts';
import type { Outcome } from './outcome.ts';
import { cleanInKeeping, type MergedScore, type Scoring, type Subject, tierOf, weightOf } from './scoring.ts';

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

/** Merges what all asked providers said about one indicator into the answer that users see. */
export function mergeOutcomes(outcomes: readonly Outcome[], scoring: Scoring, subject: Subject): Answer {
  const [only] = outcomes;
  // Stryker disable next-line all: a short cut, the general rule says the same
  const single = only !== undefined && outcomes.length === 1 ? mergeSingle(only, scoring) : null;
  return single ?? mergeSeveral(outcomes, scoring, subject);
}

/** The general rule; `mergeSingle` is its short cut. */
export function mergeSeveral(outcomes: readonly Outcome[], scoring: Scoring, subject: Subject): Answer {
  const results = outcomes.map(resultOf);
  const heard = heardOf(results, scoring);
  const merged = mergeScores(heard, scoring, subject);
  const { score } = merged;
  const confidence = confidenceOf(heard, score, { scoring, subject });
  const { status, message } = statusOf(outcomes, results);
  const verdict = mergeVerdicts(heard, merged, scoring);
  const tier = tierOf(score, scoring.tiers);
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
    sightings: results.reduce<number | null>((most, { sightings: count }) => (count === null ? most : Math.max(most ?? 0, count)), null),
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
    providers: results.map((result, n) => ({ ...result, contribution: merged.contributions[n] ?? 0 })),
  };
}

/** To be listed in a feed never makes anybody less sure of what others say. */
function confidenceOf(
  results: readonly ProviderResult[],
  score: number | null,
  { scoring, subject }: { readonly scoring: Scoring; readonly subject: Subject },
): number | null {
  const confidence = mergeConfidence(results, score, scoring);
  const listing = results.find(isListing);
  if (!listing) return confidence;
  const others = results.filter((result) => result !== listing);
  const withoutIt = mergeConfidence(others, mergeScores(others, scoring, subject).score, scoring);
  return confidence === null || withoutIt === null ? (confidence ?? withoutIt) : Math.max(confidence, withoutIt);
}

function isListing({ provider, score, attributes }: ProviderResult): boolean {
  return provider === 'local' && score !== null && attributes.some((word) => word.startsWith('feed:'));
}

/** How the score of an answer came about, one line each, for people. */
export function explainScore(answer: Answer, scoring: Scoring, subject: Subject): readonly string[] {
  return answer.providers.length === 0 ? ['no provider was asked'] : mergeScores(answer.providers, scoring, subject).lines;
}

/**
 * What an analyst decided; else the worst word of those that count, in keeping with the score: nothing is `clean` from tier p2 on (see `cleanInKeeping`), and `malicious` steps down to
 * `suspicious` when the score is below `watch` for a reason: somebody cleared the value, it is allow-listed, or it has aged.
 */
function mergeVerdicts(results: readonly ProviderResult[], { score, isLowered }: MergedScore, scoring: Scoring): VerdictWord {
  const override = results.find(({ provider }) => provider === 'feedback');
  if (override) return override.verdict;
  const counted = results.filter((result) => weightOf(scoring, result) > 0);
  const worst = VERDICT_WORDS.find((word) => counted.some((result) => result.verdict === word)) ?? 'unknown';
  if (score === null) return worst;
  if (worst === 'clean') return cleanInKeeping(score, scoring.tiers);
  const isContradicted = isLowered || counted.some((result) => result.verdict === 'clean');
  return worst === 'malicious' && score < scoring.tiers.watch && isContradicted ? 'suspicious' : worst;
}

function resultOf(outcome: Outcome): ProviderResult {
  // Stryker disable next-line NumericLiteral: the points are put in when all is merged
  const nothing = { categories: [], attributes: [], sightings: null, firstSeen: null, lastSeen: null, reference: null, contribution: 0 };
  const { provider } = outcome;
  if (outcome.kind !== 'answered') {
    const [status, message] = outcome.kind === 'failed' ? [outcome.error.code, outcome.error.message] : [outcome.status, outcome.message];
    return { provider, status, verdict: 'unknown', score: null, confidence: null, ...nothing, message };
  }
  const { verdict } = outcome;
  if (verdict === null)
    return { provider, status: 'not_listed', verdict: 'unknown', score: null, confidence: null, ...nothing, message: null };
  const { tlp: _tlp, note, isPending, ...said } = verdict;
  // Stryker disable next-line NumericLiteral: the points are put in when all is merged
  return { ...said, provider, status: isPending ? 'pending' : 'ok', contribution: 0, message: note ?? null };
}

function statusOf(outcomes: readonly Outcome[], results: readonly ProviderResult[]): { status: Status; message: string | null } {
  // Who may not be told is left out by the user's own wish: the others' answer is whole.
  const asked = results.filter(({ status }) => status !== 'skipped_tlp');
  const failures = asked.filter(({ status }) => status !== 'ok' && status !== 'not_listed' && status !== 'pending');
  const [worst] = failures.toSorted((a, b) => rank(a) - rank(b));
  // Attributes, and lists that do not name it, are no word on how bad it is: without one the look-up failed, and is made up for.
  if (worst && !asked.some(({ verdict, score }) => verdict !== 'unknown' || score !== null))
    return { status: worst.status as LookupErrorCode, message: worst.message };
  if (worst) return { status: 'partial', message: failures.map((failure) => failure.message).join('; ') };
  if (results.some((result) => result.status === 'pending')) return { status: 'pending', message: PENDING_MESSAGE };
  const isStale = outcomes.some((outcome) => outcome.kind === 'answered' && outcome.isStale);
  return isStale
    ? { status: 'stale', message: STALE_MESSAGE }
    : { status: 'ok', message: results.find(({ provider }) => provider === 'feedback')?.message ?? null };
}

function rank(result: ProviderResult): number {
  return FAILURE_ORDER.indexOf(result.status as LookupErrorCode);
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  // Stryker disable next-line all: a short cut
  return lists.length === 1 ? (lists[0] ?? []) : [...new Set(lists.flat())];
}

function extreme(times: readonly (string | null)[], pick: 'first' | 'last'): string | null {
  const said = times.filter((time) => time !== null).sort();
  return (pick === 'first' ? said[0] : said.at(-1)) ?? null;
}
