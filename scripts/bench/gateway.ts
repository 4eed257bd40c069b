import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { createEngineClient } from '../../src/search-engine/engine-client.ts';
import { engineAbsence, leaseEngine, type LeasedEngine } from '../../test/support/search-engine.ts';
import { gatewayInputs } from './gateway-inputs.ts';
import type { GatewayInputs } from './gateway-inputs.ts';
import { postOf, sendLoad } from './gateway-load.ts';
import { startApi, startGateway, startPeer, withServers } from './gateway-processes.ts';
import type { Served } from './gateway-processes.ts';
import type { Print } from './figure.ts';

/** Work that several servers do in turns. */
interface Runner {
  readonly server: Served | null;
  readonly port: number;
  readonly request: (n: number, round: number) => readonly Buffer[];
}

const EVENTS = 20_000;
const DOCS_A_REQUEST = 500;
const ROUNDS = 5;
const REQUESTS = 80;
const NDJSON = { 'content-type': 'application/x-ndjson' };
const PEER = 'gateway that parses and writes every document';

/**
 * The `_bulk` gateway, all values known, against one that parses and writes every document; its memory under a body of 100 MB; what it
 * costs in front of a real OpenSearch; and `/v1/logstash` beside a filter that asks the API itself. Servers run in processes of their own
 * all the time, rounds are interleaved, medians compared. ISMALICIOUS_BENCH_EVENTS: a file of events (NDJSON) in place of made ones.
 */
export async function run(print: Print): Promise<void> {
  await withServers(async (folder, keep) => {
    const inputs = gatewayInputs(EVENTS);
    writeFileSync(join(folder, 'verdicts.json'), JSON.stringify([...inputs.verdicts]));
    const api = keep(await startApi(0));
    const sink = keep(await startPeer('sink'));
    const base = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ISMALICIOUS_GATEWAY_TIMEOUT_MS: '120000' };
    const opened = async (upstream: string, env = {}) =>
      await warmed(keep(await startGateway(join(folder, 'state'), { ...base, ISMALICIOUS_GATEWAY_UPSTREAM: upstream, ...env })), inputs);
    const sinkUrl = `http://127.0.0.1:${sink.port}`;
    const ours = await opened(sinkUrl);
    const zipping = await opened(sinkUrl, { ISMALICIOUS_GATEWAY_COMPRESS: 'always' });
    const peer = keep(await startPeer('gateway', sinkUrl, join(folder, 'verdicts.json')));
    await compareWithPeer(print, inputs, { ours, zipping, peer });
    await measureLongBody(print, inputs, ours);
    await compareLogstash(print, inputs, ours);
    await compareEngine(print, inputs, opened);
  });
}

async function compareWithPeer(
  print: Print,
  inputs: GatewayInputs,
  { ours, zipping, peer }: { ours: Served; zipping: Served; peer: Served },
): Promise<void> {
  const plain = bulkBodies(inputs).map((body) => postOf('/bench/_bulk', NDJSON, body));
  const zipped = bulkBodies(inputs).map((body) =>
    postOf('/bench/_bulk', { ...NDJSON, 'content-encoding': 'gzip' }, gzipSync(body, { level: constants.Z_BEST_SPEED })),
  );
  const on = (server: Served, bodies: readonly (readonly Buffer[])[]): Runner => ({
    server,
    port: server.port,
    request: (n) => bodies[n % bodies.length] ?? [],
  });
  const runners = {
    'plain peer': on(peer, plain),
    plain: on(ours, plain),
    'gzip peer': on(peer, zipped),
    'gzip in, plain out': on(ours, zipped),
    'gzip in and out': on(zipping, zipped),
  };
  const costs = await takeTurns(runners, { rounds: ROUNDS, requests: REQUESTS, connections: 4 });
  for (const [name, theirs] of [
    ['plain', 'plain peer'],
    ['gzip in, plain out', 'gzip peer'],
    ['gzip in and out', 'gzip peer'],
  ] as const) {
    compare(print, `_bulk ${name}: CPU a document`, 'µs', { peer: PEER, ours: costs(name).cpuUs, theirs: costs(theirs).cpuUs });
    compare(print, `_bulk ${name}`, 'docs/s', { peer: PEER, ours: costs(name).perS, theirs: costs(theirs).perS });
  }
}

