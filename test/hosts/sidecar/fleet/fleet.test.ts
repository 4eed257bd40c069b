import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../support/fixtures.ts';
import { accuse, startFourProviders } from '../../../support/four-providers.ts';
import { findNginx, startNginx } from '../../../support/nginx.ts';
import { newStateFolder, publicAddresses } from '../../../support/open-test-engine.ts';
import { findRedisServer, type RedisServer, startRedisServer } from '../../../support/redis-server.ts';
import { type FleetCall, mostInWindow, sendAll, startFleetSidecar, zipfValues } from '../../../support/sidecar-fleet.ts';
import { healthy, startStandIn, type StandInApi, verdictBody } from '../../../support/stand-in-api.ts';
import { findToxiproxy, startToxiproxy, type Toxic } from '../../../support/toxiproxy.ts';

/** Events in a run, about a tenth as many values; `ISMALICIOUS_FLEET=200000` for a long one, which tells its figures. */
const EVENTS = Number(process.env.ISMALICIOUS_FLEET ?? 4000);
const IS_LONG = process.env.ISMALICIOUS_FLEET !== undefined;
const MINUTE_MS = 60_000;
const LOAD = { callers: 12, batch: 100 };
/** A sidecar answers with what it has then; and what a busy machine may add to it. */
const DEADLINE_MS = 5000;
const SLACK_MS = 3000;
/** Look-ups of one sidecar that are out at once, one batch: what a killed one, or one that is cut off, may have paid for in vain. */
const IN_FLIGHT = 4;

const redisProgram = findRedisServer();
const nginxProgram = findNginx();
const toxiproxyProgram = findToxiproxy();

const tell = (words: string) => IS_LONG && process.stderr.write(`${words}\n`);

function envOf(api: StandInApi, redisPort: number, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ISMALICIOUS_BASE_URL: api.url,
    ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
    ISMALICIOUS_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    ISMALICIOUS_SIDECAR_TIMEOUT_MS: String(DEADLINE_MS),
    ISMALICIOUS_TIMEOUT_MS: '1000',
    ISMALICIOUS_CONCURRENCY: String(IN_FLIGHT),
    ...more,
  };
}

/** What is wrong with what was said of a value; a look-up that failed says nothing of it. */
function untruths(calls: readonly FleetCall[]): string[] {
  return calls.flatMap(({ answers }) =>
    answers.flatMap(({ value, status, verdict }) => {
      const truth = status !== 'ok' ? 'unknown' : verdictBody(value)['malicious'] === true ? 'malicious' : 'clean';
      return verdict === truth ? [] : [`${value}: ${status} ${verdict}`];
    }),
  );
}

const unanswered = (calls: readonly FleetCall[]) =>
  calls.flatMap(({ answers }) => answers.filter(({ status }) => status !== 'ok').map(({ value }) => value));

/** Sends what was not answered again until all is; gives every call. */
async function untilAnswered(url: string, values: readonly string[], onCall?: (events: number) => void): Promise<FleetCall[]> {
  const all: FleetCall[] = [];
  for (let left = [...values]; left.length > 0;) {
    const calls = await sendAll(url, left, { ...LOAD, ...(all.length === 0 && onCall ? { onCall } : {}) });
    all.push(...calls);
    left = unanswered(calls);
    if (left.length > 0) await sleep(IS_LONG ? 2000 : 250);
  }
  return all;
}

/** How often each was asked beyond the first time. */
function repeats(asked: readonly string[]): number {
  return asked.length - new Set(asked).size;
}

const slowest = (calls: readonly FleetCall[]) => Math.round(Math.max(...calls.map(({ tookMs }) => tookMs)));

describe.skipIf(redisProgram === null || nginxProgram === null)('three sidecars behind a load balancer (needs nginx, and redis)', () => {
  it('ask about each value once, and never exceed a limit together', { timeout: 15 * MINUTE_MS }, async () => {
    await using redis = await startRedisServer(redisProgram ?? '');
    await using api = await startStandIn();
    const perMinute = IS_LONG ? Math.round(EVENTS / 25) : 100_000;
    const env = envOf(api, redis.port, { ISMALICIOUS_PER_MINUTE: String(perMinute), ISMALICIOUS_TIMEOUT_MS: '30000' });
    await using one = await startFleetSidecar(env);
    await using two = await startFleetSidecar(env);
    await using three = await startFleetSidecar(env);
    await using balancer = await startNginx(
      nginxProgram ?? '',
      [one, two, three].map(({ port }) => port),
    );
    const unique = publicAddresses(EVENTS / 10);
    const startedMs = performance.now();
    const calls = await untilAnswered(balancer.url, zipfValues(unique, EVENTS));
    const most = mostInWindow(
      api.calls.map(({ atMs }) => atMs),
      MINUTE_MS,
    );
    tell(
      `${EVENTS} events, ${unique.length} values: ${api.asked().length} calls in ${Math.round((performance.now() - startedMs) / 1000)} s, ` +
        `most in a minute ${most} of ${perMinute}, slowest answer ${slowest(calls)} ms`,
    );
    expect(api.asked().toSorted()).toEqual(unique.toSorted());
    expect(most).toBeLessThanOrEqual(perMinute);
    expect(untruths(calls)).toEqual([]);
  });
});

