// src/hosts/sidecar/routes/: one file a route, and what routes share.
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { enrichLater } from '../../../events/enrich-later.ts';
import type { LateEnrichment } from '../../../events/enrich-later.ts';
import { enrichSlices, LONG_TEXT_BYTES, MAX_VALUES } from '../../../events/enrich-slices.ts';
import { startOf } from '../../../events/enrich-text.ts';
import type { EnrichedText } from '../../../events/enrich-text.ts';
import { callerOf, isRefusal } from '../http/caller.ts';
import type { BufferPool } from '../../../events/buffer-pool.ts';
import { signalOf } from '../http/call.ts';
import type { Call, Fail, HotRoute } from '../http/call.ts';
import { timeoutOf } from '../http/deadline.ts';
import { headerOf } from '../http/headers.ts';
import { FREE_BYTES, NO_ROOM } from '../http/held-bytes.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import { readBody } from '../http/read-body.ts';
import { utf8Body } from '../bodies/utf8-body.ts';
import { sendBytes, sendRefusal } from '../http/replies.ts';
import type { Refusal } from '../http/replies.ts';
import { describeFault } from '../../../events/json/describe-json-fault.ts';
import { skipSpace } from '../../../events/json/json-bytes.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import type { EnrichAsCaller } from './enrich-as-caller.ts';

type BodyForm = 'json' | 'ndjson';

