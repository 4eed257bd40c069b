import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { defineFeed, type FeedStep } from './feed.ts';
import { addAttribute } from './misp-attribute.ts';
import { collectPage } from './page.ts';

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

const Manifest = z.record(z.string().check(z.regex(/^[0-9a-f-]{36}$/i)), z.object({ timestamp: z.coerce.number() }));
const Tag = z.object({ name: z.string() });
const MispEvent = z.object({
  Event: z.object({
    Tag: z.optional(z.array(Tag)),
    Attribute: z.optional(z.array(z.unknown())),
    Object: z.optional(z.array(z.object({ Attribute: z.optional(z.array(z.unknown())) }))),
  }),
});

/** An event of the manifest that has to be read. */
interface ListedEvent {
  readonly uuid: string;
  readonly timestamp: number;
}

/** What is left to read: the events changed since the cursor, oldest first. `null`: the manifest itself comes first. */
interface Queue {
  readonly events: readonly ListedEvent[] | null;
}

type Context = { settings: z.output<typeof Settings>; cursor: string | null; startedAtS: number };

/** A feed in MISP format (`manifest.json`, one file per event), as CIRCL and others publish them without a MISP server. */
export const mispFeed = defineFeed<typeof Settings, Queue>({
  id: 'misp_feed',
  title: 'MISP feed',
  docs: 'https://www.misp-project.org/feeds/',
  settings: Settings,
  first: ({ settings }) => ({
    call: { url: new URL(`${settings.baseUrl}/manifest.json`), headers: settings.headers },
    state: { events: null },
  }),
  read(answer, step, context) {
    const page = collectPage('misp_feed');
    const { events } = step.state;
    if (events === null) return page.page(...nextEvent(changedEvents(answer.body, context), context, null));
    const { Event: event } = MispEvent.parse(answer.body);
    const facts = { tags: (event.Tag ?? []).map((tag) => tag.name), reference: null, toIds: context.settings.toIds };
    for (const attribute of event.Attribute ?? []) addAttribute(page, attribute, facts);
    for (const object of event.Object ?? []) for (const attribute of object.Attribute ?? []) addAttribute(page, attribute, facts);
    return page.page(...nextEvent(events.slice(1), context, events[0]?.timestamp ?? null));
  },
});

function changedEvents(body: unknown, { cursor, settings, startedAtS }: Context): ListedEvent[] {
  const since = cursor === null ? startedAtS - settings.sinceDays * 86_400 : Number(cursor);
  return Object.entries(Manifest.parse(body))
    .map(([uuid, { timestamp }]) => ({ uuid, timestamp }))
    .filter((event) => event.timestamp > since)
    .sort((a, b) => a.timestamp - b.timestamp || a.uuid.localeCompare(b.uuid));
}

/** The next step and the cursor. The cursor moves only past a timestamp of which every event has been read. */
function nextEvent(events: readonly ListedEvent[], { settings }: Context, doneS: number | null): [FeedStep<Queue> | null, string | null] {
  const [event] = events;
  const cursor = doneS !== null && (!event || event.timestamp > doneS) ? String(doneS) : null;
  if (!event) return [null, cursor];
  return [{ call: { url: new URL(`${settings.baseUrl}/${event.uuid}.json`), headers: settings.headers }, state: { events } }, cursor];
}
