import { connect, type Socket } from 'node:net';
import { answersOf, postOf } from '../bench/gateway-load.ts';

/** Values that are asked again and again, and the share of calls that ask for one that was never asked. */
const KNOWN_VALUES = 2000;
export const NEW_SHARE = 0.3;

/** What came back in one stretch of time. */
export interface Stretch {
  readonly answered: number;
  readonly failed: number;
  /** Milliseconds from when a call was due to its whole answer, so that a stand still counts for every call it held up. */
  readonly latenciesMs: readonly number[];
}

/** Calls at a steady rate. */
export interface SteadyLoad {
  /** What came back since it was last asked. */
  take(): Stretch;
  stop(): void;
}

/** How calls are sent. Each connection has one call in flight: with too few of them calls are late before they are sent. */
export interface LoadOptions {
  readonly perS: number;
  readonly connections?: number;
  /** The share of calls that ask for a value that was never asked for. */
  readonly newShare?: number;
}

/** Sends so many events a second to `/v1/enrich`, one a call, whatever the answers take. */
export function startLoad(port: number, { perS, connections = 64, newShare = NEW_SHARE }: LoadOptions): SteadyLoad {
  const beganMs = performance.now();
  let next = 0;
  let isOver = false;
  let [answered, failed, latenciesMs]: [number, number, number[]] = [0, 0, []];

  async function work(): Promise<void> {
    let line = open(port);
    while (!isOver) {
      const n = next++;
      const dueMs = beganMs + (n / perS) * 1000;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      try {
        for (const part of callOf(n, newShare)) line.socket.write(part);
        await line.answer();
        answered++;
        latenciesMs.push(performance.now() - dueMs);
      } catch {
        if (isOver) break;
        failed++;
        line.socket.destroy();
        line = open(port);
      }
    }
    line.socket.destroy();
  }
  for (let n = 0; n < connections; n++) void work();
  return {
    take() {
      const stretch = { answered, failed, latenciesMs };
      [answered, failed, latenciesMs] = [0, 0, []];
      return stretch;
    },
    stop() {
      isOver = true;
    },
  };
}

function open(port: number): { readonly socket: Socket; answer(): Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return { socket, answer: answersOf(socket) };
}

function callOf(n: number, newShare: number): readonly Buffer[] {
  const isNew = (n * newShare) % 1 < newShare || newShare === 1;
  const body = Buffer.from(`{"destination":{"ip":"${addressOf(isNew ? KNOWN_VALUES + n : n % KNOWN_VALUES)}"}}`);
  return postOf('/v1/enrich', { 'content-type': 'application/json' }, body);
}

/** A public address, another for each number up to 2^28. */
function addressOf(n: number): string {
  return `${20 + ((n >>> 24) & 15)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}
