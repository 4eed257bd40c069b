import type { IncomingMessage } from 'node:http';
import { wordTable } from '../model/tables/word-table.ts';
import { readEnginePath } from './engine-path.ts';

/** Why a call does not go on to the engine. 400: nobody can be sure what it is; 403: it is nothing that goes on unasked. */
export interface EngineRefusal {
  readonly status: 400 | 403;
  /** What is wrong and what to do, for people. */
  readonly reason: string;
}

/** Says of a call whether it may go on; `null`: it may. */
export type EngineGate = (req: Pick<IncomingMessage, 'method' | 'url'>) => EngineRefusal | null;

/**
 * Calls that change something and go on by themselves: they add documents, or what documents need (templates, pipelines, lifecycles,
 * aliases, empty indices), or delete single documents by their id. They are what Beats, Logstash, Elastic Agent and Fleet Server send,
 * and searches by POST. `{index}`: names and patterns of indices; `{name}`: one segment, no API; `{id}`: any segment.
 */
const WRITES: readonly (readonly [methods: string, paths: readonly string[]])[] = [
  ['POST PUT', ['/_bulk', '/{index}/_bulk', '/{index}/{name}/_bulk', '/_bulk/stream', '/{index}/_bulk/stream', '/_monitoring/bulk']],
  ['POST PUT', ['/_xpack/monitoring/_bulk', '/_fleet/_fleet_bulk', '/{index}/_fleet/_fleet_bulk']],
  ['POST PUT', ['/{index}/_doc', '/{index}/_doc/{id}', '/{index}/_create/{id}', '/{index}/{name}/{id}/_create']],
  ['POST PUT', ['/{index}/{name}', '/{index}/{name}/{id}']],
  ['POST', ['/{index}/_update/{id}', '/{index}/{name}/{id}/_update', '/{index}/_doc/{id}/_update']],
  ['DELETE', ['/{index}/_doc/{id}', '/{index}/{name}/{id}']],
  ['PUT', ['/{index}', '/_data_stream/{name}', '/{index}/_mapping', '/{index}/_mappings']],
  ['POST PUT', ['/{index}/_alias/{name}', '/{index}/_aliases/{name}', '/_template/{name}', '/_index_template/{name}']],
  ['POST PUT', ['/_component_template/{name}', '/_ingest/pipeline/{name}']],
  ['PUT', ['/_ilm/policy/{name}', '/_plugins/_ism/policies/{name}', '/_opendistro/_ism/policies/{name}']],
  ['POST', ['/_refresh', '/{index}/_refresh', '/_flush', '/{index}/_flush']],
  ['POST', ['/_index_template/_simulate', '/_index_template/_simulate/{name}', '/_index_template/_simulate_index/{name}']],
  ['POST', ['/_ingest/pipeline/_simulate', '/_ingest/pipeline/{name}/_simulate', '/_security/user/_has_privileges']],
  ['POST', ['/_search', '/{index}/_search', '/_search/template', '/{index}/_search/template', '/_search/scroll', '/_search/scroll/{id}']],
  ['POST', ['/_msearch', '/{index}/_msearch', '/_msearch/template', '/{index}/_msearch/template', '/_count', '/{index}/_count']],
  ['POST', ['/_mget', '/{index}/_mget', '/_field_caps', '/{index}/_field_caps', '/_validate/query', '/{index}/_validate/query']],
  ['POST', ['/{index}/_explain/{id}', '/_analyze', '/{index}/_analyze', '/_render/template', '/_render/template/{id}']],
  ['POST', ['/{index}/_termvectors', '/{index}/_termvectors/{id}', '/_mtermvectors', '/{index}/_mtermvectors']],
  ['POST', ['/_rank_eval', '/{index}/_rank_eval', '/_search_shards', '/{index}/_search_shards', '/{index}/_terms_enum']],
  ['POST', ['/{index}/_pit', '/{index}/_search/point_in_time', '/_async_search', '/{index}/_async_search', '/{index}/_eql/search']],
  ['POST', ['/_sql', '/_query', '/{index}/_fleet/_fleet_search', '/_fleet/_fleet_msearch', '/{index}/_fleet/_fleet_msearch']],
  ['DELETE', ['/_search/scroll', '/_search/scroll/{id}', '/_pit', '/_search/point_in_time', '/_async_search/{id}', '/_eql/search/{id}']],
];

