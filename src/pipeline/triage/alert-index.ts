import * as z from 'zod/mini';
import { LookupError } from '../../model/lookup-error.ts';
import { TIERS } from '../../model/enrichment.ts';
import type { PipelineTransport } from '../pipeline-transport.ts';
import { DECIDED, tagOf, WORKFLOW_TAGS } from './alert-update.ts';

const MAX_BYTES = 64 * 1024 * 1024;
/** Alerts looked through at a time: all that is read of them is whether they carry a decision. */
const SCAN = 5000;
/** A million alerts: whoever has more of them without our tags or mapping names a smaller index. */
const MAX_SCANS = 200;
/** `index.max_result_window` of an index that nobody has set it for. */
const MAX_WINDOW = 10_000;

/** An index of alerts in Elasticsearch or OpenSearch. */
export interface AlertIndex {
  readonly baseUrl: string;
  /** Index, alias or pattern, for example `.alerts-security.alerts-default`. */
  readonly index: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: PipelineTransport;
  readonly timeoutMs: number;
  /** Kibana, with its space, whose cases are told; left out: none. */
  readonly kibanaUrl?: string | undefined;
}

/** Where an alert stands. */
export interface AlertPlace {
  readonly _index: string;
  readonly _id: string;
}

const Scanned = z.object({
  hits: z.object({
    hits: z.array(
      z.object({
        _id: z.string(),
        _index: z.string(),
        _source: z.optional(z.unknown()),
        sort: z.optional(z.array(z.unknown())),
      }),
    ),
  }),
});
type Hit = z.output<typeof Scanned>['hits']['hits'][number];
const Decided = z.object({ ismalicious: z.object({ triage: z.object({ tier: z.string() }) }) });

/**
 * The oldest `limit` alerts that carry no decision. An index that does not map our fields (`dynamic: false`, as Kibana's) cannot be searched
 * for them: there Kibana's tags tell, and where they are not mapped either, the alerts themselves are looked through.
 */
export async function undecidedAlerts(source: AlertIndex, limit: number, signal: AbortSignal): Promise<AlertPlace[]> {
  const found = new Map<string, AlertPlace>();
  let at: Place = { since: null, from: 0 };
  for (let scan = 0; scan < MAX_SCANS && found.size < limit; scan++) {
    const size = Math.min(SCAN, MAX_WINDOW - at.from);
    const { hits } = Scanned.parse(await postJson(source, `/${source.index}/_search`, scanOf({ ...at, size }), signal)).hits;
    for (const { _id, _index, _source } of hits)
      if (found.size < limit && !isDecided(_source)) found.set(`${_index} ${_id}`, { _id, _index });
    const next = hits.length < size ? null : after(hits, at);
    if (next === null) break;
    at = next;
  }
  return [...found.values()];
}

function scanOf({ since, from, size }: Place & { readonly size: number }) {
  return {
    size,
    from,
    track_total_hits: false,
    _source: [DECIDED],
    sort: [{ '@timestamp': { order: 'asc', numeric_type: 'date', unmapped_type: 'date' } }],
    query: {
      bool: {
        must_not: [{ exists: { field: DECIDED } }, { terms: { [WORKFLOW_TAGS]: TIERS.map(tagOf) } }],
        ...(since === null ? {} : { filter: [{ range: { '@timestamp': { gte: since, format: 'epoch_millis' } } }] }),
      },
    },
  };
}

interface Place {
  readonly since: number | null;
  readonly from: number;
}

/** Where the next page begins: at the time of the last alert, behind those of that time that were seen; alerts without a time by number alone. */
function after(hits: readonly Hit[], { since, from }: Place): Place | null {
  const timeOf = (hit: Hit | undefined) => hit?.sort?.[0];
  const last = timeOf(hits.at(-1));
  if (typeof last !== 'number' || !Number.isSafeInteger(last))
    return from + hits.length < MAX_WINDOW ? { since, from: from + hits.length } : null;
  const seen = (last === since ? from : 0) + hits.filter((hit) => timeOf(hit) === last).length;
  return seen < MAX_WINDOW ? { since: last, from: seen } : { since: last + 1, from: 0 };
}

/** Whether an alert, as it stands in the index, carries a decision. */
export function isDecided(source: unknown): boolean {
  return Decided.safeParse(source).success;
}

/** One call with a JSON body. */
export function postJson(source: AlertIndex, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  return post(source, { path, body: JSON.stringify(body), type: 'application/json' }, signal);
}

/** One call; its answer. */
export async function post(
  { baseUrl, headers, transport, timeoutMs }: AlertIndex,
  { path, body, type }: { path: string; body: string; type: string },
  signal: AbortSignal,
): Promise<unknown> {
  const call = {
    url: new URL(baseUrl + path),
    method: 'POST' as const,
    headers: { ...headers, 'content-type': type, accept: 'application/json' },
    body,
  };
  const answer = await transport.send(call, { timeoutMs, maxBytes: MAX_BYTES, signal });
  if (answer.status >= 300)
    throw new LookupError(
      answer.status === 401 || answer.status === 403 ? 'unauthorized' : 'unavailable',
      'triage',
      `alert index answers HTTP ${answer.status}`,
    );
  return answer.body;
}
