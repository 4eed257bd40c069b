import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/iso-time.ts';
import { strictestTlp } from '../model/tlp.ts';
import { LookupError } from '../model/lookup-error.ts';
import { defineFeed } from './feed.ts';
import { collectPage, type PageCollector } from './page.ts';

const DAY_MS = 86_400_000;
const PULSES_PER_PAGE = 50;

/** OTX names of the types we know. The rest (CVE, Mutex, YARA, FilePath, …) is no indicator of ours. */
const TYPES = new Set(['IPv4', 'IPv6', 'domain', 'hostname', 'URL', 'URI', 'FileHash-MD5', 'FileHash-SHA1', 'FileHash-SHA256', 'email']);

const setting = declareSettings('feeds.otx');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'OTX API key.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://otx.alienvault.com'), 'Base URL of OTX.'),
  sinceDays: setting(
    'sinceDays',
    z._default(z.int().check(z.gte(1), z.lte(3650)), 30),
    'The first run reads pulses changed in the last N days, 1 to 3650.',
  ),
});

const Answer = z.object({ results: z.array(z.unknown()), next: z.nullish(z.string()) });
const Pulse = z.object({
  id: z.string(),
  modified: z.string(),
  tlp: z.nullish(z.string()),
  tags: z.optional(z.array(z.string())),
  malware_families: z.optional(z.array(z.union([z.string(), z.object({ display_name: z.string() })]))),
  more_indicators: z.optional(z.boolean()),
  indicators: z.array(z.unknown()),
});
const PulseIndicator = z.object({
  indicator: z.string(),
  type: z.string(),
  created: z.nullish(z.string()),
  expiration: z.nullish(z.string()),
  is_active: z.nullish(z.union([z.number(), z.boolean()])),
});

/** OTX subscribed pulses, changed since the last run. */
export const otx = defineFeed<typeof Settings, { newest: string }>({
  id: 'otx',
  title: 'AlienVault OTX pulses',
  docs: 'https://otx.alienvault.com/api',
  settings: Settings,
  first({ settings, cursor, startedAtS }) {
    const since = cursor ?? new Date(startedAtS * 1000 - settings.sinceDays * DAY_MS).toISOString();
    const url = new URL(`${settings.baseUrl}/api/v1/pulses/subscribed`);
    url.searchParams.set('modified_since', since);
    url.searchParams.set('limit', String(PULSES_PER_PAGE));
    url.searchParams.set('page', '1');
    return { call: { url, headers: { 'x-otx-api-key': settings.apiKey } }, state: { newest: since } };
  },
  read(answer, step, { settings, startedAtS }) {
    const { results, next } = Answer.parse(answer.body);
    const page = collectPage('otx');
    let { newest } = step.state;
    for (const row of results) {
      const pulse = Pulse.safeParse(row);
      if (!pulse.success) {
        page.reject('no OTX pulse: id, modified or indicators are missing', row);
        continue;
      }
      addPulse(page, pulse.data, { baseUrl: settings.baseUrl, startedAtS });
      const modified = isoTime(pulse.data.modified);
      if (modified !== null && modified > newest) newest = modified;
    }
    if (!next) return page.page(null, newest);
    const url = new URL(next);
    if (url.origin !== new URL(settings.baseUrl).origin)
      throw new LookupError('bad_response', 'otx', 'next page is on another host: the key is not sent there');
    return page.page({ call: { url, headers: { 'x-otx-api-key': settings.apiKey } }, state: { newest } }, null);
  },
});

function addPulse(page: PageCollector, pulse: z.output<typeof Pulse>, context: { baseUrl: string; startedAtS: number }): void {
  const families = (pulse.malware_families ?? []).map((family) => (typeof family === 'string' ? family : family.display_name));
  const facts = {
    tags: [...(pulse.tags ?? []), ...families],
    tlp: pulse.tlp ? strictestTlp([pulse.tlp]) : null,
    lastSeen: isoTime(pulse.modified),
    reference: `${context.baseUrl}/pulse/${encodeURIComponent(pulse.id)}`,
  };
  for (const row of pulse.indicators) {
    const parsed = PulseIndicator.safeParse(row);
    if (!parsed.success) {
      page.reject('no OTX indicator: indicator or type is missing', row);
      continue;
    }
    const { indicator, type, created, expiration, is_active } = parsed.data;
    const validUntil = isoTime(expiration);
    const isOver = is_active === 0 || is_active === false || (validUntil !== null && Date.parse(validUntil) <= context.startedAtS * 1000);
    if (!TYPES.has(type) || isOver) page.ignore();
    else page.add(indicator, { ...facts, firstSeen: isoTime(created), validUntil });
  }
  // OTX cuts long pulses and says so: that is a gap, and a gap has to be visible.
  if (pulse.more_indicators) page.reject(`OTX sent only part of pulse ${pulse.id}`, pulse.id);
}
