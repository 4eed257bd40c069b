import { describe, expect, it } from 'vitest';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import { createBreaker } from '../../../src/engine/calls/pace/circuit-breaker.ts';
import type { ClientOptions } from '../../../src/engine/calls/provider-client.ts';
import { delayAfter, isWait, StandingRefusals } from '../../../src/engine/calls/standing-refusals.ts';
import { LookupError, type LookupErrorCode } from '../../../src/model/lookup-error.ts';

const NOON_MS = Date.parse('2026-11-21T12:00:00Z');
const errorOf = (code: LookupErrorCode, retryAfterMs: number | null = null, message = 'says no') =>
  new LookupError(code, 'p', message, { retryAfterMs });

function open(store = createMemoryVerdictStore(null)) {
  const time = { ms: 0 };
  const clock = { monotonicMs: () => 1000 + time.ms, epochMs: () => NOON_MS + time.ms };
  const breaker = createBreaker();
  const told: LookupErrorCode[] = [];
  const options = { provider: { id: 'p' }, account: 'p', key: () => 'k', store, clock } as unknown as ClientOptions;
  const refusals = new StandingRefusals(options, breaker, ({ error }) => told.push(error.code));
  const nowMs = () => clock.monotonicMs();
  const stand = (error: LookupError, askedUntilMs?: number) => refusals.stand(error, nowMs(), askedUntilMs);
  /** How much longer the refusal in force counts. */
  const leftMs = () => (refusals.standing(nowMs())?.untilMs ?? nowMs()) - nowMs();
  return { refusals, time, store, breaker, told, stand, leftMs, nowMs };
}

it.each<[number, LookupErrorCode, number | null, number, number | null]>([
  [1, 'timeout', null, 1, 500],
  [2, 'timeout', null, 1, 1000],
  [2, 'timeout', null, 0.5, 500],
  [1, 'timeout', null, 0.0001, 1],
  [1, 'timeout', null, 0, 0],
  [3, 'timeout', null, 1, null],
  [4, 'timeout', null, 1, null],
  [1, 'bad_response', null, 1, null],
  [0, 'bad_response', null, 1, 250],
  [1, 'unavailable', 30_000, 1, 30_000],
  [1, 'unavailable', 499, 1, 500],
  [1, 'rate_limited', 300_000, 1, 300_000],
  [1, 'rate_limited', 300_001, 1, null],
])('after attempt %i: %s, wait %j, chance %d: tried again after %j ms', (attempts, code, retryAfterMs, chance, delayMs) => {
  expect(delayAfter(attempts, errorOf(code, retryAfterMs), () => chance)).toBe(delayMs);
});

it('to be left alone for a while is a wait; all else refuses the account', () => {
  const codes: LookupErrorCode[] = ['rate_limited', 'unavailable', 'unauthorized', 'quota_exhausted', 'timeout'];
  expect(codes.filter(isWait)).toEqual(['rate_limited', 'unavailable']);
});

describe('a refusal is believed', () => {
  it.each<[string, LookupError, number | undefined, number]>([
    ['a wrong key for a minute', errorOf('unauthorized'), undefined, 60_000],
    ['a used-up quota for a quarter of an hour', errorOf('quota_exhausted'), undefined, 900_000],
    ['as long as it asks', errorOf('unauthorized', 60_001), undefined, 60_001],
    ['not for less than is usual', errorOf('unauthorized', 59_999), undefined, 60_000],
    ['a wait as long as it says', errorOf('rate_limited', 7), undefined, 7],
    ['until the caller was told, when that is later', errorOf('rate_limited', 7), 1008, 8],
    ['not until then when its own word is longer', errorOf('rate_limited', 7), 1006, 7],
    ['a wait without a time not at all', errorOf('rate_limited'), undefined, 0],
  ])('%s', (_name, error, askedUntilMs, leftMs) => {
    const one = open();
    one.stand(error, askedUntilMs);
    expect(one.leftMs()).toBe(leftMs);
  });

  it.each<[LookupErrorCode, number[]]>([
    ['unauthorized', [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]],
    ['quota_exhausted', [900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 14_400_000]],
  ])('%s twice as long each time, up to a limit', (code, waits) => {
    const one = open();
    const seen = waits.map(() => {
      one.stand(errorOf(code));
      const leftMs = one.leftMs();
      one.time.ms += leftMs - 1;
      expect(one.refusals.standing(one.nowMs())?.error.code).toBe(code);
      one.time.ms += 1;
      expect(one.refusals.standing(one.nowMs())).toBeNull();
      return leftMs;
    });
    expect(seen).toEqual(waits);
  });

  it('anew from the shortest when another refusal came between', () => {
    const one = open();
    for (const code of ['unauthorized', 'quota_exhausted', 'unauthorized'] as const) {
      one.stand(errorOf(code));
      one.time.ms += one.leftMs();
    }
    one.stand(errorOf('unauthorized'));
    expect(one.leftMs()).toBe(120_000);
  });
});

