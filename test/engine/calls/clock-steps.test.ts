import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { knownBulkCap } from '../../../src/engine/calls/bulk-cap.ts';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import type { ClientOptions } from '../../../src/engine/calls/provider-client.ts';
import { openSqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../../src/engine/cache/verdict-store.ts';
import { LookupError } from '../../../src/model/lookup-error.ts';
import { newStateFolder, openTestEngine } from '../../support/open-test-engine.ts';
import { startStandIn } from '../../support/stand-in-api.ts';
import { handClock, NOON_MS, openTestQueue } from '../../support/test-queue.ts';

const HOUR_MS = 3_600_000;
const MINUTE = [{ requests: 2, perMs: 60_000 }];

const stores: [string, () => Promise<VerdictStore>][] = [
  ['on disk', () => openSqliteVerdictStore(join(newStateFolder(), 'verdicts.sqlite'))],
  ['in memory', () => Promise.resolve(createMemoryVerdictStore(null))],
];

describe.each(stores)('when the wall clock is set back, a store %s', (_name, open) => {
  it('holds calls of the future against a limit for no longer than its window, and not for less', async () => {
    const store = await open();
    store.book('p', MINUTE, 2, NOON_MS + HOUR_MS);
    expect(store.book('p', MINUTE, 1, NOON_MS)).toBe(60_000);
    expect(store.book('p', MINUTE, 1, NOON_MS + 59_999)).toBe(1);
    expect(store.book('p', MINUTE, 1, NOON_MS + 60_000)).toBe(0);
    store.close();
  });
});

it('a lease that ends further in the future than any may is held by nobody', async () => {
  const path = join(newStateFolder(), 'verdicts.sqlite');
  const [one, other] = [await openSqliteVerdictStore(path), await openSqliteVerdictStore(path)];
  const nowS = NOON_MS / 1000;
  one.lease('p', ['a'], nowS + 3615, nowS + 3600);
  expect([...other.lease('p', ['a'], nowS + 15, nowS)]).toEqual(['a']);
  expect([...one.lease('p', ['a'], nowS + 15, nowS)]).toEqual([]);
  one.close();
  other.close();
});

it.each([
  ['2100', '2100-01-01T00:00:00Z'],
  ['an hour ahead', new Date(Date.now() + HOUR_MS).toISOString()],
])('a verdict that was checked in %s is asked for again', async (_name, checkedAt) => {
  await using api = await startStandIn();
  const { engine } = await openTestEngine(api.url);
  const checkedAtS = Math.floor(Date.parse(checkedAt) / 1000);
  engine.store.put('ismalicious', '9.9.9.9', { answer: 'n', checkedAtS, expiresAtS: checkedAtS + 86_400 });
  expect((await engine.plan(['9.9.9.9'])).toPay).toBe(1);
  const found = await engine.enrichMany(['9.9.9.9'], { timeoutMs: 8000 });
  expect(found.get('9.9.9.9')).toMatchObject({ answer: { status: 'ok', verdict: 'clean' }, source: 'live' });
  expect(api.asked()).toEqual(['9.9.9.9']);
  await engine.close();
});

describe('within one process', () => {
  it('own limits hold when the wall clock is set forward or back', async () => {
    const clock = handClock();
    using one = openTestQueue(() => null, { clock, limits: { quotas: MINUTE } });
    expect([await one.lookUp('8.8.8.1'), await one.lookUp('8.8.8.2', 30_000)]).toEqual(['answered', 'answered']);
    clock.set(24 * HOUR_MS);
    expect(await one.lookUp('8.8.8.3')).toBe('rate_limited');
    clock.set(-48 * HOUR_MS);
    expect(await one.lookUp('8.8.8.4')).toBe('rate_limited');
    expect(one.asked).toHaveLength(2);
  });
  it('a wait that the provider asks for is as long as it said when the wall clock is set', async () => {
    const clock = handClock();
    using one = openTestQueue(() => Promise.reject(new LookupError('rate_limited', 'p', 'slower', { retryAfterMs: 30_000 })), { clock });
    await one.lookUp('8.8.8.1');
    clock.set(HOUR_MS);
    expect(await one.lookUp('8.8.8.2')).toBe('rate_limited');
    clock.set(-2 * HOUR_MS);
    clock.pass(30_001);
    await one.lookUp('8.8.8.3');
    expect(one.asked).toHaveLength(2);
  });
});

describe('what an earlier process noted before the wall clock was set back', () => {
  it('holds others off for no longer than it said', async () => {
    const store = createMemoryVerdictStore(null);
    const wrong = handClock();
    wrong.set(24 * HOUR_MS);
    using early = openTestQueue(() => Promise.reject(new LookupError('unauthorized', 'p', 'key refused')), { clock: wrong, store });
    expect(await early.lookUp('8.8.8.1')).toBe('unauthorized');
    const clock = handClock();
    using first = openTestQueue(() => null, { clock, store });
    expect(await first.lookUp('8.8.8.2')).toBe('unauthorized');
    clock.pass(60_001);
    using second = openTestQueue(() => null, { clock, store });
    expect(await second.lookUp('8.8.8.2')).toBe('answered');
  });
  it('about how many values one call may carry is asked for again', () => {
    const store = createMemoryVerdictStore(null);
    const clock = handClock();
    const options = { account: 'p', provider: { bulk: {} }, limits: { useBulk: true }, store, clock } as unknown as ClientOptions;
    store.setNote('p.bulk-cap', '100', NOON_MS / 1000 - 60);
    expect(knownBulkCap(options)).toBe(100);
    store.setNote('p.bulk-cap', '100', NOON_MS / 1000 + 3600);
    expect(knownBulkCap(options)).toBeNull();
  });
});
