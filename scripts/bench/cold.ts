// The first time: values that no cache holds, through `enrich`, from an API that takes 20 ms for each call.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Pool } from 'undici';
import { publicAddresses } from '../../test/support/open-test-engine.ts';
import type { Print } from './figure.ts';
import { type Served, startProgram, withServers } from './gateway-processes.ts';
import { median, rounded } from './median.ts';

const LATENCY_MS = '20';
const ROUNDS = 5;
/** Peer: a script of ten workers that asks for one value a call, and does nothing else. */
const WORKERS = 10;
const PROGRAM = join(import.meta.dirname, '../../dist/cli.js');
const KEY = Buffer.from('bench:bench').toString('base64');
/** In bulk and singly, with so many values. */
const KINDS = [
  { name: '10,000 new values in bulk', bulk: 'true', values: 10_000 },
  { name: '1,000 new values, one a call', bulk: 'false', values: 1000 },
] as const;

/** Values a second, start of the program included, in turns with the peer. */
export async function run(print: Print): Promise<void> {
  await withServers(async (folder, keep) => {
    const api = keep(await startProgram('api-program.ts', LATENCY_MS));
    const rates = { peer: [] as number[], ours: KINDS.map(() => [] as number[]) };
    for (let round = 0; round < ROUNDS; round++) {
      rates.peer.push(await peerRate(api));
      for (const [n, { bulk, values }] of KINDS.entries())
        rates.ours[n]?.push(
          await ourRate(api, { values, env: { ISMALICIOUS_BULK: bulk, ISMALICIOUS_STATE_DIR: join(folder, `${round}-${bulk}`) } }),
        );
    }
    const theirs = median(rates.peer);
    for (const [n, { name }] of KINDS.entries()) {
      const ours = median(rates.ours[n] ?? []);
      const peer = `ten workers with one value a call: ${Math.round(theirs)}/s`;
      print({ name, value: Math.round(ours), unit: 'values/s', peer, ratio: rounded(ours / theirs) });
    }
  });
}

async function peerRate({ port }: Served): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: WORKERS });
  const waiting = publicAddresses(1000);
  const startedMs = performance.now();
  const count = waiting.length;
  const work = async () => {
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      const { body } = await pool.request({ path: `/check?query=${value}`, method: 'GET', headers: { 'x-api-key': KEY } });
      await body.json();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await pool.close();
  return rate(count, startedMs);
}

async function ourRate({ port }: Served, { values, env }: { readonly values: number; readonly env: NodeJS.ProcessEnv }): Promise<number> {
  const base = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${port}`, ISMALICIOUS_X_API_KEY: KEY };
  const startedMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'enrich', '-', '--format', 'list'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, ...base, ...env },
  });
  const closed = once(child, 'close');
  child.stdin?.end(`${publicAddresses(values).join('\n')}\n`);
  const [status] = (await closed) as [number | null];
  if (status !== 0) throw new Error(`enrich ended with status ${status}`);
  return rate(values, startedMs);
}

function rate(count: number, startedMs: number): number {
  return count / ((performance.now() - startedMs) / 1000);
}
