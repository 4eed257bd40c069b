import type { FastifyInstance } from 'fastify';
import type { Askable } from '../../../compose/askable.ts';
import { enrichInTurns } from '../../../engine/enrich-in-turns.ts';
import { mapInTurns } from '../../../engine/turns.ts';
import type { Enricher, EnrichOptions } from '../../../engine/enricher.ts';
import { toEnrichmentJson, toExplainedJson } from '../../../mapping/enrichment-json.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import { callerOf, isRefusal } from '../http/caller.ts';
import { signalOf } from '../http/call.ts';
import { timeoutOf } from '../http/deadline.ts';
import { refusalBody } from '../http/replies.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { LOOKUP_BODY } from '../../../openapi/api-schemas.ts';
import { createLongAnswers } from './long-answers.ts';
import { toPlanJson } from './plan-json.ts';

/** What the route works with. */
export interface LookupRouteOptions {
  readonly enricher: Enricher;
  readonly settings: SidecarSettings;
  readonly metrics: Metrics;
  /** Profiles a call may name. */
  readonly profiles?: readonly string[] | undefined;
  /** Refuses providers that nobody could ask; without it whoever the enricher knows is asked. */
  readonly askable?: Askable | undefined;
}

/** The body of `POST /v1/lookup`, as its schema has checked it. */
interface LookupBody {
  readonly indicators: readonly string[];
  readonly providers?: readonly string[];
  readonly timeout_ms?: number;
  readonly max_age_s?: number;
  readonly plan?: boolean;
  readonly explain?: boolean;
  readonly profile?: string;
  readonly tlp?: string;
}

/** `POST /v1/lookup`: values in, enrichments out, one for each, in the same order; with `plan` what that would cost. */
export function addLookupRoute(app: FastifyInstance, { enricher, settings, metrics, profiles = [], askable }: LookupRouteOptions): void {
  const longAnswers = createLongAnswers();
  app.post<{ Body: LookupBody; Querystring: Record<string, string> }>(
    '/v1/lookup',
    { schema: { body: LOOKUP_BODY }, bodyLimit: settings.maxSmallBodyBytes },
    async (request, reply) => {
      const { indicators, providers, max_age_s: maxAgeS, plan, explain } = request.body;
      if (indicators.length > settings.maxIndicators) {
        const message = `more than ${settings.maxIndicators} indicators in one call: send fewer at once`;
        return reply.code(413).send(refusalBody({ code: 'too_many_indicators', message }));
      }
      const query = new URLSearchParams(request.query);
      const timeoutMs = request.body.timeout_ms ?? timeoutOf(request.raw, query, settings.timeoutMs);
      if (typeof timeoutMs !== 'number') return reply.code(timeoutMs.status).send(refusalBody(timeoutMs));
      const asking = callerOf(request.raw, query, profiles, request.body);
      if (isRefusal(asking)) return reply.code(asking.status).send(refusalBody(asking));
      const refusal = providers === undefined ? null : ((await askable?.refuse(providers, asking?.profile)) ?? null);
      if (refusal !== null) return reply.code(400).send(refusalBody({ code: 'unknown_provider', message: refusal }));
      const options: EnrichOptions = {
        timeoutMs,
        signal: signalOf({ res: reply.raw }),
        ...(providers && { providers }),
        ...(maxAgeS !== undefined && { maxAgeS }),
        ...asking,
      };
      if (plan === true) return { plan: toPlanJson(await enricher.plan(indicators, options)) };
      const found = await enrichInTurns(enricher, new Set(indicators), options);
      metrics.add('lookups', indicators.length);
      const toJson = (value: string) => {
        const one = answerTo(value, found);
        return explain === true ? toExplainedJson(one, enricher.explain?.(one, options) ?? []) : toEnrichmentJson(one);
      };
      const note = (await askable?.note(asking?.profile)) ?? null;
      const enrichments = await longAnswers.make(indicators.length, () => mapInTurns(indicators, toJson, options.signal));
      return { enrichments, ...(note === null ? {} : { note }) };
    },
  );
}

function answerTo(value: string, found: ReadonlyMap<string, Enrichment>): Enrichment {
  const one = found.get(value);
  if (one === undefined) throw new Error('the engine answers every value');
  return one;
}
