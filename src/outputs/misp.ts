import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import type { IndicatorType } from '../model/indicator.ts';
import { uuid5 } from '../mapping/stix-id.ts';
import { failureOf } from './read-answer.ts';
import {
  defineOutput,
  type HttpOutputCall,
  type OutputAnswer,
  type OutputContext,
  type OutputItem,
  type OutputResult,
  type OutputStep,
} from './output.ts';
import { isThreat, mispTypeOf } from './item-summary.ts';

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
    z._default(z.string().check(z.regex(/^[0-9a-f-]{36}$/i)), uuid5('misp feedback event')),
    'UUID of the event that collects what MISP does not have yet; created on first use, unpublished, for your organisation only.',
  ),
  tag: setting('tag', z._default(z.boolean(), true), 'Tag attributes with verdict and tier.'),
  sighting: setting(
    'sighting',
    z._default(z.boolean(), true),
    'Add a sighting to what MISP has already, when the verdict is malicious or suspicious.',
  ),
});
type MispSettings = z.output<typeof Settings>;
type Context = OutputContext<MispSettings>;

/** Adding the attribute, making its event first, adding a sighting, finding the attribute's UUID, or attaching the tags that are left. */
type State =
  | { readonly at: 'add'; readonly madeEvent: boolean }
  | { readonly at: 'event' | 'sighting' | 'find' }
  | { readonly at: 'tag'; readonly uuid: string; readonly tags: readonly string[] };

const Attributes = z.object({ response: z.object({ Attribute: z.array(z.object({ uuid: z.string() })) }) });
const Refused = z.object({ errors: z.optional(z.unknown()), message: z.optional(z.string()) });

/** Feedback to MISP for everything enriched: attribute, tags, sighting. What MISP has already gets a sighting instead of a copy. */
export const mispOutput = defineOutput<typeof Settings, State>({
  id: 'misp',
  title: 'MISP feedback',
  docs: 'https://www.misp-project.org/openapi/',
  settings: Settings,
  defaults: { tellsTurns: true, events: ['enriched', 'verdict_changed'] },
  limits: () => ({ items: 1, bytes: 1_000_000 }),
  start: (items, context) => addStep(items, context.settings, false),
  read(answer, step, items, context) {
    const { state } = step;
    if (state.at === 'add') return readAdded(answer, state, { items, context });
    const failure = failureOf(answer, items, context.nowS);
    if (failure) return failure;
    if (state.at === 'event') return { next: addStep(items, context.settings, true) };
    if (state.at === 'sighting') return afterSighting(items, context.settings);
    if (state.at === 'tag') return afterTag(state, items, context.settings);
    const uuid = Attributes.parse(answer.body).response.Attribute[0]?.uuid;
    return uuid === undefined ? { duplicate: items } : afterTag({ at: 'tag', uuid, tags: ['', ...tagsOf(items)] }, items, context.settings);
  },
});

function readAdded(
  answer: OutputAnswer,
  state: State & { at: 'add' },
  { items, context }: { items: readonly OutputItem[]; context: Context },
): OutputResult<State> {
  if (answer.status === 403 && /already exists/i.test(detailOfRefusal(answer.body))) {
    if (context.settings.sighting && items.some(isThreat)) return { next: sightingStep(items, context.settings) };
    return afterSighting(items, context.settings);
  }
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
    ...(tag ? { Tag: tagsOf([item]).map((name) => ({ name })) } : {}),
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
    info: 'isMalicious enrichment feedback',
    distribution: 0,
    analysis: 2,
    threat_level_id: 4,
    published: false,
  };
  return { call: mispCall(settings, '/events/add', { Event: event }), state: { at: 'event' } };
}

function sightingStep([item]: readonly OutputItem[], settings: MispSettings): OutputStep<State> {
  return {
    call: mispCall(settings, '/sightings/add', { values: [item?.indicator.value], source: 'isMalicious', type: 0 }),
    state: { at: 'sighting' },
  };
}

function afterSighting(items: readonly OutputItem[], settings: MispSettings): OutputResult<State> {
  const [item] = items;
  if (!settings.tag || !item) return { duplicate: items };
  const query = { returnFormat: 'json', value: item.indicator.value, type: mispTypeOf(item.indicator.type), limit: 1, page: 1 };
  return { next: { call: mispCall(settings, '/attributes/restSearch', query), state: { at: 'find' } } };
}

/** The first tag of `state` is done; MISP says so with 200 also when the attribute had it already. */
function afterTag({ uuid, tags }: State & { at: 'tag' }, items: readonly OutputItem[], settings: MispSettings): OutputResult<State> {
  const [tag, ...rest] = tags.slice(1);
  if (tag === undefined) return { duplicate: items };
  return {
    next: {
      call: mispCall(settings, '/tags/attachTagToObject', { uuid, tag, local: true }),
      state: { at: 'tag', uuid, tags: [tag, ...rest] },
    },
  };
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
