import * as z from 'zod/mini';
import { toBase64 } from '../model/formats/base64.ts';
import { isLoopbackUrl } from '../model/parsing/safe-endpoint.ts';
import type { Indicator } from '../model/indicator.ts';
import type { LookupError } from '../model/lookup-error.ts';
import type { Verdict } from '../model/verdict.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { apiUrl, errorText, headerNumber, refusal } from './reading/http-call.ts';
import { readCheck, readRow } from './reading/ismalicious-answer.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { defineProvider, type HttpAnswer, type QuotaNotice } from './provider.ts';

const ID = 'ismalicious';
/** The cap of the largest plan (Enterprise); the account's own is asked for. */
const LARGEST_BULK = 500;
const MS_PER_S = 1000;

const setting = settingsOf(ID);

const Settings = z.object({
  xApiKey: setting.optionalSecret(
    'xApiKey',
    'The ready credential, base64(key:secret), as the dashboard shows it; or give api_key and api_secret.',
  ),
  apiKey: setting.optionalSecret('apiKey', 'API key; used together with api_secret.'),
  apiSecret: setting.optionalSecret('apiSecret', 'API secret; used together with api_key.'),
  baseUrl: setting.baseUrl('https://api.ismalicious.com'),
  authMode: setting.setting(
    'authMode',
    z._default(z.enum(['x-api-key', 'basic', 'bearer']), 'x-api-key'),
    'How the credential is sent: x-api-key (default), basic or bearer.',
  ),
  enrichment: setting.setting(
    'enrichment',
    z._default(z.enum(['fast', 'basic', 'standard', 'full']), 'standard'),
    'How much of the API is asked for a single look-up: fast, basic, standard (default) or full.',
  ),
});

type Settings = z.output<typeof Settings>;

/** `X-API-KEY` is base64(key:secret). People paste it with the line breaks of GNU base64, or paste `key:secret` itself. */
function credentialOf({ xApiKey, apiKey, apiSecret }: Settings): string | null {
  if (xApiKey !== undefined) return xApiKey.includes(':') ? toBase64(xApiKey) : xApiKey;
  return apiKey !== undefined && apiSecret !== undefined ? toBase64(`${apiKey}:${apiSecret}`) : null;
}

function isPairInBase64(text: string): boolean {
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && Buffer.from(text, 'base64').includes(':');
}

function authorize(settings: Settings): Record<string, string> {
  const credential = credentialOf(settings);
  if (credential === null) return {};
  switch (settings.authMode) {
    case 'basic':
      return { authorization: `Basic ${credential}` };
    case 'bearer':
      return { authorization: `Bearer ${credential}` };
    default:
      return { 'x-api-key': credential };
  }
}

/** The first of the next month (UTC), when monthly counters start again: the answer of an exhausted quota does not say. */
function counter(answer: HttpAnswer, window: string, name: string): QuotaNotice[] {
  const usage = headerNumber(answer, `x-${name}-usage`);
  const limit = headerNumber(answer, `x-${name}-limit`);
  if (usage === null && limit === null) return [];
  return [{ window, limit, remaining: usage === null || limit === null ? null : Math.max(0, limit - usage), resetsAtS: null }];
}

function burst(answer: HttpAnswer): QuotaNotice[] {
  const limit = headerNumber(answer, 'x-ratelimit-limit');
  const remaining = headerNumber(answer, 'x-ratelimit-remaining');
  // This one is in epoch milliseconds, unlike everybody else's.
  const resetMs = headerNumber(answer, 'x-ratelimit-reset');
  if (limit === null && remaining === null) return [];
  return [{ window: 'burst', limit, remaining, resetsAtS: resetMs === null ? null : Math.ceil(resetMs / MS_PER_S) }];
}

/** 429 means two things: a burst passes, an exhausted quota does not and must not be retried. */
function judgeLimit(answer: HttpAnswer): LookupError {
  const text = errorText(answer.body, 'error') || errorText(answer.body, 'message');
  const isQuota =
    /quota|upgrade|monthly|daily/.test(text) ||
    (typeof answer.body === 'object' && answer.body !== null && Reflect.get(answer.body, 'upgradeRequired') === true);
  if (isQuota && answer.headers['retry-after'] === undefined) {
    return refusal(
      'quota_exhausted',
      ID,
      'the quota of this plan is used up: cached answers still work; raise the plan or wait for the next period',
    );
  }
  const waitS = errorSeconds(answer.body);
  return refusal('rate_limited', ID, 'rate limit reached (HTTP 429)', answer.headers['retry-after'] === undefined ? waitS : null);
}

