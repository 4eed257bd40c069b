import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/engine/calls/pace/circuit-breaker.ts';
import { parseRetryAfter } from '../../../src/engine/calls/http/status.ts';
import { windowWaitMs } from '../../../src/engine/cache/call-windows.ts';
import { createPacer, type LearnedPace } from '../../../src/engine/calls/pace/pacer.ts';

/** Sends as fast as the pacer allows against a token bucket, for some simulated seconds. */
function simulate({
  perS,
  burst,
  seconds,
  concurrency = 10,
  retryAfterMs = 1000,
  before = null,
}: {
  perS: number;
  burst: number;
  seconds: number;
  concurrency?: number;
  retryAfterMs?: number;
  before?: LearnedPace | null;
}) {
  const pacer = createPacer(concurrency, 0);
  if (before !== null) pacer.recall(before, 0);
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
  return { sent, refused, early, learned: pacer.learned };
}

/** Asks for `calls` values with answers that take `latencyMs`; the provider refuses as it answers. `before`: what is known; `open`: full pace at once. */
function askOver({ perS, burst, calls, latencyMs = 150, before = null, isOpen = false }: Asking) {
  const pacer = createPacer(10, 0);
  if (before !== null) pacer.recall(before, 0);
  if (isOpen) pacer.allowance.open();
  let [tokens, tokensAtMs, answered, refused, early, waiting] = [burst, 0, 0, 0, 0, calls];
  const out: { endsMs: number; isFine: boolean }[] = [];
  let nowMs = 0;
  for (; answered < calls && nowMs < 600_000; nowMs += 0.5) {
    while ((out[0]?.endsMs ?? Infinity) <= nowMs) {
      const call = out.shift();
      if (call?.isFine === true) {
        answered++;
        pacer.answered(latencyMs);
      } else {
        refused++;
        waiting++;
        pacer.limited(nowMs, 1000);
      }
    }
    // As the dispatcher does: one call until a first answer came.
    if (waiting === 0 || out.length >= (answered === 0 ? 1 : pacer.allowance.atOnce) || pacer.waitMs(nowMs) > 0) continue;
    if (nowMs < pacer.blockedUntilMs) early++;
    pacer.sent(nowMs);
    waiting--;
    tokens = Math.min(burst, tokens + ((nowMs - tokensAtMs) / 1000) * perS);
    tokensAtMs = nowMs;
    const isFine = tokens >= 1;
    if (isFine) tokens--;
    out.push({ endsMs: nowMs + latencyMs, isFine });
  }
  return { refused, early, seconds: nowMs / 1000, learned: pacer.learned };
}

interface Asking {
  readonly perS: number;
  readonly burst: number;
  readonly calls: number;
  readonly latencyMs?: number;
  readonly before?: LearnedPace | null;
  readonly isOpen?: boolean;
}

