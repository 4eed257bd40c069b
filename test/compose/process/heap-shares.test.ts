import { expect, it } from 'vitest';
import { heapShares } from '../../../src/compose/process/heap-shares.ts';

const MIB = 1024 * 1024;

it.each([
  [32, { waiting: 1365, remembered: 16_384, calls: 64 }],
  [320, { waiting: 13_653, remembered: 163_840, calls: 320 }],
  [4288, { waiting: 182_954, remembered: 2_195_456, calls: 4288 }],
])('of a heap of %i MiB', (mebibytes, shares) => {
  expect(heapShares(mebibytes * MIB)).toEqual(shares);
});

it('of the smallest heap enough to work with', () => {
  expect(heapShares(1)).toEqual({ waiting: 1000, remembered: 1000, calls: 64 });
});
