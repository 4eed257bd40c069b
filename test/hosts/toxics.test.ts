import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { HOSTS, type Host } from '../support/host-processes.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { healthy, type StandInApi, startStandIn } from '../support/stand-in-api.ts';
import { findToxiproxy, startToxiproxy, type Toxic, type Toxiproxy } from '../support/toxiproxy.ts';

/** Every toxic there is with `ISMALICIOUS_TOXICS=all`, which prints the table of docs/reliability.md; else one that delays and one that cuts. */
const IS_WHOLE = process.env.ISMALICIOUS_TOXICS === 'all';
const VALUES_EACH = 5;
const MOST_CALLS_EACH = 3;
const program = join(projectRoot, 'dist/cli.js');
const toxiproxyProgram = findToxiproxy();

/** A toxic, what every host has to say of all its values then, and how long a call may take. */
interface Row {
  readonly toxic: Toxic;
  readonly says: RegExp;
  readonly timeoutMs: number;
}

const PATIENT_MS = 30_000;
const ALL: readonly Row[] = [
  { toxic: { type: 'latency', attributes: { latency: 300, jitter: 100 } }, says: /^ok$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'bandwidth', attributes: { rate: 1 } }, says: /^ok$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'slow_close', attributes: { delay: 1000 } }, says: /^ok$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'slicer', attributes: { average_size: 4, size_variation: 2, delay: 5000 } }, says: /^ok$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'timeout', attributes: { timeout: 0 } }, says: /^(?:timeout|unavailable)$/, timeoutMs: 1000 },
  { toxic: { type: 'reset_peer', attributes: { timeout: 0 } }, says: /^unavailable$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'limit_data', attributes: { bytes: 80 } }, says: /^(?:unavailable|bad_response)$/, timeoutMs: PATIENT_MS },
  { toxic: { type: 'limit_data', attributes: { bytes: 240 } }, says: /^(?:unavailable|bad_response)$/, timeoutMs: PATIENT_MS },
];
const SAMPLE = new Set(['slicer', 'limit_data']);
const ROWS = IS_WHOLE ? ALL : ALL.filter(({ toxic }) => SAMPLE.has(toxic.type));

/** Events in a bulk body; what the engine was given then says what became of them. */
const gateway: Host = async (values, env) => {
  const documents: string[] = [];
  const engine = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const lines = String(Buffer.concat(parts)).split('\n');
      documents.push(...lines.filter((line, n) => n % 2 === 1 && line !== ''));
      res.setHeader('content-type', 'application/json').end('{"took":1,"errors":false,"items":[]}');
    });
  });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const upstream = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  const settings = { PATH: process.env.PATH, ...env, ISMALICIOUS_GATEWAY_UPSTREAM: upstream, ISMALICIOUS_GATEWAY_TIMEOUT_MS: '20000' };
  const child = spawn(process.execPath, [program, 'serve', '--port', '0'], { env: settings });
  const ended = once(child, 'exit');
  let [out, stderr] = ['', ''];
  child.stderr.on('data', (part) => (stderr += String(part)));
  while (!/listening \d+/.test(out)) out += String((await once(child.stdout, 'data'))[0]);
  const body = values.map((ip) => `{"create":{}}\n${JSON.stringify({ destination: { ip } })}\n`).join('');
  const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body };
  await (await fetch(`http://127.0.0.1:${/listening (\d+)/.exec(out)?.[1]}/logs/_bulk`, init)).text();
  child.kill('SIGTERM');
  const [code, signal] = (await ended) as [number | null, string | null];
  engine.closeAllConnections();
  engine.close();
  const statuses = documents.map((line) => (JSON.parse(line) as { ismalicious?: { status?: string } }).ismalicious?.status ?? 'none');
  return { code, signal, statuses, stderr };
};

const TRIED: Readonly<Record<string, Host>> = { ...HOSTS, gateway };
const lacks = toxiproxyProgram === null || !existsSync(program);

describe.skipIf(lacks)('a network between a host and the provider that toxiproxy spoils (needs toxiproxy)', () => {
  let api: StandInApi;
  let network: Toxiproxy;
  const cells: string[] = [];
  beforeAll(async () => {
    api = await startStandIn(healthy);
    network = await startToxiproxy(toxiproxyProgram ?? '');
  });
  afterAll(async () => {
    await network[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    if (IS_WHOLE) process.stdout.write(`${cells.join('\n')}\n`);
  });

  it.each(ROWS.map((row, n) => ({ row, n, name: `${row.toxic.type} ${JSON.stringify(row.toxic.attributes)}` })))(
    '$name',
    { timeout: 240_000 },
    async ({ row, n, name }) => {
      const way = `provider-${n}`;
      const port = await network.way(way, Number(new URL(api.url).port));
      await network.spoil(way, row.toxic);
      const runs = Object.entries(TRIED).map(async ([host, run], place) => {
        // Odd: the provider calls them harmless, so that a part of its answer that is believed reads clean.
        const values = Array.from({ length: VALUES_EACH }, (_, at) => `91.${n}.${place}.${at + 1}`);
        const beganMs = performance.now();
        const { statuses, code, signal, stderr } = await run(values, {
          ISMALICIOUS_BASE_URL: `http://127.0.0.1:${port}`,
          ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
          ISMALICIOUS_STATE_DIR: newStateFolder(),
          ISMALICIOUS_BULK: 'false',
          ISMALICIOUS_TIMEOUT_MS: String(row.timeoutMs),
        });
        const ms = Math.round(performance.now() - beganMs);
        const asked = api.asked().filter((value) => values.includes(value));
        const said = [...new Set(statuses)].join(', ');
        cells.push(`| ${name} | ${host} | ${statuses.length} of ${VALUES_EACH}: ${said} | ${asked.length} | ${ms} ms |`);
        expect([host, signal, statuses.length], stderr).toEqual([host, null, VALUES_EACH]);
        expect([host, statuses.filter((status) => !row.says.test(status))], stderr).toEqual([host, []]);
        expect(code).not.toBeNull();
        for (const value of values) expect(asked.filter((one) => one === value).length).toBeLessThanOrEqual(MOST_CALLS_EACH);
      });
      const outcomes = await Promise.allSettled(runs);
      await network.mend();
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
  );
});
