import type { Print } from './figure.ts';
import type { GatewayInputs } from './gateway-inputs.ts';
import { postOf, sendLoad } from './gateway-load.ts';
import type { Served } from './gateway-processes.ts';
import { chunksOf } from '../../src/model/tables/chunks.ts';
import { median } from './median.ts';

/** Documents in one bulk request. */
export const DOCS_A_REQUEST = 500;
export const NDJSON = { 'content-type': 'application/x-ndjson' };

/** Work that several servers do in turns. */
export interface Runner {
  readonly server: Served | null;
  readonly port: number;
  readonly request: (n: number, round: number) => readonly Buffer[];
}

export interface Turn {
  readonly rounds: number;
  readonly requests: number;
  readonly connections: number;
  readonly afterTurn?: () => Promise<void>;
}

/** Medians of CPU a document and documents a second, by runner. Two rounds more go first: compilers have to warm up. */
export async function takeTurns(
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
export async function warmed(gateway: Served, inputs: GatewayInputs): Promise<Served> {
  const bodies = bulkBodies(inputs).map((body) => postOf('/logs-ismalicious.warm-default/_bulk', NDJSON, body));
  await sendLoad({ port: gateway.port, connections: 2, requests: bodies.length, request: (n) => bodies[n] ?? [] });
  return gateway;
}

/** All events as bulk bodies that create them. */
export function bulkBodies({ events }: GatewayInputs): Buffer[] {
  return chunksOf(events, DOCS_A_REQUEST).map((some) => Buffer.from(some.map((event) => `{"create":{}}\n${event}\n`).join('')));
}

/** Prints ours, and how many times the peer's it is. */
export function compare(
  print: Print,
  name: string,
  unit: string,
  { peer, ours, theirs }: { peer: string; ours: number; theirs: number },
): void {
  print({ name, value: round(ours), unit, peer, ratio: round(ours / theirs) });
}

export const round = (value: number): number => Number(value.toPrecision(3));
