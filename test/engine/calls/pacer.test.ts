import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/engine/calls/circuit-breaker.ts';
import { parseRetryAfter } from '../../../src/engine/calls/http/status.ts';
import { windowWaitMs } from '../../../src/engine/cache/call-windows.ts';
import { createPacer } from '../../../src/engine/calls/pacer.ts';

/** Sends as fast as the pacer allows against a token bucket, for some simulated seconds. */
function simulate({
  perS,
  burst,
  seconds,
  concurrency = 10,
  retryAfterMs = 1000,
}: {
  perS: number;
  burst: number;
  seconds: number;
  concurrency?: number;
  retryAfterMs?: number;
}) {
  const pacer = createPacer(concurrency, 0);
  let tokens = burst;
  let tokensAtMs = 0;
  let sent = 0;
  let refused = 0;
  let early = 0;
  let blockedMs = 0;
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 0.5) {
    if (pacer.waitMs(nowMs) > 0) continue;
    pacer.sent(nowMs);
    if (nowMs < blockedMs) early++;
    tokens = Math.min(burst, tokens + ((nowMs - tokensAtMs) / 1000) * perS);
    tokensAtMs = nowMs;
    if (tokens >= 1) {
      tokens--;
      sent++;
    } else {
      refused++;
      blockedMs = nowMs + retryAfterMs;
      pacer.limited(nowMs, retryAfterMs);
    }
  }
  return { sent, refused, early };
}

describe('a pacer', () => {
  it.each([
    { perS: 100, burst: 100, seconds: 20 },
    { perS: 10, burst: 10, seconds: 60 },
    { perS: 50, burst: 5, seconds: 30 },
    { perS: 5, burst: 60, seconds: 120 },
  ])('learns $perS/s with a burst of $burst from few refusals, and uses most of it', (limit) => {
    const { sent, refused, early } = simulate(limit);
    expect(early).toBe(0);
    expect(refused).toBeLessThanOrEqual(20);
    expect(sent).toBeGreaterThan(limit.perS * limit.seconds * 0.6);
  });

  it('spreads calls instead of sending them in a bunch', () => {
    const pacer = createPacer(10, 0);
    pacer.sent(5000);
    expect(pacer.waitMs(5000)).toBeGreaterThanOrEqual(0);
    pacer.sent(5000);
    pacer.sent(5000);
    expect(pacer.waitMs(5000)).toBeGreaterThan(1);
  });

  it.each([
    [null, 60_000],
    [0, 1000],
    [400, 1000],
    [30_000, 30_000],
  ])('stays away after a refusal with Retry-After %j for %i ms', (retryAfterMs, waitMs) => {
    const pacer = createPacer(1, 0);
    pacer.limited(1000, retryAfterMs);
    expect(pacer.blockedUntilMs).toBe(1000 + waitMs);
  });
});

it.each([
  [undefined, null],
  ['30', 30_000],
  ['0.5', 500],
  [' 7 ', 7000],
  ['-1', null],
  ['soon', null],
  ['Sat, 21 Nov 2026 10:00:05 GMT', 5000],
  ['Sat, 21 Nov 2026 09:59:00 GMT', 0],
])('Retry-After %j is %j ms', (value, ms) => {
  expect(parseRetryAfter(value, Date.parse('2026-11-21T10:00:00Z'))).toBe(ms);
});

it.each([
  [[], 1, 0],
  [[0, 0, 0], 1, 0],
  [[0, 0, 0, 0], 1, 60_000 - 10_000],
  [[0, 1000, 2000, 3000], 1, 50_000],
  [[0, 1000, 2000, 3000], 2, 51_000],
])('after calls at %j ms, %i more at 10 s wait %i ms in a window of 4 a minute', (callsMs, calls, waitMs) => {
  expect(windowWaitMs(callsMs, [{ requests: 4, perMs: 60_000 }], calls, 10_000)).toBe(waitMs);
});

it('a breaker opens after five failures in a row, lets one probe through, and closes on success', () => {
  const breaker = createBreaker();
  for (let n = 0; n < 4; n++) expect(breaker.failed(0)).toBe(false);
  expect(breaker.state(0)).toBe('closed');
  expect(breaker.failed(0)).toBe(true);
  expect([breaker.state(1), breaker.state(10_000)]).toEqual(['open', 'probe']);
  breaker.failed(10_000);
  expect([breaker.state(10_001), breaker.probes]).toEqual(['open', 2]);
  breaker.succeeded();
  expect(breaker.state(10_001)).toBe('closed');
});
