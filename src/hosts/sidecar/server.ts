// src/hosts/sidecar/: HTTP in, HTTP out: puts routes, gateway and listener together.
import type { RequestListener, Server } from 'node:http';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { type Clock, systemClock } from '../../engine/clock.ts';
import type { Enricher } from '../../engine/enricher.ts';
import type { FeedbackStore } from '../../engine/feedback/overrides.ts';
import { createTextEnricher } from '../../events/enrich-text.ts';
import { createWantedFields } from '../../events/wanted-fields.ts';
import type { FindInText } from '../../events/text-values.ts';
import { createVerdictMemory } from '../../events/verdict-memory.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { GatewaySettings } from '../../compose/gateway-settings.ts';
import { type BufferPool, createBufferPool } from '../../events/buffer-pool.ts';
import { INGEST_FOLDER } from './http/access.ts';
import type { Fail, HotRoute } from './http/call.ts';
import { createFaults, failCalls, type Faults } from './http/faults.ts';
import { createHeldBytes, type HeldBytes } from './http/held-bytes.ts';
import { type BodyWorkers, createBodyWorkers } from './bodies/body-workers.ts';
import { readJsonBodies } from './bodies/json-bodies.ts';
import { RefusedBody } from './bodies/refused-body.ts';
import { answerBrokenRequest, cutOff } from './http/broken-requests.ts';
import { isLoopback } from '../../compose/door/loopback.ts';
import { heapShares } from '../../compose/process/heap-shares.ts';
import { createGuard } from './http/guard.ts';
import type { Tokens } from '../../compose/sidecar-access/open-tokens.ts';
import { listenOn, type Listening, openDoor, openTls, SidecarConfigError } from './way-in.ts';
import { limitedServer } from './http/limited-server.ts';
import { createListener, type Listener } from './http/listener.ts';
import { type Refusal, refusalBody, sendRefusal, SHORT_BYTES } from './http/replies.ts';
import { loadExtraction, loadTextSearch } from './load-extraction.ts';
import type { Insight } from '../../compose/figures/insight.ts';
import { createMetrics, type Metrics } from '../../compose/figures/metrics.ts';
import type { PipelinePart } from '../../pipeline/pipeline-part.ts';
import { createEnrichAsCaller } from './routes/enrich-as-caller.ts';
import { addConsoleRoutes } from './routes/console-routes.ts';
import { createCheckRoute } from './routes/check-route.ts';
import { createEnrichRoute } from './routes/enrich-route.ts';
import { createLogstashRoute } from './routes/logstash-route.ts';
import { addExtractRoute } from './routes/extract-route.ts';
import { addFeedbackRoute } from './routes/feedback-route.ts';
import { addInsightRoutes } from './routes/insight-routes.ts';
import { addLookupRoute } from './routes/lookup-route.ts';
import { addTaxiiRoute } from './routes/taxii-route.ts';
import { addPipelineStateRoutes } from './routes/pipeline-state-routes.ts';
import type { FiguresOfAll } from './workers/figures-exchange.ts';
import type { HeldOff } from '../../compose/figures/engine-metrics.ts';
import { addStatusRoutes } from './routes/status-routes.ts';
import { addTriageRoute } from './routes/triage-route.ts';
import { addWatchlistRoute } from './routes/watchlist-route.ts';
import type { Askable } from '../../compose/askable.ts';
import type { SidecarSettings } from '../../compose/sidecar-settings.ts';
import type { EcsDetail } from '../../mapping/ecs-roll-up.ts';

/** Long buffers kept for the next batch. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** The front cache of those who may keep nothing there. */
const LEAST_SIZE = 4;

/** What a sidecar is made of. */
export interface SidecarOptions {
  readonly enricher: Enricher;
  readonly settings: SidecarSettings;
  /** The gateway's; without an upstream there is none. */
  readonly gateway?: GatewaySettings;
  /** How much is written into events; left out: lean. */
  readonly detail?: EcsDetail;
  readonly version?: string;
  readonly clock?: Clock;
  /** Takes one line about each fault of our own. Never holds a secret or an event. */
  readonly log?: (line: string) => void;
  /** What does not work as it should although calls are answered. */
  readonly degraded?: () => readonly string[];
  /** Providers that are not asked for now, for `/readyz`. */
  readonly heldOff?: () => HeldOff;
  /** Overrides of analysts; without it `/v1/feedback` is not served. */
  readonly feedback?: FeedbackStore;
  /** The pipeline's store and rules; without it `/v1/watchlist` and `/taxii2` say what is missing. It is left to its owner. */
  readonly pipeline?: PipelinePart;
  /** The program's settings and figures; without it `/v1/settings` and `/v1/report` are not served. */
  readonly insight?: Insight;
  /** Profiles that a call may name, when the enricher knows them. */
  readonly profiles?: readonly string[];
  /** Which providers a call may name. */
  readonly askable?: Askable;
  /** Where the console's files are, when not beside the program. */
  readonly consoleFolder?: URL;
  /** Series of others for `/metrics`, in its format. */
  readonly extraMetrics?: () => string;
  /** Makes the figures of several processes one; left out: there is one. */
  readonly joinFigures?: (own: () => string) => FiguresOfAll;
}

