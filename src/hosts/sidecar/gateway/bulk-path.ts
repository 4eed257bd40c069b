import type { IncomingMessage } from 'node:http';
import { readEnginePath } from '../../../search-engine/engine-path.ts';
import { INGEST_FOLDER } from '../http/access.ts';

/** What a call is to the gateway. `live`: the streaming form of bulk, which is answered as it comes. `document`: one for a single document. */
export type GatewayCall =
  | { readonly kind: 'ingest'; readonly index: string }
  | { readonly kind: 'bulk'; readonly index: string | null; readonly isLive: boolean }
  | { readonly kind: 'document' | 'other' };

/** Nearly all calls, and nothing in them to be decoded. */
const PLAIN_BULK = /^\/(?:([a-z0-9][a-z0-9._-]*)\/)?_bulk$/;
const OTHER: GatewayCall = { kind: 'other' };
const DOCUMENT: GatewayCall = { kind: 'document' };
const DOCUMENT_APIS: ReadonlySet<string> = new Set(['_doc', '_create', '_update']);

/** Reads what a call is for. The path is taken as the engine takes it: decoded, and without its empty segments. */
export function readCall({ method, url }: Pick<IncomingMessage, 'method' | 'url'>): GatewayCall {
  const path = (url ?? '').split('?', 1)[0] ?? '';
  const isWrite = method === 'POST' || method === 'PUT';
  const plain = isWrite ? PLAIN_BULK.exec(path) : null;
  if (plain !== null) return { kind: 'bulk', index: plain[1] ?? null, isLive: false };
  if (path.startsWith(INGEST_FOLDER)) return { kind: 'ingest', index: decoded(path.slice(INGEST_FOLDER.length)) };
  if (!isWrite) return OTHER;
  const read = readEnginePath(path);
  if ('fault' in read) return OTHER;
  const { segments } = read;
  if (segments.length === 3 && `/${segments.slice(0, 2).join('/')}/` === INGEST_FOLDER) return { kind: 'ingest', index: segments[2] ?? '' };
  return readBulk(segments) ?? (isForDocument(segments) ? DOCUMENT : OTHER);
}

/** `/_bulk`, `/{index}/_bulk` and, of old, `/{index}/{type}/_bulk`; `/_bulk/stream` and `/{index}/_bulk/stream` of OpenSearch. */
function readBulk(segments: readonly string[]): GatewayCall | null {
  const isLive = segments.length > 1 && segments.at(-1) === 'stream' && segments.at(-2) === '_bulk';
  const before = segments.slice(0, isLive ? -2 : -1);
  if ((!isLive && segments.at(-1) !== '_bulk') || before.length > 2) return null;
  return { kind: 'bulk', index: before[0] ?? null, isLive };
}

/** `/{index}/_doc`, `/{index}/_create/{id}`, `/{index}/_update/{id}`; of old, `/{index}/{type}/{id}` and what is below it. */
function isForDocument([index = '', api = '', ...more]: readonly string[]): boolean {
  if (api === '' || index.startsWith('_') || (api.startsWith('_') && !DOCUMENT_APIS.has(api))) return false;
  return more.length < 2 || (more.length === 2 && DOCUMENT_APIS.has(more[1] ?? ''));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // The name is judged as it stands.
    return segment;
  }
}
