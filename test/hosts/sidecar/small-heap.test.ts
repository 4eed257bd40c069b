import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const HEAP_MIB = 128;
const CALLS = 6000;
const AT_ONCE = 64;
const EVENTS = 4;
const program = join(projectRoot, 'dist/cli.js');

/** A provider that takes calls and never answers: whatever is asked is held until its deadline. */
async function startSilence(): Promise<string> {
  const server = createServer(() => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startSidecar(url: string) {
  const env = {
    PATH: process.env.PATH,
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_BASE_URL: url,
    ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
    ISMALICIOUS_SIDECAR_TIMEOUT_MS: '50',
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

/** Events with values that nobody asked for before. */
function bodyOf(call: number): string {
  const address = (n: number) => `${20 + (call >> 8)}.${call & 255}.${n >> 8}.${n & 255}`;
  return Array.from({ length: EVENTS }, (_, n) => `{"destination":{"ip":"${address(n)}"},"message":"${'x'.repeat(100)}"}`).join('\n');
}

function send(port: number, agent: Agent, call: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, agent, path: '/v1/enrich', method: 'POST', headers: { 'content-type': 'application/x-ndjson' } };
    const out = request(options, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    out.on('error', reject);
    out.end(bodyOf(call));
  });
}

it.skipIf(!existsSync(program))(
  'lives on 128 MB of heap: thousands of calls for values that nobody answers about are answered, and nothing is called clean',
  { timeout: 120_000 },
  async () => {
    const { port, child, log } = await startSidecar(await startSilence());
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    onTestFinished(() => agent.destroy());
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, call) => send(port, agent, call)));
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
