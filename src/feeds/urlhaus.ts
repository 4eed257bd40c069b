import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/iso-time.ts';
import { hasList, higherId, isNewer } from './abuse-ch.ts';
import { defineFeed } from './feed.ts';
import { collectPage } from './page.ts';

const setting = declareSettings('feeds.urlhaus');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'abuse.ch Auth-Key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://urlhaus-api.abuse.ch'), 'Base URL of URLhaus.'),
  onlineOnly: setting('onlineOnly', z._default(z.boolean(), false), 'Take only URLs that still serve malware.'),
});

const Answer = z.object({ query_status: z.string(), urls: z.optional(z.array(z.unknown())) });
const Row = z.object({
  id: z.coerce.string().check(z.regex(/^\d+$/)),
  url: z.string(),
  url_status: z.nullish(z.string()),
  date_added: z.nullish(z.string()),
  threat: z.nullish(z.string()),
  tags: z.nullish(z.array(z.string())),
  urlhaus_reference: z.nullish(z.string()),
});

/** URLhaus recent additions: URLs that serve malware. */
export const urlhaus = defineFeed<typeof Settings, null>({
  id: 'urlhaus',
  title: 'URLhaus recent URLs',
  docs: 'https://urlhaus-api.abuse.ch/#urls-recent',
  settings: Settings,
  first: ({ settings }) => ({
    call: { url: new URL(`${settings.baseUrl}/v1/urls/recent/`), headers: { 'auth-key': settings.apiKey } },
    state: null,
  }),
  read(answer, _step, { settings, cursor }) {
    const { query_status: status, urls = [] } = Answer.parse(answer.body);
    const page = collectPage('urlhaus');
    let highest = cursor;
    for (const raw of hasList('urlhaus', status) ? urls : []) {
      const parsed = Row.safeParse(raw);
      if (!parsed.success) {
        page.reject('no URLhaus entry: id or url is missing', raw);
        continue;
      }
      const row = parsed.data;
      highest = higherId(highest, row.id);
      if (!isNewer(row.id, cursor) || (settings.onlineOnly && row.url_status !== 'online')) {
        page.ignore();
        continue;
      }
      const added = isoTime(row.date_added);
      page.add(row.url, {
        tags: [...(row.threat ? [row.threat] : []), ...(row.tags ?? [])],
        tlp: 'CLEAR',
        firstSeen: added,
        lastSeen: added,
        reference: row.urlhaus_reference ?? null,
      });
    }
    return page.page(null, highest);
  },
});
