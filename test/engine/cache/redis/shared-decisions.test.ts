import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, epochS } from '../../../../src/engine/clock.ts';
import type { RegisterPlace, SharedCache } from '../../../../src/engine/cache/redis/shared-cache.ts';
import { openFeedbackStore } from '../../../../src/engine/feedback/feedback-store.ts';
import type { FeedbackStore, Override } from '../../../../src/engine/feedback/overrides.ts';
import { overridesPlace } from '../../../../src/engine/feedback/shared-overrides.ts';
import { watchlistPlace } from '../../../../src/pipeline/watchlist/shared-watchlist.ts';
import { openStore, type Store } from '../../../../src/store/store-client.ts';
import { openSharedCache } from '../../../support/open-shared-cache.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { findRedisServer, type RedisServer, startRedisServer } from '../../../support/redis-server.ts';

const program = findRedisServer();
const VALUE = '203.0.114.7';
const INDICATOR = { type: 'ipv4-addr', value: VALUE } as const;
const SOON = { timeout: 30_000, interval: 50 };
const nowS = () => epochS(systemClock);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** What people decide on one machine, whoever keeps it. */
interface Desk {
  /** A time in seconds; left out: now. */
  decide(word: string, atS?: number): Promise<unknown>;
  takeBack(): Promise<unknown>;
  /** `null`: nothing counts. */
  counts(): Promise<string | null>;
}

function decision(verdict: string, atS: number): Omit<Override, 'endedAtS' | 'endedBy'> {
  const said = { saidVerdict: null, saidScore: null };
  const score = verdict === 'clean' ? 0 : 90;
  const who = { author: 'anna', reason: `it is ${verdict}` };
  return { ...INDICATOR, verdict: verdict as Override['verdict'], score, ...who, atS, untilS: null, ...said };
}

function feedbackDesk(feedback: FeedbackStore): Desk {
  return {
    decide: async (word, atS = nowS()) => feedback.add(decision(word, atS)),
    takeBack: async () => feedback.remove(VALUE, 'bert', nowS()),
    counts: async () => feedback.lookup(INDICATOR, nowS())?.verdict ?? null,
  };
}

function watchDesk(store: Store): Desk {
  return {
    decide: (reason, atS = nowS()) => store.watch({ indicator: INDICATOR, reason, by: 'anna', everyS: 3600, untilS: null }, atS),
    takeBack: () => store.unwatch(VALUE),
    counts: async () => (await store.watched(10))[0]?.reason ?? null,
  };
}

async function openFeedback(folder: string): Promise<FeedbackStore> {
  const feedback = await openFeedbackStore({ path: join(folder, 'feedback.sqlite'), watches: true, nowS });
  closers.push(() => feedback.close());
  return feedback;
}

async function openWatches(folder: string): Promise<Store> {
  const store = await openStore(join(folder, 'pipeline.sqlite'));
  closers.push(() => store.close());
  return store;
}

async function openShared(redis: RedisServer, register: string, place: RegisterPlace): Promise<SharedCache> {
  const shared = await openSharedCache(redis.url, { replicas: 2 });
  closers.push(() => shared.close());
  await shared.share(register, place);
  return shared;
}

const KINDS = ['overrides', 'watchlist'] as const;

async function openDesk(
  kind: (typeof KINDS)[number],
  folder: string,
  redis?: RedisServer,
): Promise<Desk & { readonly shared?: SharedCache }> {
  const onFault = (message: string) => expect.fail(message);
  if (kind === 'overrides') {
    const feedback = await openFeedback(folder);
    if (!redis) return feedbackDesk(feedback);
    return { ...feedbackDesk(feedback), shared: await openShared(redis, kind, overridesPlace(feedback, onFault)) };
  }
  const store = await openWatches(folder);
  if (!redis) return watchDesk(store);
  return { ...watchDesk(store), shared: await openShared(redis, kind, watchlistPlace({ openStore: async () => store, onFault })) };
}

const untilCounts = (desk: Desk, word: string | null) => expect.poll(() => desk.counts(), SOON).toBe(word);

async function contract(one: Desk, other: Desk): Promise<void> {
  await one.decide('malicious');
  await untilCounts(other, 'malicious');
  // In the same second as the one before, it may be.
  await other.decide('clean');
  await untilCounts(one, 'clean');
  await one.takeBack();
  await untilCounts(other, null);
  await other.decide('suspicious');
  await untilCounts(one, 'suspicious');
  expect(await other.counts()).toBe('suspicious');
}

describe.each(KINDS)('%s: what is decided counts for all', { timeout: 120_000 }, (kind) => {
  it('who share one file', async () => {
    const folder = newStateFolder();
    await contract(await openDesk(kind, folder), await openDesk(kind, folder));
  });

  it.skipIf(program === null)('who share a Redis [needs redis]', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    await contract(await openDesk(kind, newStateFolder(), redis), await openDesk(kind, newStateFolder(), redis));
  });

  it.skipIf(program === null)('also what was decided while Redis was away, and by a machine that comes later [needs redis]', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const folder = newStateFolder();
    const [one, other] = [await openDesk(kind, folder, redis), await openDesk(kind, newStateFolder(), redis)];
    await one.decide('malicious');
    await untilCounts(other, 'malicious');
    await redis.kill();
    await expect.poll(() => other.shared?.health().fault, SOON).toContain('away');
    // Kept here, and what was decided in between.
    expect(await other.counts()).toBe('malicious');
    await other.decide('clean');
    expect(await one.counts()).toBe('malicious');
    await redis.start();
    await untilCounts(one, 'clean');
    await untilCounts(await openDesk(kind, newStateFolder(), redis), 'clean');
  });

  it.skipIf(program === null)('of two that were decided apart the newest, whoever comes first [needs redis]', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const folders = [newStateFolder(), newStateFolder()] as const;
    const apart = [await openDesk(kind, folders[0]), await openDesk(kind, folders[1])] as const;
    await apart[0].decide('malicious', nowS() - 100);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await apart[1].decide('clean', nowS() - 50);
    for (const close of closers.splice(1).toReversed()) await close();
    const newer = await openDesk(kind, folders[1], redis);
    const older = await openDesk(kind, folders[0], redis);
    await untilCounts(older, 'clean');
    expect(await newer.counts()).toBe('clean');
  });
});

describe.skipIf(program === null)('a register in Redis (needs redis)', { timeout: 120_000 }, () => {
  it('brings all of a long list, and leaves what nobody can read', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const [one, other] = [await openWatches(newStateFolder()), await openWatches(newStateFolder())];
    const values = Array.from({ length: 1300 }, (_, n) => `203.${n >> 8}.113.${n & 255}`);
    for (const value of values)
      await one.watch({ indicator: { type: 'ipv4-addr', value }, reason: 'list', by: 'anna', everyS: 3600, untilS: null }, nowS());
    const faults: string[] = [];
    await openShared(redis, 'watchlist', watchlistPlace({ openStore: async () => one, onFault: (fault) => void faults.push(fault) }));
    await openShared(redis, 'watchlist', {
      version: () => '1',
      rows: () => [{ name: 'odd', atMs: 1, text: '{"type":"ipv4-addr","reason":7}' }],
      take: () => {},
    });
    await openShared(redis, 'watchlist', watchlistPlace({ openStore: async () => other, onFault: (fault) => void faults.push(fault) }));
    await expect.poll(() => other.countWatched(), SOON).toBe(values.length);
    expect(new Set(faults)).toEqual(new Set(['1 watches that came through Redis cannot be read and do not count: add them again']));
  });
});
