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
  /** It goes on for longer than anybody waits: what ends it is the host's own deadline, which is short then. */
  readonly stalls?: true;
  /** Calls after which a host has to have understood; counted for each program. */
  readonly mostCalls?: number;
}

const SHORT_MS = 1500;
/** Nothing but a stalling fault lasts so long, on no machine: what comes out is what the fault did, not what the clock did. */
const LONG_MS = 15_000;
const LONGER_EACH_TIME = 4;

/**
 * The deadline of a host, in milliseconds. `attempt`, from 0: on a machine that is so busy that the time is over before the first call is
 * made, the fault has not been met, and is tried again with more of it.
 */
export function deadlineMs({ stalls }: Fault, attempt: number): number {
  return stalls === true ? SHORT_MS * LONGER_EACH_TIME ** attempt : LONG_MS;
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
