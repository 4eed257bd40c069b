import { join } from 'node:path';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { type Asset, readAssets } from '../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { createEngineClient, type EngineClient } from '../../src/search-engine/engine-client.ts';
import { releaseAbsence, releaseAssets, releaseClient, startRelease } from '../../test/support/elasticsearch-release.ts';
import { engineAbsence, leaseEngine, type LeasedEngine } from '../../test/support/search-engine.ts';
import type { Print } from './figure.ts';
import { gatewayInputs, type GatewayInputs } from './gateway-inputs.ts';
import { postOf } from './gateway-load.ts';
import { type Served, startApi, startGateway, withServers } from './gateway-processes.ts';
import { bulkBodies, compare, DOCS_A_REQUEST, NDJSON, takeTurns, warmed } from './gateway-turns.ts';

const EVENTS = 20_000;
const ROUNDS = 5;

/** An engine that runs, with nothing in it. */
interface RunningEngine extends AsyncDisposable {
  readonly url: string;
  readonly call: LeasedEngine['call'];
}

/** What is measured, by its name for people. */
interface EngineUnderTest {
  readonly title: string;
  readonly target: 'opensearch' | 'elasticsearch';
  readonly absence: () => string | null;
  readonly start: () => Promise<RunningEngine>;
  /** What users install, as far as this engine takes it, and how it is put there. */
  readonly assets: () => readonly Asset[];
  readonly clientOf: (client: EngineClient) => EngineClient;
}

const RELEASE = '9.5.3';
const ENGINES: readonly EngineUnderTest[] = [
  {
    title: 'a real OpenSearch 3.8',
    target: 'opensearch',
    absence: () => engineAbsence('opensearch'),
    start: () => leaseEngine('opensearch', 'throughput'),
    assets: () => readAssets(join(import.meta.dirname, '../../elastic'), 'opensearch'),
    clientOf: (client) => client,
  },
  {
    title: `a real Elasticsearch ${RELEASE}`,
    target: 'elasticsearch',
    absence: () => releaseAbsence(RELEASE),
    start: () => startRelease(RELEASE),
    assets: releaseAssets,
    clientOf: (client) => releaseClient(client, RELEASE),
  },
];

/** What the `_bulk` gateway, and the fields it adds, cost in front of real engines, all values known; turns as in gateway.ts. */
export async function run(print: Print): Promise<void> {
  for (const under of ENGINES) if (under.absence() === null) await measure(print, under);
}

async function measure(print: Print, under: EngineUnderTest): Promise<void> {
  await withServers(async (folder, keep) => {
    const inputs = gatewayInputs(EVENTS);
    const api = keep(await startApi(0));
    const base = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ISMALICIOUS_GATEWAY_TIMEOUT_MS: '120000' };
    const opened = async (upstream: string, env = {}) =>
      await warmed(keep(await startGateway(join(folder, 'state'), { ...base, ISMALICIOUS_GATEWAY_UPSTREAM: upstream, ...env })), inputs);
    await using engine = await under.start();
    await installAssets(engine.url, under);
    await compareEngine(print, { title: under.title, engine, inputs, opened });
  });
}

type Opened = (upstream: string, env?: Readonly<Record<string, string>>) => Promise<Served>;

/** One engine and what is sent to it. */
interface Trial {
  readonly title: string;
  readonly engine: RunningEngine;
  readonly inputs: GatewayInputs;
  readonly opened: Opened;
}

async function compareEngine(print: Print, { title, engine, inputs, opened }: Trial): Promise<void> {
  const ours = await opened(engine.url);
  const full = await opened(engine.url, { ISMALICIOUS_ECS_DETAIL: 'full' });
  const plain = bulkBodies(inputs);
  const enriched = bulkBodies({ ...inputs, events: await enrichedEvents(ours, inputs) });
  await compareSizes(
    print,
    { title, call: engine.call },
    {
      direct: plain,
      lean: enriched,
      full: bulkBodies({ ...inputs, events: await enrichedEvents(full, inputs) }),
    },
  );
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
  compare(print, `into ${title}`, 'docs/s', {
    peer: 'the same requests sent to it directly',
    ours: costs('gateway').perS,
    theirs: costs('direct').perS,
  });
  compare(print, `into ${title}, ecs.detail full`, 'docs/s', {
    peer: 'the same requests sent to it directly',
    ours: costs('full').perS,
    theirs: costs('direct').perS,
  });
  // What the engine pays for indexing the added fields, apart from what the gateway costs.
  compare(print, `into ${title}`, 'docs/s', {
    peer: 'the same documents, enriched before, sent to it directly',
    ours: costs('gateway').perS,
    theirs: costs('enriched before').perS,
  });
}

/** Bytes on the disk of the engine, each in an index of its own, merged to one segment. */
async function compareSizes(
  print: Print,
  { title, call }: Pick<Trial, 'title'> & Pick<RunningEngine, 'call'>,
  bodies: Readonly<Record<string, readonly Buffer[]>>,
): Promise<void> {
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
    compare(print, `index in ${title}, ecs.detail ${name}`, 'B/doc', {
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
async function installAssets(url: string, { target, assets, clientOf }: EngineUnderTest): Promise<void> {
  const transport = createUndiciTransport({ provider: 'bench', connections: 2, proxy: null, ca: null });
  const engine = clientOf(createEngineClient(url, { kind: 'none' }, transport));
  const command = { action: 'install', target, isDryRun: false, withHooks: false } as const;
  const code = await runAssets(command, { engine, assets: assets(), say: () => undefined });
  await transport.close();
  if (code !== 0) throw new Error('the templates were not taken');
}
