import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../support/fixtures.ts';
import { hostileCall } from '../../../support/hostile-bodies.ts';
import type { HostileCall } from '../../../support/hostile-bodies.ts';
import { randomOf } from '../../../support/mutations.ts';

/** Hostile bodies in a run; `ISMALICIOUS_FUZZ=200000` for a long one, which tells its figures. */
const COUNT = Number(process.env.ISMALICIOUS_FUZZ ?? 400);
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_129);
const IS_LONG = process.env.ISMALICIOUS_FUZZ !== undefined;
const AT_ONCE = 32;
const MOST_MIB = 512;

/** Asks `/healthz` again and again, in a thread of its own, so that the attacker's work is not measured. */
const PROBE = `
const { parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
const took = [];
let isOver = false;
parentPort.on('message', () => { isOver = true; });
function ask() {
  if (isOver) return void (parentPort.postMessage(took), parentPort.close(), agent.destroy());
  const startMs = performance.now();
  http.get(workerData, { agent }, (res) => res.resume().on('end', () => { took.push(performance.now() - startMs); setTimeout(ask, 20); }))
    .on('error', () => { took.push(Infinity); setTimeout(ask, 20); });
}
ask();`;

async function startServing(): Promise<{ url: string; pid: number; log: () => string; hasEnded: () => boolean }> {
  const upstream = createServer((req, res) => void req.resume().on('end', () => res.end('{"errors":false,"items":[]}')));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const state = mkdtempSync(join(tmpdir(), 'hostile-'));
  const env = {
    PATH: process.env.PATH,
    HOME: state,
    ISMALICIOUS_STATE_FOLDER: state,
    ISMALICIOUS_GATEWAY_UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
  };
  const child = spawn(join(projectRoot, 'ismalicious'), ['serve', '--port', '0'], { env });
  let [out, log] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    upstream.closeAllConnections();
    upstream.close();
    rmSync(state, { recursive: true, force: true });
  });
  while (!/listening \d+/.test(out))
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(log)))]);
  const port = /listening (\d+)/.exec(out)?.[1] ?? '';
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, log: () => log, hasEnded: () => child.exitCode !== null };
}

/** Sends a call; its status, 0 when the connection broke, which is what half a body deserves. */
function send(url: string, agent: Agent, { path, method, headers, body, sendsHalf }: HostileCall): Promise<number> {
  return new Promise((resolve) => {
    const call = request(`${url}${path}`, { method, agent, headers: { ...headers, 'content-length': body.length } });
    call.on('response', (res) => {
      res
        .on('error', () => resolve(0))
        .on('close', () => resolve(res.statusCode ?? 0))
        .resume();
    });
    call.on('error', () => resolve(0));
    if (!sendsHalf) return void call.end(body);
    call.write(body.subarray(0, body.length >> 1), () => call.destroy());
    return call.on('close', () => resolve(0));
  });
}

it(
  `${COUNT} hostile bodies over all routes: the process lives, is answered, and stays small`,
  async () => {
    const { url, pid, log, hasEnded } = await startServing();
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const probe = new Worker(PROBE, { eval: true, workerData: `${url}/healthz` });
    const random = randomOf(SEED);
    const statuses = new Map<number, number>();
    const broken: string[] = [];
    let sent = 0;
    const startMs = performance.now();
    const attack = async () => {
      while (sent < COUNT && !hasEnded()) {
        sent++;
        const call = hostileCall(random);
        const status = await send(url, agent, call);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 500) broken.push(`${call.kind} ${call.method} ${call.path} ${call.body.toString('latin1', 0, 80)}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, attack));
    const seconds = (performance.now() - startMs) / 1000;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
    probe.postMessage('over');
    const [took] = (await once(probe, 'message')) as [number[]];
    agent.destroy();
    expect(hasEnded(), log()).toBe(false);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    took.sort((a, b) => a - b);
    const at = (share: number) => took[Math.floor(took.length * share)] ?? 0;
    const peakMib =
      process.platform === 'linux' ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024 : 0;
    const faults = Number(/^ismalicious_sidecar_faults_total (\d+)$/m.exec(metrics)?.[1]);
    if (IS_LONG) {
      const figures = {
        sent,
        seconds,
        statuses: Object.fromEntries(statuses),
        peakMib,
        faults,
        healthzMs: { p50: at(0.5), p99: at(0.99), max: at(1 - 1e-9) },
      };
      process.stdout.write(`${JSON.stringify(figures)}\n${[...new Set(broken)].slice(0, 20).join('\n')}\n${log().slice(-3000)}\n`);
    }
    expect(Number(/^ismalicious_sidecar_held_bytes (\d+)$/m.exec(metrics)?.[1])).toBe(0);
    expect([broken, faults], log()).toEqual([[], 0]);
    expect(took).not.toContain(Infinity);
    expect(peakMib).toBeLessThan(MOST_MIB);
  },
  60_000 + COUNT * 100,
);
