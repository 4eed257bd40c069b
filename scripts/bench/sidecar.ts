import { join } from 'node:path';
import { gatewayInputs, verdictOf } from './gateway-inputs.ts';
import type { ApiVerdict } from './gateway-inputs.ts';
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

/** A kind of events, and what is looked up in them. What it is called stands in the figures. */
interface Kind {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly say: (value: string) => ApiVerdict;
  readonly event: (event: string, n: number) => string;
  readonly hasSingles: boolean;
}

const KINDS: readonly Kind[] = [
  { name: 'five values an event, one in 20 bad, ASCII', env: {}, say: verdictOf, event: (event) => event, hasSingles: true },
  {
    // What most logs hold somewhere: a text with one such character costs the peer twice the bytes, and half as much again of CPU.
    name: 'one clean address, one event in 50 not ASCII',
    env: { ISMALICIOUS_SIDECAR_FIELDS: 'destination.ip' },
    say: (value) => ({ ...verdictOf(value), malicious: false, riskScore: { score: 3 }, categories: [] }),
    event: (event, n) => (n % 50 === 0 ? event.replace('"tags":["demo"', '"tags":["d\u00e9mo \u4e2d"') : event),
    hasSingles: false,
  },
];

/**
 * `/v1/enrich`, all values known, `ecs.detail: lean`, against a server that parses, looks one address up and writes the event. Both in
 * processes of their own all the time; rounds are interleaved, medians compared. ISMALICIOUS_BENCH_EVENTS: a file of events (NDJSON) in
 * place of made ones.
 */
export async function run(print: Print): Promise<void> {
  const made = gatewayInputs(EVENTS);
  for (const kind of KINDS) {
    await withServers(async (folder, keep) => {
      const events = made.events.map(kind.event);
      const api = keep(await startApi(0, kind.say));
      const env = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ...kind.env };
      const ours = keep(await startGateway(join(folder, 'state'), env));
      const peer = keep(await startProgram('sidecar-peer.ts'));
      const lines = batchesOf(events, (some) => postOf('/v1/enrich', NDJSON, Buffer.from(`${some.join('\n')}\n`)));
      await sendLoad({ port: ours.port, connections: 1, requests: lines.length, request: (n) => lines[n] ?? [] });
      for (const one of [...(kind.hasSingles ? singlesOf(events) : []), ...batchCasesOf(events, lines)])
        await compare(print, { ...one, name: `${one.name}, ${kind.name}` }, { ours, peer });
      print({ name: `sidecar: highest memory, ${kind.name}`, value: Math.round(ours.peakMib()), unit: 'MiB' });
    });
  }
}

type Requests = readonly (readonly Buffer[])[];

function batchesOf(events: readonly string[], post: (some: readonly string[]) => readonly Buffer[]): Requests {
  return Array.from({ length: Math.floor(events.length / BATCH) }, (_, n) => post(events.slice(n * BATCH, (n + 1) * BATCH)));
}

function singlesOf(events: readonly string[]): Case[] {
  const single = (path: string) => events.map((event) => postOf(path, JSON_TYPE, Buffer.from(event)));
  const one = { eventsARequest: 1, ours: single('/v1/enrich'), peers: single('/') };
  return [
    { name: 'single events, 64 connections', connections: 64, requests: 20_000, ...one },
    { name: 'single events, 2 connections', connections: 2, requests: 10_000, ...one },
  ];
}

function batchCasesOf(events: readonly string[], lines: Requests): Case[] {
  const arrays = (path: string) => batchesOf(events, (some) => postOf(path, JSON_TYPE, Buffer.from(`[${some.join(',')}]`)));
  const peers = arrays('/');
  const batch = { connections: 4, requests: 120, eventsARequest: BATCH, peers };
  return [
    { name: `NDJSON of ${BATCH}, 4 connections`, ...batch, ours: lines },
    { name: `arrays of ${BATCH}, 4 connections`, ...batch, ours: arrays('/v1/enrich') },
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
