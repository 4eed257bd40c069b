import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { detailOf, failureOf, retryAll } from './forms/read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputAnswer, type OutputContext, type OutputItem, type OutputResult } from './output.ts';
import { summaryOf } from './forms/item-summary.ts';
import { evidenceUrlSetting, isOver, ticketFacts } from './forms/ticket.ts';

const setting = declareSettings('outputs.slack');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Incoming webhook; anyone who has it can post. With `bot_token`: https://slack.com/api.', {
    secret: true,
  }),
  botToken: setting(
    'botToken',
    z.optional(z.string().check(z.minLength(1))),
    'Token of an app with `chat:write`: an indicator gets a thread of its own in `channel`, and what is learnt later goes into it.',
    { secret: true },
  ),
  channel: setting('channel', z._default(z.string(), ''), 'Id of the channel for `bot_token`, like `C0123456789`.'),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(20)), 10), 'Indicators in one message of the webhook, 1 to 20.'),
  evidenceUrl: evidenceUrlSetting(setting),
});
type Context = OutputContext<z.output<typeof Settings>>;

const Posted = z.object({ ok: z.boolean(), ts: z.optional(z.string()), error: z.optional(z.string()) });
/** Errors inside HTTP 200 of Slack's API that pass by themselves. */
const PASSING = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'ratelimited', 'rate_limited']);
/** Those that are about the one message. */
const ABOUT_MESSAGE = new Set(['msg_too_long', 'invalid_blocks', 'invalid_blocks_format', 'no_text', 'msg_blocks_too_long']);

/** Posted by the webhook, or by the app: into the thread `thread`, or as the first message of a new one. */
type State = { readonly at: 'webhook' } | { readonly at: 'thread'; readonly thread: string | null };

/** A notice in Slack, by incoming webhook, or by an app with a thread for each indicator. It knows no duplicates. */
export const slack = defineOutput<typeof Settings, State>({
  id: 'slack',
  title: 'Slack',
  docs: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  keepsTickets: true,
  limits: ({ batchSize, botToken }) => ({ items: botToken === undefined ? batchSize : 1, bytes: 100_000 }),
  start(items, context) {
    const { settings, ticket } = context;
    if (settings.botToken !== undefined) return postStep(items, context, ticket?.isOpen === true ? ticket.ref : null);
    const call = slackCall(new URL(settings.baseUrl), messageOf(items, settings.evidenceUrl), {});
    return { call: { ...call, isSecretUrl: true }, state: { at: 'webhook' } };
  },
  read(answer, { state }, items, context) {
    if (state.at === 'thread') return readPosted(answer, state.thread, { items, context });
    // 410 and `no_service`: the webhook was taken back.
    if (answer.status === 410 || answer.body === 'no_service') return { halt: 'Slack: the webhook no longer exists' };
    return failureOf(answer, items, context.nowS) ?? { delivered: items };
  },
});

function postStep(items: readonly OutputItem[], { settings }: Context, thread: string | null) {
  const [item] = items;
  // That it is over is for the whole channel, as its beginning was.
  const into = thread === null ? {} : { thread_ts: thread, reply_broadcast: item !== undefined && isOver(item) };
  const body = { channel: settings.channel, ...messageOf(items, settings.evidenceUrl), ...into };
  const url = new URL(`${settings.baseUrl}/chat.postMessage`);
  const call = slackCall(url, body, { authorization: `Bearer ${settings.botToken ?? ''}` });
  return { call, state: { at: 'thread' as const, thread } };
}

function readPosted(
  answer: OutputAnswer,
  thread: string | null,
  { items, context }: { items: readonly OutputItem[]; context: Context },
): OutputResult<State> {
  const failure = failureOf(answer, items, context.nowS);
  const [item] = items;
  if (failure || !item) return failure ?? {};
  const { ok, ts, error = 'no reason' } = Posted.parse(answer.body);
  if (ok) return { delivered: items, ticket: { ref: thread ?? ts ?? '', isOpen: !isOver(item) && (thread ?? ts) !== undefined } };
  // Its first message was deleted: a new thread begins.
  if (thread !== null && error === 'thread_not_found') return { next: postStep(items, context, null) };
  const reason = `Slack: ${detailOf(error).slice(2)}`;
  if (PASSING.has(error)) return retryAll(items, reason);
  if (ABOUT_MESSAGE.has(error)) return { rejected: [{ item, reason }] };
  return { halt: `${reason}: check token, scope and channel` };
}

function messageOf(items: readonly OutputItem[], evidenceUrl: string | undefined) {
  const blocks = items.map((item) => {
    const facts = ticketFacts(item, evidenceUrl).map(([name, text]) => `*${name}:* ${slackText(text)}`);
    return { type: 'section', text: { type: 'mrkdwn', text: [`*${slackText(summaryOf(item))}*`, ...facts].join('\n').slice(0, 2900) } };
  });
  const text = items.length === 1 && items[0] ? summaryOf(items[0]) : `${items.length} indicators judged`;
  return { text: slackText(text), blocks };
}

function slackCall(url: URL, body: unknown, headers: Readonly<Record<string, string>>): HttpOutputCall {
  return { kind: 'http', url, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** Slack's three control characters. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
