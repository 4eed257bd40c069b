import type { FastifyInstance } from 'fastify';
import { type Clock, epochS } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import type { FeedbackStore, Override } from '../../../engine/feedback/overrides.ts';
import { giveFeedback, whenFeedbackIsFree } from '../../../engine/feedback/give-feedback.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { refusalBody } from '../http/replies.ts';
import { FEEDBACK_BODY, FEEDBACK_END_BODY, FEEDBACK_QUERY } from '../../../openapi/feedback-schemas.ts';

/** What the routes work with. */
export interface FeedbackRouteOptions {
  readonly feedback: FeedbackStore;
  readonly enricher: Enricher;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
}

interface GivenBody {
  readonly indicator: string;
  readonly verdict: string;
  readonly author: string;
  readonly reason: string;
  readonly score?: number;
  readonly for_s?: number;
}

/** `POST /v1/feedback` takes an analyst's override, `GET` shows those in force (`?all=true`: all), `DELETE` takes one back. */
export function addFeedbackRoute(app: FastifyInstance, { feedback, enricher, clock, maxBodyBytes }: FeedbackRouteOptions): void {
  const invalid = (message: string) => refusalBody({ code: 'invalid', message });
  app.post<{ Body: GivenBody }>('/v1/feedback', { schema: { body: FEEDBACK_BODY }, bodyLimit: maxBodyBytes }, async (request, reply) => {
    const { indicator: value, for_s: forS, score, ...said } = request.body;
    const given = { value, forS, score, ...said };
    const taken = await giveFeedback(given, feedback, enricher, epochS(clock));
    return typeof taken === 'string' ? reply.code(400).send(invalid(taken)) : reply.code(201).send(toJson(taken));
  });
  app.get<{ Querystring: { all?: string } }>('/v1/feedback', { schema: { querystring: FEEDBACK_QUERY } }, (request) => {
    const filter = request.query.all === 'true' ? {} : { inForceAtS: epochS(clock) };
    return whenFeedbackIsFree(() => ({ overrides: feedback.list(filter).map(toJson) }));
  });
  app.delete<{ Body: { indicator: string; author: string } }>(
    '/v1/feedback',
    { schema: { body: FEEDBACK_END_BODY }, bodyLimit: maxBodyBytes },
    async (request, reply) => {
      const parsed = parseIndicator(request.body.indicator);
      if (parsed.kind === 'invalid') return reply.code(400).send(invalid(parsed.reason));
      const { value } = parsed.indicator;
      const isEnded = await whenFeedbackIsFree(() => feedback.remove(value, request.body.author, epochS(clock)));
      return isEnded
        ? reply.code(204).send()
        : reply.code(404).send(refusalBody({ code: 'not_found', message: 'there is no override in force on this value' }));
    },
  );
}

function toJson(override: Override) {
  const iso = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
  const { value, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore, endedAtS, endedBy } = override;
  return {
    indicator: value,
    verdict,
    score,
    author,
    reason,
    at: iso(atS),
    until: iso(untilS),
    said_verdict: saidVerdict,
    said_score: saidScore,
    ended_at: iso(endedAtS),
    ended_by: endedBy,
  };
}
