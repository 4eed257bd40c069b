import type { FastifyInstance } from 'fastify';
import type { Insight } from '../../../compose/figures/insight.ts';
import { reportJson } from '../../../engine/feedback/report-json.ts';
import { REPORT_QUERY } from '../../../openapi/insight-schemas.ts';

const DEFAULT_DAYS = 7;

/** `GET /v1/settings`: what is in force and where it comes from, secrets masked; `GET /v1/report?days=N`: the figures of a period. */
export function addInsightRoutes(app: FastifyInstance, { settings, report }: Insight): void {
  app.get('/v1/settings', () => ({ settings }));
  app.get<{ Querystring: { days?: string } }>('/v1/report', { schema: { querystring: REPORT_QUERY } }, async ({ query }) =>
    reportJson(await report(Number(query.days ?? DEFAULT_DAYS))),
  );
}
