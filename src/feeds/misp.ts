import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { defineFeed } from './feed.ts';
import { addAttribute, MISP_TYPES } from './misp-attribute.ts';
import { collectPage } from './page.ts';

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

const Answer = z.object({ response: z.object({ Attribute: z.array(z.unknown()) }) });
const EventId = z.object({ Event: z.object({ id: z.string() }) });

/** MISP `attributes/restSearch`: attributes of events published since the last run, page by page. */
export const misp = defineFeed<typeof Settings, { page: number }>({
  id: 'misp',
  title: 'MISP events',
  docs: 'https://www.misp-project.org/openapi/#tag/Attributes/operation/restSearchAttributes',
  settings: Settings,
  first: (context) => pageStep(context, 1),
  read(answer, step, context) {
    const { settings, startedAtS } = context;
    const rows = Answer.parse(answer.body).response.Attribute;
    const page = collectPage('misp');
    for (const row of rows) {
      const event = EventId.safeParse(row);
      const reference = event.success ? `${settings.baseUrl}/events/view/${encodeURIComponent(event.data.Event.id)}` : null;
      addAttribute(page, row, { tags: [], reference, toIds: settings.toIds });
    }
    // A short page is the last one; a full one may be, and the next is then empty.
    const isLast = rows.length < settings.pageSize;
    return page.page(isLast ? null : pageStep(context, step.state.page + 1), isLast ? String(startedAtS - OVERLAP_S) : null);
  },
});

function pageStep(context: { settings: z.output<typeof Settings>; cursor: string | null }, page: number) {
  const { settings, cursor } = context;
  const query = {
    returnFormat: 'json',
    publish_timestamp: cursor ?? `${settings.sinceDays}d`,
    ...(settings.toIds ? { to_ids: 1 } : {}),
    type: settings.types,
    ...(settings.tags.length > 0 ? { tags: settings.tags } : {}),
    deleted: 0,
    enforceWarninglist: 1,
    includeEventTags: 1,
    limit: settings.pageSize,
    page,
  };
  return {
    call: {
      url: new URL(`${settings.baseUrl}/attributes/restSearch`),
      method: 'POST' as const,
      headers: { authorization: settings.apiKey, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(query),
    },
    state: { page },
  };
}
