import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { SharedCache } from '../../../../src/engine/cache/redis/shared-cache.ts';
import { openSharedCache } from '../../../support/open-shared-cache.ts';
import { findRedisServer, startRedisServer } from '../../../support/redis-server.ts';

const program = findRedisServer();
const SOON = { timeout: 30_000, interval: 25 };
const LEASE_MS = 60_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const payerOf = (account = 'p') => ({
  provider: 'p',
  account,
  windows: [],
  budgets: [['2026-11-30', null] as const, ['2026-11', null] as const] as const,
});

async function openMember(url: string): Promise<SharedCache> {
  const shared = await openSharedCache(url);
  closers.push(() => shared.close());
  await shared.join([() => payerOf(), () => payerOf('q')]);
  return shared;
}

const claim = (shared: SharedCache, value: string, account?: string) =>
  shared.claim({ ...payerOf(account), wanted: [{ value, sinceS: 0 }], leaseMs: LEASE_MS, cost: 0 });

describe.skipIf(program === null)('a claim (needs redis)', { timeout: 120_000 }, () => {
  it('whose answer was lost on its way is granted to who made it, and to nobody else', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const [one, other] = [await openMember(redis.url), await openMember(redis.url)];
    const server = new Redis(redis.port);
    closers.push(() => server.disconnect());
    await server.ping();
    redis.freeze();
    expect(await claim(one, 'a')).toBeNull();
    redis.thaw();
    // It is carried out when nobody waits for its answer any more.
    await expect.poll(() => server.exists('x:{p}:lease:a'), SOON).toBe(1);
    await expect.poll(async () => (await claim(other, 'a'))?.held.has('a'), SOON).toBe(true);
    await expect.poll(async () => (await claim(one, 'a'))?.granted.has('a'), SOON).toBe(true);
  });

  it('of a value that the same process asks about for another account is not granted', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const one = await openMember(redis.url);
    expect((await claim(one, 'a'))?.granted).toEqual(new Set(['a']));
    expect((await claim(one, 'a', 'q'))?.held).toEqual(new Set(['a']));
    one.release('p', ['a']);
    await expect.poll(async () => (await claim(one, 'a', 'q'))?.granted.has('a'), SOON).toBe(true);
  });

  it('that a server lost which was started again is made good by who holds it', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const [one, other] = [await openMember(redis.url), await openMember(redis.url)];
    expect((await claim(one, 'a'))?.granted).toEqual(new Set(['a']));
    await redis.kill();
    await redis.start();
    const server = new Redis(redis.port);
    closers.push(() => server.disconnect());
    await expect.poll(() => server.exists('x:{p}:lease:a'), SOON).toBe(1);
    await expect.poll(async () => (await claim(other, 'a'))?.held.has('a'), SOON).toBe(true);
    // A later holder has a higher number.
    expect(Number(await server.get('x:{p}:fence'))).toBeGreaterThan(0);
  });
});
