import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenedEngine, openEngine } from '../../src/compose/open-engine.ts';
import { findRedisServer, startRedisServer } from '../../test/support/redis-server.ts';
import type { Print } from './figure.ts';
import { gatewayInputs } from './gateway-inputs.ts';
import { postOf, sendLoad } from './gateway-load.ts';
import { type Served, startApi, startGateway, withServers, cpuSOf } from './gateway-processes.ts';
import { median, rounded } from './median.ts';
import { chunksOf } from '../../src/model/tables/chunks.ts';

const ROUNDS = 5;
const EVENTS = 5000;
const BATCH = 500;
const CONNECTIONS = 8;
const REQUESTS = 400;
const VALUES = 8000;
/** Values of one call, all asked for in one round trip. */
const PIPELINED = 100;

/** What several processes of one machine serve, and what a hit costs that only Redis knows. */
export async function run(print: Print): Promise<void> {
  await withServers(async (folder, keep) => {
    const api = keep(await startApi(0));
    const env = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}` };
    const one = keep(await startGateway(join(folder, 'one'), env));
    const two = keep(await startGateway(join(folder, 'two'), { ...env, ISMALICIOUS_SIDECAR_WORKERS: '2' }));
    await compareWorkers(print, one, two);
    await measureRedis(print, folder, env);
  });
}

/**
 * One worker beside two, all values known. Load generator and workers share the machine's cores, so that the clock says how they were
 * scheduled. Counted is the CPU time of the serving processes instead, the primary's too: events by that are what one core serves, and two
 * workers on two cores serve twice as much; the generator's time is in none of it. The ratio is that beside one worker.
 */
async function compareWorkers(print: Print, one: Served, two: Served): Promise<void> {
  const { events } = gatewayInputs(EVENTS);
  const batches = chunksOf(events, BATCH).map((some) => Buffer.from(`${some.join('\n')}\n`));
  const bodies = batches.map((body) => postOf('/v1/enrich', { 'content-type': 'application/x-ndjson' }, body));
  const measure = async ({ port, pid }: Served): Promise<number> => {
    const pids = [pid, ...childrenOf(pid)];
    const before = pids.map(cpuSOf);
    await sendLoad({ port, connections: CONNECTIONS, requests: REQUESTS, request: (n) => bodies[n % bodies.length] ?? [] });
    return (REQUESTS * BATCH) / pids.reduce((sum, each, n) => sum + cpuSOf(each) - (before[n] ?? 0), 0);
  };
  const rounds: (readonly [number, number])[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const rates = [await measure(one), await measure(two)] as const;
    // The first one warms: values are asked for, code is compiled.
    if (round > 0) rounds.push(rates);
  }
  const name = 'serve, 2 workers, a core each: rate by CPU time';
  const ratio = rounded(median(rounds.map(([alone, both]) => (2 * both) / alone)));
  print({ name, value: Math.round(median(rounds.map(([, both]) => 2 * both))), unit: 'events/s', peer: '1 worker', ratio });
}

/** Values that only Redis knows, beside the same ones from the file of the machine; memory knows neither. */
async function measureRedis(print: Print, folder: string, env: Readonly<Record<string, string>>): Promise<void> {
  const program = findRedisServer();
  if (program === null) return;
  await using redis = await startRedisServer(program);
  const open = (name: string) =>
    openEngine({
      env: {
        ...env,
        ISMALICIOUS_X_API_KEY: 'bench',
        ISMALICIOUS_STATE_DIR: join(folder, name),
        ISMALICIOUS_REDIS_URL: redis.url,
        // What is taken over from others beforehand would be no hit in Redis.
        ISMALICIOUS_REDIS_AWAY: 'wait',
      },
    });
  const values = Array.from({ length: VALUES }, (_, n) => `52.${n >> 12}.${(n >> 5) & 127}.${1 + (n & 31)}`);
  const first = await open('first');
  await first.engine.enrichMany(values);
  await first.engine.close();
  const half = VALUES / 2;
  const [single, calls] = [values.slice(0, half).map((value) => [value]), chunksOf(values.slice(half), PIPELINED)];
  const measureBoth = async (opened: OpenedEngine) => {
    const times = [await timesOf(opened, single), await timesOf(opened, calls)] as const;
    await opened.engine.close();
    return times.map(median);
  };
  const [byRedis = 0, callByRedis = 0] = await measureBoth(await open('second'));
  const [byFile = 0, callByFile = 0] = await measureBoth(await open('second'));
  print({ name: 'a hit in Redis adds to one in the file, one value a call: p50', value: rounded(byRedis - byFile), unit: 'ms' });
  const name = `a hit in Redis adds to one in the file, ${PIPELINED} values a call: p50 of a value`;
  print({ name, value: Math.round(((callByRedis - callByFile) / PIPELINED) * 10_000) / 10_000, unit: 'ms' });
  print({ name: `${PIPELINED} values a call, known to Redis: p50 of the call`, value: rounded(callByRedis), unit: 'ms' });
}

async function timesOf({ engine }: OpenedEngine, calls: readonly (readonly string[])[]): Promise<number[]> {
  const times: number[] = [];
  for (const call of calls) {
    const startedMs = performance.now();
    const answers = [...(await engine.enrichMany(call)).values()];
    times.push(performance.now() - startedMs);
    if (answers.some(({ source }) => source !== 'cache')) throw new Error('a value was not known');
  }
  return times;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