const NDJSON = 'application/x-ndjson';
const FORMS: ReadonlyMap<string, BodyForm> = new Map([
  ['application/json', 'json'],
  [NDJSON, 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/json-lines', 'ndjson'],
]);

/** What the route works with. */
export interface EnrichRouteOptions extends LateEnrichment {
  readonly settings: SidecarSettings;
  readonly metrics: Metrics;
  /** Where bodies and answers have their room from. */
  readonly pool: BufferPool;
  /** The same for an answer that is sent before the next text is enriched: a short one needs no room of its own. */
  readonly allocate: (size: number) => Buffer;
  /** Takes a copy of what was enriched, to note who was seen with what; `undefined`: nobody wants that. */
  readonly sightings?: Pick<NonNullable<PipelinePart['sightings']>, 'offer'> | undefined;
  /** Profiles a call may name. */
  readonly profiles: readonly string[];
  /** For calls that say as whom they ask. */
  readonly enrichAsCaller: EnrichAsCaller;
  /** Takes the reason when a call could not be answered for a fault of ours. */
  readonly fail: Fail;
  /** The room that all bodies and answers share. */
  readonly held: HeldBytes;
}

interface Job {
  readonly call: Call;
  readonly text: Buffer;
  readonly form: BodyForm;
}

/** `POST /v1/enrich`: the same events back, in order, with what was found out added. */
export function createEnrichRoute(options: EnrichRouteOptions): HotRoute {
  const { settings, clock, pool, held, profiles, enrichAsCaller } = options;
  return {
    path: '/v1/enrich',
    answer(call) {
      const { req, res } = call;
      const timeoutMs = timeoutOf(req, call.query, settings.timeoutMs);
      if (typeof timeoutMs !== 'number') return sendRefusal(req, res, timeoutMs);
      const asking = callerOf(req, call.query, profiles);
      if (isRefusal(asking)) return sendRefusal(req, res, asking);
      const fail = (error: unknown) => options.fail(call, error);
      return readBody(call, { limit: settings.maxBodyBytes, pool, held, fail }, (refusal, body) => {
        if (pool.owns(body)) res.once('close', () => pool.give(body));
        if (refusal !== null) return sendRefusal(req, res, refusal);
        const text = utf8Body(body);
        const form = formOf(headerOf(req, 'content-type'), text);
        if (form === null) return sendRefusal(req, res, UNKNOWN_FORM);
        // What the body took to arrive is the caller's own time.
        const dueMs = clock.monotonicMs() + timeoutMs;
        return enrich(asking === null ? options : { ...options, ...enrichAsCaller(asking) }, { call, text, form }, dueMs);
      });
    },
  };
}

function enrich(options: EnrichRouteOptions, job: Job, dueMs: number): void {
  const { text, form, call } = job;
  if (text.length > LONG_TEXT_BYTES) {
    enrichLong(options, job, dueMs).catch((error: unknown) => options.fail(call, error));
    return;
  }
  const result = options.texts.enrich(text, form, undefined, options.allocate);
  if (result.kind !== 'missing') return reply(options, job, result);
  const late = { text, form, missing: result.values, dueMs, signal: signalOf(call) };
  enrichLater(options, late)
    .then((outcome) => reply(options, job, outcome))
    .catch((error: unknown) => options.fail(call, error));
  return undefined;
}

function reply(options: EnrichRouteOptions, { call, text, form }: Job, result: EnrichedText): void {
  const { settings, pool, held } = options;
  if (result.kind !== 'enriched') return sendRefusal(call.req, call.res, refusalOf(result, text, settings));
  if (pool.owns(result.text)) call.res.once('close', () => pool.give(result.text));
  if (result.isMade && result.text.length > FREE_BYTES && !held.hold(call.res, result.text.length))
    return sendRefusal(call.req, call.res, NO_ROOM);
  count(options, { call, text, form }, result);
  if (result.invalidLines === 0) return sendBytes(call.res, form === 'json' ? 'application/json' : NDJSON, result.text);
  return sendBytes(call.res, NDJSON, result.text, [INVALID_LINES, String(result.invalidLines)]);
}

/** A long text is worked on in slices, and its answer goes out in the same parts. */
async function enrichLong(options: EnrichRouteOptions, { call, text, form }: Job, dueMs: number): Promise<void> {
  const { settings, pool, held } = options;
  const { req, res } = call;
  const made: Buffer[] = [];
  res.once('close', () => {
    for (const part of made) pool.give(part);
  });
  const result = await enrichSlices(options, {
    text,
    form,
    maxEvents: settings.maxEvents,
    dueMs,
    signal: signalOf(call),
    allocate: pool.take,
    keep(part, isMade) {
      if (isMade) made.push(part);
      return !isMade || held.hold(res, part.length);
    },
  });
  if (res.destroyed) return undefined;
  if (result.kind === 'no-room') return sendRefusal(req, res, NO_ROOM);
  if (result.kind === 'too-many-values') return sendRefusal(req, res, TOO_MANY_VALUES);
  if (result.kind !== 'enriched') return sendRefusal(req, res, refusalOf(result, text, settings));
  count(options, { call, text, form }, result);
  const length = result.parts.reduce((sum, part) => sum + part.length, 0);
  const noted = result.invalidLines === 0 ? [] : [INVALID_LINES, String(result.invalidLines)];
  res.writeHead(200, ['content-type', form === 'json' ? 'application/json' : NDJSON, 'content-length', String(length), ...noted]);
  for (const part of result.parts) res.write(part);
  res.end();
  return undefined;
}

interface Counted {
  readonly events: number;
  readonly invalidLines: number;
  readonly worsts: readonly number[];
}

function count({ metrics, sightings }: EnrichRouteOptions, { text, form }: Job, { events, invalidLines, worsts }: Counted): void {
  metrics.add('events', events);
  metrics.add('body_bytes', text.length);
  metrics.addVerdicts(worsts);
  if (invalidLines > 0) metrics.add('invalid_lines', invalidLines);
  if (sightings !== undefined) sightings.offer(text, form);
}

/** The content type says it; without one, or with Logstash's `text/plain`, the text itself does. `null`: some other type. */
function formOf(contentType: string | undefined, text: Buffer): BodyForm | null {
  if (contentType === 'application/json') return 'json';
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const known = FORMS.get(type);
  if (known !== undefined) return known;
  if (type !== '' && type !== 'text/plain') return null;
  // An object that is followed by another one, on a line of its own, is NDJSON.
  return /^\s*\{[^\n]*\}\s*\n\s*\{/.test(text.toString('latin1', skipSpace(text, startOf(text), text.length))) ? 'ndjson' : 'json';
}

const INVALID_LINES = 'x-ismalicious-invalid-lines';

const TOO_MANY_VALUES: Refusal = {
  status: 413,
  code: 'too_many_values',
  message: `more than ${MAX_VALUES} values that have to be looked up in one call: send fewer events at once`,
};

const UNKNOWN_FORM: Refusal = {
  status: 415,
  code: 'unsupported_type',
  message: `send events as application/json (one object, or an array of them) or as ${NDJSON}`,
};

function refusalOf(result: Exclude<EnrichedText, { kind: 'enriched' }>, text: Buffer, settings: SidecarSettings): Refusal {
  if (result.kind === 'too-many') {
    return { status: 413, code: 'too_many_events', message: `more than ${settings.maxEvents} events in one call: send fewer at once` };
  }
  const offset = result.kind === 'fault' ? result.offset : 0;
  const fault = describeFault(text, offset, settings.maxDepth);
  return {
    status: 400,
    code: 'invalid_json',
    message: `${fault}. Send one event object, an array of event objects, or an object a line as ${NDJSON}`,
  };
}
