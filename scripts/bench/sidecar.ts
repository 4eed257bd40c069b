import { join } from 'node:path';
import { gatewayInputs } from './gateway-inputs.ts';
import type { GatewayInputs } from './gateway-inputs.ts';
import { postOf, sendLoad } from './gateway-load.ts';
import { startApi, startGateway, startProgram, withServers } from './gateway-processes.ts';
import type { Served } from './gateway-processes.ts';
import type { Print } from './figure.ts';
import { median, rounded } from './median.ts';

/** One shape of load, for both servers. */
interface Case {
  readonly name: string;
  readonly connections: number;
  readonly requests: number;
  readonly eventsARequest: number;
  readonly ours: readonly (readonly Buffer[])[];
  readonly peers: readonly (readonly Buffer[])[];
}

interface Round {
  readonly eventsPerS: number;
  readonly cpuUsPerEvent: number;
}

const EVENTS = 10_000;
const BATCH = 500;
const ROUNDS = 7;
const PEER = 'parse, one Map look-up, write';
const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

/**
 * `/v1/enrich`, all values known, all default fields, against a server that parses, looks one address up and writes the event. Both in
 * processes of their own all the time; rounds are interleaved, medians compared. ISMALICIOUS_BENCH_EVENTS: a file of events (NDJSON) in
 * place of made ones.
 */
export async function run(print: Print): Promise<void> {
  await withServers(async (folder, keep) => {
    const inputs = gatewayInputs(EVENTS);
    const api = keep(await startApi(0));
    const ours = keep(await startGateway(join(folder, 'state'), { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}` }));
    const peer = keep(await startProgram('sidecar-peer.ts'));
    const batches = batchesOf(inputs);
    await sendLoad({ port: ours.port, connections: 1, requests: batches.length, request: (n) => batches[n]?.ours ?? [] });
    for (const one of casesOf(inputs, batches)) await compare(print, one, { ours, peer });
    print({ name: 'sidecar: highest memory', value: Math.round(ours.peakMib()), unit: 'MiB' });
  });
}

function batchesOf({ events }: GatewayInputs): { ours: readonly Buffer[]; peers: readonly Buffer[] }[] {
  return Array.from({ length: Math.floor(events.length / BATCH) }, (_, n) => {
    const some = events.slice(n * BATCH, (n + 1) * BATCH);
    return {
      ours: postOf('/v1/enrich', NDJSON, Buffer.from(`${some.join('\n')}\n`)),
      peers: postOf('/', JSON_TYPE, Buffer.from(`[${some.join(',')}]`)),
    };
  });
}

function casesOf({ events }: GatewayInputs, batches: ReturnType<typeof batchesOf>): Case[] {
  const single = (path: string) => events.map((event) => postOf(path, JSON_TYPE, Buffer.from(event)));
  const one = { eventsARequest: 1, ours: single('/v1/enrich'), peers: single('/') };
  return [
    { name: 'single events, 64 connections', connections: 64, requests: 20_000, ...one },
    { name: 'single events, 2 connections', connections: 2, requests: 10_000, ...one },
    {
      name: `NDJSON of ${BATCH}, 4 connections`,
      connections: 4,
      requests: 120,
      eventsARequest: BATCH,
      ours: batches.map(({ ours }) => ours),
      peers: batches.map(({ peers }) => peers),
    },
  ];
}

async function compare(print: Print, one: Case, { ours, peer }: { ours: Served; peer: Served }): Promise<void> {
  const rounds: { ours: Round; peer: Round }[] = [];
  await measure(one, ours, one.ours);
  await measure(one, peer, one.peers);
  for (let round = 0; round < ROUNDS; round++) {
    const first = await measure(one, ours, one.ours);
    rounds.push({ ours: first, peer: await measure(one, peer, one.peers) });
  }
  const rate = median(rounds.map((round) => round.ours.eventsPerS));
  const cpu = median(rounds.map((round) => round.ours.cpuUsPerEvent));
  const rateRatio = median(rounds.map((round) => round.ours.eventsPerS / round.peer.eventsPerS));
  const cpuRatio = median(rounds.map((round) => round.ours.cpuUsPerEvent / round.peer.cpuUsPerEvent));
  print({ name: `/v1/enrich, ${one.name}: rate`, value: Math.round(rate), unit: 'events/s', peer: PEER, ratio: rounded(rateRatio) });
  print({ name: `/v1/enrich, ${one.name}: CPU`, value: rounded(cpu), unit: 'us/event', peer: PEER, ratio: rounded(cpuRatio) });
}

async function measure({ connections, requests, eventsARequest }: Case, server: Served, bodies: Case['ours']): Promise<Round> {
  const before = server.cpuS();
  const seconds = await sendLoad({ port: server.port, connections, requests, request: (n) => bodies[n % bodies.length] ?? [] });
  const events = requests * eventsARequest;
  return { eventsPerS: events / seconds, cpuUsPerEvent: ((server.cpuS() - before) / events) * 1e6 };
}
