import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Print } from './figure.ts';
import { printCurve } from './growth-curve.ts';
import { median } from './median.ts';
import { startApi } from './gateway-processes.ts';

const ROUNDS = 3;
const PART = 10_000;
const PROGRAM = join(dirname(dirname(import.meta.dirname)), 'dist/cli.js');
/** Tells, when the program ends, what it took: CPU in µs, and peak memory in KiB, on a stream of its own. */
const TELL = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>{const{userCPUTime:u,systemCPUTime:s,maxRSS:m}=process.resourceUsage();writeSync(3,JSON.stringify({cpuUs:u+s,rssKib:m}))})`;

interface Cost {
  readonly cpuUs: number;
  readonly rssKib: number;
}

/** How the lines are written, and how many there are in each run, in growing order. */
export interface Growing {
  readonly format: 'ndjson' | 'csv';
  readonly sizes: readonly number[];
}

/**
 * `enrich` reads more and more lines of 8,000 values that its cache knows. What one more line costs is the difference of two runs, so that
 * start and warm-up count in neither; peak memory is that of each run.
 */
export async function growEvents(state: string, { format, sizes }: Growing, print: Print): Promise<void> {
  if (!existsSync(PROGRAM)) {
    process.stderr.write('growth: events skipped, the program is not built: npm run build\n');
    return;
  }
  const api = await startApi(0);
  const env = {
    ...process.env,
    ISMALICIOUS_STATE_DIR: state,
    ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`,
    ISMALICIOUS_X_API_KEY: Buffer.from('bench:bench').toString('base64'),
  };
  try {
    await enrich(format, PART, env);
    const runs = sizes.map((size) => ({ size, costs: [] as Cost[] }));
    for (let round = 0; round < ROUNDS; round += 1) for (const { size, costs } of runs) costs.push(await enrich(format, size, env));
    const middles = runs.map(({ size, costs }) => ({ size, cpuUs: median(costs.map(({ cpuUs }) => cpuUs)), costs }));
    const name = `enrich, ${format}`;
    const marginal = middles.slice(1).map(({ size, cpuUs }, n) => {
      const before = middles[n] ?? { size: 0, cpuUs: 0 };
      return { size, cost: (cpuUs - before.cpuUs) / (size - before.size) };
    });
    printCurve(print, `${name}, one more event`, 'µs CPU', marginal);
    const memory = middles.map(({ size, costs }) => ({ size, cost: median(costs.map(({ rssKib }) => rssKib)) / 1024 }));
    printCurve(print, `${name}, peak memory`, 'MiB', memory);
  } finally {
    api.stop();
  }
}

async function enrich(format: Growing['format'], events: number, env: NodeJS.ProcessEnv): Promise<Cost> {
  const fields = format === 'csv' ? ['--field', 'dest_ip', '--field', 'domain'] : [];
  const child = spawn(process.execPath, ['--import', TELL, PROGRAM, 'enrich', '-', '--format', format, ...fields], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    env,
  });
  let told = '';
  child.stdio[3]?.on('data', (part: Buffer) => (told += part.toString()));
  const closed = once(child, 'close');
  const part = format === 'csv' ? csvPart() : ndjsonPart();
  if (format === 'csv') child.stdin?.write('time,src_ip,dest_ip,domain,bytes\n');
  for (let at = 0; at < events; at += PART)
    if (child.stdin?.write(part) === false) await Promise.race([once(child.stdin, 'drain'), closed]);
  child.stdin?.end();
  const [status] = (await closed) as [number | null];
  if (status !== 0) throw new Error(`enrich ended with status ${status}`);
  return JSON.parse(told) as Cost;
}

const addressOf = (n: number) => `${11 + (n % 80)}.${(n >>> 8) & 255}.${n & 255}.${(n * 7) & 255}`;
const domainOf = (n: number) => `cdn${n}.update-files.com`;
/** Each value comes in a part, in no order. */
const mixed = (n: number, among: number) => (n * 7919) % among;

function ndjsonPart(): Buffer {
  const lines = Array.from({ length: PART }, (_, n) =>
    JSON.stringify({
      '@timestamp': '2026-11-20T10:00:00.123Z',
      message: 'fw01 action=allowed',
      source: { ip: `10.0.${n % 256}.7`, port: 1024 + n },
      destination: { ip: addressOf(mixed(n, 5000)), port: 443 },
      url: { domain: domainOf(mixed(n, 3000)) },
      event: { id: `1-${n}` },
    }),
  );
  return Buffer.from(`${lines.join('\n')}\n`);
}

function csvPart(): Buffer {
  const rows = Array.from(
    { length: PART },
    (_, n) => `${n},10.0.${n % 256}.7,${addressOf(mixed(n, 5000))},${domainOf(mixed(n, 3000))},443`,
  );
  return Buffer.from(`${rows.join('\n')}\n`);
}
