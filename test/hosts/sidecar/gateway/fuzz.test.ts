import { createServer, Agent, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { mutate, randomOf } from '../../../support/mutations.ts';
import { startGateway } from '../support/start-sidecar.ts';
import { readBulk, unsaidIn } from './bulk-oracle.ts';

/** Bodies and batches in a run; `ISMALICIOUS_FUZZ=100000` for a long one, which tells its figures. */
const COUNT = Number(process.env.ISMALICIOUS_FUZZ ?? 300);
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_129);
const IS_LONG = process.env.ISMALICIOUS_FUZZ !== undefined;
const AT_ONCE = 16;
const TIMEOUT_MS = IS_LONG ? 7_200_000 : 120_000;
const BAD = '45.9.148.114';
const FAILS = '94.102.61.5';
const enricher = () =>
  createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' }, [FAILS]: { verdict: 'unknown', status: 'timeout', message: 'late' } } });
type Random = (below: number) => number;
const oneOf = <T>(random: Random, choices: readonly T[]): T => choices[random(choices.length)] as T;

/** An engine; `answer` gets whole requests only. Knows which have begun and are not over. */
async function startEngine(answer: (req: IncomingMessage, body: Buffer, res: ServerResponse) => void) {
  const open = new Set<IncomingMessage>();
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    open.add(req);
    req.on('error', () => undefined).once('close', () => open.delete(req));
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => answer(req, Buffer.concat(parts), res));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** It hangs up before it has sent all. */
  readonly sendsHalf: boolean;
}

/** Status and text; 0 for a connection that broke. */
function send(port: number, agent: Agent, { path, headers, body, sendsHalf }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, text: '' });
    const out = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers: { ...headers, 'content-length': body.length } });
    out.on('error', none).on('response', (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part)).on('error', none);
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
    });
    if (!sendsHalf) return void out.end(body);
    out.write(body.subarray(0, body.length >> 1), () => out.destroy());
    return void out.once('close', none);
  });
}

async function inTurns(work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < COUNT) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const DOCUMENTS = [
  `{"destination":{"ip":"${BAD}"}}`,
  `{"@timestamp":"2026-11-21T10:00:00Z","source":{"ip":"8.8.8.8"},"message":"a \\u00e9 \\"b\\" \\\\ c"}`,
  `{"destination.ip":["${BAD}","8.8.4.4"],"tags":["a"],"n":1.10}`,
  `{"destination":{"ip":"${FAILS}"},"threat":null}`,
  '{"message":"nothing to look up"}',
  '',
  `{/* odd */"destination":{"ip":"${BAD}"}}`,
  `\uFEFF{"destination":{"ip":"${BAD}"}}`,
  `[{"destination":{"ip":"${BAD}"}}]`,
] as const;
const UPDATES = [
  `{"doc":${DOCUMENTS[0]},"upsert":${DOCUMENTS[1]}}`,
  `{"upsert":${DOCUMENTS[2]},"script":{"source":"x"}}`,
  `{"script":{"source":"x","params":{"event":${DOCUMENTS[0]}}}}`,
  `{"doc":${DOCUMENTS[0]},"doc_as_upsert":true}`,
] as const;
const ACTIONS = [
  '{"index":{}}',
  '{ "create" : {"_id":"1"} }',
  '{"index":{"_index":"a"}}\r',
  '\uFEFF{"create":{}}',
  String.raw`{"cre\u0061te":{}}`,
];

function bulkBody(random: Random): Buffer {
  const lines: string[] = [];
  for (let n = 1 + random(12); n > 0; n--) {
    const dice = random(12);
    if (dice === 0) lines.push('{"delete":{"_id":"1"}}');
    else if (dice === 1) lines.push('');
    else if (dice < 4) lines.push('{"update":{"_id":"1"}}', oneOf(random, UPDATES));
    else lines.push(oneOf(random, ACTIONS), oneOf(random, DOCUMENTS));
  }
  const body = Buffer.from(`${lines.join('\n')}${random(10) === 0 ? '' : '\n'}`);
  return random(4) === 0 ? body : mutate(body, random);
}

