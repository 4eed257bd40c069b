import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { questionIn } from '../../../engine/field-routes.ts';
import type { Enrichment } from '../../../model/enrichment.ts';
import type { EcsDetail } from '../../../mapping/ecs-roll-up.ts';
import type { WantedFields } from '../../../events/wanted-fields.ts';
import { routeByField } from '../../../model/question.ts';
import { callerOf, isRefusal } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { signalOf } from '../http/call.ts';
import type { Call, Fail, HotRoute } from '../http/call.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { timeoutOf } from '../http/deadline.ts';
import { readBody } from '../http/read-body.ts';
import { sendEarly, sendJson } from '../http/replies.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { toLogstashAnswer, toLogstashFailure, toNothingToLookUp } from '../../../events/logstash/logstash-answer.ts';
import { dotted, MAX_NESTING, readLogstashBody } from '../../../events/logstash/read-logstash-body.ts';
import type { FieldValue } from '../../../events/logstash/read-logstash-body.ts';

/** Characters of a field's name that a message repeats. */
const SHOWN_CHARACTERS = 80;

/** What the route works with. */
export interface LogstashRouteOptions {
  readonly enricher: Enricher;
  readonly wanted: WantedFields;
  readonly settings: SidecarSettings;
  readonly detail: EcsDetail;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** The room that all bodies share. */
  readonly held: HeldBytes;
  readonly fail: Fail;
  /** Profiles a call may name. */
  readonly profiles: readonly string[];
  /** Takes a copy of what was enriched, to note who was seen with what; `undefined`: nobody wants that. */
  readonly sightings?: Pick<NonNullable<PipelinePart['sightings']>, 'offer'> | undefined;
}

/**
 * `POST /v1/logstash`: one event's values, answered 200 whatever happens: the filter throws any other answer away, words and all.
 * Who is not allowed to ask is still told so by 401.
 */
export function createLogstashRoute(options: LogstashRouteOptions): HotRoute {
  const { settings, clock, profiles, detail } = options;
  const refuse = createRefuse(detail);
  return {
    path: '/v1/logstash',
    refuse,
    answer(call) {
      // A wrong time limit is no reason to leave an event without an answer.
      const given = timeoutOf(call.req, call.query, settings.logstashTimeoutMs);
      const asking = callerOf(call.req, call.query, profiles);
      if (isRefusal(asking)) return sendEarly(call, 200, toLogstashFailure('invalid', asking.message, detail));
      const dueMs = clock.monotonicMs() + (typeof given === 'number' ? given : settings.logstashTimeoutMs);
      const limits = { limit: settings.maxSmallBodyBytes, held: options.held, fail: (error: unknown) => options.fail(call, error, refuse) };
      readBody(call, limits, (refusal, body) => {
        if (refusal !== null)
          return sendEarly(call, 200, toLogstashFailure(refusal.status === 503 ? 'unavailable' : 'invalid', refusal.message, detail));
        const { values, isRead, isTooMuch, tooDeep } = readLogstashBody(body, options.wanted);
        if (isTooMuch || values.length > settings.maxIndicators)
          return sendJson(call.res, 200, toLogstashFailure('invalid', `more than ${settings.maxIndicators} values in one event`, detail));
        if (values.length === tooDeep.length && tooDeep.length > 0)
          return sendJson(call.res, 200, toLogstashFailure('invalid', tooDeepMessage(tooDeep), detail));
        if (values.length === 0 && isRead) return sendJson(call.res, 200, toNothingToLookUp(detail));
        if (options.sightings !== undefined) options.sightings.offer(body, 'logstash');
        return lookUp(options, { call, values, dueMs, asking, refuse });
      });
    },
  };
}

type Refuse = NonNullable<HotRoute['refuse']>;

function createRefuse(detail: EcsDetail): Refuse {
  return (call, { message }) => sendEarly(call, 200, toLogstashFailure('unavailable', message, detail));
}

function tooDeepMessage(fields: readonly string[]): string {
  const shown = fields[0]?.slice(0, SHOWN_CHARACTERS) ?? '';
  return `${shown === '' ? 'the event' : `the field ${JSON.stringify(shown)}`} nests deeper than ${MAX_NESTING} brackets: send the fields that hold values`;
}

/** A value with what is asked about it. */
interface Asked extends Pick<FieldValue, 'field'> {
  readonly question: string;
}

interface Job {
  readonly call: Call;
  readonly values: readonly FieldValue[];
  readonly dueMs: number;
  /** As whom the call asks; `null`: it does not say. */
  readonly asking: Caller | null;
  readonly refuse: Refuse;
}

function lookUp(options: LogstashRouteOptions, job: Job): void {
  const { enricher, clock } = options;
  const known = new Map<string, Enrichment>();
  const missing = new Set<string>();
  const asked = questionsOf(enricher, job);
  for (const { question } of asked) {
    const enrichment = job.asking === null ? enricher.peek(question) : undefined;
    if (enrichment === undefined) missing.add(question);
    else known.set(question, enrichment);
  }
  if (missing.size === 0) return reply(options, job.call, asked, known);
  const timeoutMs = Math.max(1, Math.ceil(job.dueMs - clock.monotonicMs()));
  enricher
    .enrichMany(missing, { ...job.asking, timeoutMs, signal: signalOf(job.call) })
    .then((fetched) => reply(options, job.call, asked, new Map([...known, ...fetched])))
    .catch((error: unknown) => options.fail(job.call, error, job.refuse));
  return undefined;
}

function questionsOf({ routeOf }: Enricher, { values, asking }: Job): readonly Asked[] {
  const by = { routeOf: asking === null ? routeOf : routeOf && routeByField };
  return values.map(({ field, value }) => ({ field, question: questionIn(by, { field: dotted(field), value }) }));
}

function reply(
  { settings, metrics, clock, detail }: LogstashRouteOptions,
  call: Call,
  asked: readonly Asked[],
  known: ReadonlyMap<string, Enrichment>,
): void {
  const found = asked.flatMap(({ field, question }) => {
    const enrichment = known.get(question);
    return enrichment === undefined ? [] : [{ field, enrichment }];
  });
  metrics.add('lookups', found.length);
  const rules = {
    matchedType: settings.matchedType === 'none' ? null : settings.matchedType,
    occurred: new Date(clock.epochMs()).toISOString(),
    detail,
  };
  sendJson(call.res, 200, toLogstashAnswer(found, rules));
}
