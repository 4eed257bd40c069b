import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../support/fixtures.ts';
import { leaving } from '../support/logstash-event.ts';
import { createFilterRun } from '../support/logstash-runner.ts';
import { openTestEngine, publicAddresses } from '../support/open-test-engine.ts';
import type { EngineAnswer } from '../support/search-engine.ts';

// With the limits that are shipped, 3 s of the filter and 2 s of the sidecar: ISMALICIOUS_SHIPPED_LIMITS=1. Otherwise a tenth.
const SHARE = process.env.ISMALICIOUS_SHIPPED_LIMITS === undefined ? 0.1 : 1;
const SOCKET_TIMEOUT_S = 3;
const SIDECAR_MS = 2000 * SHARE;
const BATCH = 125;
const MOST_MS = 30_000;
/** The filter skips so long after three waits in vain, then tries one. */
const SKIP_MS = 10_000;
const DRIP_MS = 1000 * SHARE;

const stage = (name: string) => readFileSync(join(projectRoot, 'logstash', 'conf.d', `${name}.conf`), 'utf8');

/** The shipped filters, their time limit by the share. */
function filtersAgainst(url: string, form: string, socketTimeoutS = SOCKET_TIMEOUT_S * SHARE) {
  const limit = `socket_timeout => ${SOCKET_TIMEOUT_S}`;
  const texts = [form, '30-result', '90-route'].map(stage);
  expect(texts[0]).toContain(limit);
  return createFilterRun(
    texts.map((text) => text.replace(limit, `socket_timeout => ${socketTimeoutS}`)),
    { ISMALICIOUS_SIDECAR_URL: url },
  );
}

async function listen(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An answer that goes on for minutes, a byte at a time. */
function drip(response: http.ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '600' });
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.on('close', () => clearInterval(timer));
}

interface Taken {
  readonly statuses: readonly string[];
  /** How many waits in vain there may have been in the time that it took. */
  readonly mostWaits: number;
}

/** One worker takes a batch through, an event after the other; when the last one is out, all are. */
async function takeBatch(pipeline: ReturnType<typeof filtersAgainst>, what: string): Promise<Taken> {
  const startMs = performance.now();
  const out: EngineAnswer[] = [];
  for (const [n, ip] of publicAddresses(BATCH).entries())
    out.push(await pipeline.run({ '@timestamp': '2026-11-21T10:00:00.000Z', n, source: { ip } }));
  const ms = performance.now() - startMs;
  process.stdout.write(`${what}: ${BATCH} events, the last one out after ${(ms / 1000).toFixed(1)} s\n`);
  expect(ms).toBeLessThan(MOST_MS);
  expect(out.map(({ n }) => n)).toEqual(Array.from({ length: BATCH }, (_, n) => n));
  for (const event of out) {
    expect(leaving(event)).toMatchObject({ ismalicious: { verdict: 'unknown' }, tags: expect.arrayContaining(['_ismalicious_failure']) });
    expect(pipeline.routesOf(event)).toEqual(['ismalicious-spool', 'ismalicious-deliver']);
  }
  return { statuses: out.map(({ ismalicious }) => ismalicious.status), mostWaits: 3 + Math.floor(ms / SKIP_MS) };
}

/** The sidecar answered in time each time, that it had no answer; the others were not asked. */
function expectFewWaits({ statuses, mostWaits }: Taken): void {
  expect(statuses.slice(0, 3)).toEqual(['timeout', 'timeout', 'timeout']);
  expect(statuses.filter((status) => status === 'timeout').length).toBeLessThanOrEqual(mostWaits);
  expect(new Set(statuses.slice(3))).toContain('unavailable');
}

