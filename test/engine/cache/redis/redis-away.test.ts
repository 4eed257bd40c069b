import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { OpenedEngine } from '../../../../src/compose/open-engine.ts';
import { startFourProviders } from '../../../support/four-providers.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../../../support/open-test-engine.ts';
import { closeAll, openMachines, openVirusTotal, statusesOf, untilAway, untilBack } from '../../../support/redis-machines.ts';
import { findRedisServer, startRedisServer } from '../../../support/redis-server.ts';
import { healthy, startStandIn } from '../../../support/stand-in-api.ts';

const program = findRedisServer();
const SOON = { timeout: 30_000, interval: 20 };
/** Each asks for itself, at once. */
const ASKS = { ISMALICIOUS_REDIS_AWAY: 'ask', ISMALICIOUS_REDIS_PATIENCE_S: '0' };
const IMPATIENT = { ISMALICIOUS_REDIS_PATIENCE_S: '0' };

const messagesOf = async ({ engine }: OpenedEngine, values: readonly string[], timeoutMs: number) =>
  [...(await engine.enrichMany(values, { timeoutMs })).values()].map(({ answer }) => answer.message);

describe.skipIf(program === null)('while Redis is away (needs redis)', { timeout: 120_000 }, () => {
  it('new look-ups wait for it within their time, say so, and are made once when it is back', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const machines = (await openMachines(2, api.url, redis)) as [OpenedEngine, OpenedEngine];
    const [one, other] = machines;
    const values = publicAddresses(20);
    await redis.kill();
    await Promise.all(machines.map(untilAway));
    expect(new Set(await statusesOf(one, values.slice(0, 5), 400))).toEqual(new Set(['unavailable']));
    expect((await messagesOf(one, values.slice(0, 5), 400)).join()).toMatch(/Redis is away: new look-ups wait for it, \d+ s at most/);
    expect(one.health().shared?.fault).toMatch(/new look-ups wait for it/);
    const asked = Promise.all([statusesOf(one, values, 60_000), statusesOf(other, values.toReversed(), 60_000)]);
    await sleep(300);
    expect(api.asked()).toEqual([]);
    await redis.start();
    expect(new Set((await asked).flat())).toEqual(new Set(['ok']));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    await closeAll(machines);
  });

  it('for longer, each value is asked about by one machine, and the others say so', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const machines = await openMachines(3, api.url, redis, IMPATIENT);
    const [first] = machines as [OpenedEngine];
    const values = publicAddresses(90);
    await expect.poll(() => machines.map(({ health }) => health().shared?.replicas), SOON).toEqual([3, 3, 3]);
    const known = values.slice(0, 30);
    await statusesOf(first, known);
    // What was answered about their own values is kept by the others, who were not asked.
    const keptByOthers = () => machines.slice(1).reduce((sum, { engine }) => sum + engine.store.getMany('ismalicious', known).size, 0);
    await expect.poll(keptByOthers, SOON).toBeGreaterThan(10);
    await redis.kill();
    await Promise.all(machines.map(untilAway));
    const said = await Promise.all(machines.map((machine) => statusesOf(machine, values)));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    for (const statuses of said) {
      expect(new Set(statuses)).toEqual(new Set(['ok', 'unavailable']));
      // A third each, more or less.
      expect(statuses.filter((status) => status === 'ok').length).toBeGreaterThan(10);
    }
    const fresh = values.slice(known.length);
    const answeredBy = (value: string) => said.filter((statuses) => statuses[values.indexOf(value)] === 'ok').length;
    expect(fresh.map(answeredBy)).toEqual(fresh.map(() => 1));
    const refused = (await messagesOf(first, values, 1000)).filter((message) => message !== null);
    expect(new Set(refused)).toEqual(
      new Set(['ismalicious: Redis is away: another machine asks about this value (cache.redis_away: own)']),
    );
    await redis.start();
    await Promise.all(machines.map(untilBack));
    const after = await Promise.all(machines.map((machine) => statusesOf(machine, values)));
    expect(new Set(after.flat())).toEqual(new Set(['ok']));
    expect(api.asked()).toHaveLength(values.length);
    await closeAll(machines);
  });

  it('a machine that is started meanwhile knows which values are its own; one that never met the others asks about none', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const folder = newStateFolder();
    const env = { ...IMPATIENT, ISMALICIOUS_STATE_DIR: folder };
    const machines = await openMachines(2, api.url, redis, IMPATIENT);
    const before = await openTestEngine(api.url, { ISMALICIOUS_REDIS_URL: redis.url, ...env });
    await expect.poll(() => before.health().shared?.replicas, SOON).toBe(3);
    await redis.kill();
    await untilAway(before);
    await before.engine.close();
    const [again, stranger] = [
      await openTestEngine(api.url, { ISMALICIOUS_REDIS_URL: redis.url, ...env }),
      await openTestEngine(api.url, { ISMALICIOUS_REDIS_URL: redis.url, ...IMPATIENT }),
    ];
    const values = publicAddresses(60);
    const statuses = await statusesOf(again, values);
    expect(new Set(statuses)).toEqual(new Set(['ok', 'unavailable']));
    expect(new Set(await statusesOf(stranger, values))).toEqual(new Set(['unavailable']));
    expect(api.asked()).toHaveLength(statuses.filter((status) => status === 'ok').length);
    await closeAll([...machines, again, stranger]);
  });

  it('none is asked about, if that is wanted', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const [one] = (await openMachines(1, api.url, redis, { ...IMPATIENT, ISMALICIOUS_REDIS_AWAY: 'wait' })) as [OpenedEngine];
    await redis.kill();
    await untilAway(one);
    expect(await messagesOf(one, ['11.22.33.44'], 0)).toEqual([
      'ismalicious: Redis is away: new values are not asked about until it is back (cache.redis_away: wait)',
    ]);
    expect(api.asked()).toEqual([]);
    await one.engine.close();
  });

  it('a call that was out when it was cut is not made again, nor is what it knew when its data is lost', async () => {
    await using redis = await startRedisServer(program ?? '');
    const waiting: (() => void)[] = [];
    await using api = await startStandIn((call, response, attempt) => void waiting.push(() => healthy(call, response, attempt)));
    const machines = (await openMachines(2, api.url, redis)) as [OpenedEngine, OpenedEngine];
    const [one, other] = machines;
    const known = statusesOf(one, ['11.22.33.44']);
    await expect.poll(() => waiting.length, SOON).toBe(1);
    waiting.splice(0).forEach((answer) => answer());
    await known;
    const out = statusesOf(one, ['12.34.56.78']);
    await expect.poll(() => waiting.length, SOON).toBe(1);
    await redis.kill();
    await Promise.all(machines.map(untilAway));
    const both = statusesOf(other, ['11.22.33.44', '12.34.56.78']);
    await redis.start();
    await Promise.all(machines.map(untilBack));
    // Past the time in which what was answered meanwhile is gathered.
    await sleep(3500);
    expect(waiting).toHaveLength(1);
    waiting.splice(0).forEach((answer) => answer());
    expect([...(await out), ...(await both)]).toEqual(['ok', 'ok', 'ok']);
    expect(api.asked().toSorted()).toEqual(['11.22.33.44', '12.34.56.78']);
    await closeAll(machines);
  });
});

