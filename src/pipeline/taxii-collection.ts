import type { Store } from '../store/store-client.ts';
import type { StoredIndicator } from '../store/observation.ts';
import { uuid5 } from '../model/formats/stix-id.ts';
import { isWithinTlp, type Tlp } from '../model/tlp.ts';
import { storedToStix } from './export-store.ts';

const MEDIA_TYPE = 'application/taxii+json;version=2.1';
const MAX_PAGE = 1000;
/** A time as TAXII writes it (RFC 3339). `Date.parse` takes more: `0.5` is a day in 2000 for it. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const DEFAULT_PAGE = 500;
/** What the collection holds. */
const OBJECT_TYPES: readonly string[] = ['indicator', 'vulnerability'];

/** The one collection: every judged threat of the store. */
export const TAXII_COLLECTION_ID = uuid5('taxii collection indicators');

/** What the TAXII server answers; `body` becomes JSON. */
export interface TaxiiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request below `/taxii2`. Whoever mounts it has checked who asks. */
export interface TaxiiRequest {
  /** Path after the mount, for example `/api/collections/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  /** Address of the mount as the caller sees it, without a trailing slash. */
  readonly baseUrl: string;
}

/** Answers a TAXII 2.1 request from the store, read only. Objects come in the order in which they were judged. */
export async function answerTaxii(request: TaxiiRequest, context: { store: Store; nowS: number; maxTlp: Tlp }): Promise<TaxiiAnswer> {
  const { path, accept, baseUrl } = request;
  if (!/application\/taxii\+json/.test(accept) && !accept.includes('*/*'))
    return failure(406, 'Accept has to name application/taxii+json;version=2.1');
  const collection = {
    id: TAXII_COLLECTION_ID,
    title: 'isMalicious indicators',
    description: 'Judged threats of this store',
    can_read: true,
    can_write: false,
    media_types: ['application/stix+json;version=2.1'],
  };
  switch (path.replace(/\/*$/, '/')) {
    case '/':
      return success({ title: 'isMalicious integration pack', default: `${baseUrl}/api/`, api_roots: [`${baseUrl}/api/`] });
    case '/api/':
      return success({ title: 'Indicators', versions: [MEDIA_TYPE], max_content_length: 1_048_576 });
    case '/api/collections/':
      return success({ collections: [collection] });
    case `/api/collections/${TAXII_COLLECTION_ID}/`:
      return success(collection);
    case `/api/collections/${TAXII_COLLECTION_ID}/objects/`:
      return readObjects(request, context, (_stored, object) => object);
    case `/api/collections/${TAXII_COLLECTION_ID}/manifest/`:
      return readObjects(request, context, (stored, { id, modified }) => ({
        id,
        date_added: addedAt(stored),
        version: modified,
        media_type: 'application/stix+json;version=2.1',
      }));
    default:
      return failure(404, 'no such resource');
  }
}

async function readObjects(
  { query }: TaxiiRequest,
  { store, nowS, maxTlp }: { store: Store; nowS: number; maxTlp: Tlp },
  show: (stored: StoredIndicator, object: ReturnType<typeof storedToStix>) => unknown,
): Promise<TaxiiAnswer> {
  const limit = Math.min(Number(query.get('limit') ?? DEFAULT_PAGE), MAX_PAGE);
  const since = query.get('added_after');
  const sinceS = since === null ? 0 : TIMESTAMP.test(since) ? Math.floor(Date.parse(since) / 1000) : NaN;
  const cursor = /^(\d+)-(\d+)$/.exec(query.get('next') ?? '');
  if (!Number.isInteger(limit) || limit < 1 || Number.isNaN(sinceS)) return failure(400, 'limit or added_after is not valid');
  if (query.has('next') && !cursor) return failure(400, "'next' is not valid");
  const types = query.get('match[type]')?.split(',') ?? OBJECT_TYPES;
  if (!types.some((type) => OBJECT_TYPES.includes(type))) return success({});
  const wanted = query.get('match[id]');
  const at = cursor ? { judgedS: Number(cursor[1]), id: Number(cursor[2]) } : { judgedS: sinceS, id: Number.MAX_SAFE_INTEGER };
  // Seconds are the store's grain: the running one is not told yet, or what comes later in it would fall between two polls.
  const rows = await store.judgedAfter(at, limit + 1, nowS - 1);
  const page = rows.slice(0, limit);
  const shown = page
    .filter(({ tlp }) => isWithinTlp(tlp ?? 'AMBER', maxTlp))
    .map((stored) => ({ stored, object: storedToStix(stored, stored.answer) }))
    .filter(({ object }) => types.includes(object.type) && (wanted === null || wanted.split(',').includes(object.id)));
  const [first, last] = [page[0], page.at(-1)];
  if (!first || !last) return success({});
  const more = rows.length > limit;
  const body = {
    more,
    ...(more ? { next: `${last.judgedS ?? 0}-${last.id}` } : {}),
    objects: shown.map(({ stored, object }) => show(stored, object)),
  };
  return success(body, { 'x-taxii-date-added-first': addedAt(first), 'x-taxii-date-added-last': addedAt(last) });
}

function addedAt(stored: StoredIndicator): string {
  return new Date((stored.judgedS ?? stored.addedS) * 1000).toISOString().replace('.000Z', '.000000Z');
}

function success(body: unknown, headers: Readonly<Record<string, string>> = {}): TaxiiAnswer {
  return { status: 200, headers: { 'content-type': MEDIA_TYPE, ...headers }, body };
}

function failure(status: number, title: string): TaxiiAnswer {
  return { status, headers: { 'content-type': MEDIA_TYPE }, body: { title, http_status: String(status) } };
}
