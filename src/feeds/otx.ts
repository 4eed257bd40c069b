import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { strictestTlp } from '../model/tlp.ts';
import { looseFlag, looseList, looseText, looseWords } from './reading/loose-fields.ts';
import { defineFeed, type FeedStep } from './feed.ts';
import { collectPage, type PageCollector } from './reading/collect-page.ts';
import { hasSeen, markOfPage, readTried, type SeenPages, triesText, withPage, writeTried } from './reading/progress.ts';

const DAY_MS = 86_400_000;
const PULSES_PER_PAGE = 50;

/** OTX names of the types we know. The rest (Mutex, YARA, FilePath, …) is no indicator of ours. */
const TYPES = new Set([
  'IPv4',
  'IPv6',
  'domain',
  'hostname',
  'URL',
  'URI',
  'FileHash-MD5',
  'FileHash-SHA1',
  'FileHash-SHA256',
  'email',
  'CIDR',
  'CVE',
]);

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

const Answer = z.object({ results: z.array(z.unknown()), next: z.optional(z.unknown()) });
const Family = z.union([z.string(), z.object({ display_name: z.string() })]);
const Pulse = z.object({
  id: z.string(),
  modified: looseText,
  tlp: looseText,
  tags: looseWords,
  malware_families: looseList,
  more_indicators: looseFlag,
  indicators: z.array(z.unknown()),
});
const PulseIndicator = z.object({
  indicator: z.string(),
  type: z.string(),
  created: looseText,
  expiration: looseText,
  is_active: looseFlag,
});

/** The newest pulse seen, and what has to be known of the pages before. */
interface State {
  readonly newest: string;
  readonly since: string;
  readonly seen: SeenPages;
  readonly hasSkipped: boolean;
  readonly isAfterSkip: boolean;
}
type Context = { settings: z.output<typeof Settings>; cursor: string | null; startedAtS: number };

/** OTX subscribed pulses, changed since the last run. */
export const otx = defineFeed<typeof Settings, State>({
  id: 'otx',
  title: 'AlienVault OTX pulses',
  docs: 'https://otx.alienvault.com/api',
  settings: Settings,
  first({ settings, cursor, startedAtS }) {
    const since = isoTime(readTried(cursor).at) ?? new Date(startedAtS * 1000 - settings.sinceDays * DAY_MS).toISOString();
    const url = new URL(`${settings.baseUrl}/api/v1/pulses/subscribed`);
    url.searchParams.set('modified_since', since);
    url.searchParams.set('limit', String(PULSES_PER_PAGE));
    url.searchParams.set('page', '1');
    return stepTo(url, settings, { newest: since, since, seen: [], hasSkipped: false, isAfterSkip: false });
  },
  read(answer, { state }, context) {
    const { results, next } = Answer.parse(answer.body);
    const page = collectPage('otx');
    const now = new Date(context.startedAtS * 1000).toISOString();
    let { newest } = state;
    for (const row of results) {
      const pulse = Pulse.safeParse(row);
      if (!pulse.success) {
        page.reject('no OTX pulse: id or indicators are missing', row);
        continue;
      }
      addPulse(page, pulse.data, { baseUrl: context.settings.baseUrl, startedAtS: context.startedAtS });
      const modified = isoTime(pulse.data.modified);
      // A date in the future would hide every later pulse until then.
      if (modified !== null && modified > newest && modified <= now) newest = modified;
    }
    if (next === null || next === undefined || next === '') return page.page(null, endOf({ ...state, newest }, context));
    const mark = markOfPage(results);
    const url = nextUrl(next, context.settings);
    if (typeof url === 'string' || hasSeen(state.seen, mark)) {
      page.fault(typeof url === 'string' ? url : 'the same page came before: the list is cut there');
      return page.page(null, null);
    }
    return page.page(stepTo(url, context.settings, { ...state, newest, seen: withPage(state.seen, mark), isAfterSkip: false }), null);
  },
  skip({ error }, { call, state }, context) {
    const url = 'url' in call ? new URL(call.url) : null;
    const number = Number(url?.searchParams.get('page'));
    if (url === null || !Number.isSafeInteger(number) || number < 1) return null;
    // Twice in a row, or at the very door: that is the server, not the page.
    if (state.isAfterSkip || (number === 1 && error.code !== 'bad_response')) return null;
    const page = collectPage('otx');
    page.reject('page could not be read', `page ${number}`);
    page.fault(`page ${number} could not be read, ${triesText(readTried(context.cursor).tries + 1)}: ${error.message}`);
    url.searchParams.set('page', String(number + 1));
    return page.page(stepTo(url, context.settings, { ...state, hasSkipped: true, isAfterSkip: true }), null);
  },
});

function stepTo(url: URL, { apiKey }: z.output<typeof Settings>, state: State): FeedStep<State> {
  return { call: { url, headers: { 'x-otx-api-key': apiKey } }, state };
}

function endOf({ newest, since, hasSkipped }: State, { cursor }: Context): string {
  return hasSkipped ? writeTried({ from: since, to: newest, tries: readTried(cursor).tries + 1 }) : newest;
}

/** Where the next page is, or why nobody goes there. */
function nextUrl(next: unknown, { baseUrl }: z.output<typeof Settings>): URL | string {
  const url = typeof next === 'string' ? URL.parse(next) : null;
  if (url === null) return 'the next page is not a URL: the list is cut there';
  if (url.origin !== new URL(baseUrl).origin) return 'the next page is on another host: the key is not sent there, the list is cut';
  return url;
}

function addPulse(page: PageCollector, pulse: z.output<typeof Pulse>, context: { baseUrl: string; startedAtS: number }): void {
  const families = pulse.malware_families.flatMap((family) => Family.safeParse(family).data ?? []);
  const facts = {
    tags: [...pulse.tags, ...families.map((family) => (typeof family === 'string' ? family : family.display_name))],
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
    const { indicator, type, created, expiration, is_active: isActive } = parsed.data;
    const validUntil = isoTime(expiration);
    const isOver = isActive === false || (validUntil !== null && Date.parse(validUntil) <= context.startedAtS * 1000);
    if (!TYPES.has(type) || isOver) page.ignore();
    else page.add(indicator, { ...facts, firstSeen: isoTime(created), validUntil });
  }
  // OTX cuts long pulses and says so: that is a gap, and a gap has to be visible.
  if (pulse.more_indicators) page.reject(`OTX sent only part of pulse ${pulse.id}`, pulse.id);
}
