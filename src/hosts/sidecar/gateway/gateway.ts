// src/hosts/sidecar/gateway/: stands in front of a search engine and enriches what is indexed through it.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { createWantedFields } from '../../../events/wanted-fields.ts';
import { createVerdictMemory } from '../../../events/verdict-memory.ts';
import { createEventEnricher } from '../../../events/event-enricher.ts';
import { INGEST_FOLDER } from '../http/access.ts';
import type { BufferPool } from '../http/buffer-pool.ts';
import type { Fail } from '../http/call.ts';
import { headerOf } from '../http/headers.ts';
import { sendEarly } from '../http/replies.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import type { Metrics } from '../metrics.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { createBatchIds } from './batch-ids.ts';
import { createBulkEnricher } from './bulk-window.ts';
import { createEngineGate } from '../../../search-engine/engine-calls.ts';
import type { EngineRefusal } from '../../../search-engine/engine-calls.ts';
import { forward } from './forward.ts';
import type { Forwarding } from './forward.ts';
import { forwardBulk } from './forward-bulk.ts';
import { ingest } from './ingest.ts';
import type { GatewaySettings } from '../../../compose/gateway-settings.ts';
import { openUpstream } from './upstream.ts';
import { createWantedByIndex } from './wanted-by-index.ts';

/** Documents may nest deeper than what callers of `/v1/enrich` send: the engine has its own limit. */
const MAX_DEPTH = 200;

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly settings: GatewaySettings & { readonly upstream: string };
  readonly sidecar: SidecarSettings;
  readonly enricher: Enricher;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Takes a copy of what was enriched, to note who was seen with what; `undefined`: nobody wants that. */
  readonly sightings?: Pick<NonNullable<PipelinePart['sightings']>, 'offer'> | undefined;
  /** The room that all bodies share. */
  readonly held: HeldBytes;
  /** Takes a throw that costs its call. */
  readonly fail: Fail;
  /** Takes a fault that costs no call its answer. */
  readonly report: (error: unknown) => void;
}

/** The enriching gateway in front of Elasticsearch or OpenSearch. */
export interface Gateway {
  /** Answers every call that is not the sidecar's own. */
  readonly answer: RequestListener;
  close(): void;
}

/** A gateway: bulk requests are enriched on their way; everything else that may go on at all goes through as it is. */
export function createGateway(options: GatewayOptions): Gateway {
  const { settings, sidecar, enricher, pool, clock, metrics, sightings, held, fail, report } = options;
  const upstream = openUpstream({
    url: settings.upstream,
    caFile: settings.caFile,
    maxConnections: settings.maxConnections,
    timeoutMs: settings.upstreamTimeoutMs,
  });
  const gate = createEngineGate(settings.allow);
  const wanted = createWantedByIndex(settings.fields ?? sidecar.fields, settings.fieldsByIndex);
  const known = createVerdictMemory({
    enricher,
    clock,
    size: 2 ** Math.ceil(Math.log2(sidecar.frontCacheEntries)),
    ttlMs: sidecar.frontCacheMs,
    maxValueBytes: sidecar.maxValueBytes,
  });
  const rules = {
    fields: wanted.names,
    matchedType: sidecar.matchedType === 'none' ? null : sidecar.matchedType,
    writesPlaybook: sidecar.compat === 'playbook',
  };
  // Which fields are looked at is said anew for each document.
  const eventEnricher = createEventEnricher({ wanted: createWantedFields([]), known, rules, maxDepth: MAX_DEPTH, clock });
  const bulk = createBulkEnricher({ eventEnricher, wanted, allocate: pool.take });
  const work = { enricher, bulk, sightings, pool, clock, metrics, maxDocumentBytes: settings.maxDocumentBytes, report };

  const batchIds = createBatchIds();

  return {
    answer(req, res) {
      const call = { req, res, upstream, without: ownHeaders(req, sidecar.token) };
      const target = ingestTarget(req);
      const { timeoutMs, refusedIndex } = settings;
      if (target !== null)
        return ingest({ ...call, work, timeoutMs, maxBodyBytes: sidecar.maxBodyBytes, held, fail, batchIds, refusedIndex }, target);
      const refusal = gate(req);
      if (refusal !== null) return refuseForEngine(call, refusal);
      const path = bulkPath(req);
      if (path === null) forward(call);
      else forwardBulk({ ...call, work, timeoutMs, compress: settings.compress }, path.index);
    },
    close: () => upstream.close(),
  };
}

/** In the words of the engine, which its clients understand. */
function refuseForEngine(call: Pick<Forwarding, 'req' | 'res'>, { status, reason }: EngineRefusal): void {
  const cause = { type: status === 403 ? 'security_exception' : 'illegal_argument_exception', reason };
  sendEarly(call, status, { error: { root_cause: [cause], ...cause }, status });
}

/** `/_bulk`, `/{index}/_bulk` and, of old, `/{index}/{type}/_bulk`. */
function bulkPath({ method, url }: IncomingMessage): { readonly index: string | null } | null {
  if (method !== 'POST' && method !== 'PUT') return null;
  const path = (url ?? '').split('?', 1)[0] ?? '';
  const match = /^\/(?:([^/]+)\/(?:[^/]+\/)?)?_bulk\/?$/.exec(path);
  return match === null ? null : { index: match[1] === undefined ? null : decoded(match[1]) };
}

/** The index that `/v1/ingest/{index}` names. */
function ingestTarget({ url }: IncomingMessage): string | null {
  const path = (url ?? '').split('?', 1)[0] ?? '';
  return path.startsWith(INGEST_FOLDER) ? decoded(path.slice(INGEST_FOLDER.length)) : null;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What carried our own token stays here; the engine's credentials go on. */
function ownHeaders(req: IncomingMessage, token: string | undefined): string[] {
  if (token === undefined) return ['x-timeout-ms'];
  const isOurs = headerOf(req, 'authorization')?.endsWith(token) === true;
  return ['x-timeout-ms', 'x-api-key', ...(isOurs ? ['authorization'] : [])];
}
