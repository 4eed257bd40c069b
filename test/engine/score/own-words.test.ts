import { describe, expect, it } from 'vitest';
import { mergeOutcomes } from '../../../src/engine/score/merge-outcomes.ts';
import { OWN_ECHO } from '../../../src/model/formats/own-export.ts';
import { answered, NOW_S, RULES } from './score-samples.ts';

const SUBJECT = { type: 'domain-name', nowS: NOW_S } as const;
const merged = (outcomes: Parameters<typeof mergeOutcomes>[0], scoring = RULES) => {
  const { verdict, score, confidence } = mergeOutcomes(outcomes, scoring, SUBJECT);
  return [verdict, score, confidence];
};
const MALICIOUS = { verdict: 'malicious', score: 90, confidence: 95 } as const;
const CLEAN = { verdict: 'clean', score: 0, confidence: 80 } as const;

describe('our own words, come back', () => {
  const echo = answered('local', { ...MALICIOUS, attributes: [OWN_ECHO] });

  it('count while nobody else gives a score', () => {
    expect(merged([echo])).toEqual(['malicious', 90, 95]);
    expect(merged([echo, answered('a', null)])).toEqual(['malicious', 90, 95]);
    // One whose words have no weight says nothing either.
    expect(merged([echo, answered('a', CLEAN)], { ...RULES, weights: { a: 0 } })).toEqual(['malicious', 90, 95]);
  });
  it('say nothing beside somebody who does, be its weight ever so small', () => {
    const alone = merged([answered('a', CLEAN)]);
    expect(merged([echo, answered('a', CLEAN)])).toEqual(alone);
    expect(merged([echo, answered('a', CLEAN)], { ...RULES, weights: { a: 0.5 } })).toEqual(alone);
  });
  it('are those of our list alone: what another says in the same words is its own', () => {
    const other = answered('b', { ...MALICIOUS, attributes: [OWN_ECHO] });
    expect(merged([other, answered('a', CLEAN)])).toEqual(merged([answered('b', MALICIOUS), answered('a', CLEAN)]));
  });
});

describe('being listed in a feed', () => {
  const listed = (confidence: number, score: number | null = 70) =>
    answered('local', { verdict: 'malicious', score, confidence, attributes: ['feed:urlhaus'] });
  const confidence = (...outcomes: Parameters<typeof mergeOutcomes>[0]) => merged(outcomes)[2];

  it('never makes anybody less sure of what others say', () => {
    const sure = answered('a', MALICIOUS);
    expect(confidence(sure)).toBe(95);
    expect(confidence(listed(5), sure)).toBe(95);
    expect(confidence(sure, listed(5))).toBe(95);
  });
  it('speaks for itself where it speaks alone', () => {
    expect(confidence(listed(40))).toBe(40);
    expect(confidence(listed(40), answered('a', null))).toBe(40);
  });
  it('is what the list says of feeds, with a score: an entry of our own list may lower it', () => {
    const own = answered('local', { verdict: 'malicious', score: 70, confidence: 5 });
    expect(confidence(own, answered('a', MALICIOUS))).toBeLessThan(95);
  });
});
