import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { hasList, idCursor, idOfRow } from './abuse-ch.ts';
import { listOrNone, looseConfidence, looseText, looseWords } from './reading/loose-fields.ts';
import { defineFeed } from './feed.ts';
import { collectPage } from './reading/collect-page.ts';

const setting = declareSettings('feeds.threatfox');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'abuse.ch Auth-Key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://threatfox-api.abuse.ch'), 'Base URL of ThreatFox.'),
  days: setting('days', z._default(z.int().check(z.gte(1), z.lte(7)), 1), 'Read indicators of the last N days, 1 to 7.'),
});

const Answer = z.object({ query_status: z.string(), data: z.optional(z.unknown()) });
const Row = z.object({
  ioc: z.string(),
  ioc_type: looseText,
  threat_type: looseText,
  malware_printable: looseText,
  confidence_level: looseConfidence,
  first_seen: looseText,
  last_seen: looseText,
  tags: looseWords,
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
    // Without results `data` is a sentence, not an empty list.
    const rows = hasList('threatfox', status) ? listOrNone.parse(data) : [];
    const ids = idCursor(rows.map(idOfRow), cursor);
    for (const raw of rows) {
      const parsed = Row.safeParse(raw);
      if (!parsed.success) {
        page.reject('no ThreatFox entry: ioc is missing', raw);
        continue;
      }
      const row = parsed.data;
      const id = idOfRow(raw);
      if (!ids.isNews(id)) {
        page.ignore();
        continue;
      }
      const first = isoTime(row.first_seen);
      page.add(row.ioc_type === 'ip:port' ? row.ioc.replace(/:\d+$/, '') : row.ioc, {
        tags: [row.threat_type, row.malware_printable, ...row.tags].filter((tag) => typeof tag === 'string'),
        tlp: 'CLEAR',
        confidence: row.confidence_level,
        firstSeen: first,
        lastSeen: isoTime(row.last_seen) ?? first,
        reference: id === null ? null : `https://threatfox.abuse.ch/ioc/${id}/`,
      });
    }
    return page.page(null, ids.end);
  },
});
