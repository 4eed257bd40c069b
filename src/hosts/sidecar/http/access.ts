import type { IncomingMessage } from 'node:http';
import type { Scope } from '../../../compose/sidecar-access/tokens.ts';
import { headerOf } from './headers.ts';

/** Who may call: anybody, or who has the sidecar's token (without a token: this machine, and no page of another site). */
export type Who = 'anyone' | 'token';

/** One line of the table: a path, its methods, and who may. */
export interface AccessRow {
  /** As it is called; `/*` at its end: everything below it. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly who: Who;
  /** Who answers. `gateway`: the gateway where there is one. `page`: the sidecar to browsers, and to all where there is no gateway. */
  readonly by: 'sidecar' | 'gateway' | 'page';
  /** What a token has to allow, where it does not follow from the method. */
  readonly scope?: Scope;
}

const READ = ['GET', 'HEAD'];

/**
 * Who may call what: all of it. A path has to stand here to the letter to be one of the sidecar's own; a method that its row does not
 * name wants the token, and is then refused with 405. Whatever is not here wants the token as well, and is the gateway's, whose own table
 * (`engine-calls.ts`) says what goes on to the engine. Without a gateway it is 404.
 */
export const ACCESS: readonly AccessRow[] = [
  { path: '/', methods: READ, who: 'anyone', by: 'page' },
  { path: '/docs', methods: READ, who: 'anyone', by: 'page' },
  { path: '/console/console.js', methods: READ, who: 'anyone', by: 'sidecar' },
  { path: '/console/console.css', methods: READ, who: 'anyone', by: 'sidecar' },
  { path: '/healthz', methods: READ, who: 'anyone', by: 'sidecar' },
  { path: '/readyz', methods: READ, who: 'anyone', by: 'sidecar' },
  { path: '/openapi.json', methods: READ, who: 'anyone', by: 'sidecar' },
  { path: '/metrics', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/check', methods: ['GET'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/enrich', methods: ['POST'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/lookup', methods: ['POST'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/logstash', methods: ['POST'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/extract', methods: ['POST'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/triage', methods: ['POST'], who: 'token', by: 'sidecar', scope: 'enrich' },
  { path: '/v1/feedback', methods: [...READ, 'POST', 'DELETE'], who: 'token', by: 'sidecar' },
  { path: '/v1/watchlist', methods: [...READ, 'POST', 'DELETE'], who: 'token', by: 'sidecar' },
  { path: '/v1/quarantine', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/v1/pipeline', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/v1/history', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/v1/settings', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/v1/report', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/taxii2', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/taxii2/*', methods: READ, who: 'token', by: 'sidecar' },
  { path: '/v1/ingest/*', methods: ['POST'], who: 'token', by: 'gateway' },
];

/** Below it, what TAXII clients send counts as a token too. */
export const TAXII_FOLDER = '/taxii2/';
/** Everything below this path is the gateway's own. */
export const INGEST_FOLDER = '/v1/ingest/';

const EXACT: ReadonlyMap<string, AccessRow> = new Map(ACCESS.filter(({ path }) => !path.endsWith('/*')).map((row) => [row.path, row]));
const FOLDERS = ACCESS.filter(({ path }) => path.endsWith('/*')).map((row) => ({ row, folder: row.path.slice(0, -1) }));

/** The row of a path; `undefined`: it is none of the sidecar's. */
export function accessRow(path: string): AccessRow | undefined {
  const row = EXACT.get(path);
  if (row !== undefined) return row;
  for (const below of FOLDERS) if (path.startsWith(below.folder)) return below.row;
  return undefined;
}

/** Whether the gateway answers, where there is one. Its root is both: a page for browsers, and where clients of the engine ask what it is. */
export function isForGateway(req: IncomingMessage, row: AccessRow | undefined): boolean {
  if (row === undefined || row.by === 'gateway') return true;
  if (row.by === 'sidecar') return false;
  return !row.methods.includes(req.method ?? '') || headerOf(req, 'accept')?.includes('text/html') !== true;
}

/** Who may make a call that `row` answers. */
export function whoMay(row: AccessRow | undefined, method: string | undefined): Who {
  return row?.methods.includes(method ?? '') === true ? row.who : 'token';
}

/** What a token has to allow for this call: by its row, else reading for GET and HEAD, writing for all else, the engine's calls included. */
export function scopeOf(row: AccessRow | undefined, method: string | undefined): Scope {
  return row?.scope ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write');
}
