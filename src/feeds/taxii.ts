import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { LookupError } from '../model/lookup-error.ts';
import type { HttpAnswer, HttpCall } from '../providers/provider.ts';
import { listOrNone, looseFlag, looseText, looseWords } from './reading/loose-fields.ts';
import { defineFeed, type FeedStep } from './feed.ts';
import { collectPage, type PageCollector } from './reading/collect-page.ts';
import { hasSeen, markOfPage, type SeenPages, withPage } from './reading/progress.ts';
import { addStixObject } from './reading/stix-objects.ts';
import {
  acceptOf,
  type Entrances,
  entrancesAfter,
  entrancesOf,
  isOldCollection,
  nextRange,
  rangeHeader,
  type TaxiiVersion,
  versionOf,
} from './reading/taxii-version.ts';

const setting = declareSettings('feeds.taxii');
const Settings = z.object({
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://api.ismalicious.com/taxii2'), 'TAXII 2.1 or 2.0 discovery URL or API root.'),
  collection: setting('collection', z._default(z.string(), ''), 'Id or title of the collection to read; empty: every readable one.'),
  username: setting(
    'username',
    z._default(z.string(), ''),
    'User for basic authentication (isMalicious: `api`); empty: `api_key` is sent as bearer token.',
  ),
  apiKey: setting('apiKey', z._default(z.string(), ''), 'Password of `username`, or bearer token; isMalicious: the base64 credential.', {
    secret: true,
  }),
  pageSize: setting(
    'pageSize',
    z._default(z.int().check(z.gte(1), z.lte(10_000)), 1000),
    'Objects in one answer, 1 to 10000; servers may send fewer.',
  ),
});
type TaxiiSettings = z.output<typeof Settings>;
type Context = { settings: TaxiiSettings; cursor: string | null };

const Discovery = z.object({ default: looseText, api_roots: looseWords });
const Collections = z.object({ collections: listOrNone });
const Collection = z.object({ id: z.string().check(z.minLength(1)), title: looseText, can_read: looseFlag, media_types: looseWords });
const Envelope = z.object({ more: looseFlag, next: looseText, objects: listOrNone });
/** Collection URL → `X-TAXII-Date-Added-Last` of the last stored page. */
const Cursors = z.record(z.string(), z.string());

/** Where we are: finding the API root, its collections, or reading the first of `collections`. */
type State =
  | { readonly at: 'discovery'; readonly entrances: Entrances }
  | { readonly at: 'collections'; readonly root: string; readonly version: TaxiiVersion }
  | {
      readonly at: 'objects';
      readonly version: TaxiiVersion;
      readonly collections: readonly string[];
      /** Collection URL → date of the last object read. */
      readonly added: Readonly<Record<string, string>>;
      /** Page id (2.0: the number of its first item), with the `added_after` of the query it belongs to: a page id goes only with the very filters it was made for. */
      readonly next: { readonly id: string; readonly since: string | null } | null;
      /** Pages of this collection. */
      readonly seen: SeenPages;
    };
type Objects = State & { at: 'objects' };

