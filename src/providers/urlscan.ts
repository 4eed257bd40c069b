import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import { apiUrl, errorText, headerNumber, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { droppedNote, readTolerant, type TolerantReading } from './reading/read-tolerant.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** urlscan looked at the page in a browser; cloaked pages fool it, so it is never certain. */
const SCANNED_CONFIDENCE = 85;

/** Newest scans to choose from: the first ones may be of other pages that merely link here. */
const SEARCH_SIZE = 20;

const declare = settingsOf('urlscan');

const Settings = z.object({
  apiKey: declare.optionalSecret(
    'apiKey',
    'urlscan.io key. Without one only searches are answered (500 a day), so it gives context and never a verdict.',
  ),
  baseUrl: declare.baseUrl('https://urlscan.io'),
  followResult: declare.setting(
    'followResult',
    z._default(z.boolean(), true),
    'For a URL, fetch the newest scan of that very URL for its verdict: a second call, with a key only. Off: context only.',
  ),
});

const Page = z.object({ url: z.nullish(z.string()) });

const Search = z.object({
  results: z.array(
    z.object({
      _id: z.string().check(z.regex(/^[\w-]{1,64}$/)),
      task: z.object({ time: z.nullish(z.string()), url: z.nullish(z.string()) }),
      page: Page,
    }),
  ),
  total: z.int().check(z.gte(0)),
  took: z.number(),
});

const Result = z.object({
  task: z.object({ uuid: z.string().check(z.regex(/^[\w-]{1,64}$/)), time: z.nullish(z.string()), url: z.string() }),
  page: Page,
  verdicts: z.object({
    overall: z.object({
      score: z.number().check(z.gte(-100), z.lte(100)),
      malicious: z.boolean(),
      hasVerdicts: z.union([z.boolean(), z.number()]),
      categories: z.nullish(z.array(z.string())),
      brands: z.nullish(z.array(z.union([z.string(), z.object({ key: z.nullish(z.string()) })]))),
    }),
  }),
});

const Unfinished = z.object({ message: z.string().check(z.regex(/not finished/i)), status: z.literal(404) });

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['task', 'uuid', 'url', 'verdicts', 'overall', 'score', 'malicious', 'hasVerdicts']);

/** urlscan.io: scans of web pages by others. That a page was scanned says nothing; only a scan's own verdict on that very URL counts. */
export const urlscan = defineProvider({
  id: 'urlscan',
  title: 'urlscan.io',
  docs: 'https://docs.urlscan.io/apis/urlscan-openapi',
  types: ['url', 'domain-name', 'ipv4-addr', 'ipv6-addr', 'file:sha256'],
  settings: Settings,
  quotas: [
    { requests: 30, perMs: MINUTE_MS },
    { requests: 500, perMs: DAY_MS },
  ],
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  weight: 0.8,
  scale:
    'A search hit is context: unknown, no score. For a URL the newest scan of that very URL is fetched: malicious is its score (at least 60), a negative one is clean with 0, no verdict stays unknown. A verdict on one page is never lent to its host.',
  terms: 'Searches without a key: 500 a day. Results need a key (since May 2026).',

  request(indicator, { apiKey, baseUrl }) {
    const url = apiUrl(baseUrl, '/api/v1', 'search', '');
    url.searchParams.set('q', queryOf(indicator));
    url.searchParams.set('size', String(SEARCH_SIZE));
    return { url, headers: headersOf(apiKey) };
  },

  followUp(body, indicator, { apiKey, baseUrl, followResult }) {
    if (indicator.type !== 'url' || apiKey === undefined || !followResult) return null;
    const scan = Search.safeParse(body).data?.results.find(({ task, page }) => isSamePage(indicator, [task.url, page.url]));
    return scan ? { url: apiUrl(baseUrl, '/api/v1', 'result', scan._id, ''), headers: headersOf(apiKey) } : null;
  },

  judge(answer) {
    const { status, body } = answer;
    if (status === 404) return Unfinished.safeParse(body).success ? 'answer' : undefined;
    // The scan was taken down since it was found.
    if (status === 410) return 'not-listed';
    if (status === 400 && errorText(body, 'message').includes('api key'))
      return refusal('unauthorized', 'urlscan', 'key refused: wrong format');
    if (status !== 429) return undefined;
    const waitS = headerNumber(answer, 'x-rate-limit-reset-after') ?? headerNumber(answer, 'retry-after');
    const isDaily = answer.headers['x-rate-limit-window'] === 'day';
    return isDaily
      ? refusal('quota_exhausted', 'urlscan', 'daily quota used up', waitS)
      : refusal('rate_limited', 'urlscan', 'rate limit reached', waitS);
  },

  quotaNotices(answer) {
    const window = answer.headers['x-rate-limit-window'];
    if (!window) return [];
    const resetsAtMs = Date.parse(answer.headers['x-rate-limit-reset'] ?? '');
    return [
      {
        limit: headerNumber(answer, 'x-rate-limit-limit'),
        remaining: headerNumber(answer, 'x-rate-limit-remaining'),
        resetsAtS: Number.isNaN(resetsAtMs) ? null : Math.floor(resetsAtMs / 1000),
        window,
      },
    ];
  },

  read(body, indicator) {
    if (Unfinished.safeParse(body).success) return verdictOf('urlscan', { isPending: true });
    const search = Search.safeParse(body);
    return search.success ? readSearch(search.data, indicator) : readResult(readTolerant(Result, body, DECIDES), indicator);
  },
});

