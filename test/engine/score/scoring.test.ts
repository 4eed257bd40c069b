import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/engine/score/outcome.ts';
import { explainScore, mergeOutcomes as merge } from '../../../src/engine/score/merge-outcomes.ts';
import { toExplainLine } from '../../../src/mapping/explain-line.ts';
import { contributionsOf, type Scoring, tierOf } from '../../../src/engine/score/scoring.ts';
import type { IndicatorType } from '../../../src/model/indicator.ts';
import { LOOKUP_ERROR_CODES, LookupError } from '../../../src/model/lookup-error.ts';
import { VERDICT_WORDS, type Verdict } from '../../../src/model/verdict.ts';

const TIERS = { p1: 80, p2: 60, watch: 40 };
const SCORING: Scoring = {
  formula: 'weighted',
  tiers: TIERS,
  autoResolveConfidence: 80,
  weights: { a: 1, b: 2, c: 0.5 },
  allowlistMaxScore: 59,
  halfLifeDays: null,
};
const NOW_S = Date.parse('2026-11-21T00:00:00Z') / 1000;

function mergeOutcomes(outcomes: readonly Outcome[], scoring: Scoring = SCORING, type: IndicatorType = 'ipv4-addr') {
  return merge(outcomes, scoring, { type, nowS: NOW_S });
}

function answered(provider: string, facts: Partial<Verdict> | null): Outcome {
  const verdict = facts && {
    provider,
    verdict: 'unknown' as const,
    score: null,
    confidence: null,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    tlp: 'CLEAR' as const,
    reference: null,
    isPending: false,
    ...facts,
  };
  return { kind: 'answered', provider, verdict, source: 'live', checkedAtS: 1, expiresAtS: 2, isStale: false };
}

function failed(provider: string, code: (typeof LOOKUP_ERROR_CODES)[number]): Outcome {
  return { kind: 'failed', provider, error: new LookupError(code, provider, 'did not answer') };
}

it.each([
  [null, 'review'],
  [0, 'log'],
  [39, 'log'],
  [40, 'watch'],
  [59, 'watch'],
  [60, 'p2'],
  [79, 'p2'],
  [80, 'p1'],
  [100, 'p1'],
])('score %j is tier %s', (score, tier) => {
  expect(tierOf(score, TIERS)).toBe(tier);
});

it.each([
  [{ verdict: 'clean', score: 0, confidence: 80 }, true],
  [{ verdict: 'clean', score: 39, confidence: 100 }, true],
  [{ verdict: 'clean', score: 0, confidence: 79 }, false],
  [{ verdict: 'clean', score: 0, confidence: null }, false],
  [{ verdict: 'clean', score: 40, confidence: 100 }, false],
  [{ verdict: 'clean', score: null, confidence: 100 }, false],
  [{ verdict: 'unknown', score: 0, confidence: 100 }, false],
  [{ verdict: 'suspicious', score: 0, confidence: 100 }, false],
  [{ verdict: 'malicious', score: 0, confidence: 100 }, false],
  [{ verdict: 'clean', score: 0, confidence: 100, isPending: true }, false],
] as const)('%j resolves without a person: %j', (facts, autoResolve) => {
  expect(mergeOutcomes([answered('a', facts)], SCORING).autoResolve).toBe(autoResolve);
});

it.each([
  [0, 'clean', 'log'],
  [59, 'clean', 'watch'],
  [60, 'suspicious', 'p2'],
  [79, 'suspicious', 'p2'],
  [80, 'malicious', 'p1'],
  [95, 'malicious', 'p1'],
] as const)('a source that says clean and scores %i reads %s, tier %s, alone and with others', (score, verdict, tier) => {
  const said = answered('a', { verdict: 'clean', score, confidence: 100 });
  expect(mergeOutcomes([said], SCORING)).toMatchObject({ score, verdict, tier });
  expect(mergeOutcomes([said, answered('b', null)], SCORING)).toMatchObject({ score, verdict, tier });
});

