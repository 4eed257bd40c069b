import { describe, expect, it } from 'vitest';
import { explainScore, mergeOutcomes } from '../../../src/engine/score/merge-outcomes.ts';
import type { Outcome } from '../../../src/engine/score/outcome.ts';
import type { Scoring } from '../../../src/engine/score/scoring.ts';
import { answered, failed, NOW_S, RULES } from './score-samples.ts';

const SUBJECT = { type: 'ipv4-addr' as const, nowS: NOW_S };
const merge = (outcomes: readonly Outcome[], rules: Partial<Scoring> = {}) => mergeOutcomes(outcomes, { ...RULES, ...rules }, SUBJECT);
const explain = (outcomes: readonly Outcome[], rules: Partial<Scoring> = {}) =>
  explainScore(merge(outcomes, rules), { ...RULES, ...rules }, SUBJECT);
const daysAgo = (days: number) => new Date((NOW_S - days * 86_400) * 1000).toISOString();

describe('confidence', () => {
  it.each<[string, Outcome[], Record<string, number>, number | null]>([
    [
      'is weighted, and doubt shrinks by a fifth with one who agrees',
      [answered('a', { score: 50, confidence: 40 }), answered('b', { score: 50, confidence: 70 })],
      { b: 2 },
      68,
    ],
    ['and by a fifth of the rest with the next', [40, 40, 40].map((confidence, n) => answered(`p${n}`, { score: 50, confidence })), {}, 62],
    ['unsaid is 50', [answered('a', { score: 50 }), answered('b', { score: 50 })], {}, 60],
    ['of those who did not score is the plain mean', [answered('a', { confidence: 60 }), answered('b', { confidence: 70 })], {}, 65],
    ['of those who say nothing about it is not said', [answered('a', {}), answered('b', null)], {}, null],
    ['shrinks with those who failed, by weight', [answered('a', { score: 50, confidence: 90 }), failed('b', 'timeout')], { b: 2 }, 30],
    ['does not shrink with who lists nothing', [answered('a', { score: 50, confidence: 90 }), answered('b', null)], {}, 90],
    [
      'does not shrink with who still works on it',
      [answered('a', { score: 50, confidence: 90 }), answered('b', { isPending: true })],
      {},
      90,
    ],
    [
      'of the only one asked is its own, whatever it weighs',
      [answered('a', { score: 50, confidence: 33 }), answered('local', null)],
      { a: 0.1 },
      33,
    ],
    [
      'of who weighs nothing does not count beside others',
      [answered('a', { score: 50, confidence: 90 }), answered('b', { score: 50, confidence: 10 })],
      { b: 0 },
      90,
    ],
    [
      'of an analyst stands alone',
      [answered('a', { score: 90, confidence: 90 }), answered('feedback', { score: 0, confidence: 77 })],
      {},
      77,
    ],
    [
      'of our own list counts when it scores',
      [answered('a', { score: 80, confidence: 50 }), answered('local', { score: 80, confidence: 100 })],
      {},
      80,
    ],
  ])('%s', (_name, outcomes, weights, confidence) => expect(merge(outcomes, { weights }).confidence).toBe(confidence));

  // The stronger one weighs so much that the merged score is its own; both are as sure as is usual.
  it.each([
    [70, 60],
    [69, 50],
  ])('one with score %i agrees with 90 or does not: %i', (score, confidence) => {
    const own = answered('local', { score: 90, confidence: 50 });
    // Distance costs a thousandth of a point here: the other hardly weighs.
    expect(merge([own, answered('b', { score, confidence: 50 })], { weights: { b: 0.0001 } }).confidence).toBe(confidence);
  });

  it.each([
    // Mean 60, each 40 away from it.
    [{ a: 0.3, b: 0.3 }, 20, 50, 60, 30],
    [{ a: 0.5, b: 0.5 }, 0, 100, 50, 50],
    [{ a: 0.46, b: 0.54 }, 0, 100, 46, 50],
  ])(
    'with weights %j shrinks with the distance of 100 and %i: sure by %i, merged into %i, it is sure by %i',
    (weights, other, confidence, score, left) => {
      const outcomes = [answered('a', { score: 100, confidence }), answered('b', { score: other, confidence })];
      expect(merge(outcomes, { weights })).toMatchObject({ score, confidence: left });
    },
  );
});