const metricsOf = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^ismalicious_sidecar_gateway_(\w+)(?:\{reason="(\w+)"\})? (\d+)$/gm)].map(([, name, reason, n]) => [
      reason ?? name,
      Number(n),
    ]),
  );

it(
  'mutated bulk bodies: documents that went in are those read and those counted as unread, none is raw and unsaid, no call stays open',
  async () => {
    const expected: Record<string, number> = { documents_total: 0, not_json: 0, too_deep: 0, script: 0, broken_action: 0 };
    const statuses: Record<string, number> = {};
    let [unsaid, enriched] = [0, 0];
    const engine = await startEngine((_req, body, res) => {
      const { unsaid: raw, enriched: done } = unsaidIn(body, [BAD, FAILS, '8.8.8.8']);
      unsaid += raw;
      enriched += done;
      res.end('{"errors":false,"items":[]}');
    });
    const { port, call } = await startGateway(engine.url, { enricher: enricher(), gateway: { maxConnections: 4 } });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await inTurns(async (n) => {
      const random = randomOf(SEED + n);
      const body = bulkBody(random);
      const coding = oneOf(random, ['', '', 'gzip', 'X-GZIP', 'deflate'] as const);
      const packed = coding === '' ? body : coding === 'deflate' ? deflateSync(body) : gzipSync(body);
      const isDamaged = coding !== '' && random(5) === 0;
      const sendsHalf = random(25) === 0;
      const { status } = await send(port, agent, {
        // The streaming form sends on what has come: of a body that breaks off, too.
        path: oneOf(random, ['/_bulk', '//_bulk', '/a/_bulk/', isDamaged || sendsHalf ? '/b/_bulk' : '/_bulk/stream']),
        headers: { 'content-type': 'application/x-ndjson', ...(coding !== '' && { 'content-encoding': coding }) },
        body: isDamaged ? packed.subarray(0, packed.length - 6) : packed,
        sendsHalf,
      });
      statuses[status] = (statuses[status] ?? 0) + 1;
      expect([n, status]).toEqual([n, sendsHalf ? 0 : isDamaged ? 400 : 200]);
      if (status !== 200) return;
      for (const [reason, count] of Object.entries(readBulk(body))) expected[reason] = (expected[reason] ?? 0) + count;
    });
    await expect.poll(() => engine.open.size).toBe(0);
    const counted = metricsOf((await call('/metrics')).text);
    expect(counted).toMatchObject(expected);
    expect(unsaid).toBe(0);
    expect(enriched).toBeGreaterThan(COUNT);
    if (IS_LONG)
      process.stdout.write(
        `bulk: ${JSON.stringify({ seed: SEED, bodies: COUNT, statuses, counted, enriched, unsaid, open: engine.open.size })}\n`,
      );
  },
  TIMEOUT_MS,
);

interface Tally {
  readonly taken: Set<string>;
  readonly refused: Set<string>;
  readonly aside: Set<string>;
}

/** What an engine that is often at its limits says of each document, the same one each time; and of the request as a whole. */
function moodyEngine(tallies: Map<string, Tally>) {
  let calls = 0;
  return (req: IncomingMessage, body: Buffer, res: ServerResponse) => {
    const random = randomOf(SEED + calls++);
    const whole = random(40);
    if (whole === 0) return void res.writeHead(429).end('{}');
    if (whole === 1) return void res.writeHead(503).end('{}');
    if (whole === 2) return void res.end('no JSON');
    if (whole === 3) return void req.socket.resetAndDestroy();
    const tally = tallies.get(String(req.headers['x-opaque-id'])) ?? { taken: new Set(), refused: new Set(), aside: new Set() };
    tallies.set(String(req.headers['x-opaque-id']), tally);
    const isKept = req.url?.includes('refused') === true;
    const items = body
      .toString('latin1')
      .trimEnd()
      .split('\n')
      .flatMap<object>((line, n, lines) => {
        if (n % 2 === 1) return [];
        const id = (JSON.parse(line) as { create: { _id: string } }).create._id;
        const mood = isKept ? 0 : (lines[n + 1]!.length * 7) % 11;
        const set = isKept ? tally.refused : tally.taken;
        if (set.has(id)) return [{ create: { status: 409 } }];
        if (random(50) === 0) return [{ create: { status: 429 } }];
        if (mood === 5) return [{ create: { status: 400, error: { type: 'x', reason: 'y' } } }];
        (mood === 7 ? tally.aside : set).add(id);
        return [{ create: { status: 201, ...(mood === 7 && { failure_store: 'used' }) } }];
      });
    return void res.end(JSON.stringify({ errors: false, items }));
  };
}

