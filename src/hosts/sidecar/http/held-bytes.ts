import type { ServerResponse } from 'node:http';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { Refusal } from './replies.ts';

/** Bodies and answers of up to so many bytes are not counted: calls that small always find room. */
export const FREE_BYTES = 64 * 1024;

/** The room that the bodies and answers of all calls share. */
export interface HeldBytes {
  /**
   * Counts `bytes` more for a call, until its answer is out or its caller gone. `false`: there is no room left, or the caller is gone;
   * nothing more is counted then.
   */
  hold(res: ServerResponse, bytes: number): boolean;
}

interface Share {
  bytes: number;
}

/** Room for `maxBytes`. */
export function createHeldBytes(maxBytes: number, metrics: Metrics): HeldBytes {
  const shares = new WeakMap<ServerResponse, Share>();

  function shareOf(res: ServerResponse): Share {
    const known = shares.get(res);
    if (known !== undefined) return known;
    const fresh = { bytes: 0 };
    shares.set(res, fresh);
    res.once('close', () => {
      metrics.heldBytes -= fresh.bytes;
      fresh.bytes = 0;
    });
    return fresh;
  }

  return {
    hold(res, bytes) {
      if (res.destroyed || res.closed) return false;
      if (metrics.heldBytes + bytes > maxBytes) {
        metrics.add('refused_for_room', 1);
        return false;
      }
      shareOf(res).bytes += bytes;
      metrics.heldBytes += bytes;
      return true;
    },
  };
}

/** What a call is told for whose body or answer there is no room. */
export const NO_ROOM: Refusal = {
  status: 503,
  code: 'busy',
  message: 'too many long bodies at once: try again in a second, or raise sidecar.max_held_bytes',
  headers: { 'retry-after': '1' },
};
