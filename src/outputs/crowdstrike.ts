import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import type { IndicatorType } from '../model/indicator.ts';
import { failureOf, retryAll } from './forms/read-answer.ts';
import {
  defineOutput,
  type HttpOutputCall,
  type OutputAnswer,
  type OutputContext,
  type OutputItem,
  type OutputResult,
  type OutputStep,
  type Refusal,
} from './output.ts';
import { isoS, isThreat } from './forms/item-summary.ts';

const DAY_S = 86_400;
const TYPES: Partial<Readonly<Record<IndicatorType, string>>> = {
  'ipv4-addr': 'ipv4',
  'ipv6-addr': 'ipv6',
  'domain-name': 'domain',
  'file:md5': 'md5',
  'file:sha256': 'sha256',
};

const setting = declareSettings('outputs.crowdstrike');
const Settings = z.object({
  clientId: setting('clientId', z.string().check(z.minLength(1)), 'API client id; it needs IOC Management read and write.'),
  clientSecret: setting('clientSecret', z.string().check(z.minLength(1)), 'Secret of that client.', { secret: true }),
  baseUrl: setting(
    'baseUrl',
    z._default(endpoint(), 'https://api.crowdstrike.com'),
    'API of your cloud, for example https://api.eu-1.crowdstrike.com.',
  ),
  action: setting(
    'action',
    z._default(z.enum(['detect', 'no_action']), 'detect'),
    'What Falcon does with addresses and domains: detect or no_action. They are never blocked.',
  ),
  hashAction: setting(
    'hashAction',
    z._default(z.enum(['detect', 'no_action', 'prevent']), 'detect'),
    'What Falcon does with file hashes: detect, no_action, or prevent, which stops the file from running and has to be chosen by hand.',
  ),
  platforms: setting(
    'platforms',
    z._default(z.array(z.enum(['windows', 'mac', 'linux', 'ios', 'android'])), ['windows', 'mac', 'linux']),
    'Platforms it applies to.',
  ),
  hostGroups: setting('hostGroups', z._default(z.array(z.string()), []), 'Host groups it applies to; empty: all hosts.'),
  validDays: setting('validDays', z._default(z.int().check(z.gte(1), z.lte(365)), 30), 'Days until Falcon forgets it, 1 to 365.'),
});
type Context = OutputContext<z.output<typeof Settings>>;

/** Creating some, with those that Falcon turned out to have already; then finding and updating those, one after the other. */
type State =
  | { readonly at: 'create'; readonly creating: readonly OutputItem[]; readonly known: readonly OutputItem[] }
  | { readonly at: 'find' | 'update'; readonly known: readonly OutputItem[] };

const TokenAnswer = z.object({ access_token: z.string().check(z.minLength(1)), expires_in: z.number() });
const Row = z.object({
  row: z.optional(z.int()),
  type: z.optional(z.string()),
  value: z.optional(z.string()),
  message: z.optional(z.string()),
  message_type: z.optional(z.string()),
});
const CreateAnswer = z.object({
  resources: z.nullish(z.array(Row)),
  errors: z.nullish(z.array(z.object({ code: z.optional(z.int()), message: z.optional(z.string()) }))),
});
const Found = z.object({ resources: z.nullish(z.array(z.string())) });

/** CrowdStrike Falcon custom indicators. Detects by default; addresses and domains can never be set to block. */
export const crowdstrike = defineOutput<typeof Settings, State>({
  id: 'crowdstrike',
  title: 'CrowdStrike Falcon indicators',
  docs: 'https://falconpy.io/Service-Collections/IOC.html',
  settings: Settings,
  defaults: { minScore: 70, events: ['enriched', 'verdict_changed'] },
  accepts: isThreat,
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'file:md5', 'file:sha256'],
  limits: () => ({ items: 200, bytes: 1_000_000 }),
  signIn: {
    request: ({ baseUrl, clientId, clientSecret }) => ({
      kind: 'http',
      url: new URL(`${baseUrl}/oauth2/token`),
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret }).toString(),
    }),
    read(body) {
      const { access_token: token, expires_in: lifetimeS } = TokenAnswer.parse(body);
      return { token, lifetimeS };
    },
  },
  start: (items, context) => createStep(items, [], context),
  read(answer, step, items, context) {
    const { state } = step;
    const limited = readLimit(answer, items, context);
    if (limited) return limited;
    return state.at === 'create' ? readCreated(answer, state, context) : readKnown(answer, state, context);
  },
});

function createStep(creating: readonly OutputItem[], known: readonly OutputItem[], context: Context): OutputStep<State> {
  const body = { comment: 'isMalicious pack', indicators: creating.map((item) => indicatorOf(item, context)) };
  return {
    call: falconCall(context, { method: 'POST', path: '/iocs/entities/indicators/v1', body }),
    state: { at: 'create', creating, known },
  };
}

