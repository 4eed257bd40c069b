import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verdictOf } from './gateway-inputs.ts';

const TICKS_PER_S = 100;
const here = import.meta.dirname;

/** A server in a process of its own. */
export interface Served {
  readonly port: number;
  readonly pid: number;
  /** CPU seconds it has used so far, of all its threads. */
  cpuS(): number;
  /** Resident memory: now, and at its highest since `forgetPeak`. */
  rssMib(): number;
  peakMib(): number;
  forgetPeak(): void;
  stop(): void;
}

/** Keeps a server until the work is done. */
export type Keep = <T extends { stop(): void }>(server: T) => T;

/** Does work with servers and a folder of its own; both are gone at its end, however it ends. */
export async function withServers(work: (folder: string, keep: Keep) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-servers-'));
  const stops: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const keep: Keep = (server) => {
    stops.push(() => server.stop());
    return server;
  };
  try {
    await work(folder, keep);
  } finally {
    for (const stop of stops.toReversed()) stop();
  }
}

/** What `./ismalicious serve` sets for glibc. */
const LAUNCHER = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' };

/** The gateway of this project, as `./ismalicious serve` runs it: as it was built last. */
export function startGateway(stateFolder: string, env: Readonly<Record<string, string>>): Promise<Served> {
  const cli = join(here, '../../dist/cli.js');
  return serve([cli, 'serve', '--port', '0'], {
    ...LAUNCHER,
    ISMALICIOUS_STATE_DIR: stateFolder,
    ISMALICIOUS_X_API_KEY: Buffer.from('bench:bench').toString('base64'),
    ...env,
  });
}

/** A program of gateway-peer.ts. */
export function startPeer(...args: readonly string[]): Promise<Served> {
  return startProgram('gateway-peer.ts', ...args);
}

/** A file of this folder that prints `listening PORT`. */
export function startProgram(file: string, ...args: readonly string[]): Promise<Served> {
  return serve([join(here, file), ...args], {});
}

/** isMalicious' API: one value a call after `latencyMs`, 500 in bulk; `say`: what it says of a value. `asked`: values it was asked for. */
export async function startApi(latencyMs: number, say = verdictOf): Promise<{ readonly port: number; asked(): number; stop(): void }> {
  let asked = 0;
  const server = createServer((req, res) => {
    let text = '';
    req.on('data', (part: Buffer) => (text += part.toString()));
    req.on('end', async () => {
      if (latencyMs > 0) await delay(latencyMs);
      const answer = answerOf({ method: req.method ?? 'GET', url: req.url ?? '/', body: text }, say);
      if (!('limits' in answer)) asked += 'results' in answer ? answer.results.length : 1;
      const body = Buffer.from(JSON.stringify(answer));
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, asked: () => asked, stop };
}

function answerOf({ method, url, body }: { readonly method: string; readonly url: string; readonly body: string }, say: typeof verdictOf) {
  if (method === 'POST' && url.includes('/bulk/')) {
    const { entities } = JSON.parse(body) as { entities: string[] };
    return { success: true, results: entities.map((entity) => ({ entity, ...say(entity) })) };
  }
  if (url.includes('/bulk/')) return { limits: { maxEntitiesPerRequest: 500 } };
  return say(new URL(url, 'http://bench').searchParams.get('query') ?? '');
}

async function serve(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Served> {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await portOf(child);
  const proc = `/proc/${child.pid}`;
  const memory = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) / 1024;
  return {
    port,
    pid: child.pid ?? 0,
    cpuS: () => cpuSOf(child.pid ?? 0),
    rssMib: () => memory('VmRSS'),
    peakMib: () => memory('VmHWM'),
    forgetPeak: () => writeFileSync(`${proc}/clear_refs`, '5'),
    stop: () => void child.kill('SIGKILL'),
  };
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (part: Buffer) => {
      const port = /listening (\d+)/.exec(part.toString())?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

/** CPU seconds that a process has used so far, of all its threads. */
export function cpuSOf(pid: number): number {
  // proc_pid_stat(5): utime and stime are the 14th and 15th field; the second one may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