/** A sidecar; it listens between `listen` and `close`. */
export interface Sidecar {
  listen(): Promise<Listening>;
  /** Answers no new call, lets those in progress finish within `drainMs`, and frees the port. The engine is left to its owner. */
  close(): Promise<void>;
  /** Notes a throw that no call can be blamed for; gives the id under which the log has it. `where`: what was being done. */
  noteFault(where: string, error: unknown): string;
}

/** Builds a sidecar around an engine. Rejects with a `SidecarConfigError` when it would be open to others without a token. */
export async function createSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { settings, log = () => undefined, clock = systemClock } = options;
  const tokens = openDoor(settings, log);
  const tls = openTls(settings);
  const metrics = createMetrics(options.extraMetrics);
  const faults = createFaults({ metrics, clock, log });
  const fail = failCalls(faults);
  const held = createHeldBytes(settings.maxHeldBytes, metrics);
  const pool = createBufferPool(KEPT_BYTES);
  const workers = createBodyWorkers();
  const findInText = await loadTextSearch([options.settings.extractFields, options.gateway?.extractFields]);
  const gateway = openGateway(options, { tokens, pool, clock, metrics, held, fail, faults, findInText });
  let isStopping = false;
  let listener: Listener | undefined;

  const app = createApp({ fail, held }, (rest) => {
    listener = createListener({
      hot: hotRoutes(options, { pool, metrics, clock, fail, held, findInText }),
      rest,
      foreign: gateway?.answer,
      guard: createGuard({ tokens, allowedHosts: settings.allowedHosts }),
      metrics,
      maxConcurrent: Math.min(settings.maxConcurrent, heapShares().calls),
      pauseMs: settings.requestTimeoutMs,
      cutOff,
      clock,
      fail,
    });
    return limitedServer(listener, settings, { tls, log });
  });
  addApi(app, options, { metrics, clock, held, workers });
  const all = options.joinFigures?.(() => metrics.render());
  addStatusRoutes(app, {
    figures: all?.gather ?? (() => metrics.render()),
    version: options.version ?? '0.0.0',
    notReady: () => (isStopping ? 'stopping' : null),
    degraded: () => [...(options.degraded?.() ?? []), ...(tls?.doubts() ?? [])],
    heldOff: options.heldOff ?? (() => ({})),
  });
  await app.ready();

  return {
    listen: () => listenOn(app, settings),
    async close() {
      isStopping = true;
      listener?.stop();
      const timer = setTimeout(() => app.server.closeAllConnections(), settings.drainMs);
      await app.close();
      clearTimeout(timer);
      workers.close();
      tokens.close();
      tls?.close();
      all?.close();
      gateway?.close();
    },
    noteFault: (where, error) => faults.note(where, error),
  };
}

/** The routes that fastify answers, the status ones apart. */
function addApi(
  app: FastifyInstance,
  options: SidecarOptions,
  parts: Pick<Parts, 'metrics' | 'clock' | 'held'> & { workers: BodyWorkers },
): void {
  const { settings, feedback, enricher, pipeline, profiles } = options;
  const { metrics, clock, held, workers } = parts;
  addLookupRoute(app, { enricher, settings, metrics, profiles, askable: options.askable });
  addExtractRoute(app, { begin: loadExtraction, settings, metrics, workers, held });
  if (feedback) addFeedbackRoute(app, { feedback, enricher, clock, maxBodyBytes: settings.maxSmallBodyBytes });
  addWatchlistRoute(app, { pipeline, clock, maxBodyBytes: settings.maxSmallBodyBytes });
  addTriageRoute(app, { enricher, pipeline, settings, metrics, clock, workers });
  addPipelineStateRoutes(app, { pipeline, clock });
  addTaxiiRoute(app, { pipeline, settings, clock });
  if (options.insight) addInsightRoutes(app, options.insight);
  addConsoleRoutes(app, options.consoleFolder);
}

interface Parts {
  readonly pool: BufferPool;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly fail: Fail;
  readonly held: HeldBytes;
  readonly findInText: FindInText | undefined;
}

