import { describe, expect, it } from 'vitest';
import { createCallRate, createThroughput } from '../../../src/engine/calls/pace/call-rate.ts';

/** The pace after calls at these moments. */
function rateOf(...momentsMs: readonly number[]): ReturnType<typeof createCallRate> {
  const rate = createCallRate();
  for (const atMs of momentsMs) rate.sent(atMs);
  return rate;
}

const every = (stepMs: number, count: number, fromMs = 5000) => Array.from({ length: count }, (_, n) => fromMs + n * stepMs);

describe('the pace at which calls went out', () => {
  it('is not known of fewer than eight, nor of calls that all went out this very moment', () => {
    expect(rateOf(...every(10, 7)).perS(5100)).toBe(Infinity);
    expect(rateOf(...every(10, 8)).perS(5100)).toBe(80);
    expect(rateOf(...every(0, 8)).perS(5000)).toBe(Infinity);
    expect(rateOf(...every(0, 8)).perS(5001)).toBe(8000);
    expect(rateOf().perS(5000)).toBe(Infinity);
  });

  it('is that of the latest 64, of one second', () => {
    // The first of 65 is forgotten: 64 calls, from 5001 on.
    expect(rateOf(...every(1, 64)).perS(5064)).toBe(1000);
    expect(rateOf(...every(1, 65)).perS(5065)).toBe(1000);
    // Of 65 calls, not evenly spread, the first one is forgotten and the second one is not.
    expect(rateOf(5400, 5500, ...every(1, 63, 5900)).perS(6140)).toBe(100);
    // One that went out a second ago counts, one a millisecond earlier does not.
    expect(rateOf(5000, ...every(0, 8, 6000)).perS(6000)).toBe(9);
    expect(rateOf(4999, ...every(0, 8, 6000)).perS(6001)).toBe(8000);
  });
});

describe('what goes through between two refusals', () => {
  it('is not known before the second one, and is over the time in which the bucket refills', () => {
    const through = createThroughput(0);
    for (const atMs of every(100, 5, 1000)) through.sent(atMs);
    expect(through.perS(1500)).toBe(0);
    through.restart(2000);
    // Ten go out from 4000 on, within a second; the tenth is refused.
    for (const atMs of every(100, 10, 4000)) through.sent(atMs);
    expect(through.perS(5000)).toBe(3);
    through.restart(1000);
    expect(through.perS(5000)).toBeLessThanOrEqual(0);
  });
});