describe('a pacer that knows no limit', () => {
  it.each<[Asking, number, number]>([
    [{ perS: 50, burst: 50, calls: 500 }, 3, 3],
    [{ perS: 50, burst: 1, calls: 500 }, 4, 0],
    [{ perS: 20, burst: 5, calls: 200 }, 5, 1],
    [{ perS: 5, burst: 5, calls: 60, latencyMs: 400 }, 7, 1],
  ])('comes up to it, %j: %i refusals, and %i where another has learned it', (limit, first, next) => {
    const slow = askOver(limit);
    expect([slow.refused, slow.early]).toEqual([first, 0]);
    expect(askOver({ ...limit, before: slow.learned }).refused).toBe(next);
    expect(slow.refused).toBeLessThanOrEqual(askOver({ ...limit, isOpen: true }).refused);
  });
});

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

  it.each([
    { perS: 50, burst: 50, seconds: 6 },
    { perS: 10, burst: 10, seconds: 6 },
  ])('that is given what another learned of $perS/s is refused less often in its first seconds', (limit) => {
    const first = simulate(limit);
    expect(first.refused).toBeGreaterThan(0);
    const second = simulate({ ...limit, before: first.learned });
    expect(second.refused).toBeLessThan(first.refused);
    expect(second.sent).toBeGreaterThan(limit.perS * limit.seconds * 0.5);
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
    [999, 1000],
    [1000, 1000],
    [1001, 1001],
    [30_000, 30_000],
  ])('stays away after a refusal with Retry-After %j for %i ms', (retryAfterMs, waitMs) => {
    const pacer = createPacer(1, 0);
    pacer.limited(1000, retryAfterMs);
    expect(pacer.blockedUntilMs).toBe(1000 + waitMs);
    expect([pacer.waitMs(1000), pacer.waitMs(999 + waitMs), pacer.waitMs(1000 + waitMs)]).toEqual([waitMs, 1, 0]);
  });

  it('waits twice as long each time that it is refused without a time, up to a minute, until an answer comes', () => {
    const pacer = createPacer(1, 0);
    let nowMs = 1000;
    const refuse = () => {
      const fromMs = nowMs;
      pacer.limited(fromMs, 0);
      nowMs = pacer.blockedUntilMs;
      return nowMs - fromMs;
    };
    expect(Array.from({ length: 9 }, refuse)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    pacer.answered(5);
    expect(refuse()).toBe(1000);
  });

  it('takes refusals that come while it stays away for the same one, but the longest wait counts', () => {
    const pacer = createPacer(1, 0);
    pacer.limited(1000, 30_000);
    for (const retryAfterMs of [null, 0, 28_999]) pacer.limited(2000, retryAfterMs);
    pacer.limited(30_999.5, null);
    expect(pacer.blockedUntilMs).toBe(31_000);
    pacer.limited(2000, 29_001);
    expect(pacer.blockedUntilMs).toBe(31_001);
    pacer.limited(31_000, 0);
    expect(pacer.blockedUntilMs).toBe(31_001);
    pacer.limited(31_001, 0);
    expect(pacer.blockedUntilMs).toBe(33_001);
  });

  it('stays away until a time that others tell it, and no shorter than it knew', () => {
    const pacer = createPacer(1, 0);
    pacer.blockUntil(500);
    pacer.blockUntil(400);
    expect([pacer.blockedUntilMs, pacer.waitMs(100)]).toEqual([500, 400]);
  });

  /** How long it waits after a second call at the same time: one gap may be caught up. */
  const gapAt = (pacer: ReturnType<typeof createPacer>, nowMs: number) => {
    pacer.sent(nowMs);
    pacer.sent(nowMs);
    return pacer.waitMs(nowMs);
  };

  it('sends the first call at once', () => {
    const pacer = createPacer(1, 0);
    expect([pacer.waitMs(0), pacer.blockedUntilMs]).toEqual([0, 0]);
  });

  it.each([0, 7000])('is half as fast in its first second after %i, and catches nothing up', (startMs) => {
    const early = createPacer(10, startMs);
    early.sent(startMs + 999);
    expect(early.waitMs(startMs + 999)).toBe(4);
    const late = createPacer(10, startMs);
    late.sent(startMs + 1000);
    expect(late.waitMs(startMs + 1000)).toBe(0);
    late.sent(startMs + 1000);
    expect(late.waitMs(startMs + 1000)).toBe(2);
  });

  it.each([
    [0, 18.1],
    [1, 18.1],
    [2, 18.2],
    [10, 19],
    [19, 19.9],
    [20, 20],
    [1000, 20],
  ])('spreads calls over a tenth less when an answer took %i ms: over %d ms', (latencyMs, spreadMs) => {
    const pacer = createPacer(1, 0);
    pacer.answered(latencyMs);
    expect(gapAt(pacer, 5000)).toBeCloseTo(spreadMs, 9);
  });

  /** The gap after one call at this time: none is caught up once a limit is known. */
  const learnedGap = (nowMs: number, prepare: (pacer: ReturnType<typeof createPacer>) => void) => {
    const pacer = createPacer(1, 0);
    prepare(pacer);
    pacer.sent(nowMs);
    return pacer.waitMs(nowMs);
  };
  /** Fifty a second were refused at five seconds; it may go on at six. */
  const refusedOnce = (pacer: ReturnType<typeof createPacer>) => {
    for (let n = 0; n < 50; n++) pacer.sent(4000 + n * 20);
    pacer.limited(5000, 1000);
  };

  it.each([
    ['half of what was refused, at first', 6000, 25],
    ['a tenth more after a second', 7000, 27.5],
    ['less than a tenth after half a second', 6500, 25 * 1.1 ** 0.5],
    ['at most nine tenths of what was refused, which is forgotten by a tenth in ten seconds', 16_000, 49.5],
    ['as fast as before, in the end', 36_000, 50],
  ])('after a refusal it sends %s', (_name, nowMs, perS) => {
    expect(learnedGap(nowMs, refusedOnce)).toBeCloseTo(1000 / perS, 6);
  });

  it('after a second refusal it sends what went through between the two, less a twentieth', () => {
    const refusedTwice = (calls: number) => (pacer: ReturnType<typeof createPacer>) => {
      refusedOnce(pacer);
      for (let n = 0; n < calls; n++) pacer.sent(6100 + n * 10);
      pacer.limited(6600, 1000);
    };
    // Thirty in the second it stayed away and the half after the first of them: the last one was refused.
    expect(learnedGap(7600, refusedTwice(31))).toBeCloseTo(1000 / (20 * 0.95), 6);
    // Few went through: half of the pace that was refused.
    expect(learnedGap(7600, refusedTwice(2))).toBeCloseTo(1000 / (12.5 * 1.1 ** 0.6), 6);
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
  [[-50_000, -50_000, -50_000, -50_000], 1, 0],
  [[-49_999, -49_999, -49_999, -49_999], 1, 1],
  [[], 4, 0],
  [[], 5, 60_000],
])('after calls at %j ms, %i more at 10 s wait %i ms in a window of 4 a minute', (callsMs, calls, waitMs) => {
  expect(windowWaitMs(callsMs, [{ requests: 4, perMs: 60_000 }], calls, 10_000)).toBe(waitMs);
});

it('a breaker opens after five failures in a row, lets one probe through, and closes on success', () => {
  const breaker = createBreaker();
  for (let n = 0; n < 4; n++) expect(breaker.failed(0)).toBe(false);
  expect([breaker.state(0), breaker.probes, breaker.failures]).toEqual(['closed', 0, 4]);
  expect(breaker.failed(0)).toBe(true);
  expect([breaker.probes, breaker.failures, breaker.reopensAtMs]).toEqual([1, 5, 8000]);
  expect([breaker.state(1), breaker.state(7999), breaker.state(8000)]).toEqual(['open', 'open', 'probe']);
  breaker.failed(10_000);
  expect([breaker.state(10_001), breaker.probes]).toEqual(['open', 2]);
  breaker.succeeded();
  expect([breaker.state(10_001), breaker.probes]).toEqual(['closed', 0]);
  for (let n = 0; n < 4; n++) expect(breaker.failed(20_000)).toBe(false);
  expect(createBreaker().reopensAtMs).toBe(0);
});

it('a breaker takes over what others have found, and lets one call try when it is told to', () => {
  const breaker = createBreaker();
  breaker.adopt(5, 700);
  expect([breaker.state(699), breaker.state(700), breaker.failures]).toEqual(['open', 'probe', 5]);
  breaker.lift();
  expect(breaker.state(0)).toBe('probe');
  breaker.adopt(4, 700);
  expect(breaker.state(0)).toBe('closed');
});

it('of several windows the longest wait counts', () => {
  const windows = [
    { requests: 1, perMs: 60_000 },
    { requests: 1, perMs: 1000 },
  ];
  expect(windowWaitMs([9500], windows, 1, 10_000)).toBe(59_500);
  expect(windowWaitMs([9500], windows.toReversed(), 1, 10_000)).toBe(59_500);
});