function openGateway(
  { gateway, settings, detail = 'lean', enricher, pipeline }: SidecarOptions,
  { faults, ...parts }: Parts & { readonly faults: Faults; readonly tokens: Tokens },
): Gateway | undefined {
  if (gateway?.upstream === undefined) return undefined;
  const { protocol, hostname } = new URL(gateway.upstream);
  if (protocol === 'http:' && !isLoopback(hostname) && !gateway.plainHttp) {
    throw new SidecarConfigError(
      `gateway.upstream is ${protocol}//${hostname}: use https, or set gateway.plain_http (ISMALICIOUS_GATEWAY_PLAIN_HTTP) where the network is trusted`,
    );
  }
  const report = (error: unknown) => void faults.note('gateway', error);
  return createGateway({
    ...parts,
    settings: { ...gateway, upstream: gateway.upstream },
    sidecar: settings,
    detail,
    enricher,
    sightings: pipeline?.sightings,
    report,
  });
}

function hotRoutes({ enricher, settings, detail = 'lean', pipeline, profiles = [] }: SidecarOptions, parts: Parts): HotRoute[] {
  const { pool, metrics, clock, fail, held, findInText } = parts;
  const sightings = pipeline?.sightings;
  const { maxDepth, maxEvents, frontCacheEntries, frontCacheMs, extractFields } = settings;
  const wanted = createWantedFields(settings.fields);
  const fields = [...new Set([...settings.fields, ...extractFields])];
  const size = 2 ** Math.ceil(Math.log2(frontCacheEntries));
  const known = createVerdictMemory({ enricher, clock, fields, size, ttlMs: frontCacheMs });
  const rules = {
    fields,
    matchedType: settings.matchedType === 'none' ? null : settings.matchedType,
    writesPlaybook: settings.compat === 'playbook',
    detail,
  };
  const scratch = Buffer.allocUnsafeSlow(SHORT_BYTES);
  const allocate = (bytes: number) => (bytes <= SHORT_BYTES ? scratch.subarray(0, bytes) : pool.take(bytes));
  const textOptions = {
    wanted: createWantedFields(fields, fields, extractFields),
    findInText,
    rules,
    maxDepth,
    maxEvents,
    clock,
    allocate: pool.take,
  };
  const texts = createTextEnricher({ ...textOptions, known });
  const enrichAsCaller = createEnrichAsCaller({
    enricher,
    clock,
    createTexts: (asked) =>
      createTextEnricher({
        ...textOptions,
        known: createVerdictMemory({ enricher: asked, clock, fields, size: LEAST_SIZE, ttlMs: 0 }),
      }),
  });
  return [
    createEnrichRoute({ enricher, sightings, texts, settings, metrics, clock, fail, held, pool, allocate, profiles, enrichAsCaller }),
    createLogstashRoute({ enricher, sightings, wanted, settings, detail, metrics, clock, fail, held, profiles }),
    createCheckRoute({ enricher, settings, metrics, profiles }),
  ];
}

/** The API surface. Bodies are checked as they are: nothing is coerced, filled in or dropped. */
function createApp({ fail, held }: Pick<Parts, 'fail' | 'held'>, serve: (rest: RequestListener) => Server): FastifyInstance {
  const app = fastify({
    serverFactory: serve,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    return503OnClosing: false,
    // A key `__proto__` in somebody's event is a key like any other: nothing here looks a key of theirs up in an object that inherits.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    clientErrorHandler: answerBrokenRequest,
  });
  readJsonBodies(app, held);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const refusal =
      path.startsWith(INGEST_FOLDER) && request.method === 'POST'
        ? NO_GATEWAY
        : { status: 404, code: 'not_found', message: 'no such path: see /openapi.json' };
    return reply.code(refusal.status).send(refusalBody(refusal));
  });
  app.setErrorHandler<FastifyError | RefusedBody>((error, request, reply) => {
    if (error instanceof RefusedBody) return sendRefusal(request.raw, reply.hijack().raw, error.refusal);
    const status = error.statusCode ?? 500;
    if (status >= 500) return void fail({ req: request.raw, res: reply.hijack().raw }, error);
    return reply.code(status).send(
      refusalBody({
        code: CODES[status] ?? 'invalid_request',
        message: `${error.message.slice(0, SHOWN_CHARACTERS)}: see /openapi.json`,
      }),
    );
  });
  return app;
}

/** Characters of what a checker of bodies says. */
const SHOWN_CHARACTERS = 500;

const NO_GATEWAY: Refusal = {
  status: 503,
  code: 'no_gateway',
  message: 'there is no engine to index into: set gateway.upstream (ISMALICIOUS_GATEWAY_UPSTREAM)',
};

const CODES: Readonly<Record<number, string>> = { 400: 'invalid_request', 413: 'body_too_large', 415: 'unsupported_type' };
