import type { Answer } from '../../model/enrichment.ts';
import type { Outcome } from './outcome.ts';
import { cleanInKeeping, OWN_WORD, type Scoring, tierOf, weightOf } from './scoring.ts';

/** What an answer says about itself when all is not well, and what it says about being resolved without a person. */
export const PENDING_MESSAGE = 'the provider is still working on it: ask again in a minute';
export const STALE_MESSAGE = 'older than its lifetime: the provider could not be asked again';

/**
 * The answer when one provider alone listed something: what `mergeOutcomes` makes of it, without its detours, since a search starts with
 * thousands of them. `null`: another case. A test holds the two together.
 */
export function mergeSingle(outcome: Outcome, scoring: Scoring): Answer | null {
  const { provider } = outcome;
  if (outcome.kind !== 'answered' || outcome.verdict === null || OWN_WORD.has(provider)) return null;
  if (scoring.formula !== 'weighted' || scoring.halfLifeDays !== null) return null;
  const { verdict, isStale } = outcome;
  const { categories, attributes, sightings, firstSeen, lastSeen, reference, confidence, isPending } = verdict;
  const weight = weightOf(scoring, outcome);
  const score = verdict.score === null || weight === 0 ? null : Math.round(verdict.score);
  const tier = tierOf(score, scoring.tiers);
  const said = weight > 0 ? verdict.verdict : 'unknown';
  const word = said === 'clean' && score !== null ? cleanInKeeping(score, scoring.tiers) : said;
  const status = isPending ? 'pending' : isStale ? 'stale' : 'ok';
  const isSure = confidence !== null && confidence >= scoring.autoResolveConfidence;
  const { tlp: _tlp, note, isPending: _isPending, ...shown } = verdict;
  return {
    verdict: word,
    status,
    score,
    confidence,
    tier,
    autoResolve: tier === 'log' && status === 'ok' && word === 'clean' && isSure,
    categories,
    attributes,
    sightings,
    firstSeen,
    lastSeen,
    reference,
    message: isPending ? PENDING_MESSAGE : isStale ? STALE_MESSAGE : null,
    providers: [{ ...shown, provider, status: isPending ? 'pending' : 'ok', message: note ?? null, contribution: score ?? 0 }],
  };
}
