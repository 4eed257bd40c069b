import type { FastifyInstance } from 'fastify';
import { consolePage } from '../console-page.ts';
import type { Metrics } from '../metrics.ts';
import { openApiDocument } from '../openapi.ts';

/** What the routes tell about. */
export interface StatusRoutesOptions {
  readonly metrics: Metrics;
  readonly version: string;
  /** Why calls cannot be answered; `null`: they can. */
  readonly notReady: () => string | null;
  /** What does not work although they are; `null`: all does. A balancer that took such a sidecar out would help nobody. */
  readonly degraded: () => Promise<string | null>;
}

/** `/healthz`, `/readyz`, `/metrics`, `/openapi.json` and the console page. */
export function addStatusRoutes(app: FastifyInstance, { metrics, version, notReady, degraded }: StatusRoutesOptions): void {
  const page = consolePage();
  const document = openApiDocument(version);
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = notReady();
    if (reason !== null) return reply.code(503).send({ status: 'not ready', reason });
    const fault = await degraded().catch(faultText);
    return fault === null ? { status: 'ready' } : { status: 'degraded', reason: fault };
  });
  app.get('/metrics', (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.render()));
  app.get('/openapi.json', () => document);
  app.get('/', (_request, reply) => reply.headers(page.headers).type('text/html; charset=utf-8').send(page.html));
}

/** Who cannot even say how it is, is not well; what it says may name files, and no secret. */
function faultText(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'a store cannot say how it is';
}
