import { describe, expect, it } from 'vitest';
import { createAllowance } from '../../../src/engine/calls/pace/allowance.ts';

describe('calls at once, where the limit is not known', () => {
  it.each([
    [10, [1, 2, 3, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7]],
    [4, [1, 2, 2, 3, 3, 3, 4, 4]],
    [1, [1, 1, 1]],
  ])('of %i grow with each answer to the half, then with each round', (concurrency, expected) => {
    const allowance = createAllowance(concurrency);
    const found = expected.map(() => {
      const { atOnce } = allowance;
      allowance.answered();
      return atOnce;
    });
    expect(found).toEqual(expected);
    for (let n = 0; n < 1000; n++) allowance.answered();
    expect(allowance.atOnce).toBe(concurrency);
  });

  it('are as many as may be once it is', () => {
    const allowance = createAllowance(10);
    allowance.open();
    expect(allowance.atOnce).toBe(10);
  });
});

describe('what a provider says of its limit', () => {
  it('is not there before it has said something', () => {
    const allowance = createAllowance(10);
    for (let n = 0; n < 1000; n++) allowance.sent(n);
    expect(allowance.waitMs(1000)).toBe(0);
  });

  it('lets so many calls out until its window ends, then as many as a window takes', () => {
    const allowance = createAllowance(10);
    allowance.told({ left: 3, perWindow: 4, endsMs: 60_000 }, 0);
    for (let n = 0; n < 3; n++) {
      expect(allowance.waitMs(100 + n)).toBe(0);
      allowance.sent(100 + n);
    }
    expect(allowance.waitMs(1000)).toBe(59_000);
    expect(allowance.waitMs(60_000)).toBe(0);
    for (let n = 0; n < 4; n++) allowance.sent(60_001);
    // Nobody knows when the new window ends: the next answer says.
    expect(allowance.waitMs(60_002)).toBe(0);
    allowance.told({ left: 0, perWindow: 4, endsMs: 120_000 }, 0);
    expect(allowance.waitMs(60_003)).toBe(59_997);
  });

  it('counts calls that are on the way as made, until the next answer says better', () => {
    const allowance = createAllowance(10);
    allowance.told({ left: 3, perWindow: null, endsMs: 5000 }, 3);
    expect(allowance.waitMs(1000)).toBe(4000);
    allowance.told({ left: 2, perWindow: null, endsMs: 5000 }, 1);
    expect(allowance.waitMs(1000)).toBe(0);
    allowance.sent(1000);
    expect(allowance.waitMs(1000)).toBe(4000);
    expect(allowance.waitMs(5000)).toBe(0);
  });
});