describe('the merged score', () => {
  it.each<[string, Outcome[], Partial<Scoring>, number, string[]]>([
    [
      'who does not say how sure it is counts as 60',
      [answered('a', { score: 100 }), answered('b', { score: 0, confidence: 60 })],
      { weights: { a: 0.5, b: 0.5 } },
      50,
      ['weighted mean 50.0 of a 100 (weight 0.5, confidence not said, taken as 60), b 0 (weight 0.5, confidence 60)'],
    ],
    [
      'doubt alone leaves a word 5',
      [answered('a', { score: 100, confidence: 0 }), answered('b', { score: 0, confidence: 10 })],
      { weights: { a: 0.5, b: 0.5 } },
      33,
      ['weighted mean 33.3 of a 100 (weight 0.5, confidence 0), b 0 (weight 0.5, confidence 10)'],
    ],
    [
      'one of confidence 50 holds up whole, whatever more it weighs',
      [answered('a', { score: 100, confidence: 50 }), answered('b', { score: 0, confidence: 100 })],
      { weights: { a: 2, b: 9 } },
      85,
      [
        'weighted mean 10.0 of a 100 (weight 2, confidence 50), b 0 (weight 9, confidence 100)',
        'held up to 85.0 by a, the strongest signal',
      ],
    ],
    [
      'one of confidence 49 holds up a little less',
      [answered('a', { score: 100, confidence: 49 }), answered('b', { score: 0, confidence: 98 })],
      { weights: { b: 9 } },
      83,
      ['weighted mean 5.3 of a 100 (weight 1, confidence 49), b 0 (weight 9, confidence 98)', 'held up to 83.3 by a, the strongest signal'],
    ],
    [
      'one that does not say how sure it is holds up whole',
      [answered('a', { score: 100 }), answered('b', { score: 0, confidence: 60 })],
      { weights: { b: 9 } },
      85,
      [
        'weighted mean 10.0 of a 100 (weight 1, confidence not said, taken as 60), b 0 (weight 9, confidence 60)',
        'held up to 85.0 by a, the strongest signal',
      ],
    ],
    [
      'of two that hold up as much the first is named',
      [answered('a', { score: 80 }), answered('b', { score: 80 }), answered('c', { score: 0 })],
      {},
      68,
      [
        'weighted mean 53.3 of a 80 (weight 1, confidence not said, taken as 60), b 80 (weight 1, confidence not said, taken as 60), c 0 (weight 1, confidence not said, taken as 60)',
        'held up to 68.0 by a, the strongest signal',
      ],
    ],
    [
      'a mean that is as high is not held up',
      [answered('a', { score: 100, confidence: 50 }), answered('b', { score: 70, confidence: 50 })],
      {},
      85,
      ['weighted mean 85.0 of a 100 (weight 1, confidence 50), b 70 (weight 1, confidence 50)'],
    ],
    [
      'our own list is not argued down',
      [answered('a', { score: 0, confidence: 100 }), answered('local', { score: 80, confidence: 10 })],
      {},
      80,
      [
        'weighted mean 7.3 of a 0 (weight 1, confidence 100), local 80 (weight 1, confidence 10)',
        'held up to 80.0 by local, the strongest signal',
      ],
    ],
    ['one alone is what it is', [answered('a', { score: 17 }), answered('b', null)], {}, 17, ['the only score: 17 by a']],
    [
      'an analyst decides',
      [answered('a', { score: 90 }), answered('feedback', { score: 5, confidence: 1 })],
      {},
      5,
      ['an analyst decided: 5'],
    ],
  ])('%s', (_name, outcomes, rules, score, lines) => {
    expect([merge(outcomes, rules).score, explain(outcomes, rules)]).toEqual([score, lines]);
  });

  it('of nobody is none, and says so', () => {
    expect(explain([answered('a', {}), answered('b', null)])).toEqual(['no provider gave a score']);
    expect(explain([])).toEqual(['no provider was asked']);
  });

  it('has its points from each by weight, confidence and score', () => {
    // 90 × 1 × 60 and 45 × 2 × 60: half each, of what the first holds up.
    const answer = merge([answered('a', { score: 90, confidence: 60 }), answered('b', { score: 45, confidence: 60 })], {
      weights: { b: 2 },
    });
    expect([answer.score, answer.providers.map(({ contribution }) => contribution)]).toEqual([77, [39, 38]]);
  });

  it('an analyst has all the points, and the word', () => {
    const answer = merge([
      answered('a', { score: 90, verdict: 'malicious' }),
      answered('feedback', { score: 5, verdict: 'clean', note: 'ours' }),
    ]);
    expect([answer.verdict, answer.message, answer.providers.map(({ contribution }) => contribution)]).toEqual(['clean', 'ours', [0, 5]]);
  });
});