function errorSeconds(body: unknown): number | null {
  const seconds: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'retryAfter') : null;
  return typeof seconds === 'number' && seconds >= 0 ? seconds : null;
}

/** What decides a verdict, or whose it is. JSON's parsers keep the last of two: an answer that says both is not believed. */
const DECIDING = [
  'entity',
  'query',
  'malicious',
  'isMalicious',
  'riskScore',
  'riskLevel',
  'sources',
  'reputation',
  'lookupStatus',
  'knownGood',
  'results',
];

/** isMalicious, the first provider: blocklists, reputation and risk score of IPs, domains, URLs (judged on their host) and hashes. */
export const ismalicious = defineProvider({
  id: ID,
  title: 'isMalicious',
  docs: 'https://ismalicious.com/api-docs',
  // SHA-512 is not indexed there.
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'email-addr'],
  settings: Settings,
  concurrency: 10,
  cost: 1,
  maxTlp: 'AMBER',
  scale:
    'riskScore.score is 0 to 100 already. The verdict is a ladder over listings, counts and level: the malicious flag alone misses listed addresses.',

  missing(settings) {
    if (credentialOf(settings) !== null || isLoopbackUrl(settings.baseUrl)) return null;
    return 'the credential is missing: set x_api_key (ISMALICIOUS_X_API_KEY), or api_key and api_secret';
  },

  doubt({ xApiKey }) {
    if (xApiKey === undefined || isPairInBase64(xApiKey)) return null;
    if (xApiKey.includes(':')) return 'x_api_key is not base64 but key:secret as it is; it is encoded before it is sent';
    return 'x_api_key is not base64(key:secret), as the dashboard shows it: check that it was copied whole';
  },

  request(indicator, settings) {
    const url = apiUrl(settings.baseUrl, '', 'check');
    url.searchParams.set('query', indicator.value);
    url.searchParams.set('enrichment', settings.enrichment);
    return { url, headers: authorize(settings), saidOnce: DECIDING };
  },

  read: (body, indicator) => readCheck(body, indicator),

  judge(answer) {
    return answer.status === 429 ? judgeLimit(answer) : undefined;
  },

  quotaNotices: (answer) => [...burst(answer), ...counter(answer, 'daily', 'daily'), ...counter(answer, 'monthly', 'monthly')],

  bulk: {
    maxSize: LARGEST_BULK,
    capRequest: (settings) => ({ url: apiUrl(settings.baseUrl, '', 'bulk', 'check'), headers: authorize(settings) }),
    readCap: ({ body }) => BulkCap.parse(body).limits.maxEntitiesPerRequest,
    request: (indicators, settings) => ({
      url: apiUrl(settings.baseUrl, '', 'bulk', 'check'),
      method: 'POST',
      saidOnce: DECIDING,
      headers: { ...authorize(settings), 'content-type': 'application/json' },
      // Bulk takes basic and standard only.
      body: JSON.stringify({ entities: indicators.map(({ value }) => value), enrichment: 'standard', format: 'json' }),
    }),
    read(body, indicators) {
      // Rows echo the trimmed lower-case value, in their order or not; one that is missing is asked alone.
      const asked = new Map(indicators.map((indicator): [string, Indicator] => [indicator.value.toLowerCase(), indicator]));
      const verdicts = new Map<string, Verdict | LookupError>();
      for (const row of BulkAnswer.parse(body).results) {
        const indicator = asked.get(row.entity.trim().toLowerCase()) ?? asked.get(canonical(row.entity));
        if (indicator) verdicts.set(indicator.value, rowVerdict(row, indicator));
      }
      return verdicts;
    },
  },
});

/** One row that cannot be read is that one's fault, not the others'. */
function rowVerdict(row: unknown, indicator: Indicator): Verdict | LookupError {
  try {
    return readRow(row, indicator);
  } catch (cause) {
    return refusal('bad_response', ID, `row of the answer has an unknown shape (${cause instanceof Error ? cause.name : 'unknown'})`);
  }
}

/** A row's value in our spelling. */
function canonical(entity: string): string {
  const parsed = parseIndicator(entity);
  return 'indicator' in parsed ? parsed.indicator.value.toLowerCase() : '';
}

const BulkCap = z.object({ limits: z.object({ maxEntitiesPerRequest: z.int().check(z.gte(0)) }) });
const BulkAnswer = z.object({ results: z.array(z.looseObject({ entity: z.string() })) });