async function measureLongBody(print: Print, inputs: GatewayInputs, ours: Served): Promise<void> {
  const bodies = bulkBodies(inputs);
  const size = bodies.reduce((sum, body) => sum + body.length, 0);
  const body = Buffer.concat(Array.from({ length: Math.ceil(1e8 / size) }, () => bodies).flat());
  ours.forgetPeak();
  const before = ours.rssMib();
  const seconds = await sendLoad({ port: ours.port, connections: 1, requests: 1, request: () => postOf('/bench/_bulk', NDJSON, body) });
  print({
    name: `_bulk of ${Math.round(body.length / 1e6)} MB: memory added at its peak`,
    value: round(ours.peakMib() - before),
    unit: 'MiB',
  });
  print({ name: `_bulk of ${Math.round(body.length / 1e6)} MB: time`, value: round(seconds), unit: 's' });
}

async function compareLogstash(print: Print, inputs: GatewayInputs, ours: Served): Promise<void> {
  const api = await startApi(20);
  const known = inputs.events
    .map((text) => JSON.parse(text) as { destination: { ip?: string } })
    .flatMap(({ destination }) => destination.ip ?? []);
  const direct = known.map((ip) => [Buffer.from(`GET /check?query=${ip} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: none\r\n\r\n`)]);
  const asked = known.map((ip) =>
    postOf(
      '/v1/logstash',
      { 'content-type': 'application/json' },
      Buffer.from(JSON.stringify({ 'destination.ip': ip, 'url.full': '%{[url][full]}' })),
    ),
  );
  const perS = { direct: [] as number[], ours: [] as number[] };
  for (let n = 0; n < 3; n++) {
    const pick = (all: readonly (readonly Buffer[])[]) => (k: number) => all[(n * 131 + k) % all.length] ?? [];
    perS.direct.push(150 / (await sendLoad({ port: api.port, connections: 2, requests: 150, request: pick(direct) })));
    perS.ours.push(8000 / (await sendLoad({ port: ours.port, connections: 2, requests: 8000, request: pick(asked) })));
  }
  api.stop();
  compare(print, '/v1/logstash, 2 connections', 'events/s', {
    peer: 'the same 2 connections to the API at 20 ms',
    ours: median(perS.ours),
    theirs: median(perS.direct),
  });
}

type Opened = (upstream: string, env?: Readonly<Record<string, string>>) => Promise<Served>;

async function compareEngine(print: Print, inputs: GatewayInputs, opened: Opened): Promise<void> {
  if (engineAbsence('opensearch') !== null) return;
  await using engine = await leaseEngine('opensearch', 'throughput');
  await installAssets(engine.url);
  const ours = await opened(engine.url);
  const full = await opened(engine.url, { ISMALICIOUS_ECS_DETAIL: 'full' });
  const plain = bulkBodies(inputs);
  const enriched = bulkBodies({ ...inputs, events: await enrichedEvents(ours, inputs) });
  await compareSizes(print, engine.call, {
    direct: plain,
    lean: enriched,
    full: bulkBodies({ ...inputs, events: await enrichedEvents(full, inputs) }),
  });
  const port = Number(new URL(engine.url).port);
  const to = (name: string, bodies: readonly Buffer[]) => (n: number, at: number) =>
    postOf(`/logs-ismalicious.${name}-${at}/_bulk`, NDJSON, bodies[n % bodies.length] ?? Buffer.alloc(0));
  const runners = {
    direct: { server: null, port, request: to('direct', plain) },
    gateway: { server: ours, port: ours.port, request: to('gateway', plain) },
    full: { server: full, port: full.port, request: to('full', plain) },
    'enriched before': { server: null, port, request: to('enriched', enriched) },
  };
  // What is indexed already is merged, and fills the heap, at the cost of those who come after.
  const forget = async () => void (await engine.call('DELETE', '/_data_stream/logs-ismalicious.*'));
  const costs = await takeTurns(runners, { rounds: ROUNDS, requests: 60, connections: 2, afterTurn: forget });
  compare(print, 'into a real OpenSearch 3.8', 'docs/s', {
    peer: 'the same requests sent to it directly',
    ours: costs('gateway').perS,
    theirs: costs('direct').perS,
  });
  compare(print, 'into a real OpenSearch 3.8, ecs.detail full', 'docs/s', {
    peer: 'the same requests sent to it directly',
    ours: costs('full').perS,
    theirs: costs('direct').perS,
  });
  // What the engine pays for indexing the added fields, apart from what the gateway costs.
  compare(print, 'into a real OpenSearch 3.8', 'docs/s', {
    peer: 'the same documents, enriched before, sent to it directly',
    ours: costs('gateway').perS,
    theirs: costs('enriched before').perS,
  });
}

