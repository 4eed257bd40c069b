import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import type { IndicatorType } from '../model/indicator.ts';
import { OWN_MISP_MARK } from '../model/formats/own-export.ts';
import { isOwnInMisp, OWN_MISP_EVENT, OWN_MISP_INFO, OWN_MISP_SOURCE } from '../model/formats/own-misp-event.ts';
import { failureOf } from './forms/read-answer.ts';
import {
  defineOutput,
  type HttpOutputCall,
  type OutputAnswer,
  type OutputContext,
  type OutputItem,
  type OutputResult,
  type OutputStep,
} from './output.ts';
import { isThreat, mispTypeOf } from './forms/item-summary.ts';

const setting = declareSettings('outputs.misp');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Base URL of the MISP server.'),
  apiKey: setting(
    'apiKey',
    z.string().check(z.minLength(1)),
    'Authentication key of a MISP user who may add attributes, tags and sightings.',
    { secret: true },
  ),
  eventUuid: setting(
    'eventUuid',
    z._default(z.string().check(z.regex(/^[0-9a-f-]{36}$/i)), OWN_MISP_EVENT),
    'UUID of the event that collects what MISP does not have yet; created on first use, unpublished, for your organisation only.',
  ),
  tag: setting('tag', z._default(z.boolean(), true), 'Tag attributes with verdict and tier.'),
  sighting: setting(
    'sighting',
    z._default(z.boolean(), true),
    'Add a sighting to what MISP has already from others, when the verdict is malicious or suspicious.',
  ),
});
type MispSettings = z.output<typeof Settings>;
type Context = OutputContext<MispSettings>;

/** A change to what MISP has already. */
interface Change {
  readonly path: string;
  readonly body: unknown;
}

/** Finding what MISP has of the value, adding it, making its event first, or changing what is there, one call after the other. */
type State =
  | { readonly at: 'search' }
  | { readonly at: 'event' }
  | { readonly at: 'add'; readonly madeEvent: boolean }
  | { readonly at: 'change'; readonly left: readonly Change[] };

const Tags = z.optional(z.nullable(z.array(z.object({ name: z.string() }))));
const Known = z.object({
  uuid: z.string(),
  value: z.string(),
  to_ids: z.optional(z.boolean()),
  Tag: Tags,
  Event: z.optional(z.object({ uuid: z.optional(z.string()), info: z.optional(z.string()), Tag: Tags })),
});
type KnownAttribute = z.output<typeof Known>;
// Older servers answer `[]` where nothing matches (MISP issue 3568).
const Attributes = z.object({ response: z.union([z.object({ Attribute: z.array(Known) }), z.array(z.never())]) });
/** MISP reads `%` as a wildcard and finds composites: far more than one value has. */
const MAX_KNOWN = 200;
const Refused = z.object({ errors: z.optional(z.unknown()), message: z.optional(z.string()) });

/**
 * Feedback to MISP for everything enriched: attribute, tags, sighting. A value that MISP has from others, in whichever event and type,
 * gets a sighting and tags instead of a copy; what we wrote before is brought up to date. All that is ours carries our mark, so that it never
 * counts as evidence when it is read again.
 */
export const mispOutput = defineOutput<typeof Settings, State>({
  id: 'misp',
  title: 'MISP feedback',
  docs: 'https://www.misp-project.org/openapi/',
  settings: Settings,
  defaults: { tellsTurns: true, events: ['enriched', 'verdict_changed'] },
  limits: () => ({ items: 1, bytes: 1_000_000 }),
  start: ([item], { settings }) => ({
    call: mispCall(settings, '/attributes/restSearch', {
      returnFormat: 'json',
      value: item?.indicator.value,
      includeEventTags: 1,
      limit: MAX_KNOWN,
      page: 1,
    }),
    state: { at: 'search' },
  }),
  read(answer, step, items, context) {
    const { state } = step;
    if (state.at === 'add') return readAdded(answer, state, { items, context });
    const failure = failureOf(answer, items, context.nowS);
    if (failure) return failure;
    if (state.at === 'event') return { next: addStep(items, context.settings, true) };
    return state.at === 'search' ? afterSearch(answer, items, context.settings) : changeStep(state.left, items, context.settings);
  },
});

function afterSearch(answer: OutputAnswer, items: readonly OutputItem[], settings: MispSettings): OutputResult<State> {
  const [item] = items;
  const { response } = Attributes.parse(answer.body);
  const value = item?.indicator.value.toLowerCase() ?? '';
  const known = (Array.isArray(response) ? [] : response.Attribute).filter((one) =>
    [one.value, ...one.value.split('|')].some((part) => part.trim().toLowerCase() === value),
  );
  const foreign = known.filter((one) => !isOurs(one, settings));
  const theirs = foreign.find(({ to_ids: isMarked }) => isMarked === true) ?? foreign[0];
  const [ours] = known;
  if (theirs) return changeStep([...sightingOf(items, settings), ...tagChanges(theirs, items, settings)], items, settings);
  if (!item || !ours) return { next: addStep(items, settings, false) };
  const { to_ids, comment } = attributeOf(item, settings);
  return changeStep(
    [{ path: `/attributes/edit/${ours.uuid}`, body: { to_ids, comment } }, ...tagChanges(ours, items, settings)],
    items,
    settings,
  );
}

