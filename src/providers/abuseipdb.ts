import * as z from 'zod/mini';
import { isoTime } from '../model/formats/iso-time.ts';
import { scoreOfCount } from './reading/score-curve.ts';
import { apiUrl, errorText, headerNumber, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { ALLOW_LISTED_MAX_SCORE, assertAbout, verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { wordTable } from '../model/tables/word-table.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const DAY_MS = 86_400_000;

/** Confidence by the number of distinct reporters: one angry reporter is no crowd. */
const REPORTERS_CONFIDENCE = '1:40,3:60,10:80,30:95';

/** AbuseIPDB advises to deny from 75 on, and never below 25. */
const WORD_EDGES = { malicious: 75, suspicious: 25 };

/** Numbers of https://www.abuseipdb.com/categories that accuse, in our words. */
const CATEGORIES: Readonly<Record<number, string>> = {
  1: 'dns-compromise',
  2: 'dns-poisoning',
  3: 'fraud',
  4: 'ddos',
  5: 'brute-force',
  6: 'ping-of-death',
  7: 'phishing',
  8: 'fraud',
  10: 'spam',
  11: 'spam',
  12: 'spam',
  14: 'port-scan',
  15: 'hacking',
  16: 'sql-injection',
  17: 'spoofing',
  18: 'brute-force',
  19: 'bad-web-bot',
  20: 'exploited-host',
  21: 'web-attack',
  22: 'ssh-attack',
  23: 'iot-attack',
};

const declare = settingsOf('abuseipdb');

const Settings = z.object({
  apiKey: declare.secret('apiKey', 'AbuseIPDB v2 key, from your account page there.'),
  baseUrl: declare.baseUrl('https://api.abuseipdb.com'),
  maxAgeDays: declare.setting(
    'maxAgeDays',
    z._default(z.int().check(z.gte(1), z.lte(365)), 90),
    'Count reports of the last N days, 1 to 365.',
  ),
  verbose: declare.setting(
    'verbose',
    z._default(z.boolean(), false),
    'Fetch the reports too, for their categories: larger answers, same cost.',
  ),
});

const Answer = z.object({
  data: z.object({
    ipAddress: z.string(),
    abuseConfidenceScore: z.number().check(z.gte(0), z.lte(100)),
    totalReports: z.int().check(z.gte(0)),
    numDistinctUsers: z.nullish(z.int()),
    isPublic: z.nullish(z.boolean()),
    isWhitelisted: z.nullish(z.boolean()),
    isTor: z.nullish(z.boolean()),
    usageType: z.nullish(z.string()),
    lastReportedAt: z.nullish(z.string()),
    reports: z.nullish(z.array(z.object({ reportedAt: z.string(), categories: z.array(z.int()) }))),
  }),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['data', 'ipAddress', 'abuseConfidenceScore', 'totalReports']);

/** AbuseIPDB v2 `check`: crowd reports on one IP address. Its score is 0 to 100 already. */
export const abuseipdb = defineProvider({
  id: 'abuseipdb',
  title: 'AbuseIPDB',
  docs: 'https://docs.abuseipdb.com/#check-endpoint',
  types: ['ipv4-addr', 'ipv6-addr'],
  settings: Settings,
  quotas: [{ requests: 1000, perMs: DAY_MS }],
  concurrency: 4,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.8,
  scale: `Its own abuse confidence score; an address on its allow list stays at ${ALLOW_LISTED_MAX_SCORE} or below whatever was reported, and is clean at 0. Malicious from 75, suspicious from 25; no reports means not listed.`,
  terms: 'A free key allows 1000 checks a day.',

  request(indicator, { apiKey, baseUrl, maxAgeDays, verbose }) {
    const url = apiUrl(baseUrl, '/api/v2', 'check');
    url.searchParams.set('ipAddress', indicator.value);
    url.searchParams.set('maxAgeInDays', String(maxAgeDays));
    if (verbose) url.searchParams.set('verbose', '');
    return { url, headers: { key: apiKey, accept: 'application/json' } };
  },

  judge(answer) {
    if (answer.status !== 429) return undefined;
    const text = errorText(answer.body, 'errors', '0', 'detail');
    const waitS = headerNumber(answer, 'retry-after');
    // The daily limit and a burst share the status; only the text tells them apart.
    return text.includes('daily') ? refusal('quota_exhausted', 'abuseipdb', 'daily quota used up', waitS) : undefined;
  },

  quotaNotices(answer) {
    const limit = headerNumber(answer, 'x-ratelimit-limit');
    const remaining = headerNumber(answer, 'x-ratelimit-remaining');
    if (limit === null && remaining === null) return [];
    return [{ limit, remaining, resetsAtS: headerNumber(answer, 'x-ratelimit-reset'), window: 'daily' }];
  },

  read(body, indicator) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    const { data } = answer;
    assertAbout('abuseipdb', indicator, [data.ipAddress]);
    const isAllowListed = data.isWhitelisted === true;
    // AbuseIPDB answers 200 with score 0 for an address nobody reported: that is "not listed", not "clean".
    if (data.totalReports === 0 && !isAllowListed) return null;
    const score = Math.min(data.abuseConfidenceScore, isAllowListed ? ALLOW_LISTED_MAX_SCORE : 100);
    return verdictOf('abuseipdb', {
      ...droppedNote(dropped),
      verdict: isAllowListed && score === 0 ? 'clean' : wordOfScore(score, WORD_EDGES),
      score,
      confidence: data.numDistinctUsers ? scoreOfCount(data.numDistinctUsers, REPORTERS_CONFIDENCE) : null,
      categories: isAllowListed
        ? []
        : (data.reports ?? [])
            .flatMap(({ categories }) => categories.map((number) => CATEGORIES[number]))
            .filter((word) => word !== undefined),
      attributes: [...(isAllowListed ? ['allowlist'] : []), ...(data.isTor ? ['tor-exit'] : []), ...attributesOf(data.usageType)],
      sightings: data.totalReports,
      lastSeen: isoTime(data.lastReportedAt),
      reference: `https://www.abuseipdb.com/check/${encodeURIComponent(indicator.value)}`,
    });
  },
});

function attributesOf(usageType: string | null | undefined): string[] {
  if (!usageType) return [];
  const known = wordTable<string>({
    'Content Delivery Network': 'cdn',
    'Data Center/Web Hosting/Transit': 'hosting',
    'Search Engine Spider': 'crawler',
    'Fixed Line ISP': 'isp',
    'Mobile ISP': 'mobile',
  });
  return [known.get(usageType) ?? usageType.replaceAll('/', ' ')];
}
