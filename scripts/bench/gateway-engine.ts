import { join } from 'node:path';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { createEngineClient } from '../../src/search-engine/engine-client.ts';
import { engineAbsence, leaseEngine, type LeasedEngine } from '../../test/support/search-engine.ts';
import type { Print } from './figure.ts';
import { gatewayInputs, type GatewayInputs } from './gateway-inputs.ts';
import { postOf } from './gateway-load.ts';
import { type Served, startApi, startGateway, withServers } from './gateway-processes.ts';
import { bulkBodies, compare, DOCS_A_REQUEST, NDJSON, takeTurns, warmed } from './gateway-turns.ts';

const EVENTS = 20_000;
const ROUNDS = 5;

/** What the `_bulk` gateway, and the fields it adds, cost in front of a real OpenSearch, all values known; turns as in gateway.ts. */
export async function run(print: Print): Promise<void> {
  if (engineAbsence('opensearch') !== null) return;
  await withServers(async (folder, keep) => {
    const inputs = gatewayInputs(EVENTS);
    const api = keep(await startApi(0));
    const base = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ISMALICIOUS_GATEWAY_TIMEOUT_MS: '120000' };
    const opened = async (upstream: string, env = {}) =>
      await warmed(keep(await startGateway(join(folder, 'state'), { ...base, ISMALICIOUS_GATEWAY_UPSTREAM: upstream, ...env })), inputs);
    await compareEngine(print, inputs, opened);
  });
}

type Opened = (upstream: string, env?: Readonly<Record<string, string>>) => Promise<Served>;

async function compareEngine(print: Print, inputs: GatewayInputs, opened: Opened): Promise<void> {
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
