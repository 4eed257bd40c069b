import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Batches that are remembered, and tries of one that were not taken. */
const MAX_BATCHES = 20_000;
const MAX_OPEN = 100;
const NONCE_BYTES = 6;

/** Gives batches their ids, from which those of their documents are made. */
export interface BatchIds {
  /** `hash`: of the batch's bytes; `isDated`: all its events carry a time; `res`: its answer, which says whether it was taken. */
  idOf(hash: string, isDated: boolean, res: ServerResponse): string;
}

/**
 * A batch that was not answered 200, or whose answer did not get out, is sent again: it keeps its id, so that nothing of it is doubled. One
 * that was taken is not sent again: an equal one is a new one and gets an id of its own, so that nothing of it is lost. A batch that this
 * process does not know may have been sent to another one: its id is its hash if all its events carry times, for then equal ones are nearly
 * always the same. Without times it is as likely a new one, and an event twice is better than an event lost.
 */
export function createBatchIds(): BatchIds {
  /** Ids of tries that will come again, by hash. */
  const open = new Map<string, string[]>();

  return {
    idOf(hash, isDated, res) {
      const known = open.get(hash);
      const tries = known ?? [];
      const fresh = known === undefined && isDated ? hash : `${hash}.${randomBytes(NONCE_BYTES).toString('base64url')}`;
      const id = tries.pop() ?? fresh;
      open.delete(hash);
      for (const oldest of open.keys()) {
        if (open.size < MAX_BATCHES) break;
        open.delete(oldest);
      }
      open.set(hash, tries);
      res.once('close', () => {
        const isTaken = res.writableFinished && res.statusCode === 200;
        if (!isTaken && tries.length < MAX_OPEN) tries.push(id);
      });
      return id;
    },
  };
}
