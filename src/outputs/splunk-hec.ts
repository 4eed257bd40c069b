import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { detailOf, retryAfterOf, retryAll } from './forms/read-answer.ts';
import { toHecEvent } from './forms/hec-event.ts';
import { defineOutput, type OutputAnswer, type OutputContext, type OutputItem, type OutputResult, type OutputStep } from './output.ts';

/** Codes of a HEC answer (Splunk, "Troubleshoot HTTP Event Collector"), by what they ask of us. */
const TAKEN = new Set([0, 17, 24, 25]);
const ALMOST_FULL = new Set([24, 25]);
const BUSY = new Set([8, 9, 18, 19, 20, 23, 26, 27]);
/** Token, channel or index: nothing is wrong with the events. */
const MISCONFIGURED = new Set([1, 2, 3, 4, 7, 10, 11, 14, 16]);

const SLOW_DOWN_MS = 5000;
const FIRST_ACK_WAIT_MS = 1000;
const MAX_ACK_POLLS = 8;

const setting = declareSettings('outputs.splunk_hec');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Address of the HTTP Event Collector, for example https://splunk.example:8088.'),
  token: setting('token', z.string().check(z.minLength(1)), 'HEC token.', { secret: true }),
  index: setting('index', z.optional(z.string()), 'Index to write to; by default that of the token.'),
  host: setting('host', z._default(z.string(), 'ismalicious'), 'Value of the `host` field.'),
  ack: setting(
    'ack',
    z._default(z.boolean(), false),
    'Wait for indexer acknowledgement; the token has to have it on (not on Splunk Cloud).',
  ),
  channel: setting(
    'channel',
    z._default(z.string().check(z.regex(/^[0-9a-fA-F-]{36}$/)), '6f1d2a7c-9b41-4e0a-8b57-e3b0bf5c9f3c'),
    'Channel (a UUID) that acknowledgements belong to; one per sender.',
  ),
  gzip: setting('gzip', z._default(z.boolean(), true), 'Send compressed.'),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(5000)), 500), 'Events in one call, 1 to 5000.'),
});
type Context = OutputContext<z.output<typeof Settings>>;

/** Sending, or polling for the acknowledgement `ackId`. */
type State = { readonly at: 'send' } | { readonly at: 'ack'; readonly ackId: number; readonly polls: number };

const HecAnswer = z.object({
  code: z.int(),
  text: z.optional(z.string()),
  ackId: z.optional(z.int()),
  'invalid-event-number': z.optional(z.int()),
});
const AckAnswer = z.object({ acks: z.record(z.string(), z.boolean()) });

/** Splunk HTTP Event Collector, sourcetype `ioc:enriched`. HEC itself knows no duplicates: search can drop them by `event_id`. */
export const splunkHec = defineOutput<typeof Settings, State>({
  id: 'splunk_hec',
  title: 'Splunk HTTP Event Collector',
  docs: 'https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data',
  settings: Settings,
  defaults: { minScore: 70, tellsTurns: true },
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 1_000_000 }),
  start: sendStep,
  read(answer, step, items, context) {
    return step.state.at === 'ack' ? readAck(answer, step.state, { items, context }) : readSent(answer, items, context);
  },
});

function sendStep(items: readonly OutputItem[], { settings }: Context): OutputStep<State> {
  const body = items.map((item) => JSON.stringify(toHecEvent(item, settings))).join('\n');
  return { call: hecCall('event', body, settings), state: { at: 'send' } };
}

function hecCall(path: string, body: string, { baseUrl, token, ack, channel, gzip }: z.output<typeof Settings>) {
  const base = baseUrl.replace(/\/services\/collector.*$/, '');
  return {
    kind: 'http' as const,
    url: new URL(`${base}/services/collector/${path}`),
    method: 'POST' as const,
    headers: {
      authorization: `Splunk ${token}`,
      'content-type': 'application/json',
      ...(ack ? { 'x-splunk-request-channel': channel } : {}),
    },
    body,
    gzip: gzip && path === 'event',
  };
}

function readSent(answer: OutputAnswer, items: readonly OutputItem[], context: Context): OutputResult<State> {
  const parsed = HecAnswer.safeParse(answer.body);
  if (!parsed.success) return readForeign(answer, items, context);
  const { code, text = '', ackId, 'invalid-event-number': badAt } = parsed.data;
  const reason = `HEC code ${code}: ${text.slice(0, 120)}`;
  if (TAKEN.has(code)) {
    const slower = ALMOST_FULL.has(code) ? { retryAfterMs: SLOW_DOWN_MS } : {};
    if (!context.settings.ack) return { ...slower, delivered: items };
    if (ackId !== undefined) return { ...slower, next: ackStep({ at: 'ack', ackId, polls: 0 }, context) };
    // They are in, and go out once only; whether they will be kept nobody says.
    return { delivered: items, halt: 'the token has indexer acknowledgement off: switch it on, or set outputs.splunk_hec.ack to false' };
  }
  if (BUSY.has(code)) {
    const retryAfterMs = retryAfterOf(answer, context.nowS);
    return { ...retryAll(items, reason), ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  if (MISCONFIGURED.has(code)) return { halt: reason };
  const bad = badAt === undefined ? undefined : items[badAt];
  if (!bad) return { split: reason };
  // Events before the bad one may be in already; HEC does not say. They go again under the same event_id.
  const rest = items.filter((item) => item !== bad);
  return { rejected: [{ item: bad, reason }], ...(rest.length > 0 ? { next: sendStep(rest, context) } : {}) };
}

/** An answer that is not HEC's: a proxy or load balancer speaks. */
function readForeign(answer: OutputAnswer, items: readonly OutputItem[], { nowS }: Context): OutputResult<State> {
  const reason = `HTTP ${answer.status} that is not a HEC answer${detailOf(answer.body)}`;
  if (answer.status === 413) return { split: reason };
  if (answer.status === 429 || answer.status >= 500 || answer.status === 408) {
    const retryAfterMs = retryAfterOf(answer, nowS);
    return { ...retryAll(items, reason), ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  return { halt: `${reason}: check its address` };
}

function ackStep(state: State & { at: 'ack' }, { settings }: Context): OutputStep<State> {
  const call = hecCall('ack', JSON.stringify({ acks: [state.ackId] }), settings);
  call.url.searchParams.set('channel', settings.channel);
  return { call, state, isQuestion: true, waitMs: FIRST_ACK_WAIT_MS * 2 ** Math.min(state.polls, 4) };
}

function readAck(
  answer: OutputAnswer,
  state: State & { at: 'ack' },
  { items, context }: { items: readonly OutputItem[]; context: Context },
): OutputResult<State> {
  const parsed = AckAnswer.safeParse(answer.body);
  if (parsed.success && parsed.data.acks[String(state.ackId)] === true) return { delivered: items };
  const refused = HecAnswer.safeParse(answer.body);
  if (refused.success && MISCONFIGURED.has(refused.data.code))
    return { halt: `HEC code ${refused.data.code} when asked for the acknowledgement: ${(refused.data.text ?? '').slice(0, 120)}` };
  if (state.polls + 1 < MAX_ACK_POLLS) return { next: ackStep({ ...state, polls: state.polls + 1 }, context) };
  return retryAll(items, 'not acknowledged by the indexers');
}
