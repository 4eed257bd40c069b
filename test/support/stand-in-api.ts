import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a call to the stand-in was about. */
export interface StandInCall {
  readonly method: string;
  readonly path: string;
  /** The indicators asked for: one of `GET /check`, several of `POST /bulk/check`, none of the cap question. */
  readonly values: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly atMs: number;
}

/** Answers one call; `attempt` counts the calls that named the same first value, from 1. */
export type StandInReply = (call: StandInCall, response: ServerResponse, attempt: number) => void;

/** A loopback stand-in for the isMalicious API. */
export interface StandInApi extends AsyncDisposable {
  readonly url: string;
  readonly calls: StandInCall[];
  /** Values asked for, in order, over single and bulk calls. */
  asked(): string[];
  reply: StandInReply;
  /** Cap told by `GET /bulk/check`; 0: the plan has no bulk form (403). */
  bulkCap: number;
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A verdict that depends on the value only: those that begin with an even number are malicious. */
export function verdictBody(value: string): Record<string, unknown> {
  const isBad = Number.parseInt(value, 10) % 2 === 0;
  return isBad
    ? { malicious: true, riskScore: { score: 87, level: 'high' }, categories: ['c2'], confidenceScore: 91 }
    : { malicious: false, riskScore: { score: 4, level: 'low' }, categories: [], confidenceScore: 88, sources: [] };
}

/** The reply of a healthy API. */
export const healthy: StandInReply = (call, response) => {
  if (call.method === 'POST')
    sendJson(response, 200, { success: true, results: call.values.map((value) => ({ entity: value, ...verdictBody(value) })) });
  else sendJson(response, 200, verdictBody(call.values[0] ?? ''));
};

async function readValues(request: IncomingMessage): Promise<string[]> {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  if (request.method !== 'POST') return url.searchParams.getAll('query');
  let text = '';
  for await (const part of request) text += String(part);
  return (JSON.parse(text) as { entities: string[] }).entities;
}

/** Starts the stand-in on a free port. */
export async function startStandIn(reply: StandInReply = healthy): Promise<StandInApi> {
  const calls: StandInCall[] = [];
  const attempts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    void readValues(request).then((values) => {
      const path = new URL(request.url ?? '/', 'http://stand-in').pathname;
      if (request.method === 'GET' && path === '/bulk/check') {
        return api.bulkCap === 0
          ? sendJson(response, 403, { error: 'Plan required' })
          : sendJson(response, 200, { limits: { maxEntitiesPerRequest: api.bulkCap } });
      }
      const call = { method: request.method ?? 'GET', path, values, headers: request.headers, atMs: performance.now() };
      calls.push(call);
      const key = values[0] ?? '';
      const attempt = (attempts.get(key) ?? 0) + 1;
      attempts.set(key, attempt);
      return api.reply(call, response, attempt);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api: StandInApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    asked: () => calls.flatMap((call) => [...call.values]),
    reply,
    bulkCap: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}