function readSearch({ results, total }: z.output<typeof Search>, indicator: Indicator) {
  const [newest] = results;
  if (!newest) return null;
  const times = timeSpan(results.map(({ task }) => isoTime(task.time)));
  return verdictOf('urlscan', {
    attributes: ['scanned'],
    sightings: total,
    // With more scans than we fetched, the oldest one we see is not the first.
    firstSeen: total <= results.length ? times.first : null,
    lastSeen: times.last,
    reference: indicator.type === 'url' ? pageOf(newest._id) : `https://urlscan.io/search/#${encodeURIComponent(queryOf(indicator))}`,
  });
}

function readResult({ answer, dropped }: TolerantReading<typeof Result>, indicator: Indicator) {
  const { task, page, verdicts } = answer;
  const { overall } = verdicts;
  if (!isSamePage(indicator, [task.url, page.url]))
    throw refusal('bad_response', 'urlscan', 'answered about another page than the one asked for');
  const isCleared = !overall.malicious && overall.score < 0;
  const isJudged = overall.malicious || isCleared || (Boolean(overall.hasVerdicts) && overall.score > 0);
  // -100 (legitimate) to 100 (malicious): below zero is a vote for the page, not less malice than none.
  const score = overall.malicious ? Math.max(60, overall.score) : Math.max(0, overall.score);
  const brands = (overall.brands ?? []).map((brand) => (typeof brand === 'string' ? brand : (brand.key ?? '')));
  return verdictOf('urlscan', {
    ...droppedNote(dropped),
    verdict: overall.malicious
      ? 'malicious'
      : isCleared
        ? 'clean'
        : isJudged && wordOfScore(score) !== 'unknown'
          ? 'suspicious'
          : 'unknown',
    score: isJudged ? score : null,
    confidence: isJudged ? SCANNED_CONFIDENCE : null,
    categories: isCleared ? [] : (overall.categories ?? []),
    attributes: ['scanned', ...brands.filter((brand) => brand !== '').map((brand) => `brand-${brand}`)],
    lastSeen: isoTime(task.time),
    reference: pageOf(task.uuid),
  });
}

function queryOf({ type, value }: Indicator): string {
  const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
  switch (type) {
    case 'url':
      return `task.url:${quoted} OR page.url:${quoted}`;
    case 'domain-name':
      return `page.domain:${quoted}`;
    case 'file:sha256':
      return `hash:${quoted}`;
    default:
      return `page.ip:${quoted}`;
  }
}

function headersOf(apiKey: string | undefined): Record<string, string> {
  // A malformed key fails even the calls that work without one, so an absent key sends no header at all.
  return { accept: 'application/json', ...(apiKey ? { 'api-key': apiKey } : {}) };
}

function isSamePage(indicator: Indicator, urls: readonly (string | null | undefined)[]): boolean {
  const bare = (url: string) => url.replace(/#.*$/, '').replace(/\/$/, '');
  return urls.some((url) => url !== null && url !== undefined && bare(url) === bare(indicator.value));
}

function pageOf(uuid: string): string {
  return `https://urlscan.io/result/${uuid}/`;
}
