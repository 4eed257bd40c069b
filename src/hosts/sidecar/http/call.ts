import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './replies.ts';

/** One call of a hot route: read from the socket and answered without a framework in between. */
export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** `null`: the URL has none. */
  readonly query: URLSearchParams | null;
}

/** Answers one kind of call. */
export interface HotRoute {
  readonly path: string;
  /** Answers, now or later. A promise that rejects is a fault of ours: the caller gets 500, the log the reason. */
  answer(call: Call): void | Promise<void>;
  /** How the route says that the sidecar is too busy, or has a fault; by default with the refusal's own status. */
  refuse?(call: Pick<Call, 'req' | 'res'>, refusal: Refusal): void;
}

/** Takes a throw that nobody expected: it costs this call, the log gets the reason. `refuse`: how the route says so. */
export type Fail = (call: Pick<Call, 'req' | 'res'>, error: unknown, refuse?: HotRoute['refuse']) => void;

/** Aborts when the caller goes away before it has its answer. */
export function signalOf({ res }: Pick<Call, 'res'>): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  return gone.signal;
}