describe('merging', () => {
  it('weighs over those that gave a score: a missing one is not a zero', () => {
    const answer = mergeOutcomes(
      [answered('a', { score: 90 }), answered('b', null), answered('c', { score: null }), failed('d', 'timeout')],
      SCORING,
    );
    expect(answer.score).toBe(90);
    expect(answer.status).toBe('partial');
    expect(answer.providers.map(({ status, contribution }) => [status, contribution])).toEqual([
      ['ok', 90],
      ['not_listed', 0],
      ['ok', 0],
      ['timeout', 0],
    ]);
  });

  it.each([
    [['timeout', 'unauthorized'], 'unauthorized'],
    [['unavailable', 'quota_exhausted'], 'quota_exhausted'],
    [['bad_response', 'rate_limited'], 'rate_limited'],
    [['invalid', 'bad_response'], 'bad_response'],
  ] as const)('failures %j read as the one to mend first: %s', (codes, status) => {
    expect(
      mergeOutcomes(
        codes.map((code, n) => failed(`p${n}`, code)),
        SCORING,
      ),
    ).toMatchObject({ status, verdict: 'unknown', score: null, tier: 'review' });
  });

  const outcome = fc.record({
    provider: fc.constantFrom('a', 'b', 'c', 'd'),
    verdict: fc.constantFrom(...VERDICT_WORDS),
    score: fc.option(fc.integer({ min: 0, max: 100 })),
    confidence: fc.option(fc.integer({ min: 0, max: 100 })),
  });
  const mixed = fc.array(
    fc.oneof(
      outcome.map((facts) => answered(facts.provider, facts)),
      fc.constantFrom(...LOOKUP_ERROR_CODES).map((code) => failed('e', code)),
      fc.constant(answered('f', null)),
    ),
    { minLength: 1, maxLength: 6 },
  );

  it('adds up: contributions are whole, never negative, and sum to the score exactly', () => {
    fc.assert(
      fc.property(mixed, (outcomes) => {
        const answer = mergeOutcomes(outcomes, SCORING);
        const parts = answer.providers.map(({ contribution }) => contribution);
        expect(parts.every((part) => Number.isInteger(part) && part >= 0)).toBe(true);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(answer.score ?? 0);
        // What people read adds up, too: `62 = a 40 + b 22; c timeout`.
        const [said = '', terms = ''] = toExplainLine(answer).split('; ')[0]?.split(' = ') ?? [];
        const points = [...terms.matchAll(/ (\d+)(?: \+ |$)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
        expect([said, points]).toEqual([String(answer.score ?? 'no score'), answer.score ?? 0]);
      }),
      { numRuns: 2000 },
    );
  });

  it('never calls clean, nor resolves, what nobody judged or what failed', () => {
    fc.assert(
      fc.property(mixed, (outcomes) => {
        const answer = mergeOutcomes(outcomes, SCORING);
        const words = outcomes.flatMap((one) => (one.kind === 'answered' && one.verdict ? [one.verdict.verdict] : []));
        if (answer.verdict === 'clean') expect(words).toContain('clean');
        if (answer.verdict === 'clean') expect(words).not.toContain('malicious');
        if (outcomes.some(({ kind }) => kind === 'failed')) expect(answer.autoResolve).toBe(false);
        if (outcomes.every(({ kind }) => kind === 'failed')) expect(answer).toMatchObject({ verdict: 'unknown', score: null });
      }),
      { numRuns: 2000 },
    );
  });

  it('is monotone: a higher score of one provider never lowers the merged one', () => {
    fc.assert(
      fc.property(mixed, fc.nat(5), fc.integer({ min: 1, max: 100 }), (outcomes, at, more) => {
        const one = outcomes[at % outcomes.length]!;
        if (one.kind !== 'answered' || one.verdict?.score == null) return;
        const raised = outcomes.map((other) =>
          other === one ? answered(one.provider, { ...one.verdict, score: Math.min(100, one.verdict!.score! + more) }) : other,
        );
        expect(mergeOutcomes(raised, SCORING).score!).toBeGreaterThanOrEqual(mergeOutcomes(outcomes, SCORING).score!);
      }),
      { numRuns: 2000 },
    );
  });

  it('a score alone stays what it is, whoever gives it', () => {
    fc.assert(
      fc.property(outcome, (facts) => {
        const said = answered(facts.provider, facts);
        const answer = mergeOutcomes([said, answered('x', null)]);
        expect(answer.score).toBe(facts.score);
        expect(mergeOutcomes([said])).toMatchObject({ score: facts.score, confidence: facts.confidence });
      }),
    );
  });

  it('nothing reads clean from tier p2 on, and what is malicious in tier log alone has a word of its own', () => {
    fc.assert(
      fc.property(mixed, (outcomes) => {
        const answer = mergeOutcomes(outcomes);
        if (answer.tier === 'p1' || answer.tier === 'p2') expect(answer.verdict).not.toBe('clean');
        const cleared = answer.providers.some(({ verdict }) => verdict === 'clean');
        if (answer.tier === 'log' && cleared) expect(answer.verdict).not.toBe('malicious');
      }),
      { numRuns: 2000 },
    );
  });

  it('explains a score with the very lines it was made by', () => {
    const outcomes = [
      answered('a', { score: 90, confidence: 90, verdict: 'malicious' }),
      answered('b', { score: 0, confidence: 95, verdict: 'clean' }),
    ];
    expect(explainScore(mergeOutcomes(outcomes), SCORING, { type: 'ipv4-addr', nowS: NOW_S })).toEqual([
      'weighted mean 28.9 of a 90 (weight 1, confidence 90), b 0 (weight 2, confidence 95)',
      'held up to 76.5 by a, the strongest signal',
    ]);
  });

  it('splits a score by largest remainder', () => {
    expect(contributionsOf(10, [1, 1, 1])).toEqual([4, 3, 3]);
    expect(contributionsOf(10, [1, 3, 2])).toEqual([2, 5, 3]);
    expect(contributionsOf(10, [2, 3, 1])).toEqual([3, 5, 2]);
    expect(contributionsOf(0, [0, 0])).toEqual([0, 0]);
    expect(contributionsOf(87, [87])).toEqual([87]);
  });
});
