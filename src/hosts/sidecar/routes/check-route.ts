import type { Enricher } from '../../../engine/enricher.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import { callerOf, isRefusal } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { signalOf } from '../http/call.ts';
import type { Call, HotRoute } from '../http/call.ts';
import { timeoutOf } from '../http/deadline.ts';
import { sendJson } from '../http/replies.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { toCheckAnswer } from '../../../mapping/check-answer.ts';

/** What the route works with. */
export interface CheckRouteOptions {
  readonly enricher: Enricher;
  readonly settings: SidecarSettings;
  readonly metrics: Metrics;
  /** Profiles a call may name. */
  readonly profiles?: readonly string[] | undefined;
}

/** `GET /check?query=…`: isMalicious' own call, so that a script or a Logstash filter made for that only changes its host. */
export function createCheckRoute({ enricher, settings, metrics, profiles = [] }: CheckRouteOptions): HotRoute {
  function reply({ res }: Call, enrichment: Enrichment): void {
    metrics.add('lookups', 1);
    const { status, headers, body } = toCheckAnswer(enrichment);
    sendJson(res, status, body, headers);
  }

  async function lookUp(call: Call, query: string, options: Caller & { timeoutMs: number }): Promise<void> {
    const enrichment = (await enricher.enrichMany([query], { ...options, signal: signalOf(call) })).get(query);
    if (enrichment === undefined) throw new Error('the engine answers every value');
    reply(call, enrichment);
  }

  return {
    path: '/check',
    answer(call) {
      const query = call.query?.get('query')?.trim() ?? '';
      if (query === '') return badQuery(call, 'query is required: GET /check?query=<value>');
      const timeoutMs = timeoutOf(call.req, call.query, settings.timeoutMs);
      if (typeof timeoutMs !== 'number') return badQuery(call, timeoutMs.message);
      const asking = callerOf(call.req, call.query, profiles);
      if (isRefusal(asking)) return badQuery(call, asking.message);
      // What memory knows was asked with the keys and for the eyes of the house.
      const known = asking === null ? enricher.peek(query) : undefined;
      return known === undefined ? lookUp(call, query, { ...asking, timeoutMs }) : reply(call, known);
    },
  };
}

function badQuery({ res }: Call, message: string): void {
  sendJson(res, 400, { error: 'Invalid query', message, errors: [message] });
}