/** Bytes on the disk of the engine, each in an index of its own, merged to one segment. */
async function compareSizes(print: Print, call: LeasedEngine['call'], bodies: Readonly<Record<string, readonly Buffer[]>>): Promise<void> {
  const sizes: Record<string, number> = {};
  for (const [name, all] of Object.entries(bodies)) {
    const stream = `logs-ismalicious.size-${name}`;
    for (const body of all) await call('POST', `/${stream}/_bulk`, body.toString());
    await call('POST', `/${stream}/_forcemerge?max_num_segments=1`);
    await call('POST', `/${stream}/_flush`);
    const { body } = await call('GET', `/${stream}/_stats/store,docs`);
    sizes[name] = body._all.primaries.store.size_in_bytes / body._all.primaries.docs.count;
  }
  const theirs = sizes.direct ?? Number.NaN;
  for (const name of ['lean', 'full'])
    compare(print, `index in a real OpenSearch 3.8, ecs.detail ${name}`, 'B/doc', {
      peer: 'the same events as they came',
      ours: sizes[name] ?? Number.NaN,
      theirs,
    });
}

async function enrichedEvents(ours: Served, { events }: GatewayInputs): Promise<string[]> {
  const enriched: string[] = [];
  for (let at = 0; at < events.length; at += DOCS_A_REQUEST) {
    const body = events.slice(at, at + DOCS_A_REQUEST).join('\n');
    const answer = await fetch(`http://127.0.0.1:${ours.port}/v1/enrich`, { method: 'POST', headers: NDJSON, body });
    enriched.push(...(await answer.text()).split('\n').filter((line) => line !== ''));
  }
  return enriched;
}

/** The templates of the events, as users install them: the engine indexes what is added, and what was there, by the same mapping. */
async function installAssets(url: string): Promise<void> {
  const transport = createUndiciTransport({ provider: 'bench', connections: 2, proxy: null, ca: null });
  const engine = createEngineClient(url, { kind: 'none' }, transport);
  const assets = readAssets(join(import.meta.dirname, '../../elastic'), 'opensearch');
  const command = { action: 'install', target: 'opensearch', isDryRun: false, withHooks: false } as const;
  const code = await runAssets(command, { engine, assets, say: () => undefined });
  await transport.close();
  if (code !== 0) throw new Error('the templates were not taken');
}

interface Turn {
  readonly rounds: number;
  readonly requests: number;
  readonly connections: number;
  readonly afterTurn?: () => Promise<void>;
}

/** Medians of CPU a document and documents a second, by runner. Two rounds more go first: compilers have to warm up. */
async function takeTurns(
  runners: Readonly<Record<string, Runner>>,
  turn: Turn,
): Promise<(name: string) => { cpuUs: number; perS: number }> {
  const all = new Map<string, { cpuUs: number[]; perS: number[] }>();
  const names = Object.keys(runners);
  for (let at = -2; at < turn.rounds; at++) {
    for (let n = 0; n < names.length; n++) {
      // Each goes first now and then: what one leaves behind (merges, garbage) is paid for by the next.
      const name = names[(n + at + 2) % names.length] ?? '';
      const { server, port, request } = runners[name] as Runner;
      const before = server?.cpuS() ?? 0;
      const seconds = await sendLoad({ ...turn, port, request: (k) => request(k, at + 2) });
      const documents = turn.requests * DOCS_A_REQUEST;
      const costs = all.get(name) ?? { cpuUs: [], perS: [] };
      if (at >= 0) costs.cpuUs.push((((server?.cpuS() ?? 0) - before) * 1e6) / documents);
      if (at >= 0) costs.perS.push(documents / seconds);
      all.set(name, costs);
      await turn.afterTurn?.();
    }
  }
  return (name) => ({ cpuUs: median(all.get(name)?.cpuUs ?? []), perS: median(all.get(name)?.perS ?? []) });
}

/** Sends everything once, so that every value is known. */
async function warmed(gateway: Served, inputs: GatewayInputs): Promise<Served> {
  const bodies = bulkBodies(inputs).map((body) => postOf('/logs-ismalicious.warm-default/_bulk', NDJSON, body));
  await sendLoad({ port: gateway.port, connections: 2, requests: bodies.length, request: (n) => bodies[n] ?? [] });
  return gateway;
}

function bulkBodies({ events }: GatewayInputs): Buffer[] {
  return Array.from({ length: Math.ceil(events.length / DOCS_A_REQUEST) }, (_, n) =>
    Buffer.from(
      events
        .slice(n * DOCS_A_REQUEST, (n + 1) * DOCS_A_REQUEST)
        .map((event) => `{"create":{}}\n${event}\n`)
        .join(''),
    ),
  );
}

function compare(print: Print, name: string, unit: string, { peer, ours, theirs }: { peer: string; ours: number; theirs: number }): void {
  print({ name, value: round(ours), unit, peer, ratio: round(ours / theirs) });
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const round = (value: number): number => Number(value.toPrecision(3));
