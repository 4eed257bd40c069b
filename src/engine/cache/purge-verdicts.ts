import type { DatabaseSync } from 'node:sqlite';
import { whenFree } from '../../disk/sqlite-faults.ts';

/** Rows looked through in one transaction, so that nobody waits long for the lock. */
const SLICE_ROWS = 5000;
const PAUSE_MS = 5;
const PATIENCE_MS = 30_000;

/** Deletes answers that went stale before `beforeS`, slice by slice; counts them. Rejects with what SQLite says. */
export async function purgeVerdicts(db: DatabaseSync, beforeS: number): Promise<number> {
  const sliceEnd = db.prepare(
    'SELECT provider, value FROM verdicts WHERE (provider, value) > (?, ?) ORDER BY provider, value LIMIT 1 OFFSET ?',
  );
  const removeSlice = db.prepare(
    'DELETE FROM verdicts WHERE (provider, value) > (?, ?) AND (provider, value) <= (?, ?) AND expires_at < ?',
  );
  const removeRest = db.prepare('DELETE FROM verdicts WHERE (provider, value) > (?, ?) AND expires_at < ?');
  let from: readonly [string, string] = ['', ''];
  let purged = 0;
  for (;;) {
    const startedMs = Date.now();
    const start = from;
    const row = sliceEnd.get(...start, SLICE_ROWS - 1);
    const end = row && ([String(row['provider']), String(row['value'])] as const);
    const slice = () => (end ? removeSlice.run(...start, ...end, beforeS) : removeRest.run(...start, beforeS));
    purged += Number((await whenFree(slice, PATIENCE_MS)).changes);
    if (!end) return purged;
    from = end;
    // As long as it took: the others get the lock as often as we do.
    await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE_MS, Date.now() - startedMs)));
  }
}