describe('an allow list', () => {
  const listed = answered('b', { attributes: ['allowlist'] });
  it.each([
    [59, 59, ['the only score: 59 by a']],
    [60, 59, ['a: 60 counts 59, on an allow list by b', 'the only score: 59 by a']],
  ])('turns score %i of another into %i', (score, counts, lines) => {
    expect([merge([answered('a', { score }), listed]).score, explain([answered('a', { score }), listed])]).toEqual([counts, lines]);
  });
  it.each<[string, Outcome[], number]>([
    ['by the word known-good too', [answered('a', { score: 90 }), answered('b', { attributes: ['cdn', 'known-good'] })], 59],
    ["is in its own provider's score already", [answered('a', { score: 90, attributes: ['allowlist'] }), answered('b', null)], 90],
    ['does not cap our own list', [answered('local', { score: 90 }), listed], 90],
    ['caps one that vouches when another does, too', [answered('a', { score: 90, attributes: ['allowlist'] }), listed], 59],
  ])('%s', (_name, outcomes, score) => expect(merge(outcomes).score).toBe(score));
  it('makes malicious below tier watch suspicious; at watch it stays', () => {
    const said = answered('a', { score: 90, verdict: 'malicious' });
    expect(merge([said, listed], { allowlistMaxScore: 40 }).verdict).toBe('malicious');
    expect(merge([said, listed], { allowlistMaxScore: 39 }).verdict).toBe('suspicious');
  });
});

describe('age', () => {
  const rules = { halfLifeDays: { 'ipv4-addr': 30 } as Scoring['halfLifeDays'] };
  it.each([
    [30, 100, 50, ['a: 100 counts 50, last seen 30 days ago']],
    [60, 100, 25, ['a: 100 counts 25, last seen 60 days ago']],
    [1, 100, 98, ['a: 100 counts 98, last seen 1 days ago']],
    [2 - 1 / 86_400, 100, 98, ['a: 100 counts 98, last seen 1 days ago']],
    [1 - 1 / 86_400, 100, 100, []],
    [0, 100, 100, []],
    [-400, 100, 100, []],
    // A day takes less than half a point: nothing was lowered, and nothing is said.
    [1, 10, 10, []],
  ])('after %d days a score of %i counts %i', (days, score, counts, notes) => {
    const said = answered('a', { score, lastSeen: daysAgo(days) });
    expect([merge([said], rules).score, explain([said], rules)]).toEqual([counts, [...notes, `the only score: ${counts} by a`]]);
  });
  it('does not count where the type does not decay, and where nobody says plainly when it was seen', () => {
    const old = answered('a', { score: 100, lastSeen: daysAgo(300) });
    expect(merge([old], { halfLifeDays: { 'ipv4-addr': null } as Scoring['halfLifeDays'] }).score).toBe(100);
    expect(merge([answered('a', { score: 100 })], rules).score).toBe(100);
    expect(merge([answered('a', { score: 100, lastSeen: 'lately' })], rules).score).toBe(100);
  });
  it('alone makes malicious below tier watch suspicious', () => {
    const said = (days: number) => [answered('a', { score: 80, verdict: 'malicious', lastSeen: daysAgo(days) })];
    expect(merge(said(30), rules)).toMatchObject({ score: 40, verdict: 'malicious' });
    expect(merge(said(32), rules)).toMatchObject({ score: 38, verdict: 'suspicious' });
  });
});

