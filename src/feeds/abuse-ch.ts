import { LookupError } from '../model/lookup-error.ts';

/** Statuses of abuse.ch APIs (HTTP 200 all of them) that mean an empty list. */
const EMPTY = new Set(['no_results', 'no_result']);

/** Whether an abuse.ch answer holds a list; throws for one that reports a failure inside HTTP 200. */
export function hasList(feed: string, status: string): boolean {
  if (status === 'ok') return true;
  if (EMPTY.has(status)) return false;
  if (status === 'unknown_auth_key') throw new LookupError('unauthorized', feed, 'Auth-Key refused: create one at https://auth.abuse.ch/');
  throw new LookupError('bad_response', feed, `answers ${status.slice(0, 60)}`);
}

/** Whether a numeric id is newer than the cursor (the highest id read so far). */
export function isNewer(id: string, cursor: string | null): boolean {
  return cursor === null || Number(id) > Number(cursor);
}

/** The higher of two numeric ids. */
export function higherId(a: string | null, b: string): string {
  return a === null || Number(b) > Number(a) ? b : a;
}
