import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { looseList, looseTagNames, looseText } from './reading/loose-fields.ts';
import { defineFeed, type FeedStep } from './feed.ts';
import { addAttribute } from './reading/misp-attribute.ts';
import { collectPage, type PageCollector } from './reading/collect-page.ts';
import { MAX_TRIES, triesText } from './reading/progress.ts';

const setting = declareSettings('feeds.misp_feed');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Folder of a feed in MISP format: the one that holds `manifest.json`.'),
  toIds: setting('toIds', z._default(z.boolean(), true), 'Take only attributes marked for detection (`to_ids`).'),
  sinceDays: setting(
    'sinceDays',
    z._default(z.int().check(z.gte(1), z.lte(3650)), 30),
    'The first run reads events changed in the last N days, 1 to 3650.',
  ),
  headers: setting(
    'headers',
    z._default(z.record(z.string(), z.string()), {}),
    'Headers sent with every call, for example for a feed behind a login.',
    { secret: true },
  ),
});

const Manifest = z.record(z.string(), z.unknown());
const ManifestEntry = z.object({ timestamp: z.coerce.number().check(z.gte(0)) });
const UUID = /^[0-9a-f-]{36}$/i;
const MispEvent = z.object({
  Event: z.object({ uuid: looseText, info: looseText, Tag: looseTagNames, Attribute: looseList, Object: looseList }),
});
const MispObject = z.object({ Attribute: looseList });
/** Events that could not be read are remembered up to here; more than that are a fault of the feed itself. */
const MAX_AGAIN = 1000;
const Cursor = z.object({ since: z.number(), again: z.record(z.string(), z.int()) });

/** An event of the manifest that has to be read. */
interface ListedEvent {
  readonly uuid: string;
  readonly timestamp: number;
}

/** Up to where every event is done with, and those of them that could not be read, with the runs that tried. */
interface Progress {
  readonly sinceS: number;
  readonly again: ReadonlyMap<string, number>;
}

/** What is left to read: the events changed since the cursor, oldest first. `null`: the manifest itself comes first. */
interface Queue extends Progress {
  readonly events: readonly ListedEvent[] | null;
}

type Context = { settings: z.output<typeof Settings>; cursor: string | null; startedAtS: number };

/** A feed in MISP format (`manifest.json`, one file per event), as CIRCL and others publish them without a MISP server. */
export const mispFeed = defineFeed<typeof Settings, Queue>({
  id: 'misp_feed',
  title: 'MISP feed',
  docs: 'https://www.misp-project.org/feeds/',
  settings: Settings,
  first: (context) => ({
    call: { url: new URL(`${context.settings.baseUrl}/manifest.json`), headers: context.settings.headers },
    state: { events: null, ...progressOf(context) },
  }),
  read(answer, { state }, context) {
    const page = collectPage('misp_feed');
    if (state.events === null) return page.page(nextStep(changedEvents(page, answer.body, state), state, context), null);
    const { Event: event } = MispEvent.parse(answer.body);
    const { uuid, info } = event;
    const facts = { tags: event.Tag, reference: null, toIds: context.settings.toIds, uuid, info };
    for (const attribute of event.Attribute) addAttribute(page, attribute, facts);
    for (const object of event.Object) {
      const parsed = MispObject.safeParse(object);
      if (parsed.success) for (const attribute of parsed.data.Attribute) addAttribute(page, attribute, facts);
      else page.reject('no MISP object', object);
    }
    const again = new Map(state.again);
    again.delete(state.events[0]?.uuid ?? '');
    return page.page(...afterEvent(state.events, { sinceS: state.sinceS, again }, context));
  },
  skip({ error }, { state }, context) {
    const [event] = state.events ?? [];
    if (!event || state.events === null) return null;
    const page = collectPage('misp_feed');
    const again = new Map(state.again);
    const tries = (again.get(event.uuid) ?? 0) + 1;
    if (tries < MAX_TRIES && (again.has(event.uuid) || again.size < MAX_AGAIN)) again.set(event.uuid, tries);
    else again.delete(event.uuid);
    page.reject('event could not be read', event.uuid);
    page.fault(`event ${event.uuid} could not be read, ${triesText(tries)}: ${error.message}`);
    return page.page(...afterEvent(state.events, { sinceS: state.sinceS, again }, context));
  },
});

/** A cursor is `{"since":…,"again":{…}}`, or the seconds alone: of older versions, and when nothing was left out. */
function progressOf({ cursor, settings, startedAtS }: Context): Progress {
  const start = { sinceS: startedAtS - settings.sinceDays * 86_400, again: new Map<string, number>() };
  if (cursor === null) return start;
  const read = z.union([z.number(), Cursor]).safeParse(jsonOrNull(cursor));
  if (!read.success) return start;
  return typeof read.data === 'number'
    ? { sinceS: read.data, again: new Map() }
    : { sinceS: read.data.since, again: new Map(Object.entries(read.data.again)) };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function cursorOf({ sinceS, again }: Progress): string {
  return again.size === 0 ? String(sinceS) : JSON.stringify({ since: sinceS, again: Object.fromEntries(again) });
}

function changedEvents(page: PageCollector, body: unknown, { sinceS, again }: Progress): ListedEvent[] {
  const events: ListedEvent[] = [];
  for (const [uuid, raw] of Object.entries(Manifest.parse(body))) {
    const entry = ManifestEntry.safeParse(raw);
    if (!UUID.test(uuid) || !entry.success) page.reject('no entry of a MISP manifest: UUID or timestamp is missing', { [uuid]: raw });
    else if (entry.data.timestamp > sinceS || again.has(uuid)) events.push({ uuid, timestamp: entry.data.timestamp });
  }
  return events.sort((a, b) => a.timestamp - b.timestamp || a.uuid.localeCompare(b.uuid));
}

/**
 * The next step and the cursor once the first of `events` is done with. The cursor moves only past a timestamp of which every event is
 * done with, and never past now: one date in the future would hide all that comes until then.
 */
function afterEvent(events: readonly ListedEvent[], progress: Progress, context: Context): [FeedStep<Queue> | null, string | null] {
  const [done, ...left] = events;
  const isWhole = done !== undefined && (left[0] === undefined || left[0].timestamp > done.timestamp);
  const sinceS = isWhole ? Math.max(progress.sinceS, Math.min(done.timestamp, context.startedAtS)) : progress.sinceS;
  const reached = { sinceS, again: progress.again };
  return [nextStep(left, reached, context), isWhole ? cursorOf(reached) : null];
}

function nextStep(events: readonly ListedEvent[], progress: Progress, { settings }: Context): FeedStep<Queue> | null {
  const [event] = events;
  if (!event) return null;
  return {
    call: { url: new URL(`${settings.baseUrl}/${event.uuid}.json`), headers: settings.headers },
    state: { events, sinceS: progress.sinceS, again: progress.again },
  };
}