const FAULTS: readonly (readonly [string, Toxic])[] = [
  ['slow', { type: 'latency', attributes: { latency: 300 } }],
  ['reset', { type: 'reset_peer', attributes: { timeout: 0 } }],
  ['half open', { type: 'timeout', attributes: { timeout: 0 } }],
];

const lacks = redisProgram === null || nginxProgram === null || toxiproxyProgram === null;
describe.skipIf(lacks)('three sidecars while something fails (needs toxiproxy, nginx and redis)', () => {
  it('answer every event in time and truly', { timeout: 15 * MINUTE_MS }, async () => {
    await using redis = await startRedisServer(redisProgram ?? '');
    await using api = await startStandIn((...call) => void setTimeout(() => healthy(...call), 5));
    await using network = await startToxiproxy(toxiproxyProgram ?? '');
    const ways = await Promise.all(['a', 'b', 'c'].map((name) => network.way(name, redis.port)));
    await using one = await startFleetSidecar(envOf(api, ways[0] as number));
    await using two = await startFleetSidecar(envOf(api, ways[1] as number));
    await using three = await startFleetSidecar(envOf(api, ways[2] as number));
    await using balancer = await startNginx(
      nginxProgram ?? '',
      [one, two, three].map(({ port }) => port),
    );
    const all = publicAddresses(EVENTS / 10);
    const share = Math.floor(all.length / (2 + FAULTS.length));
    let begun = 0;
    /** What goes wrong when a third of the events are answered, and what comes right again at two thirds. */
    async function during(
      name: string,
      fault: { readonly begins: () => Promise<void>; readonly ends?: () => Promise<void> },
    ): Promise<void> {
      const values = all.slice(begun, (begun += share));
      const before = api.asked().length;
      const events = zipfValues(values, values.length * 10);
      const turns: Promise<void>[] = [];
      const calls = await untilAnswered(balancer.url, events, (answered) => {
        if (turns.length === 0 && answered > events.length / 3) turns.push(fault.begins());
        if (turns.length === 1 && answered > (2 * events.length) / 3) turns.push(fault.ends?.() ?? Promise.resolve());
      });
      await Promise.all(turns);
      const paidTwice = repeats(api.asked().slice(before));
      tell(
        `${name}: ${events.length} events, slowest answer ${slowest(calls)} ms, told later ${unanswered(calls).length}, paid twice ${paidTwice}`,
      );
      expect(untruths(calls)).toEqual([]);
      expect(slowest(calls)).toBeLessThan(DEADLINE_MS + SLACK_MS);
      expect(new Set(api.asked().slice(before))).toEqual(new Set(values));
      expect(paidTwice).toBeLessThanOrEqual(IN_FLIGHT);
    }
    await during('a sidecar is killed', { begins: () => three.kill() });
    await during('Redis is killed', { begins: () => redis.kill(), ends: () => redis.start() });
    for (const [name, toxic] of FAULTS) {
      await untilShared([one.url, two.url]);
      await during(`the network is ${name}`, { begins: () => network.spoil('a', toxic), ends: () => network.mend() });
    }
    await untilShared([one.url, two.url]);
  });

  it('ask about each value once, too, when Redis is away for longer than it is waited for', { timeout: 15 * MINUTE_MS }, async () => {
    await using redis = await startRedisServer(redisProgram ?? '');
    await using api = await startStandIn((...call) => void setTimeout(() => healthy(...call), 5));
    const env = envOf(api, redis.port, { ISMALICIOUS_REDIS_PATIENCE_S: '0' });
    await using one = await startFleetSidecar(env);
    await using two = await startFleetSidecar(env);
    await using three = await startFleetSidecar(env);
    const sidecars = [one, two, three];
    await using balancer = await startNginx(
      nginxProgram ?? '',
      sidecars.map(({ port }) => port),
    );
    const urls = sidecars.map(({ url }) => url);
    await untilMetric(urls, 'ismalicious_redis_replicas 3');
    const values = publicAddresses(EVENTS / 10);
    const [before, during] = [values.slice(0, EVENTS / 20), values.slice(EVENTS / 20)];
    const calls = await untilAnswered(balancer.url, zipfValues(before, EVENTS / 2));
    // Once a second each machine takes what others were told about its own values.
    await sleep(2500);
    await redis.kill();
    await untilMetric(urls, 'ismalicious_redis_up 0');
    const alone = await sendAll(balancer.url, zipfValues(values, EVENTS), LOAD);
    const askedAlone = api.asked().length - before.length;
    await redis.start();
    await untilShared(urls);
    const after = await untilAnswered(balancer.url, zipfValues(during, EVENTS));
    tell(`Redis is away for longer: ${askedAlone} of ${during.length} values asked meanwhile, paid twice ${repeats(api.asked())}`);
    // Nearly each of them came to the machine whose value it is.
    expect(askedAlone).toBeGreaterThan(during.length / 4);
    for (const some of [calls, alone, after]) {
      expect(untruths(some)).toEqual([]);
      expect(slowest(some)).toBeLessThan(DEADLINE_MS + SLACK_MS);
    }
    expect(new Set(api.asked())).toEqual(new Set(values));
    expect(repeats(api.asked())).toBeLessThanOrEqual(IN_FLIGHT);
  });
});

