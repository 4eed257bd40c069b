import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { OpenedEngine } from '../../../../src/compose/open-engine.ts';
import type { EnrichOptions } from '../../../../src/engine/enricher.ts';
import { giveFeedback } from '../../../../src/engine/feedback/give-feedback.ts';
import { projectRoot } from '../../../support/fixtures.ts';
import { startFourProviders } from '../../../support/four-providers.ts';
import { newStateFolder, publicAddresses } from '../../../support/open-test-engine.ts';
import { startRedisCluster } from '../../../support/redis-cluster.ts';
import { closeAll, openMachines, openVirusTotal, statusesOf, untilAway, untilBack } from '../../../support/redis-machines.ts';
import { findRedisServer, startRedisServer } from '../../../support/redis-server.ts';
import { healthy, sendJson, startStandIn, verdictBody } from '../../../support/stand-in-api.ts';

const program = findRedisServer();
const MACHINES = 8;
/** While it is away each asks for itself, at once. */
const ASKS = { ISMALICIOUS_REDIS_AWAY: 'ask', ISMALICIOUS_REDIS_PATIENCE_S: '0' };
const SOON = { timeout: 30_000, interval: 50 };

/** The same order every time, another one for every machine. */
function shuffled(values: readonly string[], n: number): string[] {
  return values
    .map((value, at) => [(at * (7 + 2 * n) + 13 * n) % 101, value] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, value]) => value);
}

