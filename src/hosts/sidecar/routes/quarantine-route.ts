import type { FastifyInstance } from 'fastify';
import { readFeedQuarantine } from '../../../pipeline/feed-quarantine.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { QUARANTINE_QUERY } from '../../../openapi/pipeline-schemas.ts';
import { NO_STORE } from './no-store.ts';

const DEFAULT_LIMIT = 100;

/** `GET /v1/quarantine?feed=ID&limit=N`: what feeds sent that could not be taken, with the reasons, newest first. */
export function addQuarantineRoute(app: FastifyInstance, pipeline: PipelinePart | undefined): void {
  app.get<{ Querystring: { feed?: string; limit?: string } }>(
    '/v1/quarantine',
    { schema: { querystring: QUARANTINE_QUERY } },
    async ({ query }, reply) => {
      const store = (await pipeline?.store()) ?? null;
      if (store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
      return readFeedQuarantine(store, { feed: query.feed ?? null, limit: Number(query.limit ?? DEFAULT_LIMIT) });
    },
  );
}
