import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { systemPipelineClock } from '../../../pipeline/pipeline-clock.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { alertsOf } from '../../../pipeline/triage/read-alerts.ts';
import { JournalFullError, notesSightings, type Triage, triageAlerts, triageReadings } from '../../../pipeline/triage/triage.ts';
import { TriageSettings } from '../../../pipeline/triage/triage-settings.ts';
import type { BodyWorkers } from '../bodies/body-workers.ts';
import { NO_ALERTS, tooManyAlerts } from '../bodies/body-jobs.ts';
import { LongBody } from '../bodies/long-body.ts';
import { RefusedBody } from '../bodies/refused-body.ts';
import { signalOf } from '../http/call.ts';
import { timeoutOf } from '../http/deadline.ts';
import { refusalBody } from '../http/replies.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { NO_STORE } from './no-store.ts';
import { TRIAGE_QUERY } from '../../../openapi/pipeline-schemas.ts';

/** What the route works with. */
export interface TriageRouteOptions {
  readonly enricher: Enricher;
  /** `undefined`: the default rules decide, and nobody can be told. */
  readonly pipeline: PipelinePart | undefined;
  readonly settings: SidecarSettings;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Read long bodies. */
  readonly workers: BodyWorkers;
}

/**
 * `POST /v1/triage`: an alert as JSON, an array of them, or `{"alerts":[…]}`; a decision each, in order. `?tell=true` journals the
 * decisions for the outputs and watches what is to be watched; without it nothing is done. Nothing is ever blocked or closed.
 */
export function addTriageRoute(app: FastifyInstance, options: TriageRouteOptions): void {
  const { pipeline, settings, metrics } = options;
  const schema = { querystring: TRIAGE_QUERY };
  const route = { schema, bodyLimit: settings.maxBodyBytes, config: { leavesLongBodies: true } };
  app.post<{ Querystring: Record<string, string> }>('/v1/triage', route, async (request, reply) => {
    const timeoutMs = timeoutOf(request.raw, new URLSearchParams(request.query), settings.timeoutMs);
    if (typeof timeoutMs !== 'number') return reply.code(timeoutMs.status).send(refusalBody(timeoutMs));
    const tells = request.query['tell'] === 'true';
    const store = tells ? ((await pipeline?.store()) ?? null) : null;
    if (tells && store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
    const wait = { timeoutMs, signal: signalOf({ res: reply.raw }) };
    const decisions = await triage(request.body, { ...options, triage: triageOf(options, store) }, wait).catch(asRefusal);
    if (store !== null) pipeline?.delivery?.poke();
    metrics.add('lookups', decisions.length);
    return { decisions };
  });
}

function asRefusal(error: unknown): never {
  if (error instanceof JournalFullError) throw new RefusedBody({ status: 503, code: 'journal_full', message: error.message });
  throw error;
}

function triageOf({ enricher, pipeline, clock }: TriageRouteOptions, store: Triage['store']): Triage {
  return {
    enricher,
    rules: pipeline?.config.triage ?? TriageSettings.parse({}),
    clock: { ...systemPipelineClock, nowMs: () => clock.epochMs() },
    store,
    outputs: pipeline?.recipients ?? [],
    recordsSightings: pipeline?.config.watchlist.recordSightings ?? false,
    maxPending: pipeline?.config.pipeline.maxPending ?? 0,
  };
}

async function triage(
  body: unknown,
  { settings: { maxIndicators }, workers, triage: work }: TriageRouteOptions & { readonly triage: Triage },
  wait: { readonly timeoutMs: number; readonly signal: AbortSignal },
) {
  if (body instanceof LongBody) {
    const what = { max: maxIndicators, notesSightings: notesSightings(work) };
    const triaged = await triageReadings(await workers.readAlerts(body, what, wait.signal), work, wait);
    return triaged.map(({ decision }) => decision);
  }
  const alerts = alertsOf(body);
  if (alerts === null) throw new RefusedBody(NO_ALERTS);
  if (alerts.length > maxIndicators) throw new RefusedBody(tooManyAlerts(maxIndicators));
  return await triageAlerts(alerts, work, wait);
}
