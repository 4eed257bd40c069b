// isMalicious' API for a soak: one value a call, and one call of twenty fails. Prints `listening PORT`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verdictOf } from '../bench/gateway-inputs.ts';

/** One call of so many is refused; the body would read clean if it were believed. */
const FAULT_EVERY = 20;
const LATENCY_MS = 5;
let calls = 0;

const server = createServer((request, response) => {
  calls++;
  const value = new URL(request.url ?? '/', 'http://soak').searchParams.get('query') ?? '';
  const isFaulty = calls % FAULT_EVERY === 0;
  const body = isFaulty ? { query: value, malicious: false, sources: [] } : verdictOf(value);
  setTimeout(() => {
    response.writeHead(isFaulty ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }, LATENCY_MS);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
