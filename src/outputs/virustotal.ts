import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import type { Indicator } from '../model/indicator.ts';
import { defineOutput, type OutputAnswer, type OutputContext, type OutputItem, type OutputResult, type OutputStep } from './output.ts';
import { isHeldByOthers, publicComment } from './forms/own-evidence.ts';
import { failureOf } from './forms/read-answer.ts';

/** A quota answer may mean the minute, the day or the month. */
const QUOTA_WAIT_MS = 60_000;

const setting = declareSettings('outputs.virustotal');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'VirusTotal v3 key; votes and comments appear under its account.', {
    secret: true,
  }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://www.virustotal.com'), 'Base URL of VirusTotal.'),
  say: setting(
    'say',
    z._default(z.array(z.enum(['vote', 'comment'])).check(z.minLength(1)), ['vote']),
    'What is said there: vote (malicious), comment (public: verdict, categories and score), or both.',
  ),
});
type Context = OutputContext<z.output<typeof Settings>>;
type Word = Context['settings']['say'][number];

/** What is said now, and what is left to say. */
interface State {
  readonly left: readonly Word[];
  /** Whether something new was taken before. */
  readonly hasSaid: boolean;
}

const Refusal = z.object({ error: z.object({ code: z.string() }) });

/** Votes and comments at VirusTotal on what our own alerts met. What VirusTotal alone says is not voted for. */
export const virustotalOutput = defineOutput<typeof Settings, State>({
  id: 'virustotal',
  title: 'VirusTotal votes and comments',
  docs: 'https://docs.virustotal.com/reference/overview',
  settings: Settings,
  defaults: { tiers: ['p1'], events: ['triage'], dryRun: true, maxTlp: 'CLEAR' },
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256'],
  accepts: (item) => isHeldByOthers(item, 'virustotal'),
  limits: () => ({ items: 1, bytes: 100_000 }),
  start([item], context) {
    return step(item, context.settings.say, { context, hasSaid: false });
  },
  read(answer, { state }, items, context): OutputResult<State> {
    const code = Refusal.safeParse(answer.body).data?.error.code.toLowerCase();
    // A vote or comment that is there stays as it is.
    const isThere = answer.status === 409 && code === 'alreadyexistserror';
    const failure = isThere ? null : failureIn(answer, code, { items, nowS: context.nowS });
    if (failure) return failure;
    const hasSaid = state.hasSaid || !isThere;
    if (state.left.length > 0) return { next: step(items[0], state.left, { context, hasSaid }) };
    return hasSaid ? { delivered: items } : { duplicate: items };
  },
});

function failureIn(answer: OutputAnswer, code: string | undefined, { items, nowS }: { items: readonly OutputItem[]; nowS: number }) {
  if (answer.status === 404 && code === 'notfounderror')
    return { rejected: items.map((item) => ({ item, reason: 'VirusTotal does not know it: there is no page to vote on' })) };
  const failure = failureOf(answer, items, nowS);
  return failure && answer.status === 429 ? { retryAfterMs: QUOTA_WAIT_MS, ...failure } : failure;
}

function step(
  item: OutputItem | undefined,
  [word = 'vote', ...left]: readonly Word[],
  { context, hasSaid }: { context: Context; hasSaid: boolean },
): OutputStep<State> {
  const { baseUrl, apiKey } = context.settings;
  const attributes = word === 'vote' ? { verdict: 'malicious' } : { text: item ? publicComment(item) : '' };
  return {
    call: {
      kind: 'http',
      url: new URL(`${baseUrl}/api/v3/${item ? pathOf(item.indicator) : ''}/${word}s`),
      method: 'POST',
      headers: { 'x-apikey': apiKey, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ data: { type: word, attributes } }),
    },
    state: { left, hasSaid },
  };
}

function pathOf({ type, value }: Indicator): string {
  const escaped = encodeURIComponent(value);
  if (type === 'ipv4-addr' || type === 'ipv6-addr') return `ip_addresses/${escaped}`;
  if (type === 'domain-name') return `domains/${escaped}`;
  // The identifier of a URL is its base64url without padding (v3 reference, "URLs").
  if (type === 'url') return `urls/${toBase64(value).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
  return `files/${escaped}`;
}