function isOurs({ Tag, Event }: KnownAttribute, { eventUuid }: MispSettings): boolean {
  const tags = [...(Tag ?? []), ...(Event?.Tag ?? [])].map(({ name }) => name);
  return isOwnInMisp({ eventUuid: Event?.uuid ?? null, eventInfo: Event?.info ?? null, tags }, [eventUuid]);
}

function sightingOf(items: readonly OutputItem[], { sighting }: MispSettings): Change[] {
  const [item] = items;
  if (!item || !sighting || !isThreat(item)) return [];
  return [{ path: '/sightings/add', body: { values: [item.indicator.value], source: OWN_MISP_SOURCE, type: 0 } }];
}

/** What we think of it now, in the place of what we thought before. MISP says 200 also to a tag that the attribute has already. */
function tagChanges({ uuid, Tag }: KnownAttribute, items: readonly OutputItem[], { tag: tags }: MispSettings): Change[] {
  if (!tags) return [];
  const wanted = tagsOf(items);
  const outdated = (Tag ?? [])
    .map(({ name }) => name)
    .filter((name) => /^ismalicious:(verdict|tier)=/.test(name) && !wanted.includes(name));
  return [
    ...outdated.map((tag) => ({ path: '/tags/removeTagFromObject', body: { uuid, tag } })),
    ...wanted.map((tag) => ({ path: '/tags/attachTagToObject', body: { uuid, tag, local: true } })),
  ];
}

function changeStep([change, ...left]: readonly Change[], items: readonly OutputItem[], settings: MispSettings): OutputResult<State> {
  if (!change) return { duplicate: items };
  return { next: { call: mispCall(settings, change.path, change.body), state: { at: 'change', left } } };
}

function readAdded(
  answer: OutputAnswer,
  state: State & { at: 'add' },
  { items, context }: { items: readonly OutputItem[]; context: Context },
): OutputResult<State> {
  // Somebody was faster, in this very event.
  if (answer.status === 403 && /already exists/i.test(detailOfRefusal(answer.body))) return { duplicate: items };
  if (answer.status === 404 && !state.madeEvent) return { next: eventStep(context.settings) };
  if (answer.status === 403 && Refused.safeParse(answer.body).data?.errors !== undefined)
    return { split: `MISP: ${detailOfRefusal(answer.body)}` };
  return failureOf(answer, items, context.nowS) ?? { delivered: items };
}

function addStep([item]: readonly OutputItem[], settings: MispSettings, madeEvent: boolean): OutputStep<State> {
  return {
    call: mispCall(settings, `/attributes/add/${settings.eventUuid}`, item ? attributeOf(item, settings) : {}),
    state: { at: 'add', madeEvent },
  };
}

function attributeOf(item: OutputItem, { tag }: MispSettings) {
  const { answer } = item.enrichment;
  return {
    type: mispTypeOf(item.indicator.type),
    category: categoryOf(item.indicator.type),
    value: item.indicator.value,
    // Only what is held for malicious goes into detection; nothing on a wire spells a vulnerability.
    to_ids: answer.verdict === 'malicious' && item.indicator.type !== 'cve',
    distribution: 5,
    comment: `isMalicious: ${answer.verdict}, score ${answer.score ?? 'none'}, tier ${answer.tier}`,
    Tag: [OWN_MISP_MARK, ...(tag ? tagsOf([item]) : [])].map((name) => ({ name })),
  };
}

/** A category of MISP's that the type may stand in. */
function categoryOf(type: IndicatorType): string {
  if (type === 'cve') return 'External analysis';
  return type.startsWith('file:') || type === 'email-addr' ? 'Payload delivery' : 'Network activity';
}

function eventStep(settings: MispSettings): OutputStep<State> {
  const event = {
    uuid: settings.eventUuid,
    info: OWN_MISP_INFO,
    Tag: [{ name: OWN_MISP_MARK }],
    distribution: 0,
    analysis: 2,
    threat_level_id: 4,
    published: false,
  };
  return { call: mispCall(settings, '/events/add', { Event: event }), state: { at: 'event' } };
}

function tagsOf([item]: readonly OutputItem[]): string[] {
  if (!item) return [];
  const { answer } = item.enrichment;
  return [`ismalicious:verdict="${answer.verdict}"`, `ismalicious:tier="${answer.tier}"`];
}

function mispCall({ baseUrl, apiKey }: MispSettings, path: string, body: unknown): HttpOutputCall {
  return {
    kind: 'http',
    url: new URL(baseUrl + path),
    method: 'POST',
    headers: { authorization: apiKey, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

function detailOfRefusal(body: unknown): string {
  return (JSON.stringify(Refused.safeParse(body).data ?? body) ?? '').slice(0, 300);
}