describe.skipIf(program === null)('while Redis is away and each asks for itself (needs redis)', { timeout: 120_000 }, () => {
  it('what is known is answered, what is not is asked, and both are shared when it is back', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const machines = (await openMachines(2, api.url, redis, ASKS)) as [OpenedEngine, OpenedEngine];
    const [one, other] = machines;
    const [before, during, after] = [publicAddresses(60).slice(0, 20), publicAddresses(60).slice(20, 40), publicAddresses(60).slice(40)];
    await statusesOf(one, before);
    await redis.kill();
    await untilAway(one);
    expect(new Set(await statusesOf(one, [...before, ...during]))).toEqual(new Set(['ok']));
    expect(api.asked()).toHaveLength(40);
    await redis.start();
    const startedMs = performance.now();
    await Promise.all(machines.map(untilBack));
    expect(performance.now() - startedMs).toBeLessThan(5000);
    // What one machine was answered meanwhile went there.
    await expect
      .poll(async () =>
        [...(await other.engine.enrichMany(during, { mode: 'cache' })).values()].every(({ answer }) => answer.status === 'ok'),
      )
      .toBe(true);
    await Promise.all([statusesOf(one, after), statusesOf(other, after.toReversed())]);
    expect(api.asked().toSorted()).toEqual([...before, ...during, ...after].toSorted());
    await closeAll(machines);
  });

  it('each keeps to its share of a limit, says so, and the whole is never exceeded, before, meanwhile and after', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using four = await startFourProviders();
    const env = {
      VIRUSTOTAL_BASE_URL: four.url,
      VIRUSTOTAL_API_KEY: 'k',
      VIRUSTOTAL_PER_MINUTE: '10',
      ISMALICIOUS_CACHE_REPLICAS: '2',
      ...ASKS,
    };
    const machines = (await openVirusTotal(2, redis, env)) as [OpenedEngine, OpenedEngine];
    const values = publicAddresses(500);
    const [one, other] = machines;
    // Past the time in which a new server may know too little.
    await sleep(2600);
    await statusesOf(one, values.slice(0, 4), 5000);
    expect(four.asked.virustotal).toHaveLength(4);
    // Once a second each machine learns what all have done.
    await sleep(1200);
    await redis.kill();
    await Promise.all(machines.map(untilAway));
    const alone = await Promise.all([statusesOf(one, values.slice(10, 20), 3000), statusesOf(other, values.slice(20, 30), 3000)]);
    expect(four.asked.virustotal.length).toBeGreaterThan(4);
    expect(four.asked.virustotal.length).toBeLessThanOrEqual(10);
    expect(new Set(alone.flat())).toEqual(new Set(['ok', 'rate_limited']));
    await redis.start();
    await Promise.all(machines.map(untilBack));
    // The server that came back may know too little at first: each keeps to its share until it does.
    let next = 30;
    await vi.waitFor(
      async () => {
        for (const machine of machines) await statusesOf(machine, values.slice(next, (next += 2)), 1000);
        expect(four.asked.virustotal).toHaveLength(10);
      },
      { timeout: 20_000, interval: 100 },
    );
    await Promise.all([statusesOf(one, values.slice(480, 490), 4000), statusesOf(other, values.slice(490), 4000)]);
    expect(four.asked.virustotal).toHaveLength(10);
    await closeAll(machines);
  });

  it('it is not waited for: a server that hangs is left after a second', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const [one] = (await openMachines(1, api.url, redis, ASKS)) as [OpenedEngine];
    redis.freeze();
    expect(await statusesOf(one, ['11.22.33.44'], 15_000)).toEqual(['ok']);
    expect(one.health().shared?.fault).toContain('away');
    redis.thaw();
    await untilBack(one);
    await one.engine.close();
  });

  it('a start without it is a start, and it is joined when it comes', async () => {
    await using redis = await startRedisServer(program ?? '');
    await redis.kill();
    await using api = await startStandIn();
    const [one] = (await openMachines(1, api.url, redis, ASKS)) as [OpenedEngine];
    expect(one.warnings.join()).toContain('Redis (cache.redis_url) is away (ECONNREFUSED)');
    expect(await statusesOf(one, ['11.22.33.44'])).toEqual(['ok']);
    await redis.start();
    await untilBack(one);
    await one.engine.close();
  });
});
