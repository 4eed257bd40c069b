import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { looseText } from './reading/loose-fields.ts';
import { defineFeed } from './feed.ts';
import { collectPage } from './reading/collect-page.ts';

const setting = declareSettings('feeds.feodo');
const Settings = z.object({
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://feodotracker.abuse.ch'), 'Base URL of Feodo Tracker.'),
});

const Row = z.object({
  ip_address: z.string(),
  status: looseText,
  malware: looseText,
  first_seen: looseText,
  last_online: looseText,
});

/** Feodo Tracker: botnet command-and-control servers. Sent whole; unchanged lists cost one 304. */
export const feodo = defineFeed<typeof Settings, null>({
  id: 'feodo',
  title: 'Feodo Tracker block list',
  docs: 'https://feodotracker.abuse.ch/blocklist/',
  settings: Settings,
  first: ({ settings, cursor }) => ({
    call: { url: new URL(`${settings.baseUrl}/downloads/ipblocklist.json`), headers: cursor === null ? {} : { 'if-none-match': cursor } },
    state: null,
  }),
  read(answer, _step, { cursor }) {
    const page = collectPage('feodo');
    if (answer.status === 304) return page.page(null, cursor);
    for (const raw of z.array(z.unknown()).parse(answer.body)) {
      const row = Row.safeParse(raw);
      if (!row.success) {
        page.reject('no Feodo entry: ip_address is missing', raw);
        continue;
      }
      const { ip_address: ip, malware, status, first_seen: first, last_online: last } = row.data;
      page.add(ip, {
        tags: ['botnet_cc', malware, status].filter((tag) => typeof tag === 'string'),
        tlp: 'CLEAR',
        firstSeen: isoTime(first),
        lastSeen: isoTime(last) ?? isoTime(first),
        reference: `https://feodotracker.abuse.ch/browse/host/${encodeURIComponent(ip)}/`,
      });
    }
    return page.page(null, answer.headers.etag ?? null);
  },
});