/** TAXII 2.1 and 2.0 collections: isMalicious' own and any other. Resumes by the date an object was added. */
export const taxii = defineFeed<typeof Settings, State>({
  id: 'taxii',
  title: 'TAXII 2 collections',
  docs: 'https://docs.oasis-open.org/cti/taxii/v2.1/taxii-v2.1.html',
  settings: Settings,
  first: (context) => discoveryStep(entrancesOf(context.settings.baseUrl), context),
  // Page ids live for seconds on some servers: 400 on one means "start again after what you have" (medallion 3.0); 400 on a date, that it is none.
  reads: (answer, { state }) => {
    if (state.at === 'discovery') return entrancesAfter(answer, state.entrances) !== null;
    if (state.at !== 'objects') return false;
    return isPastEnd(answer, state) || (answer.status === 400 && (state.next !== null || sinceOf(state) !== null));
  },
  read(answer, step, context) {
    const { state } = step;
    if (state.at === 'objects') return readObjects(answer, state, context);
    const page = collectPage('taxii');
    if (state.at === 'collections') return page.page(objectsStep(readableCollections(page, answer, { state, context }), context), null);
    const entrances = entrancesAfter(answer, state.entrances);
    if (entrances !== null) return page.page(discoveryStep(entrances, context), null);
    const { default: preferred, api_roots: roots } = Discovery.parse(answer.body);
    // An API root answers with its own description, which has no roots in it.
    const [tried] = state.entrances;
    const root = sameHost(preferred ?? roots[0] ?? tried.url, context.settings);
    const version = versionOf(answer, tried.version);
    const headers = { accept: acceptOf(version, 'taxii') };
    return page.page({ call: callOf(context.settings, `${root}collections/`, headers), state: { at: 'collections', root, version } }, null);
  },
  // One collection that is forbidden or broken is no reason not to read the others. Its own date stays where it is.
  skip({ error }, { state }, context) {
    if (state.at !== 'objects') return null;
    const page = collectPage('taxii');
    const [collection = ''] = state.collections;
    page.reject('collection could not be read', collection);
    page.fault(`collection ${nameOf(collection)} could not be read: ${error.message}`);
    return page.page(objectsStep(nextCollection(state), context), null);
  },
});

function readObjects(answer: HttpAnswer, state: Objects, context: Context) {
  const page = collectPage('taxii');
  const [collection = ''] = state.collections;
  if (answer.status === 400) return page.page(objectsStep(withoutRefused(state, collection), context), null);
  if (isPastEnd(answer, state)) return page.page(objectsStep(nextCollection(state), context), null);
  const { objects, ...paging } = Envelope.parse(answer.body);
  const { more, next } = state.version === '2.0' ? rangePaging(answer) : paging;
  const isStuck = state.version === '2.0' && next !== null && Number(next) <= Number(state.next?.id ?? 0);
  const mark = objects.length > 0 ? markOfPage(objects) : `empty ${next}`;
  if (more === true && (isStuck || hasSeen(state.seen, mark))) {
    page.fault(`collection ${nameOf(collection)} gives a page that came before: it is cut there`);
    page.ignore(objects.length);
    return page.page(objectsStep(nextCollection(state), context), JSON.stringify(state.added));
  }
  for (const object of objects) addStixObject(page, object);
  const last = answer.headers['x-taxii-date-added-last'];
  const added = last ? { ...state.added, [collection]: last } : state.added;
  const since = sinceOf(state);
  const goesOn = more === true && (next !== null || Boolean(last));
  if (more === true && !goesOn) page.fault(`collection ${nameOf(collection)} has more, but says neither page nor date: it is cut there`);
  const rest = goesOn
    ? { ...state, added, next: next === null ? null : { id: next, since }, seen: withPage(state.seen, mark) }
    : nextCollection({ ...state, added });
  return page.page(objectsStep(rest, context), JSON.stringify(added));
}

/** The `added_after` of the next call. */
function sinceOf({ next, added, collections: [collection = ''] }: Objects): string | null {
  return next ? next.since : (added[collection] ?? null);
}

/** What the server refuses is dropped: the page id, else the date; a collection is then read from its beginning. */
function withoutRefused(state: Objects, collection: string): Objects {
  if (state.next !== null) return { ...state, next: null };
  return { ...state, added: Object.fromEntries(Object.entries(state.added).filter(([url]) => url !== collection)) };
}

function nextCollection(state: Objects): Objects {
  return { ...state, collections: state.collections.slice(1), next: null, seen: [] };
}

/** The id of a collection, out of its URL. */
function nameOf(collection: string): string {
  return decodeURIComponent(collection.split('/').at(-3) ?? collection);
}