describe.skipIf(program === null)('machines that share a Redis (needs redis)', { timeout: 120_000 }, () => {
  it.each([
    ['one by one', 0],
    ['in bulk', 8],
  ])('ask about each value once, %s, however their values fall', async (_name, bulkCap) => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    api.bulkCap = bulkCap;
    const values = publicAddresses(60);
    const machines = await openMachines(MACHINES, api.url, redis);
    const statuses = await Promise.all(machines.map((machine, n) => statusesOf(machine, shuffled(values, n))));
    expect(statuses.flat().filter((status) => status !== 'ok')).toEqual([]);
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    await closeAll(machines);
  });

  it.each([
    ['4 a minute', {}, 4],
    ['a day’s limit', { VIRUSTOTAL_PER_MINUTE: '1000', VIRUSTOTAL_PER_DAY: '13' }, 13],
    ['a day’s budget', { VIRUSTOTAL_PER_MINUTE: '1000', VIRUSTOTAL_BUDGET_PER_DAY: '9' }, 9],
  ])('never exceed %s together, and use it up', async (_name, limits, most) => {
    await using redis = await startRedisServer(program ?? '');
    await using four = await startFourProviders();
    const env = { VIRUSTOTAL_BASE_URL: four.url, VIRUSTOTAL_API_KEY: 'k', ...limits };
    const machines = await openVirusTotal(MACHINES, redis, env);
    const values = publicAddresses(MACHINES * 10);
    const statuses = await Promise.all(machines.map((machine, n) => statusesOf(machine, values.slice(n * 10, (n + 1) * 10), 12_000)));
    await closeAll(machines);
    expect(four.asked.virustotal).toHaveLength(most);
    expect(new Set(four.asked.virustotal).size).toBe(most);
    expect(statuses.flat().filter((status) => status === 'ok')).toHaveLength(most);
    expect(statuses.flat().filter((status) => !['ok', 'rate_limited', 'over_budget'].includes(status))).toEqual([]);
  });

  it('do so through a cluster, and go on alone while one of its nodes is away', async () => {
    await using cluster = await startRedisCluster(program ?? '');
    await using api = await startStandIn();
    const values = publicAddresses(60);
    const machines = await openMachines(3, api.url, cluster);
    const half = values.slice(0, 30);
    await Promise.all(machines.map((machine, n) => statusesOf(machine, shuffled(half, n))));
    expect(api.asked().toSorted()).toEqual(half.toSorted());
    const [, lost] = cluster.nodes;
    const [alone] = (await openMachines(1, api.url, cluster, ASKS)) as [OpenedEngine];
    await lost?.kill();
    await untilAway(alone);
    expect(new Set(await statusesOf(alone, values, 15_000))).toEqual(new Set(['ok']));
    await lost?.start();
    await Promise.all([...machines, alone].map(untilBack));
    await closeAll([...machines, alone]);
  });

  it('find what another was answered, "not listed" too, without a call; and again on their own disk', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn();
    const values = publicAddresses(30);
    const [one] = await openMachines(1, api.url, redis);
    expect(new Set(await statusesOf(one as OpenedEngine, values))).toEqual(new Set(['ok']));
    await one?.engine.close();
    const [other] = await openMachines(1, api.url, redis);
    const found = await (other as OpenedEngine).engine.enrichMany(values);
    expect([...found.values()].every(({ source, answer }) => source === 'cache' && answer.status === 'ok')).toBe(true);
    expect(api.asked()).toHaveLength(30);
    expect(other?.engine.store.getMany('ismalicious', values).size).toBe(30);
    await other?.engine.close();
  });

  it('are told of a refused key by the one that tried it', async () => {
    await using redis = await startRedisServer(program ?? '');
    await using api = await startStandIn((_call, response) => sendJson(response, 401, {}));
    const machines = await openMachines(4, api.url, redis);
    const [first, ...others] = machines as [OpenedEngine, ...OpenedEngine[]];
    expect(await statusesOf(first, ['11.22.33.44'])).toEqual(['unauthorized']);
    const calls = api.calls.length;
    for (const [n, other] of others.entries()) expect(await statusesOf(other, [`11.22.33.${n + 50}`])).toEqual(['unauthorized']);
    expect(api.calls).toHaveLength(calls);
    await closeAll(machines);
  });

  it('say what an analyst decided on one of them, and what was answered late or anew', async () => {
    await using redis = await startRedisServer(program ?? '');
    const waiting: (() => void)[] = [];
    await using api = await startStandIn((call, response, attempt) => void waiting.push(() => healthy(call, response, attempt)));
    const machines = (await openMachines(2, api.url, redis)) as [OpenedEngine, OpenedEngine];
    const [one, other] = machines;
    const say = async ({ engine }: OpenedEngine, wanted: EnrichOptions = { mode: 'cache' }) =>
      (await engine.enrichMany(['12.34.56.78'], wanted)).get('12.34.56.78');
    // Nobody waits any more when the answer comes.
    const partial = say(one, { timeoutMs: 3000 });
    await expect.poll(() => waiting.length, SOON).toBe(1);
    expect((await partial)?.answer.status).toBe('timeout');
    waiting.splice(0).forEach((answer) => answer());
    await expect.poll(async () => (await say(other))?.answer.verdict, SOON).toBe('malicious');
    const epoch = other.engine.store.epoch()?.epoch;
    api.reply = (_call, response) => sendJson(response, 200, verdictBody('11'));
    expect((await say(one, { isTest: true }))?.answer.verdict).toBe('clean');
    await expect.poll(async () => (await say(other))?.answer.verdict, SOON).toBe('clean');
    await expect.poll(() => other.engine.store.epoch()?.epoch, SOON).not.toBe(epoch);
    const decided = { verdict: 'malicious', author: 'anna', reason: 'seen in an incident' };
    await giveFeedback({ value: '12.34.56.78', ...decided }, one.feedback, one.engine, Math.floor(Date.now() / 1000));
    await expect.poll(async () => (await say(other))?.answer.score, SOON).toBe(95);
    expect(api.calls).toHaveLength(2);
    await closeAll(machines);
  });

  it('wait for the answer of the one that asks, and ask when it dies', async () => {
    await using redis = await startRedisServer(program ?? '');
    const waiting: (() => void)[] = [];
    await using api = await startStandIn((call, response, attempt) => void waiting.push(() => healthy(call, response, attempt)));
    const env = { ISMALICIOUS_TIMEOUT_MS: '9000' };
    const child = spawn(process.execPath, ['--no-warnings', join(projectRoot, 'test/support/look-up-child.ts'), '0', '12.34.56.78'], {
      env: {
        ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
        ISMALICIOUS_STATE_DIR: newStateFolder(),
        ISMALICIOUS_BASE_URL: api.url,
        ISMALICIOUS_REDIS_URL: redis.url,
        ...env,
      },
      stdio: 'ignore',
    });
    await expect.poll(() => waiting.length, { timeout: 60_000 }).toBe(1);
    const [other] = (await openMachines(1, api.url, redis, env)) as [OpenedEngine];
    const found = statusesOf(other, ['12.34.56.78']);
    await sleep(200);
    expect(waiting).toHaveLength(1);
    child.kill('SIGKILL');
    await expect.poll(() => waiting.length, { timeout: 60_000 }).toBe(2);
    for (const answer of waiting) answer();
    expect(await found).toEqual(['ok']);
    await other.engine.close();
  });
});
