import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { listOrNone } from './reading/loose-fields.ts';
import { defineFeed } from './feed.ts';
import { addAttribute, MISP_TYPES } from './reading/misp-attribute.ts';
import { collectPage } from './reading/collect-page.ts';
import { hasSeen, markOfPage, readTried, type SeenPages, triesText, withPage, writeTried } from './reading/progress.ts';

// Clocks of the two machines differ, and MISP publishes in the background: events of the last minutes are read again.
const OVERLAP_S = 600;

const setting = declareSettings('feeds.misp');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Base URL of the MISP server, for example https://misp.example.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'Authentication key of a MISP user with API access.', { secret: true }),
  sinceDays: setting(
    'sinceDays',
    z._default(z.int().check(z.gte(1), z.lte(3650)), 30),
    'The first run reads events published in the last N days, 1 to 3650; later runs go on where the last one ended.',
  ),
  toIds: setting('toIds', z._default(z.boolean(), true), 'Take only attributes marked for detection (`to_ids`).'),
  types: setting('types', z._default(z.array(z.enum(MISP_TYPES)), MISP_TYPES), 'MISP attribute types to read.'),
  tags: setting('tags', z._default(z.array(z.string()), []), 'Take only attributes or events with one of these tags; empty: all.'),
  pageSize: setting('pageSize', z._default(z.int().check(z.gte(1), z.lte(10_000)), 1000), 'Attributes in one answer, 1 to 10000.'),
});

// Older servers answer `[]` where nothing matches (MISP issue 3568).
const Answer = z.object({ response: z.union([z.object({ Attribute: listOrNone }), z.array(z.unknown()).check(z.length(0))]) });
const EventId = z.object({ Event: z.object({ id: z.union([z.string(), z.number()]) }) });

/** The page that was asked for, with what has to be known of those before it. */
interface State {
  readonly page: number;
  readonly seen: SeenPages;
  /** Pages of this run that could not be read. */
  readonly skipped: number;
  readonly isAfterSkip: boolean;
}
type Context = { settings: z.output<typeof Settings>; cursor: string | null; startedAtS: number };

/** MISP `attributes/restSearch`: attributes of events published since the last run, page by page. */
export const misp = defineFeed<typeof Settings, State>({
  id: 'misp',
  title: 'MISP events',
  docs: 'https://www.misp-project.org/openapi/#tag/Attributes/operation/restSearchAttributes',
  settings: Settings,
  first: (context) => pageStep(context, { page: 1, seen: [], skipped: 0, isAfterSkip: false }),
  read(answer, { state }, context) {
    const { settings } = context;
    const { response } = Answer.parse(answer.body);
    const rows = 'Attribute' in response ? response.Attribute : [];
    const page = collectPage('misp');
    for (const row of rows) {
      const event = EventId.safeParse(row);
      const reference = event.success ? `${settings.baseUrl}/events/view/${encodeURIComponent(event.data.Event.id)}` : null;
      addAttribute(page, row, { tags: [], reference, toIds: settings.toIds });
    }
    const mark = markOfPage(rows);
    const isRepeated = hasSeen(state.seen, mark);
    if (isRepeated) page.fault(`page ${state.page} is one that came before: the list is cut there`);
    // A short page is the last one; a full one may be, and the next is then empty.
    const isLast = rows.length < settings.pageSize || isRepeated;
    if (!isLast)
      return page.page(pageStep(context, { ...state, page: state.page + 1, seen: withPage(state.seen, mark), isAfterSkip: false }), null);
    return page.page(null, endOf(context, state.skipped > 0));
  },
  skip({ error }, { state }, context) {
    // Twice in a row, or at the very door: that is the server, not the page.
    if (state.isAfterSkip || (state.page === 1 && error.code !== 'bad_response')) return null;
    const page = collectPage('misp');
    page.reject('page could not be read', `page ${state.page}`);
    page.fault(`page ${state.page} could not be read, ${triesText(readTried(context.cursor).tries + 1)}: ${error.message}`);
    return page.page(pageStep(context, { ...state, page: state.page + 1, skipped: state.skipped + 1, isAfterSkip: true }), null);
  },
});

function endOf({ settings, cursor, startedAtS }: Context, hasSkipped: boolean): string {
  const to = String(startedAtS - OVERLAP_S);
  const { at, tries } = readTried(cursor);
  return hasSkipped ? writeTried({ from: at ?? `${settings.sinceDays}d`, to, tries: tries + 1 }) : to;
}

function pageStep(context: { settings: z.output<typeof Settings>; cursor: string | null }, state: State) {
  const { settings, cursor } = context;
  const query = {
    returnFormat: 'json',
    publish_timestamp: readTried(cursor).at ?? `${settings.sinceDays}d`,
    ...(settings.toIds ? { to_ids: 1 } : {}),
    type: settings.types,
    ...(settings.tags.length > 0 ? { tags: settings.tags } : {}),
    deleted: 0,
    enforceWarninglist: 1,
    includeEventTags: 1,
    limit: settings.pageSize,
    page: state.page,
  };
  return {
    call: {
      url: new URL(`${settings.baseUrl}/attributes/restSearch`),
      method: 'POST' as const,
      headers: { authorization: settings.apiKey, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(query),
    },
    state,
  };
}