function readableCollections(
  page: PageCollector,
  answer: HttpAnswer,
  { state, context }: { state: State & { at: 'collections' }; context: Context },
): Objects {
  const { settings, cursor } = context;
  if (nextRange(answer) !== null) page.fault('the server has more collections than it listed: only those of its first answer are read');
  const all = Collections.parse(answer.body).collections.flatMap((raw) => {
    const collection = Collection.safeParse(raw);
    if (collection.success) return collection.data;
    page.reject('no TAXII collection: its id is missing', raw);
    return [];
  });
  const wanted = all.filter(
    ({ id, title, can_read: canRead }) => canRead !== false && (settings.collection === '' || [id, title].includes(settings.collection)),
  );
  if (wanted.length === 0) {
    const names = all.map(({ id, title }) => title ?? id).slice(0, 10);
    throw new LookupError(
      'bad_response',
      'taxii',
      `no readable collection ${settings.collection}: the server has ${names.join(', ') || 'none'}`,
    );
  }
  return {
    at: 'objects',
    version: wanted.every((collection) => isOldCollection(collection.media_types)) ? '2.0' : versionOf(answer, state.version),
    collections: wanted.map(({ id }) => `${state.root}collections/${encodeURIComponent(id)}/objects/`),
    added: addedOf(cursor),
    next: null,
    seen: [],
  };
}

function addedOf(cursor: string | null): Readonly<Record<string, string>> {
  if (cursor === null) return {};
  try {
    return Cursors.parse(JSON.parse(cursor));
  } catch {
    // A cursor that cannot be read is none: everything is read once more, and stored only once.
    return {};
  }
}

function objectsStep(state: Objects, { settings }: Context): FeedStep<State> | null {
  const [collection] = state.collections;
  if (collection === undefined) return null;
  const url = new URL(collection);
  const since = sinceOf(state);
  if (since !== null) url.searchParams.set('added_after', since);
  const accept = acceptOf(state.version, 'objects');
  if (state.version === '2.0') {
    const range = rangeHeader(Number(state.next?.id ?? 0), settings.pageSize);
    return { call: callOf(settings, url.href, { accept, range }), state };
  }
  url.searchParams.set('limit', String(settings.pageSize));
  if (state.next !== null) url.searchParams.set('next', state.next.id);
  return { call: callOf(settings, url.href, { accept }), state };
}

function discoveryStep(entrances: Entrances, { settings }: Context): FeedStep<State> {
  const [{ url, version }] = entrances;
  return { call: callOf(settings, url, { accept: acceptOf(version, 'taxii') }), state: { at: 'discovery', entrances } };
}

/** Whether a server of 2.0 says that there is nothing from that item on: an empty collection, or the end of one. */
function isPastEnd({ status }: HttpAnswer, { version }: Objects): boolean {
  return status === 416 && version === '2.0';
}

/** What 2.0 says in its head, in the words of 2.1. */
function rangePaging(answer: HttpAnswer): { readonly more: boolean; readonly next: string | null } {
  const next = nextRange(answer);
  return { more: next !== null, next: next === null ? null : String(next) };
}

function callOf(settings: TaxiiSettings, url: string, headers: Readonly<Record<string, string>>): HttpCall {
  const { username, apiKey } = settings;
  const authorization = username === '' ? `Bearer ${apiKey}` : `Basic ${toBase64(`${username}:${apiKey}`)}`;
  return { url: new URL(url), headers: { ...headers, ...(apiKey === '' ? {} : { authorization }) } };
}

function sameHost(root: string, settings: TaxiiSettings): string {
  const url = URL.parse(root, `${settings.baseUrl}/`);
  if (url?.origin !== new URL(settings.baseUrl).origin)
    throw new LookupError(
      'bad_response',
      'taxii',
      'its API root is on another host: set feeds.taxii.base_url to it, the key is not sent there',
    );
  return url.href.replace(/\/*$/, '/');
}