function batchBody(random: Random): Buffer {
  const events = Array.from({ length: 1 + random(8) }, () =>
    oneOf(random, [DOCUMENTS[0], DOCUMENTS[1], DOCUMENTS[2], DOCUMENTS[3], DOCUMENTS[4]]),
  );
  const body = Buffer.from(random(2) === 0 ? `[${events.join(',')}]` : events.join('\n'));
  return random(3) === 0 ? body : mutate(body, random);
}

/** How many events a body holds for whoever reads it as JSON; `null`: it is none. */
function eventsIn(body: Buffer): number | null {
  const text = body.toString('latin1').trim();
  try {
    if (text.startsWith('[')) return (JSON.parse(text) as unknown[]).length;
    return text.split('\n').filter((line) => line.trim() !== '' && JSON.parse(line) !== undefined).length;
  } catch {
    // Mutated: nobody knows.
    return null;
  }
}

it(
  'mutated event batches: what is answered is what the engine has, and all of it is taken, refused and kept, or set aside',
  async () => {
    const tallies = new Map<string, Tally>();
    const statuses: Record<string, number> = {};
    const sums = { events: 0, indexed: 0, already: 0, refused: 0, failure_store: 0 };
    const engine = await startEngine(moodyEngine(tallies));
    const { port, call } = await startGateway(engine.url, { enricher: enricher(), gateway: { maxConnections: 4 } });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await inTurns(async (n) => {
      const random = randomOf(SEED * 3 + n);
      const body = batchBody(random);
      const sendsHalf = random(25) === 0;
      const headers = { 'content-type': 'application/json', 'x-opaque-id': String(n) };
      // An index each: equal batches of two callers may swap their ids, and would be told of each other's documents.
      const path = `/v1/ingest/logs-${n}`;
      let { status, text } = await send(port, agent, { path, headers, body, sendsHalf });
      // As Logstash does: what was not taken is sent again.
      for (let tries = 0; (status === 429 || status === 503) && tries < 50; tries++)
        ({ status, text } = await send(port, agent, { path, headers, body, sendsHalf: false }));
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (sendsHalf || status === 400) return;
      expect([n, status]).toEqual([n, 200]);
      const said = { failure_store: 0, ...(JSON.parse(text) as Omit<typeof sums, 'failure_store'> & { failure_store?: number }) };
      const tally = tallies.get(String(n));
      expect([n, said.indexed + said.already, said.refused, said.failure_store > 0]).toEqual([
        n,
        tally?.taken.size ?? 0,
        tally?.refused.size ?? 0,
        (tally?.aside.size ?? 0) > 0,
      ]);
      expect(said.events).toBe(said.indexed + said.already + said.refused + said.failure_store);
      expect(said.events).toBe(eventsIn(body) ?? said.events);
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += said[name];
      tallies.delete(String(n));
    });
    await expect.poll(() => engine.open.size).toBe(0);
    expect(sums.events).toBeGreaterThan(COUNT);
    expect(sums.failure_store * sums.refused).toBeGreaterThan(0);
    if (IS_LONG) {
      const metrics = (await call('/metrics')).text.split('\n').filter((line) => /^ismalicious_sidecar_ingest_\w+ /.test(line));
      process.stdout.write(`batches: ${JSON.stringify({ seed: SEED, batches: COUNT, statuses, sums, metrics, open: engine.open.size })}\n`);
    }
  },
  TIMEOUT_MS,
);
