import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { LookupError } from '../../src/model/lookup-error.ts';
import type { PipelineTransport } from '../../src/pipeline/pipeline-transport.ts';
import type { PipelineClock } from '../../src/pipeline/pipeline-clock.ts';

/** A call as a stand-in saw it. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What it answers: a status and a body, or `'reset'`: the connection is cut. */
export type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown } | 'reset';

/** A server on loopback that answers by `reply` and remembers what it was asked. */
export async function startStandIn(reply: (call: SeenCall, n: number) => Reply | Promise<Reply>) {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    const respond = async (call: SeenCall) => {
      const answer = await reply(call, calls.length);
      if (answer === 'reset') return request.socket.resetAndDestroy();
      const body = answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      return response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(body);
    };
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const bytes = Buffer.concat(parts);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, text };
      calls.push(call);
      void respond(call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A transport over global fetch. */
export const fetchTransport: PipelineTransport & { close(): Promise<void> } = {
  async send(call, { timeoutMs, signal }) {
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
    try {
      const response = await fetch(call.url, {
        method: call.method ?? 'GET',
        headers: call.headers ?? {},
        body: call.body === undefined ? null : Buffer.from(call.body),
        redirect: 'manual',
        signal: AbortSignal.any(signals),
      });
      const text = await response.text();
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {
        body = text;
      }
      return { status: response.status, headers: Object.fromEntries(response.headers), body };
    } catch (cause) {
      throw new LookupError('unavailable', 'test', 'connection failed', { cause });
    }
  },
  close: () => Promise.resolve(),
};

/** A clock that never really waits: waiting moves it on. */
export function fakeClock(startS = 1_795_000_000): PipelineClock & { waited: number[] } {
  let now = startS * 1000;
  const waited: number[] = [];
  return {
    waited,
    nowMs: () => now,
    wait(ms) {
      waited.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}