/** Reads change nothing and go on, but for these: users, keys and roles are nobody's to ask for through here. */
const CLOSED_READS = ['/_security', '/_plugins/_security', '/_opendistro/_security', '/_xpack/security'];
const OPEN_READS = [
  '/_security/_authenticate',
  '/_security/user/_has_privileges',
  ...['_plugins', '_opendistro'].flatMap((root) => [`/${root}/_security/health`, `/${root}/_security/authinfo`]),
];
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const SLOTS = wordTable<string>({ '{index}': '(?:_all|[^_/][^]*?)', '{name}': '[^_/][^/]*', '{id}': '[^]+' });

interface Rule {
  readonly methods: ReadonlySet<string> | null;
  readonly segments: readonly RegExp[];
}

/** `WRITES` by method and number of segments, so that few are tried. */
const DEFAULT_RULES = Map.groupBy(
  WRITES.flatMap(([methods, paths]) => methods.split(' ').flatMap((method) => paths.map((path) => defaultRule(method, path)))),
  ({ key }) => key,
);
/** Nearly all calls, and nothing in them to be decoded. */
const PLAIN_BULK = /^\/(?:[a-z0-9][a-z0-9._-]*\/)?_bulk(?:\?|$)/;

/** A gate that also lets through what `allow` names: `METHOD /path`, with `*` for any method and for any part of a segment. */
export function createEngineGate(allow: readonly string[]): EngineGate {
  const allowed = allow.map(readAllowed);
  return ({ method = '', url = '/' }) => {
    if (method === 'POST' && PLAIN_BULK.test(url)) return null;
    const [path = '/'] = url.split('?', 1);
    const read = readEnginePath(path);
    if ('fault' in read) return { status: 400, reason: `the gateway cannot be sure which path this is, for ${read.fault}` };
    const { segments, isAmbiguous } = read;
    const isRead = READS.has(method);
    if (isRead && !isClosed(segments, isAmbiguous)) return null;
    if (isAmbiguous && !endsInId(segments)) return { status: 400, reason: UNSURE };
    if (!isRead && goesByItself(method, segments)) return null;
    if (!isAmbiguous && allowed.some((rule) => fits(rule, method, segments))) return null;
    const entry = `${method} /${segments.join('/')}`.slice(0, 200);
    return {
      status: 403,
      reason: `the gateway does not pass on ${entry}: name it in gateway.allow (ISMALICIOUS_GATEWAY_ALLOW) as "${entry}" if callers may, or call the engine itself`,
    };
  };
}

const UNSURE = 'the gateway cannot be sure which path this is: send names of APIs plainly, and no encoded / or % in other names';

/** Whether an entry of `gateway.allow` can be read. */
export function isAllowEntry(text: string): boolean {
  return /^(?:\*|[A-Z]+) \/[^\s?#\\%;]*$/.test(text);
}

function readAllowed(entry: string): Rule {
  const [method = '', path = ''] = entry.split(' ');
  return { methods: method === '*' ? null : new Set([method]), segments: partsOf(path).map(starPattern) };
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function defaultRule(method: string, path: string): { readonly key: string; readonly segments: readonly RegExp[] } {
  const parts = partsOf(path);
  return { key: `${method} ${parts.length}`, segments: parts.map(slotPattern) };
}

function slotPattern(part: string): RegExp {
  return new RegExp(`^${SLOTS.get(part) ?? part}$`);
}

/** Inside of a segment `*` stops at commas and colons: `logs-old-*` is neither `logs-old-1,accounts` nor another cluster's index. */
function starPattern(part: string): RegExp {
  if (part === '*') return /^[^]+$/;
  return new RegExp(
    `^${part
      .split('*')
      .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^,:/]*')}$`,
  );
}

function fits({ methods, segments: patterns }: Rule, method: string, segments: readonly string[]): boolean {
  return patterns.length === segments.length && methods?.has(method) !== false && match(patterns, segments);
}

function goesByItself(method: string, segments: readonly string[]): boolean {
  return DEFAULT_RULES.get(`${method} ${segments.length}`)?.some((rule) => match(rule.segments, segments)) === true;
}

function match(patterns: readonly RegExp[], segments: readonly string[]): boolean {
  return patterns.every((pattern, n) => pattern.test(segments[n] ?? ''));
}

function isClosed(segments: readonly string[], isAmbiguous: boolean): boolean {
  const path = `/${segments.join('/')}`;
  if (!CLOSED_READS.some((closed) => path === closed || path.startsWith(`${closed}/`))) return false;
  return isAmbiguous || !OPEN_READS.includes(path);
}

/** Ids may hold anything: `/index/_doc/a%2Fb`. The rest of such a path has to be plain. */
function endsInId(segments: readonly string[]): boolean {
  const [index = '', api = '', id] = segments;
  return segments.length === 3 && id !== undefined && /^[^_/\\%][^/\\%]*$/.test(index) && ['_doc', '_create', '_update'].includes(api);
}