describe('while a refusal stands', () => {
  it('the same one again changes nothing, a longer wait counts', () => {
    const one = open();
    one.stand(errorOf('unauthorized'));
    one.time.ms += 10;
    one.stand(errorOf('unauthorized', 500_000));
    expect(one.leftMs()).toBe(59_990);
    const other = open();
    for (const [waitMs, leftMs] of [
      [100, 100],
      [99, 100],
      [100, 100],
      [101, 101],
    ] as const) {
      other.stand(errorOf('rate_limited', waitMs));
      expect(other.leftMs()).toBe(leftMs);
    }
  });

  it('another one that ends no later is not heard', () => {
    const one = open();
    one.stand(errorOf('rate_limited', 100));
    one.stand(errorOf('unavailable', 100));
    expect(one.refusals.standing(one.nowMs())?.error.code).toBe('rate_limited');
    one.stand(errorOf('unavailable', 101));
    expect(one.refusals.standing(one.nowMs())?.error.code).toBe('unavailable');
  });

  it('a call that was on its way says nothing about it; one after it has ended lifts it for all', () => {
    const store = createMemoryVerdictStore(null);
    const [one, other] = [open(store), open(store)];
    one.stand(errorOf('unauthorized'));
    one.refusals.succeeded();
    expect([one.leftMs(), other.leftMs()]).toEqual([60_000, 60_000]);
    one.time.ms += 59_999;
    one.refusals.succeeded();
    expect(one.leftMs()).toBe(1);
    one.time.ms += 1;
    one.refusals.succeeded();
    other.time.ms += 2;
    expect(other.refusals.standing(other.nowMs())).toBeNull();
    // Nothing is left of it: the next one begins with the shortest time.
    one.stand(errorOf('unauthorized'));
    expect(one.leftMs()).toBe(60_000);
  });

  it('a test may go through, and its success counts at once', () => {
    const one = open();
    one.stand(errorOf('unauthorized'));
    one.refusals.lift(one.nowMs());
    expect(one.refusals.standing(one.nowMs())).toBeNull();
    one.refusals.succeeded();
    one.stand(errorOf('unauthorized'));
    expect(one.leftMs()).toBe(60_000);
  });

  it('a wait is kept in spite of a test', () => {
    const one = open();
    one.stand(errorOf('rate_limited', 5000));
    one.refusals.lift(one.nowMs());
    expect(one.leftMs()).toBe(5000);
  });

  it('a test lifts an open breaker', () => {
    const one = open();
    for (let n = 0; n < 5; n++) one.refusals.failed(one.nowMs());
    expect(one.breaker.state(one.nowMs())).toBe('open');
    one.refusals.lift(one.nowMs());
    expect(one.breaker.state(one.nowMs())).toBe('probe');
  });
});

describe('what one process was told', () => {
  it('the others hear two milliseconds later at the latest, with its words and the time that is left', () => {
    const store = createMemoryVerdictStore(null);
    const [one, other] = [open(store), open(store)];
    expect(other.leftMs()).toBe(0);
    one.stand(errorOf('quota_exhausted', null, 'used up'));
    other.time.ms += 1;
    expect(other.leftMs()).toBe(0);
    other.time.ms += 1;
    expect(other.leftMs()).toBe(899_998);
    expect(other.told).toEqual(['quota_exhausted']);
    expect(other.refusals.standing(other.nowMs())?.error.message).toBe('p: used up');
    expect(one.told).toEqual([]);
    expect(store.note('p.quota-exhausted')).toEqual({ text: 'used up', atS: NOON_MS / 1000 });
  });

  it('is kept with 300 characters of its message at most', () => {
    const store = createMemoryVerdictStore(null);
    open(store).stand(errorOf('unauthorized', null, 'x'.repeat(301)));
    expect(open(store).refusals.standing(1000)?.error.message).toBe(`p: ${'x'.repeat(300)}`);
    expect(store.note('p.quota-exhausted')).toBeNull();
  });

  it.each([
    ['no code of ours', { code: 'tired', message: 'm', times: 1 }],
    ['no message', { code: 'unauthorized', message: 7, times: 1 }],
    ['no count', { code: 'unauthorized', message: 'm', times: 1.5 }],
  ])('is not believed with %s', (_name, said) => {
    const store = createMemoryVerdictStore(null);
    store.setNote('p.k.refused', JSON.stringify({ ...said, atMs: NOON_MS, untilMs: NOON_MS + 60_000 }), NOON_MS / 1000);
    expect(open(store).leftMs()).toBe(0);
  });

  it('and is over counts no more', () => {
    const store = createMemoryVerdictStore(null);
    const said = { code: 'unauthorized', message: 'm', times: 1, atMs: NOON_MS - 60_000 };
    store.setNote('p.k.refused', JSON.stringify({ ...said, untilMs: NOON_MS }), NOON_MS / 1000);
    const late = open(store);
    expect([late.leftMs(), late.told]).toEqual([0, []]);
    store.setNote('p.k.refused', JSON.stringify({ ...said, untilMs: NOON_MS + 1 }), NOON_MS / 1000);
    const soon = open(store);
    expect([soon.leftMs(), soon.told]).toEqual([1, ['unauthorized']]);
  });

  it('of a breaker is shared, too: five failures in a row, whoever saw them', () => {
    const store = createMemoryVerdictStore(null);
    const [one, other] = [open(store), open(store)];
    for (let n = 0; n < 4; n++) expect(one.refusals.failed(one.nowMs())).toBe(false);
    expect(other.refusals.failed(other.nowMs())).toBe(true);
    one.time.ms += 2;
    one.refusals.standing(one.nowMs());
    expect(one.breaker.state(one.nowMs())).toBe('open');
    one.time.ms += 10_000;
    expect(one.breaker.state(one.nowMs())).toBe('probe');
    one.refusals.probes();
    other.time.ms = one.time.ms;
    other.refusals.standing(other.nowMs());
    expect(other.breaker.state(other.nowMs())).toBe('open');
    one.refusals.succeeded();
    expect(one.breaker.state(one.nowMs())).toBe('closed');
  });
});
