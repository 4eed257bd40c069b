import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { gatewayInputs } from './gateway-inputs.ts';
import type { GatewayInputs } from './gateway-inputs.ts';
import { postOf, sendLoad } from './gateway-load.ts';
import { startApi, startGateway, startPeer, withServers } from './gateway-processes.ts';
import type { Served } from './gateway-processes.ts';
import { bulkBodies, compare, NDJSON, round, type Runner, takeTurns, warmed } from './gateway-turns.ts';
import type { Print } from './figure.ts';
import { median } from './median.ts';

const EVENTS = 20_000;
const ROUNDS = 5;
const REQUESTS = 80;
const PEER = 'gateway that parses and writes every document';

/**
 * The `_bulk` gateway, all values known, against one that parses and writes every document; its memory under a body of 100 MB; and
 * `/v1/logstash` beside a filter that asks the API itself. In front of a real OpenSearch: gateway-engine.ts. Servers run in processes of their own
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