const untilShared = (urls: readonly string[]) => untilMetric(urls, 'ismalicious_redis_up 1');

async function untilMetric(urls: readonly string[], line: string): Promise<void> {
  for (const url of urls) await expect.poll(async () => await (await fetch(`${url}/metrics`)).text(), { timeout: 60_000 }).toContain(line);
}

describe.skipIf(redisProgram === null)('eight processes with one key of VirusTotal (needs redis)', () => {
  /** Each looks up values of its own in a process of its own; gives all statuses. */
  async function lookUp(env: Readonly<Record<string, string>>, each: number, timeoutMs: number): Promise<string[]> {
    const values = publicAddresses(8 * each);
    const runs = Array.from({ length: 8 }, async (_, n) => {
      const own = values.slice(n * each, (n + 1) * each);
      const child = spawn(
        process.execPath,
        ['--no-warnings', join(projectRoot, 'test/support/look-up-child.ts'), String(timeoutMs), ...own],
        {
          env: { PATH: process.env.PATH ?? '', ISMALICIOUS_STATE_DIR: newStateFolder(), ...env },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let said = '';
      child.stdout.on('data', (part) => (said += String(part)));
      await once(child, 'close');
      return JSON.parse(said) as string[];
    });
    return (await Promise.all(runs)).flat();
  }

  const envWith = (redis: RedisServer, url: string) => ({
    VIRUSTOTAL_BASE_URL: url,
    VIRUSTOTAL_API_KEY: 'k',
    ISMALICIOUS_REDIS_URL: redis.url,
  });

  it('never exceed 4 a minute', { timeout: 15 * MINUTE_MS }, async () => {
    await using redis = await startRedisServer(redisProgram ?? '');
    await using four = await startFourProviders();
    const times: number[] = [];
    four.replies.virustotal = (...call) => {
      times.push(performance.now());
      accuse(...call);
    };
    const statuses = await lookUp(envWith(redis, four.url), 10, IS_LONG ? 200_000 : 8000);
    tell(`4 a minute: ${times.length} calls, most in a minute ${mostInWindow(times, MINUTE_MS)}`);
    expect(times).not.toEqual([]);
    expect(mostInWindow(times, MINUTE_MS)).toBeLessThanOrEqual(4);
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(times.length);
    expect(statuses.filter((status) => !['ok', 'rate_limited', 'timeout'].includes(status))).toEqual([]);
  });

  it('never exceed 500 a day, also when they are started again', { timeout: 15 * MINUTE_MS }, async () => {
    await using redis = await startRedisServer(redisProgram ?? '');
    await using four = await startFourProviders();
    const perDay = IS_LONG ? 500 : 24;
    const env = { ...envWith(redis, four.url), VIRUSTOTAL_PER_MINUTE: '1000000', VIRUSTOTAL_PER_DAY: String(perDay) };
    const statuses = await lookUp(env, perDay / 4, IS_LONG ? 90_000 : 20_000);
    expect(four.asked.virustotal).toHaveLength(perDay);
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(perDay);
    await lookUp(env, perDay / 2, 1000);
    tell(`${perDay} a day: ${four.asked.virustotal.length} calls`);
    expect(four.asked.virustotal).toHaveLength(perDay);
  });
});
