import { describe, expect, it } from 'vitest';
import type { Tier } from '../../src/model/enrichment.ts';
import { isWithinTlp, TLP_LABELS, type Tlp } from '../../src/model/tlp.ts';
import { type OutputFilter, passesFilter } from '../../src/outputs/forms/filter.ts';
import type { Output, OutputEvent } from '../../src/outputs/output.ts';
import { itemOf, NOW, outputOf } from './samples.ts';

const ALL: OutputFilter = { minScore: null, tiers: [], types: [], events: [], maxTlp: 'RED' };
const scored = (score: number | null, tier: Tier = 'p1') => itemOf('1.1.1.1', { answer: { score, tier } });
const passes = (item: ReturnType<typeof itemOf>, filter: Partial<OutputFilter>, output: Output = outputOf('file')) =>
  passesFilter(item, output, { ...ALL, ...filter });

it.each([0, 1, 70, 100])('min_score %i lets through from that score on', (minScore) => {
  expect([minScore - 1, minScore, minScore + 1].map((score) => passes(scored(score), { minScore }))).toEqual([false, true, true]);
  expect(passes(scored(null), { minScore })).toBe(false);
});

it.each<[Partial<OutputFilter>, number, Tier, boolean]>([
  [{ minScore: 70, tiers: ['p1'] }, 70, 'p1', true],
  [{ minScore: 70, tiers: ['p1'] }, 69, 'p1', false],
  [{ minScore: 70, tiers: ['p1'] }, 70, 'p2', false],
  [{ minScore: 70, tiers: ['p1', 'p2'] }, 70, 'p2', true],
  [{}, 0, 'log', true],
])('%j with score %i in tier %s: %j', (filter, score, tier, expected) => expect(passes(scored(score, tier), filter)).toBe(expected));

it('types and events that are named are let through, others not; none named: all', () => {
  const url = itemOf('http://x.net/', { type: 'url' });
  expect([[], ['url'], ['domain-name', 'url'], ['domain-name']].map((types) => passes(url, { types } as Partial<OutputFilter>))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  const triage = itemOf('1.1.1.1', { event: 'triage' });
  const events: OutputEvent[][] = [[], ['triage'], ['enriched', 'triage'], ['enriched']];
  expect(events.map((wanted) => passes(triage, { events: wanted }))).toEqual([true, true, true, false]);
});

it('what an output has no form for, or does not take, never goes there', () => {
  const item = itemOf('1.1.1.1');
  expect(passes(item, {}, { ...outputOf('file'), types: ['url'] })).toBe(false);
  expect(passes(item, {}, { ...outputOf('file'), types: ['url', 'ipv4-addr'] })).toBe(true);
  expect(passes(item, {}, { ...outputOf('file'), accepts: () => false })).toBe(false);
  expect(passes(item, {}, { ...outputOf('file'), accepts: () => true })).toBe(true);
});

it.each(TLP_LABELS.flatMap((tlp, at) => TLP_LABELS.map((max, most) => [tlp, max, at <= most] as [Tlp, Tlp, boolean])))(
  'what is marked %s goes to a place cleared for %s: %j',
  (tlp, maxTlp, expected) => {
    expect(isWithinTlp(tlp, maxTlp)).toBe(expected);
    expect(passes(itemOf('1.1.1.1', { tlp }), { maxTlp })).toBe(expected);
  },
);

it.each<[Tlp, boolean]>([
  ['CLEAR', false],
  ['GREEN', false],
  ['AMBER', true],
  ['AMBER+STRICT', true],
  ['RED', true],
])('what is not marked is for the house: it goes to %s or not: %j', (maxTlp, expected) => {
  expect(passes(itemOf('1.1.1.1', { tlp: null }), { maxTlp })).toBe(expected);
});

describe('a verdict that turned', () => {
  const teller = { ...outputOf('file'), defaults: { ...outputOf('file').defaults, tellsTurns: true } };
  const before = { verdict: 'malicious' as const, score: 70, tier: 'p1' as const, atS: NOW };
  const turned = (more: object = {}) => itemOf('1.1.1.1', { event: 'verdict_changed', answer: { score: 5, tier: 'log' }, before, ...more });
  it.each<[string, ReturnType<typeof itemOf>, Output, Partial<OutputFilter>, boolean]>([
    ['and was told is told', turned(), teller, { minScore: 70 }, true],
    ['and was told for its tier is told', turned(), teller, { tiers: ['p1'] }, true],
    ['and was just not told is not', turned(), teller, { minScore: 71 }, false],
    ['and was of another tier is not', turned(), teller, { minScore: 70, tiers: ['p2'] }, false],
    ['from no score is not', turned({ before: { ...before, score: null } }), teller, { minScore: 70 }, false],
    ['from nothing is not', turned({ before: null }), teller, { minScore: 70 }, false],
    [
      'is not told where ends are not told',
      turned(),
      { ...teller, defaults: { ...teller.defaults, tellsTurns: false } },
      { minScore: 70 },
      false,
    ],
    ['and is told as it is now needs no past', turned({ before: null }), teller, { minScore: 5 }, true],
    ['is an event of its own: none other looks back', turned({ event: 'enriched' }), teller, { minScore: 70 }, false],
  ])('%s', (_name, item, output, filter, expected) => expect(passes(item, filter, output)).toBe(expected));
});
