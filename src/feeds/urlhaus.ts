import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { hasList, idCursor, idOfRow } from './abuse-ch.ts';
import { listOrNone, looseLink, looseText, looseWords } from './reading/loose-fields.ts';
import { defineFeed } from './feed.ts';
import { collectPage } from './reading/collect-page.ts';

const setting = declareSettings('feeds.urlhaus');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'abuse.ch Auth-Key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://urlhaus-api.abuse.ch'), 'Base URL of URLhaus.'),
  onlineOnly: setting('onlineOnly', z._default(z.boolean(), false), 'Take only URLs that still serve malware.'),
});

const Answer = z.object({ query_status: z.string(), urls: listOrNone });
const Row = z.object({
  url: z.string(),
  url_status: looseText,
  date_added: looseText,
  threat: looseText,
  tags: looseWords,
  urlhaus_reference: looseLink,
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
    const { query_status: status, urls } = Answer.parse(answer.body);
    const page = collectPage('urlhaus');
    const rows = hasList('urlhaus', status) ? urls : [];
    const ids = idCursor(rows.map(idOfRow), cursor);
    for (const raw of rows) {
      const parsed = Row.safeParse(raw);
      if (!parsed.success) {
        page.reject('no URLhaus entry: url is missing', raw);
        continue;
      }
      const row = parsed.data;
      if (!ids.isNews(idOfRow(raw)) || (settings.onlineOnly && row.url_status !== 'online')) {
        page.ignore();
        continue;
      }
      const added = isoTime(row.date_added);
      page.add(row.url, {
        tags: [...(row.threat ? [row.threat] : []), ...row.tags],
        tlp: 'CLEAR',
        firstSeen: added,
        lastSeen: added,
        reference: row.urlhaus_reference,
      });
    }
    return page.page(null, ids.end);
  },
});
