import type { IncomingMessage, ServerResponse } from 'node:http';

/** Looks at a body that has to pass without a byte of it before it counts as stalled: one look may follow a busy stretch of our own. */
const LOOKS = 4;

/** What a body had at the last look, and how many looks that was so. */
interface Stand {
  readonly bytes: number;
  readonly looks: number;
}

/** What is watched. */
export interface StalledBodiesOptions {
  /** The answers that are on their way. */
  readonly answers: () => Iterable<ServerResponse>;
  /** How long a body may pause. */
  readonly pauseMs: number;
  /** Ends a call whose body has paused for longer. */
  readonly cut: (res: ServerResponse) => void;
}

/**
 * Watches bodies arrive: one that keeps moving may take as long as it likes, one that stands still is cut off. A body that is not read for
 * now, since whoever takes it is slow, does not stand still through any fault of its caller. Ends with the function it gives.
 */
export function watchStalledBodies({ answers, pauseMs, cut }: StalledBodiesOptions): () => void {
  const stands = new WeakMap<IncomingMessage, Stand>();
  const look = () => {
    for (const res of answers()) {
      const { req } = res;
      if (!isAwaited(req)) {
        stands.delete(req);
        continue;
      }
      const bytes = req.socket.bytesRead;
      const before = stands.get(req);
      const looks = before?.bytes === bytes ? before.looks + 1 : 0;
      stands.set(req, { bytes, looks });
      if (looks < LOOKS) continue;
      try {
        cut(res);
      } catch {
        res.destroy();
      }
    }
  };
  const timer = setInterval(look, Math.ceil(pauseMs / LOOKS)).unref();
  return () => clearInterval(timer);
}

/** Whether it is for the caller to send more: all that has come was taken. Who reads by `readable` (an iterator) pauses by not reading. */
function isAwaited(req: IncomingMessage): boolean {
  if (req.complete || req.destroyed || req.readableLength > 0) return false;
  return req.readableFlowing !== false || req.listenerCount('readable') > 0;
}

/** Ends the connection of a caller that was answered and yet does not come to the end of its body. */
export function awaitEndOfBody(req: IncomingMessage, pauseMs: number): void {
  if (req.complete || req.destroyed) return;
  const timer = setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, pauseMs).unref();
  req.once('close', () => clearTimeout(timer));
}
