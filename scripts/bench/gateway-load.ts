import { connect } from 'node:net';
import type { Socket } from 'node:net';

const LAST_CHUNK = '\r\n0\r\n\r\n';

/** A closed loop of requests: each connection sends the next one when it has its answer. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  /** The n-th request as it goes over the wire, head and body. */
  readonly request: (n: number) => readonly Buffer[];
}

/** Sends the load and gives the seconds it took. Throws at the first answer that is no 2xx. The client is as lean as can be: it shares the machine. */
export async function sendLoad(load: Load): Promise<number> {
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
      const answers = answersOf(socket);
      while (next < load.requests) {
        for (const part of load.request(next++)) socket.write(part);
        await answers();
      }
      socket.destroy();
    }),
  );
  return (performance.now() - began) / 1000;
}

/** A POST with a body of known length, as bytes. */
export function postOf(path: string, headers: Readonly<Record<string, string>>, body: Buffer): readonly Buffer[] {
  const lines = Object.entries({ host: '127.0.0.1', 'content-length': String(body.length), ...headers }).map((pair) => pair.join(': '));
  return [Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`), body];
}

/** How long an answer is with its head; -1: not known yet. One in chunks ends with an empty one; the JSON of engines has no line end in it. */
function wholeLength(held: Buffer, head: string): number {
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return head.length + 4 + Number(length);
  const last = held.indexOf(LAST_CHUNK, head.length);
  return last < 0 ? -1 : last + LAST_CHUNK.length;
}

/** Waits for whole answers, one a call. Rejects at one that is no 2xx. */
export function answersOf(socket: Socket): () => Promise<void> {
  let held = Buffer.alloc(0);
  let waiting: { resolve: () => void; reject: (fault: Error) => void } | null = null;
  const take = () => {
    const end = held.indexOf('\r\n\r\n');
    if (end < 0 || waiting === null) return;
    const head = held.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 2')) {
      waiting.reject(new Error(`the answer was ${held.toString('latin1', 0, 300)}`));
      return;
    }
    const whole = wholeLength(held, head);
    if (whole < 0 || held.length < whole) return;
    held = held.subarray(whole);
    const { resolve } = waiting;
    waiting = null;
    resolve();
  };
  socket.on('data', (part) => {
    held = held.length === 0 ? part : Buffer.concat([held, part]);
    take();
  });
  socket.on('close', () => waiting?.reject(new Error('the connection was closed')));
  socket.on('error', (fault) => waiting?.reject(fault));
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      take();
    });
}
