import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { LookupError } from '../model/lookup-error.ts';
import { looseList } from './reading/loose-fields.ts';
import { collectPage, type PageCollector } from './reading/collect-page.ts';
import { defineFeed, type FeedContext, type FeedStep } from './feed.ts';
import { idOf, readEvents, type StreamEvent } from './reading/server-sent-events.ts';
import { addStixObject } from './reading/stix-objects.ts';

const DAY_MS = 86_400_000;
/** What is read in one call at most, in bytes; the next call goes on behind it. */
const MOST_BYTES = 32 * 1024 * 1024;
/** `1620249512318-0`: milliseconds since 1970, and a number within them. */
const EVENT_ID = /^(\d{1,15})-\d{1,15}$/;

const setting = declareSettings('feeds.opencti');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Base URL of OpenCTI.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'Token of an OpenCTI user who may read the stream.', { secret: true }),
  stream: setting(
    'stream',
    z.string().check(z.regex(/^[\w-]{1,64}$/)),
    'Id of a live stream of OpenCTI (Data > Data sharing), or `live`, the stream of everything.',
  ),
  sinceDays: setting(
    'sinceDays',
    z._default(z.int().check(z.gte(0), z.lte(3650)), 30),
    'How many days back the first run begins, 0 to 3650; later runs go on behind the last event.',
  ),
  readS: setting(
    'readS',
    z._default(z.int().check(z.gte(1), z.lte(300)), 15),
    'Seconds that one call listens, 1 to 300; it is called again while older events come. OpenCTI sends a sign of life every few seconds.',
  ),
});
type OpenctiSettings = z.output<typeof Settings>;
type Context = FeedContext<OpenctiSettings>;

/** Where the stream is read on: the id of the last event, and until when OpenCTI has to look into its database for what its stream no longer holds. */
interface State {
  readonly at: string;
  readonly recover: string;
}

const Message = z.object({
  data: z.record(z.string(), z.unknown()),
  context: z.nullish(z.object({ sources: looseList })),
});

/** A live stream of OpenCTI: what is created, changed, merged and deleted there. Resumes behind the last event. */
export const openctiStream = defineFeed<typeof Settings, State>({
  id: 'opencti',
  title: 'OpenCTI stream',
  docs: 'https://docs.opencti.io/latest/reference/streaming/',
  settings: Settings,
  first: (context) => stepAt(stateOf(context), context),
  read({ body }, { state }, context) {
    if (typeof body !== 'string')
      throw new LookupError('bad_response', 'opencti', 'gives no stream: check feeds.opencti.base_url and stream');
    const page = collectPage('opencti');
    const { events, rest } = readEvents(body);
    const told = events.filter(({ type }) => type !== 'heartbeat' && type !== 'connected');
    for (const event of told) addEvent(page, event);
    const isCut = events.length === 0 && new TextEncoder().encode(body).byteLength >= MOST_BYTES;
    if (isCut) page.reject(`an event of more than ${MOST_BYTES} bytes`, rest);
    const at = newest([...events.map(({ id }) => id), isCut ? idOf(rest) : null]) ?? state.at;
    const hasMoved = at !== state.at;
    if (told.length > 0 && !hasMoved)
      page.fault('the stream gives events without an id that is newer: it cannot be resumed, and is cut there');
    const isBehind = timeOf(at) < context.startedAtS * 1000;
    const next = (told.length > 0 || isCut) && hasMoved && isBehind ? stepAt({ ...state, at }, context) : null;
    return page.page(next, `${at} recover=${state.recover}`);
  },
});

function stateOf({ cursor, settings, startedAtS }: Context): State {
  const [, at, recover] = /^(\d{1,15}-\d{1,15}) recover=(\S{1,40})$/.exec(cursor ?? '') ?? [];
  if (at !== undefined && recover !== undefined) return { at, recover };
  const nowMs = startedAtS * 1000;
  return { at: `${Math.max(0, nowMs - settings.sinceDays * DAY_MS)}-0`, recover: new Date(nowMs).toISOString() };
}

function stepAt(state: State, { settings }: Context): FeedStep<State> {
  const url = new URL(`${settings.baseUrl}/stream/${encodeURIComponent(settings.stream)}`);
  url.searchParams.set('recover', state.recover);
  const headers = {
    authorization: `Bearer ${settings.apiKey}`,
    accept: 'text/event-stream',
    'last-event-id': state.at,
    'listen-delete': 'true',
    'no-dependencies': 'true',
    'with-inferences': 'false',
  };
  return { call: { url, headers, stream: { forMs: settings.readS * 1000, mostBytes: MOST_BYTES } }, state };
}

/** One event that cannot be read is kept aside, and costs no other. */
function addEvent(page: PageCollector, { type, data }: StreamEvent): void {
  const message = Message.safeParse(jsonOf(data));
  if (!message.success) return page.reject('no event of OpenCTI: its data cannot be read', data);
  const { data: object, context } = message.data;
  switch (type) {
    case 'create':
    case 'update':
      return addStixObject(page, object);
    case 'delete':
      return withdraw(page, object);
    case 'merge':
      // First what went into another object, then that one: they may name the same value.
      for (const source of context?.sources ?? []) withdraw(page, source);
      return addStixObject(page, object);
    default:
      return page.ignore();
  }
}

/** What is deleted, or left the filters of the stream, is listed no longer. */
function withdraw(page: PageCollector, object: unknown): void {
  addStixObject(page, typeof object === 'object' && object !== null ? { ...object, revoked: true } : object);
}

/** The newest of these ids; those of another form are none. */
function newest(ids: readonly (string | null)[]): string | null {
  return ids.findLast((id) => id !== null && EVENT_ID.test(id)) ?? null;
}

function timeOf(id: string): number {
  return Number(EVENT_ID.exec(id)?.[1] ?? 0);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not ours to read: it is kept aside as it came.
    return null;
  }
}
