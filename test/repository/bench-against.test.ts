import { describe, expect, it } from 'vitest';
import { type BenchFigure, compare, toSeries } from '../../scripts/bench-against/compare.ts';
import { readAgainst } from '../../scripts/bench-against/run.ts';

const figure = (value: number, unit = 'ms', name = 'n'): BenchFigure => ({ bench: 'b', name, value, unit });
const pairs = (ours: readonly number[], theirs: readonly number[]) => ours.map((value, n) => ({ ours: value, theirs: theirs[n] ?? 0 }));
const steady = [100, 101, 99, 100, 102, 98, 100];

describe('what the rounds say of a figure', () => {
  it.each([
    ['a cost that is 12 % higher in every round', 'ms', steady.map((one) => one * 1.12), steady, 'loss'],
    ['a cost that is 6 % higher', 'ms', steady.map((one) => one * 1.06), steady, 'same'],
    ['a cost that is 12 % lower', 'ms', steady.map((one) => one * 0.88), steady, 'gain'],
    ['a rate that is 12 % lower', 'events/s', steady.map((one) => one * 0.88), steady, 'loss'],
    ['a rate that is 12 % higher', 'MB per CPU second', steady.map((one) => one * 1.12), steady, 'gain'],
    ['a cost that doubles in one round of seven', 'ms', [200, ...steady.slice(1)], steady, 'noisy'],
    ['a cost that is higher on the average, but not for certain', 'ms', [125, 100, 122, 100, 121, 99, 120], steady, 'same'],
  ])('%s', (_name, unit, ours, theirs, outcome) => {
    expect(compare({ name: 'n', unit, pairs: pairs(ours, theirs) }).outcome).toBe(outcome);
  });

  it('is by pairs, so that a machine that gets slower in between changes nothing', () => {
    const drift = [1, 1.2, 1.4, 1.6, 1.8, 2, 2.2];
    const { loss, outcome } = compare({ name: 'n', unit: 'ms', pairs: drift.map((slow) => ({ ours: 110 * slow, theirs: 100 * slow })) });
    expect([outcome, loss]).toEqual(['loss', expect.closeTo(0.1, 5)]);
  });
});

it('figures are paired by name; one that only one side has, or that is zero, is left out', () => {
  const series = toSeries([
    {
      ours: [figure(1), figure(2, 'ms', 'new'), figure(3, 'ms', 'zero')],
      theirs: [figure(4), figure(5, 'ms', 'old'), figure(0, 'ms', 'zero')],
    },
    { ours: [figure(6)], theirs: [figure(7)] },
  ]);
  expect(series).toEqual([
    {
      name: 'b: n',
      unit: 'ms',
      pairs: [
        { ours: 1, theirs: 4 },
        { ours: 6, theirs: 7 },
      ],
    },
  ]);
});

it.each([
  [['core'], null],
  [['--against', 'main'], { rev: 'main', rounds: 7, names: [] }],
  [['core', '--against', 'main', '--rounds', '9', 'splunk'], { rev: 'main', rounds: 9, names: ['core', 'splunk'] }],
])('%j is read as %j', (args, wanted) => {
  expect(readAgainst(args)).toEqual(wanted);
});

it.each([[['--against']], [['--against', 'main', '--rounds', 'x']], [['--against', 'main', '--rounds', '1']]])('%j is refused', (args) => {
  expect(() => readAgainst(args)).toThrow(/needs a/);
});
