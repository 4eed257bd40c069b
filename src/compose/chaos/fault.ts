// src/compose/chaos/: faults made by a stand-in on loopback, and what every host does about them: `ismalicious selftest`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Who is put to the test. `engine`: the core in this process; the others run as programs of their own. */
export type ChaosHost = 'engine' | 'sidecar' | 'gateway' | 'cli';

export const CHAOS_HOSTS: readonly ChaosHost[] = ['engine', 'sidecar', 'gateway', 'cli'];

/** What has to come out of every event. `none`: no verdict, and a status that says why; `refused`: the caller is told, nothing is lost. */
export type Expected = 'malicious' | 'clean' | 'none' | 'refused';

/** One call that has reached the stand-in whole. */
export interface ChaosCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The indicator asked for. */
  readonly value: string;
  /** Where a redirect may lead: nobody may call there. */
  readonly elsewhere: string;
}

/** How the stand-in is reached. */
export type Reach = 'plain' | 'closed-port' | 'not-tls' | 'silent-tls' | 'self-signed' | 'proxy';

/** One row of the matrix. */
export interface Fault {
  /** Row of the fault list in docs/reliability.md; several faults may share one. */
  readonly row: string;
  readonly name: string;
  readonly expects: Expected;
  readonly reach?: Reach;
  /** Answers a call; without it a healthy answer is given. */
  readonly answer?: (call: ChaosCall) => void;
  /** Takes a connection before anything has been read from it. */
  readonly connect?: (socket: Socket) => void;
  /** Makes the state folder what it is to be. */
  readonly prepare?: (folder: string) => void;
  /** What the engine behind the gateway does; only the gateway is tried then. */
  readonly engine?: 'refuses' | 'resets' | 'busy' | 'refuses-items';
  /** What is done to the sidecar while it waits; only the sidecar is tried then. */
  readonly signal?: 'SIGTERM' | 'SIGKILL';
}

/** The hosts that a fault says something about. */
export function hostsOf({ engine, signal }: Fault): readonly ChaosHost[] {
  if (engine !== undefined) return ['gateway'];
  if (signal !== undefined) return ['sidecar'];
  return CHAOS_HOSTS;
}

/** What isMalicious says of a listed value. */
export function listed(value: string): Record<string, unknown> {
  return { query: value, malicious: true, riskScore: { score: 87, level: 'high' }, categories: ['c2'], confidenceScore: 91 };
}

/** What it says of one that it calls clean: the answer that no fault may turn into. */
export function harmless(value: string): Record<string, unknown> {
  return { query: value, malicious: false, riskScore: { score: 4, level: 'low' }, categories: [], confidenceScore: 88, sources: [] };
}
