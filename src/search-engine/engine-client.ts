// src/search-engine/: Elasticsearch and OpenSearch: the client of both, their assets, and the backfill of what they hold.
import type { HttpTransport } from '../engine/calls/http/transport.ts';
import { isSafeEndpoint } from '../model/parsing/safe-endpoint.ts';
import { LookupError } from '../model/lookup-error.ts';

/** What an engine answered. */
export interface EngineAnswer {
  readonly status: number;
  /** Parsed JSON, or text; `null` when there was no body. */
  readonly body: unknown;
}

/** Calls to one search engine. Any HTTP status is an answer; only a missing answer is thrown. */
export interface EngineClient {
  /** Scheme, host and port, for people. Never carries a credential. */
  readonly name: string;
  /** `body`: an object is sent as JSON, text as NDJSON. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object | string): Promise<EngineAnswer>;
}

/** How to log in: an API key (Elasticsearch) or a user (both). */
export type EngineAuth =
  | { readonly kind: 'none' }
  /** As Elastic prints it: `id:key`, or the same already in base64. */
  | { readonly kind: 'api_key'; readonly key: string }
  | { readonly kind: 'user'; readonly user: string; readonly password: string };

const TIMEOUT_MS = 60_000;

/** A client for the engine at `url`. Throws when the URL carries a credential, which would end in logs and process lists, or when one would be sent in the clear. */
export function createEngineClient(url: string, auth: EngineAuth, transport: HttpTransport): EngineClient {
  const base = readBase(url);
  if (auth.kind !== 'none' && !isSafeEndpoint(url))
    throw new LookupError('invalid', 'search engine', 'no user or key goes over plain http to another machine: give https://host:port');
  const headers = authHeaders(auth);
  return {
    name: base.origin,
    async call(method, path, body) {
      const target = new URL(`${base.pathname === '/' ? '' : base.pathname.replace(/\/$/, '')}${path}`, base);
      const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
      const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const sent = { ...headers, ...(body !== undefined && { 'content-type': type }) };
      const answer = await transport.send({ url: target, method, headers: sent, ...payload }, { timeoutMs: TIMEOUT_MS });
      return { status: answer.status, body: answer.body === '' ? null : answer.body };
    },
  };
}

function readBase(url: string): URL {
  if (!URL.canParse(url)) throw new LookupError('invalid', 'search engine', 'the URL cannot be read: give http(s)://host:port');
  const base = new URL(url);
  if (base.protocol !== 'http:' && base.protocol !== 'https:')
    throw new LookupError('invalid', 'search engine', `unsupported URL scheme "${base.protocol}": use http:// or https://`);
  if (base.username !== '' || base.password !== '')
    throw new LookupError('invalid', 'search engine', 'no user or password in the URL: use --user or ISMALICIOUS_ELASTIC_API_KEY');
  return base;
}

function authHeaders(auth: EngineAuth): Record<string, string> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'api_key':
      return { authorization: `ApiKey ${auth.key.includes(':') ? toBase64(auth.key) : auth.key}` };
    case 'user':
      return { authorization: `Basic ${toBase64(`${auth.user}:${auth.password}`)}` };
  }
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/**
 * The engine's own words for a refusal, on one line: what it says first, and the deepest cause, which is the one to act on. Parsers quote
 * the raw request, headers included: only the first line of a cause is kept, up to where it names its source.
 */
export function refusalOf({ status, body }: EngineAnswer): string {
  const error = memberOf(body, 'error');
  const root = memberOf(error, 'root_cause');
  const reason = memberOf(error, 'reason') ?? memberOf(Array.isArray(root) ? root[0] : null, 'reason') ?? error ?? '';
  const first = wordsOf(reason);
  const cause = wordsOf(deepestCause(error));
  const words = (cause === '' || first.includes(cause) ? first : first === '' ? cause : `${shortened(first, cause)}: ${cause}`).slice(
    0,
    MOST_WORDS,
  );
  return words === '' ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
}

const MOST_WORDS = 300;
const MOST_CAUSES = 20;
/** Of what stands before a cause this much is kept at least. */
const LEAST_WORDS = 100;

/** The cause is never what is cut off. */
function shortened(first: string, cause: string): string {
  const room = Math.max(LEAST_WORDS, MOST_WORDS - cause.length - 2);
  return first.length <= room ? first : `${first.slice(0, room - 1)}…`;
}

function deepestCause(error: unknown): unknown {
  let reason: unknown = '';
  let cause = memberOf(error, 'caused_by');
  for (let depth = 0; cause !== undefined && depth < MOST_CAUSES; depth += 1) {
    reason = memberOf(cause, 'reason') ?? reason;
    cause = memberOf(cause, 'caused_by');
  }
  return reason;
}

function wordsOf(reason: unknown): string {
  if (typeof reason !== 'string') return '';
  const [line = ''] = reason.trim().split(/[\r\n]+|\bat \[Source/, 1);
  return line
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(?:authorization|apikey|basic)\b.*/gi, '…')
    .trim()
    .slice(0, MOST_WORDS);
}

/** A member of something that may be no object; `undefined` when it is not there. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
