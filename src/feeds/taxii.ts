import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/base64.ts';
import { LookupError } from '../model/lookup-error.ts';
import type { HttpAnswer, HttpCall } from '../providers/provider.ts';
import { defineFeed, type FeedStep } from './feed.ts';
import { collectPage } from './page.ts';
import { addStixObject } from './stix-objects.ts';

const MEDIA_TYPE = 'application/taxii+json;version=2.1';

const setting = declareSettings('feeds.taxii');
const Settings = z.object({
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://api.ismalicious.com/taxii2'), 'TAXII 2.1 discovery URL or API root.'),
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

const Discovery = z.object({ default: z.optional(z.string()), api_roots: z.optional(z.array(z.string())) });
const Collections = z.object({
  collections: z.optional(z.array(z.object({ id: z.string(), title: z.optional(z.string()), can_read: z.optional(z.boolean()) }))),
});
const Envelope = z.object({ more: z.optional(z.boolean()), next: z.optional(z.string()), objects: z.optional(z.array(z.unknown())) });
/** Collection URL → `X-TAXII-Date-Added-Last` of the last stored page. */
const Cursors = z.record(z.string(), z.string());

/** Where we are: finding the API root, its collections, or reading the first of `collections`. */
type State =
  | { readonly at: 'discovery' }
  | { readonly at: 'collections'; readonly root: string }
  | {
      readonly at: 'objects';
      readonly collections: readonly string[];
      /** Collection URL → date of the last object read. */
      readonly added: Readonly<Record<string, string>>;
      /** Page id, with the `added_after` of the query it belongs to: a page id goes only with the very filters it was made for. */
      readonly next: { readonly id: string; readonly since: string | null } | null;
    };

/** TAXII 2.1 collections: isMalicious' own and any other. Resumes by the date an object was added. */
export const taxii = defineFeed<typeof Settings, State>({
  id: 'taxii',
  title: 'TAXII 2.1 collections',
  docs: 'https://docs.oasis-open.org/cti/taxii/v2.1/taxii-v2.1.html',
  settings: Settings,
  first: ({ settings }) => ({ call: callOf(settings, `${settings.baseUrl}/`), state: { at: 'discovery' } }),
  // Page ids live for seconds on some servers: 400 on one means "start again after what you have" (medallion 3.0).
  reads: (answer, step) => answer.status === 400 && step.state.at === 'objects' && step.state.next !== null,
  read(answer, step, context) {
    const { state } = step;
    if (state.at === 'objects') return readObjects(answer, state, context);
    const page = collectPage('taxii');
    if (state.at === 'collections') return page.page(objectsStep(readableCollections(answer.body, state.root, context), context), null);
    const { default: preferred, api_roots: roots } = Discovery.parse(answer.body);
    // An API root answers with its own description, which has no roots in it.
    const root = sameHost(preferred ?? roots?.[0] ?? `${context.settings.baseUrl}/`, context.settings);
    return page.page({ call: callOf(context.settings, `${root}collections/`), state: { at: 'collections', root } }, null);
  },
});

function readObjects(answer: HttpAnswer, state: State & { at: 'objects' }, context: Context) {
  const page = collectPage('taxii');
  const [collection = ''] = state.collections;
  if (answer.status === 400) return page.page(objectsStep({ ...state, next: null }, context), null);
  const { more, next, objects = [] } = Envelope.parse(answer.body);
  for (const object of objects) addStixObject(page, object);
  const last = answer.headers['x-taxii-date-added-last'];
  const added = last ? { ...state.added, [collection]: last } : state.added;
  const since = state.next ? state.next.since : (state.added[collection] ?? null);
  const goesOn = more === true && (next !== undefined || last !== undefined);
  const rest = {
    at: state.at,
    added,
    next: goesOn && next !== undefined ? { id: next, since } : null,
    collections: goesOn ? state.collections : state.collections.slice(1),
  };
  return page.page(objectsStep(rest, context), JSON.stringify(added));
}

function readableCollections(body: unknown, root: string, { settings, cursor }: Context): State & { at: 'objects' } {
  const all = Collections.parse(body).collections ?? [];
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
    collections: wanted.map(({ id }) => `${root}collections/${encodeURIComponent(id)}/objects/`),
    added: cursor === null ? {} : Cursors.parse(JSON.parse(cursor)),
    next: null,
  };
}

function objectsStep(state: State & { at: 'objects' }, { settings }: Context): FeedStep<State> | null {
  const [collection] = state.collections;
  if (collection === undefined) return null;
  const url = new URL(collection);
  const since = state.next ? state.next.since : (state.added[collection] ?? null);
  if (since !== null) url.searchParams.set('added_after', since);
  url.searchParams.set('limit', String(settings.pageSize));
  if (state.next !== null) url.searchParams.set('next', state.next.id);
  return { call: callOf(settings, url.href), state };
}

function callOf(settings: TaxiiSettings, url: string): HttpCall {
  const { username, apiKey } = settings;
  const authorization = username === '' ? `Bearer ${apiKey}` : `Basic ${toBase64(`${username}:${apiKey}`)}`;
  return { url: new URL(url), headers: { accept: MEDIA_TYPE, ...(apiKey === '' ? {} : { authorization }) } };
}

function sameHost(root: string, settings: TaxiiSettings): string {
  const url = new URL(root, `${settings.baseUrl}/`);
  if (url.origin !== new URL(settings.baseUrl).origin)
    throw new LookupError(
      'bad_response',
      'taxii',
      'its API root is on another host: set feeds.taxii.base_url to it, the key is not sent there',
    );
  return url.href.replace(/\/*$/, '/');
}