describe('the merged answer', () => {
  it('has the first and last time, the most sightings, the first page, and every word once', () => {
    const answer = merge([
      answered('a', { categories: ['c2', 'spam'], attributes: ['tor'], firstSeen: '2026-02-01', lastSeen: '2026-03-01', sightings: 4 }),
      answered('b', {
        categories: ['spam'],
        attributes: ['cdn'],
        firstSeen: '2026-01-01',
        lastSeen: '2026-02-01',
        sightings: 7,
        reference: 'r',
      }),
      answered('c', { reference: 's' }),
    ]);
    expect(answer).toMatchObject({
      categories: ['c2', 'spam'],
      attributes: ['tor', 'cdn'],
      firstSeen: '2026-01-01',
      lastSeen: '2026-03-01',
      sightings: 7,
      reference: 'r',
    });
    expect(merge([answered('a', {}), answered('b', null)])).toMatchObject({
      firstSeen: null,
      lastSeen: null,
      sightings: null,
      reference: null,
    });
    expect(merge([answered('a', { sightings: 0 }), answered('b', null)]).sightings).toBe(0);
  });

  it.each<[string, Outcome[], string, string | null]>([
    ['one failed, one says something', [answered('a', { score: 1 }), failed('b', 'timeout')], 'partial', 'b: did not answer'],
    [
      'one failed, one says a word without a score',
      [answered('a', { verdict: 'clean' }), failed('b', 'timeout')],
      'partial',
      'b: did not answer',
    ],
    [
      'two failed',
      [answered('a', { score: 1 }), failed('b', 'timeout'), failed('c', 'unavailable')],
      'partial',
      'b: did not answer; c: did not answer',
    ],
    [
      'one failed, the other knows attributes only',
      [answered('a', { attributes: ['cdn'] }), failed('b', 'timeout')],
      'timeout',
      'b: did not answer',
    ],
    [
      'one still works on it',
      [answered('a', { score: 1 }), answered('b', { isPending: true })],
      'pending',
      'the provider is still working on it: ask again in a minute',
    ],
    [
      'one is old',
      [answered('a', { score: 1 }), answered('b', null, true)],
      'stale',
      'older than its lifetime: the provider could not be asked again',
    ],
    [
      'one may not be told',
      [answered('a', { score: 1 }), { kind: 'skipped', provider: 'b', status: 'skipped_tlp', message: 'no' }],
      'ok',
      null,
    ],
    ['a mended failure comes first', [failed('a', 'invalid'), failed('b', 'over_budget')], 'over_budget', 'b: did not answer'],
    [
      'a wait that the provider asks for comes before a time-out',
      [failed('a', 'timeout'), failed('b', 'rate_limited')],
      'rate_limited',
      'b: did not answer',
    ],
    ['a time-out before a dead host', [failed('a', 'unavailable'), failed('b', 'timeout')], 'timeout', 'b: did not answer'],
    [
      'a dead host before an answer of unknown shape',
      [failed('a', 'bad_response'), failed('b', 'unavailable')],
      'unavailable',
      'b: did not answer',
    ],
    [
      'a used-up quota before our own budget',
      [failed('a', 'over_budget'), failed('b', 'quota_exhausted')],
      'quota_exhausted',
      'b: did not answer',
    ],
  ])('when %s', (_name, outcomes, status, message) => expect(merge(outcomes)).toMatchObject({ status, message }));

  it('resolves nothing by itself that is stale or in part', () => {
    const clean = answered('a', { score: 0, verdict: 'clean', confidence: 100 });
    const sure = (confidence: number) =>
      merge([answered('a', { score: 0, verdict: 'clean', confidence }), answered('b', null)]).autoResolve;
    expect([sure(100), sure(80), sure(79)]).toEqual([true, true, false]);
    expect(merge([clean, answered('b', null, true)]).autoResolve).toBe(false);
    expect(merge([clean, failed('b', 'timeout')]).autoResolve).toBe(false);
  });
});
