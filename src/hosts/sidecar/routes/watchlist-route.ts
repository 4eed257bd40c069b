import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Clock, epochS } from '../../../engine/clock.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import {
  addToWatchlist,
  listWatchlist,
  removeFromWatchlist,
  type WatchlistAnswer,
  type WatchlistContext,
} from '../../../pipeline/watchlist/edit-watchlist.ts';
import { NO_STORE } from './no-store.ts';
import { WATCH_BODY, WATCH_END_BODY } from '../../../openapi/pipeline-schemas.ts';

/** What the routes work with. */
export interface WatchlistRouteOptions {
  /** `undefined`: this sidecar has no part of the pipeline. */
  readonly pipeline: PipelinePart | undefined;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
}

/** `GET /v1/watchlist` lists the watched indicators, `POST` adds some, `DELETE` takes some off; each value is answered for itself. */
export function addWatchlistRoute(app: FastifyInstance, { pipeline, clock, maxBodyBytes }: WatchlistRouteOptions): void {
  const answer = async (reply: FastifyReply, work: (context: WatchlistContext) => Promise<WatchlistAnswer>) => {
    const store = (await pipeline?.store()) ?? null;
    if (!pipeline || store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
    const { maxWatched, everyHours } = pipeline.config.watchlist;
    const { isRefused, body } = await work({ store, nowS: epochS(clock), maxWatched, everyHours });
    return reply.code(isRefused ? 400 : 200).send(body);
  };
  app.get('/v1/watchlist', (_request, reply) => answer(reply, listWatchlist));
  app.post('/v1/watchlist', { schema: { body: WATCH_BODY }, bodyLimit: maxBodyBytes }, (request, reply) =>
    answer(reply, (context) => addToWatchlist(request.body, context)),
  );
  app.delete<{ Body: { indicators: readonly string[] } }>(
    '/v1/watchlist',
    { schema: { body: WATCH_END_BODY }, bodyLimit: maxBodyBytes },
    (request, reply) => answer(reply, (context) => removeFromWatchlist(request.body.indicators, context)),
  );
}
