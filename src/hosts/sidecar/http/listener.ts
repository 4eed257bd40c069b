// src/hosts/sidecar/http/: what all calls go through: who may ask, how a body is read, how an answer is sent.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '../../../engine/clock.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import { ACCESS, accessRow, isForGateway, scopeOf, TAXII_FOLDER, whoMay } from './access.ts';
import type { AccessRow } from './access.ts';
import type { Fail, HotRoute } from './call.ts';
import type { Guard } from './guard.ts';
import { createInProgress } from './in-progress.ts';
import { sendRefusal } from './replies.ts';
import type { Refusal } from './replies.ts';
import { awaitEndOfBody, watchStalledBodies } from './stalled-bodies.ts';
import { settleTarget } from './target.ts';

/** What all calls go through before they are answered. */
export interface ListenerOptions {
  readonly hot: readonly HotRoute[];
  /** Answers everything that is not hot. */
  readonly rest: RequestListener;
  /** The gateway: answers what is not the sidecar's own; `undefined`: `rest` does. */
  readonly foreign?: RequestListener | undefined;
  readonly guard: Guard;
  readonly metrics: Metrics;
  readonly maxConcurrent: number;
  /** How long a body may pause. */
  readonly pauseMs: number;
  /** Ends a call whose body has paused for longer. */
  readonly cutOff: (res: ServerResponse) => void;
  readonly clock: Clock;
  readonly fail: Fail;
}

/** Calls that are answered however busy the sidecar is. */
const ALWAYS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The way in. */
export interface Listener {
  readonly listen: RequestListener;
  /** Every answer that has not begun yet ends its connection. */
  endConnections(): void;
  /** From now on every answer, also of what is in progress, ends its connection; how long that may take is not watched here any more. */
  stop(): void;
}

/** Guard, limits and measurement in front of every route. */
export function createListener(options: ListenerOptions): Listener {
  const { rest, foreign, guard, metrics, maxConcurrent, pauseMs, cutOff, clock, fail } = options;
  const inProgress = createInProgress((res, label, startMs) => {
    metrics.inFlight--;
    metrics.observe(label, res.statusCode, clock.monotonicMs() - startMs);
    awaitEndOfBody(res.req, pauseMs);
  });
  const watchNoMore = watchStalledBodies({ answers: inProgress.answers, pauseMs, cut: cutOff });
  const unknown = foreign === undefined ? 'other' : 'gateway';
  let isStopping = false;
  const hot = new Map(options.hot.map((route) => [route.path, route]));

  function answer(req: IncomingMessage, res: ServerResponse, { path, row, mark }: Target): void {
    const isForeign = foreign !== undefined && isForGateway(req, row);
    const refusal = guard(req, path, isForeign ? 'token' : whoMay(row, req.method), scopeOf(row, req.method));
    if (refusal !== null) return sendRefusal(req, res, refusal);
    const route = hot.get(path);
    if (metrics.inFlight > maxConcurrent && !ALWAYS.has(path))
      return route?.refuse ? route.refuse({ req, res }, BUSY) : sendRefusal(req, res, BUSY);
    if (isForeign) return foreign(req, res);
    if (row !== undefined && !row.methods.includes(req.method ?? '')) return sendRefusal(req, res, wrongMethod(row, path));
    if (route === undefined) return void rest(req, res);
    const call = { req, res, query: mark < 0 ? null : new URLSearchParams((req.url ?? '').slice(mark + 1)) };
    const later = route.answer(call);
    if (later !== undefined) later.catch((error: unknown) => fail(call, error, route.refuse));
    return undefined;
  }

  function listen(req: IncomingMessage, res: ServerResponse): void {
    const startMs = clock.monotonicMs();
    const refusal = settleTarget(req);
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const row = accessRow(path);
    metrics.inFlight++;
    inProgress.add(res, labelOf(row) ?? unknown, startMs);
    if (isStopping) res.setHeader('connection', 'close');
    try {
      if (refusal !== null) sendRefusal(req, res, refusal);
      else answer(req, res, { path, row, mark });
    } catch (error) {
      fail({ req, res }, error, hot.get(path)?.refuse);
    }
  }

  return {
    listen,
    endConnections: inProgress.closeConnections,
    stop() {
      isStopping = true;
      inProgress.closeConnections();
      watchNoMore();
    },
  };
}

const BUSY: Refusal = {
  status: 503,
  code: 'busy',
  message: 'too many calls at once: try again in a second, or raise sidecar.max_concurrent (one for each MiB of heap at most)',
  headers: { 'retry-after': '1' },
};

/** What a call is for; `mark`: where its query begins, below 0: it has none. */
interface Target {
  readonly path: string;
  readonly row: AccessRow | undefined;
  readonly mark: number;
}

/** Labels of the metrics, by row; below `/v1/ingest/` callers name paths. */
const LABELS: ReadonlyMap<AccessRow, string> = new Map(
  ACCESS.filter(({ by }) => by !== 'gateway').map((row) => [row, row.path === `${TAXII_FOLDER}*` ? TAXII_FOLDER : row.path]),
);

function labelOf(row: AccessRow | undefined): string | undefined {
  return row === undefined ? undefined : LABELS.get(row);
}

function wrongMethod({ methods }: AccessRow, path: string): Refusal {
  const allow = methods.join(', ');
  return {
    status: 405,
    code: 'method_not_allowed',
    message: `${path.slice(0, 100)} takes ${allow}: see /openapi.json`,
    headers: { allow },
  };
}
