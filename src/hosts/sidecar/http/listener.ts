import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '../../../engine/clock.ts';
import type { Metrics } from '../metrics.ts';
import type { Call, HotRoute } from './call.ts';
import { headerOf } from './headers.ts';
import { createInProgress } from './in-progress.ts';
import { sendRefusal } from './replies.ts';
import type { Refusal } from './replies.ts';
import { awaitEndOfBody, watchStalledBodies } from './stalled-bodies.ts';

/** What all calls go through before they are answered. */
export interface ListenerOptions {
  readonly hot: readonly HotRoute[];
  /** Answers everything that is not hot. */
  readonly rest: RequestListener;
  /** Paths that `rest` knows: labels of the metrics. */
  readonly restPaths: readonly string[];
  /** Everything below this path is `rest`'s too. */
  readonly restFolder: string;
  /** The gateway: answers what is not the sidecar's own; `undefined`: `rest` does. */
  readonly foreign?: RequestListener | undefined;
  readonly guard: (req: IncomingMessage, path: string) => Refusal | null;
  readonly metrics: Metrics;
  readonly maxConcurrent: number;
  /** How long a body may pause. */
  readonly pauseMs: number;
  /** Ends a call whose body has paused for longer. */
  readonly cutOff: (res: ServerResponse) => void;
  readonly clock: Clock;
  readonly fail: (call: Pick<Call, 'req' | 'res'>, error: unknown) => void;
}

/** Calls that are answered however busy the sidecar is. */
const ALWAYS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The way in. */
export interface Listener {
  readonly listen: RequestListener;
  /** From now on every answer, also of what is in progress, ends its connection; how long that may take is not watched here any more. */
  stop(): void;
}

/** Guard, limits and measurement in front of every route. */
export function createListener(options: ListenerOptions): Listener {
  const { rest, restFolder, foreign, guard, metrics, maxConcurrent, pauseMs, cutOff, clock, fail } = options;
  const inProgress = createInProgress((res, label, startMs) => {
    metrics.inFlight--;
    metrics.observe(label, res.statusCode, clock.monotonicMs() - startMs);
    awaitEndOfBody(res.req, pauseMs);
  });
  const watchNoMore = watchStalledBodies({ answers: inProgress.answers, pauseMs, cut: cutOff });
  const unknown = foreign === undefined ? 'other' : 'gateway';
  let isStopping = false;
  const hot = new Map(options.hot.map((route) => [route.path, route]));
  const labels = new Map([...hot.keys(), ...options.restPaths].map((path) => [path, path]));

  function answer(req: IncomingMessage, res: ServerResponse, path: string, mark: number): void {
    const refusal = guard(req, path);
    if (refusal !== null) return sendRefusal(req, res, refusal);
    const route = hot.get(path);
    if (metrics.inFlight > maxConcurrent && !ALWAYS.has(path))
      return route?.refuse ? route.refuse({ req, res }, BUSY) : sendRefusal(req, res, BUSY);
    if (route === undefined) return void (foreign !== undefined && !isOwn(req, path) ? foreign : rest)(req, res);
    if (req.method !== route.method) return sendRefusal(req, res, wrongMethod(route));
    const call = { req, res, query: mark < 0 ? null : new URLSearchParams((req.url ?? '').slice(mark + 1)) };
    const later = route.answer(call);
    if (later !== undefined) later.catch((error: unknown) => fail(call, error));
    return undefined;
  }

  /** The root is both: a page for browsers, and where clients of the engine ask what it is. */
  function isOwn(req: IncomingMessage, path: string): boolean {
    if (path.startsWith(restFolder)) return true;
    return labels.has(path) && (path !== '/' || headerOf(req, 'accept')?.includes('text/html') === true);
  }

  function listen(req: IncomingMessage, res: ServerResponse): void {
    const startMs = clock.monotonicMs();
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    metrics.inFlight++;
    inProgress.add(res, labels.get(path) ?? (path.startsWith(restFolder) ? restFolder : unknown), startMs);
    if (isStopping) res.setHeader('connection', 'close');
    answer(req, res, path, mark);
  }

  return {
    listen,
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
  message: 'too many calls at once: try again in a second, or raise sidecar.max_concurrent',
  headers: { 'retry-after': '1' },
};

function wrongMethod({ method, path }: HotRoute): Refusal {
  return { status: 405, code: 'method_not_allowed', message: `${path} takes ${method}`, headers: { allow: method } };
}
