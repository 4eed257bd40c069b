import type { FastifyInstance } from 'fastify';
import { consolePage } from '../console-page.ts';
import type { Metrics } from '../metrics.ts';
import { openApiDocument } from '../openapi.ts';

/** What the routes tell about. */
export interface StatusRoutesOptions {
  readonly metrics: Metrics;
  readonly version: string;
  /** Why calls cannot be answered; `null`: they can. */
  readonly notReady: () => Promise<string | null>;
}

/** `/healthz`, `/readyz`, `/metrics`, `/openapi.json` and the console page. */
export function addStatusRoutes(app: FastifyInstance, { metrics, version, notReady }: StatusRoutesOptions): void {
  const page = consolePage();
  const document = openApiDocument(version);
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = await notReady();
    return reason === null ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', reason });
  });
  app.get('/metrics', (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.render()));
  app.get('/openapi.json', () => document);
  app.get('/', (_request, reply) => reply.headers(page.headers).type('text/html; charset=utf-8').send(page.html));
}
