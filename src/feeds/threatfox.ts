import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/iso-time.ts';
import { hasList, higherId, isNewer } from './abuse-ch.ts';
import { defineFeed } from './feed.ts';
import { collectPage } from './page.ts';

const setting = declareSettings('feeds.threatfox');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'abuse.ch Auth-Key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://threatfox-api.abuse.ch'), 'Base URL of ThreatFox.'),
  days: setting('days', z._default(z.int().check(z.gte(1), z.lte(7)), 1), 'Read indicators of the last N days, 1 to 7.'),
});

const Answer = z.object({ query_status: z.string(), data: z.optional(z.unknown()) });
const Row = z.object({
  id: z.coerce.string().check(z.regex(/^\d+$/)),
  ioc: z.string(),
  ioc_type: z.string(),
  threat_type: z.nullish(z.string()),
  malware_printable: z.nullish(z.string()),
  confidence_level: z.nullish(z.number().check(z.gte(0), z.lte(100))),
  first_seen: z.nullish(z.string()),
  last_seen: z.nullish(z.string()),
  tags: z.nullish(z.array(z.string())),
});

/** ThreatFox: indicators shared in the last days. */
export const threatfox = defineFeed<typeof Settings, null>({
  id: 'threatfox',
  title: 'ThreatFox recent indicators',
  docs: 'https://threatfox.abuse.ch/api/#get-iocs',
  settings: Settings,
  first: ({ settings }) => ({
    call: {
      url: new URL(`${settings.baseUrl}/api/v1/`),
      method: 'POST',
      headers: { 'auth-key': settings.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'get_iocs', days: settings.days }),
    },
    state: null,
  }),
  read(answer, _step, { cursor }) {
    const { query_status: status, data } = Answer.parse(answer.body);
    const page = collectPage('threatfox');
    let highest = cursor;
    // Without results `data` is a sentence, not an empty list.
    for (const raw of hasList('threatfox', status) ? z.array(z.unknown()).parse(data) : []) {
      const parsed = Row.safeParse(raw);
      if (!parsed.success) {
        page.reject('no ThreatFox entry: id, ioc or ioc_type is missing', raw);
        continue;
      }
      const row = parsed.data;
      highest = higherId(highest, row.id);
      if (!isNewer(row.id, cursor)) {
        page.ignore();
        continue;
      }
      const first = isoTime(row.first_seen);
      page.add(row.ioc_type === 'ip:port' ? row.ioc.replace(/:\d+$/, '') : row.ioc, {
        tags: [row.threat_type, row.malware_printable, ...(row.tags ?? [])].filter((tag) => typeof tag === 'string'),
        tlp: 'CLEAR',
        confidence: row.confidence_level ?? null,
        firstSeen: first,
        lastSeen: isoTime(row.last_seen) ?? first,
        reference: `https://threatfox.abuse.ch/ioc/${row.id}/`,
      });
    }
    return page.page(null, highest);
  },
});
