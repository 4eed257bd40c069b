import { connect } from 'node:net';
import { join } from 'node:path';
import type { Print } from './figure.ts';
import { answersOf, postOf } from './gateway-load.ts';
import { startGateway, startProgram, withServers } from './gateway-processes.ts';
import { median, quantile, rounded } from './median.ts';

const WORKERS = 8;
const BATCH = 125;
/** Batches of each worker in a round. */
const BATCHES = 10;
const ROUNDS = 7;
const NEW_EVERY = 10;
const KNOWN = 1000;
/** How long the provider takes: hardly any time, and a usual one, in which one event of ten has to wait that long. */
const LATENCIES_MS = [2, 150];
const PEER = 'parse, one Map look-up, write';
const JSON_TYPE = { 'content-type': 'application/json' };

interface Sent {
  readonly isNew: boolean;
  readonly ms: number;
}

interface Round {
  readonly sent: readonly Sent[];
  readonly faults: number;
}

/**
 * Logstash's `http` filter as its workers use it: each takes a batch of 125 events and sends one event at a time on a connection of its own,
 * which stays. One event of ten has a value that nobody knows. What a worker sees is the time of one event; rounds with a bare server in turn.
 */
export async function run(print: Print): Promise<void> {
  for (const latencyMs of LATENCIES_MS)
    await withServers(async (folder, keep) => {
      const api = keep(await startProgram('api-program.ts', String(latencyMs)));
      const env = { ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ISMALICIOUS_BULK: 'false' };
      const ours = keep(await startGateway(join(folder, 'state'), env));
      const peer = keep(await startProgram('sidecar-peer.ts'));
      const next = createEvents();
      await sendKnown(ours.port);
      await sendRound(ours.port, '/v1/logstash', next);
      await sendRound(peer.port, '/', next);
      const rounds: { ours: Round; peer: Round }[] = [];
      for (let n = 0; n < ROUNDS; n++)
        rounds.push({ ours: await sendRound(ours.port, '/v1/logstash', next), peer: await sendRound(peer.port, '/', next) });
      report(print, latencyMs, rounds);
    });
}

function report(print: Print, latencyMs: number, rounds: readonly { ours: Round; peer: Round }[]): void {
  const name = (what: string) => `${WORKERS} workers × ${BATCH} events, provider answers in ${latencyMs} ms: ${what}`;
  const figure = (what: string, share: number, isWanted: (one: Sent) => boolean) => {
    const ours = median(rounds.map((round) => quantile(sortedMs(round.ours.sent.filter(isWanted)), share)));
    const peers = median(rounds.map((round) => quantile(sortedMs(round.peer.sent), share)));
    print({ name: name(what), value: rounded(ours), unit: 'ms', peer: `${PEER}: ${rounded(peers)} ms`, ratio: rounded(ours / peers) });
  };
  print({ name: name('events'), value: rounds.reduce((sum, { ours }) => sum + ours.sent.length, 0), unit: 'events' });
  print({ name: name('errors of connections or answers'), value: rounds.reduce((sum, { ours }) => sum + ours.faults, 0), unit: 'events' });
  figure('median of all', 0.5, () => true);
  figure('p99 of all', 0.99, () => true);
  figure('p99 of known values', 0.99, ({ isNew }) => !isNew);
  figure('p99 of new values', 0.99, ({ isNew }) => isNew);
}

const sortedMs = (sent: readonly Sent[]) => sent.map(({ ms }) => ms).toSorted((a, b) => a - b);

interface Event {
  readonly isNew: boolean;
  readonly body: Buffer;
}

/** Every tenth event has a value that was not seen before. */
function createEvents(): () => Event {
  let n = 0;
  return () => {
    const isNew = n % NEW_EVERY === NEW_EVERY - 1;
    const ip = isNew ? `${100 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.1` : addressOf(n % KNOWN);
    n++;
    return { isNew, body: bodyOf(ip) };
  };
}

const addressOf = (n: number) => `45.33.${n >> 8}.${n & 255}`;

function bodyOf(ip: string): Buffer {
  const event = {
    '@timestamp': '2026-11-30T12:00:00.000Z',
    '@version': '1',
    message: `fw01 action=allowed src=10.1.2.3 dst=${ip} dport=443 bytes=48213 user="user17"`,
    event: { kind: 'event', category: ['network'], dataset: 'demo.firewall' },
    source: { ip: '10.1.2.3', port: 51_234 },
    destination: { ip, port: 443 },
    host: { name: 'fw01' },
    tags: ['demo'],
  };
  return Buffer.from(JSON.stringify(event));
}

async function sendKnown(port: number): Promise<void> {
  const indicators = Array.from({ length: KNOWN }, (_, n) => addressOf(n));
  const init = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ indicators, timeout_ms: 120_000 }) };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/lookup`, init);
  if (!answer.ok) throw new Error(await answer.text());
  await answer.arrayBuffer();
}

async function sendRound(port: number, path: string, next: () => Event): Promise<Round> {
  const sent: Sent[] = [];
  let faults = 0;
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const answers = answersOf(socket);
      for (let n = 0; n < BATCHES * BATCH; n++) {
        const { isNew, body } = next();
        const beganMs = performance.now();
        for (const part of postOf(path, JSON_TYPE, body)) socket.write(part);
        await answers().catch(() => faults++);
        sent.push({ isNew, ms: performance.now() - beganMs });
      }
      socket.destroy();
    }),
  );
  return { sent, faults };
}
