import { describe, expect, it } from 'vitest';
import { fifthsOf, floorsOf, medianOf, trendOf } from '../../scripts/soak/slopes.ts';

const series = (values: readonly number[]) => values.map((value, minute) => ({ minute, value }));
/** Noise that is the same each time. */
const noise = (n: number) => ((n * 7919) % 13) - 6;

describe('the trend of a soak', () => {
  it.each<[string, (n: number) => number, number, boolean]>([
    ['what grows steadily rises, by its slope', (n) => 100 + 2 * n, 2, true],
    ['what grows under noise does, too', (n) => 100 + 2 * n + noise(n), 2, true],
    ['noise alone does not', (n) => 100 + noise(n), 0, false],
    ['nor what stands still', () => 50, 0, false],
    ['nor what falls', (n) => 100 - n, -1, false],
    ['nor a single peak', (n) => (n === 12 ? 900 : 100), 0, false],
  ])('%s', (_name, valueAt, perMinute, rises) => {
    const found = trendOf(series(Array.from({ length: 24 }, (_, n) => valueAt(n))));
    expect(found.rises).toBe(rises);
    expect(Math.abs(found.perMinute - perMinute)).toBeLessThan(0.25);
  });

  it('is not guessed from a handful of points', () => {
    expect(() => trendOf(series([1, 2, 3, 4, 5, 6, 7]))).toThrow('a longer soak');
    expect(trendOf(series([1, 2, 3, 4, 5, 6, 7, 8])).rises).toBe(true);
  });
});

it('the teeth of a heap are taken off before its slope is taken', () => {
  const teeth = series([10, 40, 70, 11, 41, 71, 12, 42]);
  expect(floorsOf(teeth, 3).map(({ value }) => value)).toEqual([10, 11]);
});

it('first and last fifth are told by their medians', () => {
  expect(fifthsOf(series([9, 1, 5, 4, 4, 4, 4, 4, 2, 8]))).toEqual({ first: 5, last: 5 });
  expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
