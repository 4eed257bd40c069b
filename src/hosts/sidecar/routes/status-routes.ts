import type { FastifyInstance } from 'fastify';
import type { HeldOff } from '../../../compose/figures/engine-metrics.ts';
import { openApiDocument } from '../../../openapi/openapi.ts';

/** What the routes tell about. */
export interface StatusRoutesOptions {
  /** All figures, in Prometheus' text format. */
  readonly figures: () => string | Promise<string>;
  readonly version: string;
  /** Why calls cannot be answered; `null`: they can. */
  readonly notReady: () => string | null;
  /** What does not work as it should although they can. */
  readonly degraded: () => readonly string[];
  /** Providers that are not asked for now; what they said before is answered all the same. */
  readonly heldOff: () => HeldOff;
}

/** `/healthz`, `/readyz`, `/metrics` and `/openapi.json`. */
export function addStatusRoutes(app: FastifyInstance, { figures, version, notReady, degraded, heldOff }: StatusRoutesOptions): void {
  const document = openApiDocument(version);
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = notReady();
    if (reason !== null) return reply.code(503).send({ status: 'not ready', reason, ...held(heldOff()) });
    const faults = faultsOf(degraded);
    return { status: 'ready', ...(faults.length === 0 ? {} : { degraded: faults }), ...held(heldOff()) };
  });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await figures()));
  app.get('/openapi.json', () => document);
}

/** A part that cannot even say how it is, is not well; what it says may name files, and no secret. */
function faultsOf(degraded: StatusRoutesOptions['degraded']): readonly string[] {
  try {
    return degraded();
  } catch (error) {
    return [error instanceof Error && error.message !== '' ? error.message : 'a store cannot say how it is'];
  }
}

function held(providers: HeldOff): { readonly providers?: HeldOff } {
  return Object.keys(providers).length === 0 ? {} : { providers };
}
