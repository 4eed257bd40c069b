import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryVerdictStore } from '../../../../src/engine/cache/memory-verdict-store.ts';
import { openSqliteVerdictStore } from '../../../../src/engine/cache/sqlite-verdict-store.ts';
import { openSharedCache } from '../../../support/open-shared-cache.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startRedisCluster } from '../../../support/redis-cluster.ts';
import { findRedisServer, startRedisServer } from '../../../support/redis-server.ts';

const program = findRedisServer();
const WINDOWS = [{ requests: 2, perMs: 60_000 }];
const nowS = () => Math.floor(Date.now() / 1000);

/** What every place where answers are shared promises, however it is asked. */
interface Place {
  put(value: string, answer: string): void;
  read(values: readonly string[]): Promise<ReadonlyMap<string, { readonly answer: string }>>;
  /** Milliseconds to wait. */
  call(): Promise<number>;
  /** Whether credits could be paid out of 5 a day. */
  pay(credits: number): Promise<boolean>;
  note(text?: string): Promise<string | null>;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const openLocal = (path: string | null) => async (): Promise<Place> => {
  const store = path === null ? createMemoryVerdictStore(null) : await openSqliteVerdictStore(path);
  closers.push(() => store.close());
  return {
    put: (value, answer) => store.put('p', value, { answer, checkedAtS: nowS(), expiresAtS: nowS() + 60 }),
    read: async (values) => store.getMany('p', values),
    call: async () => store.book('p', WINDOWS, 1, Date.now()),
    pay: async (credits) => store.spend('p', '2026-11-30', credits, 5),
    async note(text) {
      if (text !== undefined) store.setNote('p.x', text, nowS());
      return store.note('p.x')?.text ?? null;
    },
  };
};

async function openRedis(url: string, caFile: string | null = null): Promise<Place> {
  const faults: string[] = [];
  const shared = await openSharedCache(url, { caFile, onFault: (fault) => faults.push(fault) });
  closers.push(() => shared.close());
  const store = shared.over(createMemoryVerdictStore(null));
  const payer = {
    provider: 'p',
    account: 'p',
    windows: [],
    budgets: [
      ['2026-11-30', 5],
      ['2026-11', null],
    ],
  } as const;
  await shared.join([() => payer]);
  expect(faults).toEqual([]);
  return {
    put: (value, answer) => store.put('p', value, { answer, checkedAtS: nowS(), expiresAtS: nowS() + 60 }),
    read: async (values) => (await shared.recall(new Map([['p', values]]))).get('p') ?? new Map(),
    call: async () => (await shared.claim({ ...payer, windows: WINDOWS, wanted: [], leaseMs: 1000, cost: 0 }))?.waitMs ?? Number.NaN,
    async pay(credits) {
      const value = `paid ${Math.random()}`;
      return (await shared.claim({ ...payer, wanted: [{ value, sinceS: 0 }], leaseMs: 1000, cost: credits }))?.granted.has(value) === true;
    },
    async note(text) {
      if (text !== undefined) store.setNote('p.x', text, nowS());
      await shared.join([() => payer]);
      return store.note('p.x')?.text ?? null;
    },
  };
}

async function contract(one: Place, other: Place): Promise<void> {
  one.put('a', 'first');
  one.put('a', 'n');
  one.put('b', '{"verdict":"clean"} \n€');
  await expect.poll(async () => (await one.read(['a', 'b', 'c'])).size, { timeout: 20_000 }).toBe(2);
  await expect.poll(async () => (await other.read(['b'])).get('b')?.answer, { timeout: 20_000 }).toBe('{"verdict":"clean"} \n€');
  expect((await other.read(['a'])).get('a')?.answer).toBe('n');
  expect([await one.call(), await other.call()]).toEqual([0, 0]);
  const waitMs = await one.call();
  expect(waitMs).toBeGreaterThan(30_000);
  expect(waitMs).toBeLessThanOrEqual(60_600);
  expect([await one.pay(3), await other.pay(3), await other.pay(2), await one.pay(1)]).toEqual([true, false, true, false]);
  await one.note('refused');
  expect(await other.note()).toBe('refused');
  await other.note('');
  expect(await one.note()).toBe('');
}

describe('answers, calls, credits and notes are the same for all who share them', { timeout: 60_000 }, () => {
  it('in memory', async () => {
    const place = await openLocal(null)();
    await contract(place, place);
  });

  it('in one SQLite file', async () => {
    const open = openLocal(join(newStateFolder(), 'verdicts.sqlite'));
    await contract(await open(), await open());
  });

  it.skipIf(program === null)('in Redis, with an ACL user [needs redis]', async () => {
    const users = join(newStateFolder(), 'users.acl');
    writeFileSync(users, 'user pack on >s3cret ~x:* +@all\nuser default off\n');
    const redis = await startRedisServer(program ?? '', ['--aclfile', users]);
    closers.push(() => redis[Symbol.asyncDispose]());
    const url = redis.url.replace('//', '//pack:s3cret@');
    await contract(await openRedis(url), await openRedis(url));
  });

  it.skipIf(program === null)('in a cluster of three nodes [needs redis]', async () => {
    const cluster = await startRedisCluster(program ?? '');
    closers.push(() => cluster[Symbol.asyncDispose]());
    await contract(await openRedis(cluster.url), await openRedis(cluster.url));
  });
});

describe.skipIf(program === null)('a call that was booked (needs redis)', { timeout: 60_000 }, () => {
  it('counts from its end: a busy machine sends it long after it was booked', async () => {
    const redis = await startRedisServer(program ?? '');
    closers.push(() => redis[Symbol.asyncDispose]());
    const shared = await openSharedCache(redis.url);
    closers.push(() => shared.close());
    const windows = [{ requests: 1, perMs: 60_000 }];
    const budgets = [
      ['2026-11-30', null],
      ['2026-11', null],
    ] as const;
    const request = { provider: 'p', account: 'p', windows, budgets, leaseMs: 5000, cost: 0 };
    await shared.join([() => request]);
    await expect
      .poll(async () => (await shared.claim({ ...request, wanted: [{ value: 'a', sinceS: 0 }] }))?.granted.size, { timeout: 30_000 })
      .toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const endedMs = performance.now();
    shared.release('p', ['a']);
    let fromEndMs = 0;
    // A server that is new lets calls out by what this process knows itself, at first.
    const wait = async () => {
      const { waitMs = 0 } = (await shared.claim({ ...request, wanted: [{ value: 'b', sinceS: 0 }] })) ?? {};
      fromEndMs = waitMs + performance.now() - endedMs;
      return waitMs;
    };
    await expect.poll(wait, { timeout: 30_000 }).toBeGreaterThan(10_000);
    expect(fromEndMs).toBeGreaterThan(60_000);
  });
});
