// src/hosts/sidecar/gateway/: stands in front of a search engine and enriches what is indexed through it.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Clock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { createWantedFields } from '../../../events/wanted-fields.ts';
import { createVerdictMemory } from '../../../events/verdict-memory.ts';
import { createEventEnricher } from '../../../events/event-enricher.ts';
import type { EcsDetail } from '../../../mapping/ecs-roll-up.ts';
import type { FindInText } from '../../../events/text-values.ts';
import type { BufferPool } from '../../../events/buffer-pool.ts';
import type { Fail } from '../http/call.ts';
import { headerOf } from '../http/headers.ts';
import { sendEarly } from '../http/replies.ts';
import type { Tokens } from '../../../compose/sidecar-access/open-tokens.ts';
import type { HeldBytes } from '../http/held-bytes.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { createBatchIds } from './batch-ids.ts';
import { readCall } from './bulk-path.ts';
import { createBulkEnricher } from '../../../events/bulk/bulk-window.ts';
import { createEngineGate } from '../../../search-engine/engine-calls.ts';
import type { EngineRefusal } from '../../../search-engine/engine-calls.ts';
import { forward } from './forward.ts';
import type { Forwarding } from './forward.ts';
import { forwardBulk } from './forward-bulk.ts';
import { ingest } from './ingest.ts';
import type { GatewaySettings } from '../../../compose/gateway-settings.ts';
import { openUpstream } from './upstream.ts';
import { createWantedByIndex } from '../../../events/bulk/wanted-by-index.ts';

/** Documents may nest deeper than what callers of `/v1/enrich` send: as deep as the engines' own reader of JSON goes. */
const MAX_DEPTH = 1000;

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly settings: GatewaySettings & { readonly upstream: string };
  readonly sidecar: SidecarSettings;
  /** Who carries one of these shows it to us, not to the engine. */
  readonly tokens: Tokens;
  readonly detail: EcsDetail;
  readonly enricher: Enricher;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Finds the indicators in texts, where there are fields with such. */
  readonly findInText: FindInText | undefined;
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
  const { settings, sidecar, tokens, enricher, pool, clock, metrics, sightings, held, fail, report } = options;
  const upstream = openUpstream({
    url: settings.upstream,
    caFile: settings.caFile,
    maxConnections: settings.maxConnections,
    timeoutMs: settings.upstreamTimeoutMs,
  });
  const gate = createEngineGate(settings.allow);
  const wanted = createWantedByIndex({
    fields: settings.fields ?? sidecar.fields,
    fieldsByIndex: settings.fieldsByIndex,
    extractFields: settings.extractFields ?? sidecar.extractFields,
  });
  const known = createVerdictMemory({
    enricher,
    clock,
    fields: wanted.names,
    size: 2 ** Math.ceil(Math.log2(sidecar.frontCacheEntries)),
    ttlMs: sidecar.frontCacheMs,
  });
  const rules = {
    fields: wanted.names,
    matchedType: sidecar.matchedType === 'none' ? null : sidecar.matchedType,
    writesPlaybook: sidecar.compat === 'playbook',
    detail: options.detail,
  };
  // Which fields are looked at is said anew for each document.
  const eventEnricher = createEventEnricher({
    wanted: createWantedFields([]),
    known,
    rules,
    maxDepth: MAX_DEPTH,
    clock,
    findInText: options.findInText,
  });
  const bulk = createBulkEnricher({ eventEnricher, wanted, allocate: pool.take });
  const work = { enricher, bulk, sightings, pool, clock, metrics, maxDocumentBytes: settings.maxDocumentBytes, report };

  const batchIds = createBatchIds();

  return {
    answer(req, res) {
      const call = { req, res, upstream, without: ownHeaders(req, tokens) };
      const asked = readCall(req);
      const { timeoutMs, refusedIndex } = settings;
      if (asked.kind === 'ingest')
        return ingest({ ...call, work, timeoutMs, maxBodyBytes: sidecar.maxBodyBytes, held, fail, batchIds, refusedIndex }, asked.index);
      const refusal = gate(req);
      if (refusal !== null) return refuseForEngine(call, refusal);
      if (asked.kind === 'bulk') return forwardBulk({ ...call, work, timeoutMs, compress: settings.compress }, asked);
      if (asked.kind === 'document') metrics.addUnenriched('single_document', 1);
      return forward(call);
    },
    close: () => upstream.close(),
  };
}

/** In the words of the engine, which its clients understand. */
function refuseForEngine(call: Pick<Forwarding, 'req' | 'res'>, { status, reason }: EngineRefusal): void {
  const cause = { type: status === 403 ? 'security_exception' : 'illegal_argument_exception', reason };
  sendEarly(call, status, { error: { root_cause: [cause], ...cause }, status });
}

/** What carried our own token stays here; the engine's credentials go on. */
function ownHeaders(req: IncomingMessage, tokens: Tokens): string[] {
  if (!tokens.areWanted) return ['x-timeout-ms'];
  const isOurs = tokens.endsWithOne(headerOf(req, 'authorization') ?? '');
  return ['x-timeout-ms', 'x-api-key', ...(isOurs ? ['authorization'] : [])];
}
