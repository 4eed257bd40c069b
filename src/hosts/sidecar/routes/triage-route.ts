import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { systemPipelineClock } from '../../../pipeline/pipeline-clock.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { triageAlerts } from '../../../pipeline/triage/triage.ts';
import { TriageSettings } from '../../../pipeline/triage/triage-settings.ts';
import { signalOf } from '../http/call.ts';
import { timeoutOf } from '../http/deadline.ts';
import { refusalBody } from '../http/replies.ts';
import type { Metrics } from '../metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { NO_STORE } from './no-store.ts';
import { TRIAGE_QUERY } from '../openapi/pipeline-schemas.ts';

/** What the route works with. */
export interface TriageRouteOptions {
  readonly enricher: Enricher;
  /** `undefined`: the default rules decide, and nobody can be told. */
  readonly pipeline: PipelinePart | undefined;
  readonly settings: SidecarSettings;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

type Alert = Readonly<Record<string, unknown>>;

/**
 * `POST /v1/triage`: an alert as JSON, an array of them, or `{"alerts":[…]}`; a decision each, in order. `?tell=true` journals the
 * decisions for the outputs and watches what is to be watched; without it nothing is done. Nothing is ever blocked or closed.
 */
export function addTriageRoute(app: FastifyInstance, { enricher, pipeline, settings, metrics, clock }: TriageRouteOptions): void {
  const schema = { querystring: TRIAGE_QUERY };
  app.post<{ Querystring: Record<string, string> }>('/v1/triage', { schema, bodyLimit: settings.maxBodyBytes }, async (request, reply) => {
    const alerts = alertsOf(request.body);
    const invalid = (message: string) => reply.code(400).send(refusalBody({ code: 'invalid_request', message }));
    if (alerts === null) return invalid('send an alert as a JSON object, an array of them, or {"alerts":[…]}: see /openapi.json');
    if (alerts.length > settings.maxIndicators) {
      const message = `more than ${settings.maxIndicators} alerts in one call: send fewer at once`;
      return reply.code(413).send(refusalBody({ code: 'too_many_alerts', message }));
    }
    const timeoutMs = timeoutOf(request.raw, new URLSearchParams(request.query), settings.timeoutMs);
    if (typeof timeoutMs !== 'number') return reply.code(timeoutMs.status).send(refusalBody(timeoutMs));
    const tells = request.query.tell === 'true';
    const store = tells ? ((await pipeline?.store()) ?? null) : null;
    if (tells && store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
    const decisions = await triageAlerts(
      alerts,
      {
        enricher,
        rules: pipeline?.config.triage ?? TriageSettings.parse({}),
        clock: { ...systemPipelineClock, nowMs: () => clock.epochMs() },
        store,
        outputs: pipeline?.recipients ?? [],
        recordsSightings: pipeline?.config.watchlist.recordSightings ?? false,
        maxPending: pipeline?.config.pipeline.maxPending ?? 0,
      },
      { timeoutMs, signal: signalOf({ res: reply.raw }) },
    );
    metrics.add('lookups', decisions.length);
    return { decisions };
  });
}

/** `null`: no alerts. */
function alertsOf(body: unknown): readonly Alert[] | null {
  const given = isObject(body) && Array.isArray(body.alerts) ? body.alerts : body;
  const alerts = Array.isArray(given) ? (given as unknown[]) : [given];
  return alerts.every(isObject) ? alerts : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
