import type { FastifyInstance } from 'fastify';
import { type Clock, epochS } from '../../../engine/clock.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { HISTORY_QUERY } from '../../../openapi/pipeline-schemas.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { readPipelineState } from '../../../pipeline/state/pipeline-state.ts';
import { readValueHistory } from '../../../pipeline/state/value-history.ts';
import { refusalBody } from '../http/replies.ts';
import { NO_STORE } from './no-store.ts';
import { addQuarantineRoute } from './quarantine-route.ts';

/** What the pipeline's store tells: `GET /v1/pipeline`, `/v1/quarantine`, and `/v1/history?indicator=…` of one value. */
export function addPipelineStateRoutes(
  app: FastifyInstance,
  { pipeline, clock }: { pipeline: PipelinePart | undefined; clock: Clock },
): void {
  addQuarantineRoute(app, pipeline);
  app.get('/v1/pipeline', async (_request, reply) => {
    const store = (await pipeline?.store()) ?? null;
    return store === null ? reply.code(NO_STORE.status).send(NO_STORE.body) : readPipelineState(store);
  });
  app.get<{ Querystring: { indicator: string } }>('/v1/history', { schema: { querystring: HISTORY_QUERY } }, async ({ query }, reply) => {
    const parsed = parseIndicator(query.indicator);
    if (parsed.kind === 'invalid') return reply.code(400).send(refusalBody({ code: 'invalid', message: parsed.reason }));
    const store = (await pipeline?.store()) ?? null;
    if (store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
    return readValueHistory(store, parsed.indicator.value, epochS(clock));
  });
}