function indicatorOf(item: OutputItem, { settings, nowS }: Context) {
  const { answer } = item.enrichment;
  const isHash = item.indicator.type.startsWith('file:');
  return {
    type: TYPES[item.indicator.type] ?? '',
    value: item.indicator.value,
    action: isHash ? settings.hashAction : settings.action,
    severity: { p1: 'critical', p2: 'high', watch: 'medium', log: 'low', review: 'informational' }[answer.tier],
    platforms: settings.platforms,
    ...(settings.hostGroups.length > 0 ? { host_groups: settings.hostGroups } : { applied_globally: true }),
    expiration: isoS(nowS + settings.validDays * DAY_S),
    source: 'isMalicious',
    description: `${answer.verdict}, score ${answer.score ?? 'none'}, ${answer.categories.join(', ')}`.slice(0, 500),
    tags: ['ismalicious'],
  };
}

function falconCall(
  { settings, token }: Context,
  { method, path, body }: { method: HttpOutputCall['method']; path: string; body: unknown },
): HttpOutputCall {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body === null ? {} : { 'content-type': 'application/json' }),
  };
  return { kind: 'http', url: new URL(settings.baseUrl + path), method, headers, body: body === null ? null : JSON.stringify(body) };
}

/** 429 names the time in epoch seconds. */
function readLimit(answer: OutputAnswer, items: readonly OutputItem[], { nowS }: Context): OutputResult<State> | null {
  const at = Number(answer.headers['x-ratelimit-retryafter']);
  if (answer.status !== 429 || !Number.isFinite(at)) return null;
  return { ...retryAll(items, 'HTTP 429: rate limit'), retryAfterMs: Math.max(0, at - nowS) * 1000 };
}

function readCreated(answer: OutputAnswer, { creating, known }: State & { at: 'create' }, context: Context): OutputResult<State> {
  const parsed = CreateAnswer.safeParse(answer.body);
  const refusals = parsed.success ? (parsed.data.resources ?? []).filter((row) => row.message_type === 'error') : [];
  if (refusals.length === 0) {
    const failure = failureOf(answer, creating, context.nowS);
    if (failure) return failure;
    if (!parsed.success) return retryAll(creating, 'Falcon answers in another shape');
    const [fault] = parsed.data.errors ?? [];
    return fault
      ? { split: `Falcon: ${fault.message?.slice(0, 200) ?? 'refused'}` }
      : { delivered: creating, ...findFirst(known, context) };
  }
  const { duplicates, rejected } = sortRefusals(refusals, creating);
  if (duplicates.length + rejected.length === 0) return { split: 'Falcon refuses a row it does not name' };
  const bad = new Set([...duplicates, ...rejected.map(({ item }) => item)]);
  const others = creating.filter((item) => !bad.has(item));
  const found = [...known, ...duplicates];
  if (answer.status === 201) return { delivered: others, rejected, ...findFirst(found, context) };
  // One bad row stops the whole batch: the others go again. Should Falcon have taken them after all, they come back as duplicates.
  return { rejected, ...(others.length > 0 ? { next: createStep(others, found, context) } : findFirst(found, context)) };
}

function sortRefusals(refusals: readonly z.output<typeof Row>[], items: readonly OutputItem[]) {
  const duplicates: OutputItem[] = [];
  const rejected: Refusal[] = [];
  for (const { value, row, message = 'refused' } of refusals) {
    // Rows count from 1; `value` is there when the row has one.
    const item = items.find((one) => one.indicator.value === value?.toLowerCase()) ?? items[(row ?? 0) - 1];
    if (!item) continue;
    if (/duplicate/i.test(message)) duplicates.push(item);
    else rejected.push({ item, reason: `Falcon: ${message.slice(0, 200)}` });
  }
  return { duplicates, rejected };
}

/** The answer about the first of those Falcon has already; then on to the next of them. */
function readKnown(answer: OutputAnswer, { at, known }: State & { at: 'find' | 'update' }, context: Context): OutputResult<State> {
  const [item, ...rest] = known;
  if (!item) return {};
  const failure = failureOf(answer, [item], context.nowS);
  const goOn = findFirst(rest, context);
  if (failure) return failure.split === undefined ? failure : { rejected: [{ item, reason: `Falcon: ${failure.split}` }], ...goOn };
  if (at === 'update') return { duplicate: [item], ...goOn };
  const [id] = Found.parse(answer.body).resources ?? [];
  if (id === undefined) return { retryable: [{ item, reason: 'Falcon calls it a duplicate and does not find it' }], ...goOn };
  return { next: { call: updateCall(id, item, context), state: { at: 'update', known } } };
}

function findFirst(known: readonly OutputItem[], context: Context): { next?: OutputStep<State> } {
  const [item] = known;
  if (!item) return {};
  const filter = `type:'${TYPES[item.indicator.type] ?? ''}'+value:'${item.indicator.value}'`;
  const path = `/iocs/queries/indicators/v1?filter=${encodeURIComponent(filter)}&limit=1`;
  return { next: { call: falconCall(context, { method: 'GET', path, body: null }), state: { at: 'find', known } } };
}

function updateCall(id: string, item: OutputItem, context: Context): HttpOutputCall {
  const { type: _type, value: _value, ...changes } = indicatorOf(item, context);
  return falconCall(context, {
    method: 'PATCH',
    path: '/iocs/entities/indicators/v1',
    body: { comment: 'isMalicious pack', indicators: [{ id, ...changes }] },
  });
}
