import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A port on which figures are read. */
export interface MetricsPort {
  readonly port: number;
  close(): Promise<void>;
}

/** What is told there. */
export interface Told {
  readonly metrics: () => string;
  /** Why no record is read now; `null`: they are. */
  readonly notReady: () => string | null;
}

/** Listens for `GET /metrics`, `/healthz` and `/readyz`. Figures only: there is nothing to protect behind it but the figures. */
export async function openMetricsPort(host: string, port: number, { metrics, notReady }: Told): Promise<MetricsPort> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    const reason = notReady();
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    if (path === '/metrics')
      return void response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics());
    if (path === '/healthz') return void response.writeHead(200, JSON_TYPE).end('{"status":"ok"}');
    if (path !== '/readyz') return void response.writeHead(404).end();
    if (reason === null) return void response.writeHead(200, JSON_TYPE).end('{"status":"ready"}');
    return void response.writeHead(503, JSON_TYPE).end(JSON.stringify({ status: 'not ready', reason }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
