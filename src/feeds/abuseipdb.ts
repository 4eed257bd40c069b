import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { LookupError } from '../model/lookup-error.ts';
import { collectPage } from './reading/collect-page.ts';
import { defineFeed } from './feed.ts';
import { looseConfidence, looseText } from './reading/loose-fields.ts';

/** The list of a free key may be fetched five times a day: one that is refused then is still good. */
const GOOD_FOR_MS = 86_400_000;

const setting = declareSettings('feeds.abuseipdb');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'AbuseIPDB v2 key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://api.abuseipdb.com'), 'Base URL of AbuseIPDB.'),
  confidenceMinimum: setting(
    'confidenceMinimum',
    z._default(z.int().check(z.gte(25), z.lte(100)), 100),
    'Lowest abuse confidence on the list, 25 to 100; below 100 needs a paid key.',
  ),
  limit: setting('limit', z._default(z.int().check(z.gte(1), z.lte(500_000)), 10_000), 'Most addresses; more than 10000 needs a paid key.'),
});

const Answer = z.object({ meta: z.nullish(z.object({ generatedAt: looseText })), data: z.array(z.unknown()) });
const Row = z.object({ ipAddress: z.string(), abuseConfidenceScore: looseConfidence, lastReportedAt: looseText });

/** AbuseIPDB's blacklist: the addresses most reported there. Sent whole. */
export const abuseipdbFeed = defineFeed<typeof Settings, null>({
  id: 'abuseipdb',
  title: 'AbuseIPDB blacklist',
  docs: 'https://docs.abuseipdb.com/#blacklist-endpoint',
  settings: Settings,
  first({ settings }) {
    const url = new URL(`${settings.baseUrl}/api/v2/blacklist`);
    url.searchParams.set('confidenceMinimum', String(settings.confidenceMinimum));
    url.searchParams.set('limit', String(settings.limit));
    return { call: { url, headers: { key: settings.apiKey, accept: 'application/json' } }, state: null };
  },
  reads: ({ status }) => status === 429,
  read(answer, _step, { cursor, startedAtS }) {
    const page = collectPage('abuseipdb');
    if (answer.status === 429) {
      const readMs = cursor === null ? NaN : Date.parse(cursor);
      if (startedAtS * 1000 - readMs < GOOD_FOR_MS) return page.page(null, cursor);
      throw new LookupError('quota_exhausted', 'abuseipdb', "the day's quota of the blacklist is used up: run the pipeline less often");
    }
    const { meta, data } = Answer.parse(answer.body);
    for (const raw of data) {
      const row = Row.safeParse(raw);
      if (!row.success) {
        page.reject('no entry of the blacklist: ipAddress is missing', raw);
        continue;
      }
      const { ipAddress, abuseConfidenceScore, lastReportedAt } = row.data;
      page.add(ipAddress, {
        tags: ['abuseipdb-blacklist'],
        tlp: 'CLEAR',
        confidence: abuseConfidenceScore,
        lastSeen: isoTime(lastReportedAt),
        reference: `https://www.abuseipdb.com/check/${encodeURIComponent(ipAddress)}`,
      });
    }
    return page.page(null, isoTime(meta?.generatedAt) ?? new Date(startedAtS * 1000).toISOString());
  },
});
