import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { healthy, startStandIn } from '../../support/stand-in-api.ts';

const HEAP_MIB = 128;
const CALLS = 6000;
const AT_ONCE = 64;
const EVENTS = 4;
/** More than the heap has room for. */
const LONG_CALLS = 128;
const VALUES_EACH = 400;
const DEADLINE_MS = '3000';
const KNOWN = '92.93.94.95';
const NDJSON = 'application/x-ndjson';
const program = join(projectRoot, 'dist/cli.js');

/** A provider that takes calls and never answers, but about one value: whatever else is asked is held until its deadline. */
async function startSilence(): Promise<string> {
  const standIn = await startStandIn((call, response, attempt) => {
    if (call.values[0] === KNOWN) healthy(call, response, attempt);
  });
  onTestFinished(() => standIn[Symbol.asyncDispose]());
  return standIn.url;
}

/** An engine that takes every bulk body. */
async function startEngine(): Promise<string> {
  const server: Server = createServer((req, res) => {
    req.resume().on('end', () => res.setHeader('content-type', 'application/json').end('{"took":1,"errors":false,"items":[]}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startSidecar(settings: Record<string, string>) {
  const env = {
    PATH: process.env.PATH,
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
    ...settings,
  };
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, program, 'serve', '--port', '0'], { env });
  let [out, log] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  while (!/listening \d+/.test(out)) {
    const hasEnded = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)]);
    if (hasEnded) throw new Error(log);
  }
  return { port: Number(/listening (\d+)/.exec(out)?.[1]), child, log: () => log };
}

/** Addresses that nobody asked for before. */
function newAddresses(call: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${20 + (call >> 8)}.${call & 255}.${n >> 8}.${n & 255}`);
}

const eventOf = (address: string) => `{"destination":{"ip":"${address}"},"message":"${'x'.repeat(100)}"}`;
const eventsOf = (addresses: readonly string[]) => addresses.map(eventOf).join('\n');

interface Route {
  readonly path: string;
  readonly type: string;
  readonly body: (addresses: readonly string[]) => string;
}

const ENRICH: Route = { path: '/v1/enrich', type: NDJSON, body: eventsOf };

function open(port: number, most: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: most });
  onTestFinished(() => agent.destroy());
  return ({ path, type, body }: Route, addresses: readonly string[]) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const out = request({ port, agent, path, method: 'POST', headers: { 'content-type': type } }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => (text += bytes.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      out.on('error', reject);
      out.end(body(addresses));
    });
}

const isBuilt = existsSync(program);

it.skipIf(!isBuilt)(
  'lives on 128 MB of heap: thousands of calls for values that nobody answers about are answered, and nothing is called clean',
  { timeout: 120_000 },
  async () => {
    const settings = { ISMALICIOUS_BASE_URL: await startSilence(), ISMALICIOUS_SIDECAR_TIMEOUT_MS: '50' };
    const { port, child, log } = await startSidecar(settings);
    const send = open(port, AT_ONCE);
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, call) => send(ENRICH, newAddresses(call, EVENTS))));
    expect([child.exitCode, child.signalCode], log()).toEqual([null, null]);
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    const taken = answers.filter(({ status }) => status === 200);
    expect(taken.length).toBeGreaterThan(0);
    for (const { text } of taken) {
      expect(text.split('\n').filter((line) => line !== '')).toHaveLength(EVENTS);
      expect(text).not.toContain('"clean"');
    }
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(health.status).toBe(200);
  },
);

const MANY_ROUTES: readonly Route[] = [
  ENRICH,
  { path: '/v1/lookup', type: 'application/json', body: (indicators) => JSON.stringify({ indicators }) },
  { path: '/v1/logstash', type: 'application/json', body: (addresses) => JSON.stringify(Object.fromEntries(addresses.entries())) },
  { path: '/logs/_bulk', type: NDJSON, body: (addresses) => addresses.map((one) => `{"create":{}}\n${eventOf(one)}\n`).join('') },
];

describe.skipIf(!isBuilt)('more values at once than 128 MB of heap have room for, which nobody answers about', () => {
  it.each(MANY_ROUTES)('are refused at $path, and what is known is answered', { timeout: 120_000 }, async (route) => {
    const { port, child, log } = await startSidecar({
      ISMALICIOUS_BASE_URL: await startSilence(),
      ISMALICIOUS_GATEWAY_UPSTREAM: await startEngine(),
      ISMALICIOUS_SIDECAR_TIMEOUT_MS: DEADLINE_MS,
      ISMALICIOUS_GATEWAY_TIMEOUT_MS: DEADLINE_MS,
      ISMALICIOUS_BULK: 'false',
    });
    const send = open(port, LONG_CALLS + 1);
    await send(ENRICH, [KNOWN]);
    const all = Array.from({ length: LONG_CALLS }, (_, call) => send(route, newAddresses(call, VALUES_EACH)));
    await Promise.race(all);
    const known = await send(ENRICH, [KNOWN]);
    const answers = await Promise.all(all);
    expect([child.exitCode, child.signalCode], log()).toEqual([null, null]);
    expect(known.text).toContain('"malicious"');
    expect(answers.filter(({ status, text }) => status !== 200 || text.includes('"clean"'))).toEqual([]);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const figure = (name: string) => Number(new RegExp(`^ismalicious_${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(figure('lookups_refused_for_room_total')).toBeGreaterThan(0);
    expect(figure('lookups_waiting')).toBeLessThanOrEqual(figure('lookups_waiting_most'));
  });
});