describe('a batch of 125 events is out within 30 s, all tagged and spooled', { timeout: 120_000 }, () => {
  it.each(['20-lookup-fields', '20-lookup-event'])('%s, when the sidecar hangs: three time-outs, then it is skipped', async (form) => {
    let calls = 0;
    const url = await listen(() => void (calls += 1));
    const { mostWaits } = await takeBatch(filtersAgainst(url, form), `${form}, hung sidecar`);
    expect(calls).toBeGreaterThanOrEqual(3);
    expect(calls).toBeLessThanOrEqual(mostWaits);
  });

  it('20-playbook, with the limits that are shipped, when the sidecar hangs: three time-outs, then it is skipped', async () => {
    let calls = 0;
    const url = await listen(() => void (calls += 1));
    const pipeline = createFilterRun(['20-playbook', '30-playbook-guard'].map(stage), { ISMALICIOUS_SIDECAR_URL: url });
    const startMs = performance.now();
    for (const [n, ip] of publicAddresses(BATCH).entries()) {
      // What an event brought along in the place of an answer is none.
      const brought = n % 2 === 0 ? {} : { threat: { enrichment: { malicious: 'false', note: 'kept' } } };
      const out = leaving(await pipeline.run({ n, destination: { ip }, ...brought })) as EngineAnswer;
      expect(out).toMatchObject({ n, ismalicious: { verdict: 'unknown', tier: 'review' } });
      expect(out.threat?.enrichment?.malicious).toBe(undefined);
      expect(JSON.stringify(out)).not.toContain('%{');
    }
    const ms = performance.now() - startMs;
    process.stdout.write(`20-playbook, hung sidecar: ${BATCH} events, the last one out after ${(ms / 1000).toFixed(1)} s\n`);
    expect(ms).toBeLessThan(MOST_MS);
    expect(calls).toBeGreaterThanOrEqual(3);
    expect(calls).toBeLessThanOrEqual(3 + Math.floor(ms / SKIP_MS));
  });

  it.each([
    ['hangs', () => undefined],
    ['drips a byte at a time', (_: http.IncomingMessage, response: http.ServerResponse) => drip(response)],
  ] as const)(
    'when the API behind the sidecar %s: the sidecar’s own deadline ends three waits, then it is skipped',
    async (what, handler) => {
      let calls = 0;
      const url = await listen((request, response) => {
        if (request.url?.startsWith('/bulk/') === true) return void response.writeHead(403).end('{}');
        calls += 1;
        return handler(request, response);
      });
      const engine = await openTestEngine(url);
      onTestFinished(() => engine.engine.close());
      const sidecar = await startSidecar({ logstashTimeoutMs: SIDECAR_MS }, { enricher: engine.engine });
      // The filter's own limit stays: it is not what ends these.
      expectFewWaits(await takeBatch(filtersAgainst(sidecar.url, '20-lookup-fields', SOCKET_TIMEOUT_S), `API ${what}`));
      expect(calls).toBeGreaterThanOrEqual(1);
    },
  );

  it('when a proxy before a far sidecar drips, and a near one stands between: all of it is the near one’s to end', async () => {
    const sayings = { '45.155.205.9': { verdict: 'malicious', score: 87 } } as const;
    const far = await startSidecar({ token: 'dG9rZW46Zm9yLW5lYXI=' }, { enricher: createFakeEnricher({ sayings }) });
    let drips = false;
    const proxy = await listen((request, response) => {
      if (drips) return drip(response);
      return void request.pipe(
        http.request(`${far.url}${request.url}`, { method: request.method, headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    const engine = await openTestEngine(proxy, { ISMALICIOUS_X_API_KEY: 'dG9rZW46Zm9yLW5lYXI=' });
    onTestFinished(() => engine.engine.close());
    const near = await startSidecar({ logstashTimeoutMs: SIDECAR_MS }, { enricher: engine.engine });
    // What the far one says, the near one says, as long as it may take as long as it needs.
    const { json } = await near.call('/v1/lookup', { body: { indicators: ['45.155.205.9'] } });
    expect(json.enrichments[0]).toMatchObject({ verdict: 'malicious', status: 'ok' });
    drips = true;
    expectFewWaits(await takeBatch(filtersAgainst(near.url, '20-lookup-fields', SOCKET_TIMEOUT_S), 'dripping proxy before a far sidecar'));
  });
});
