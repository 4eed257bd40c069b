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

/** Ids that were read, newest first as abuse.ch sends them: which are news, and where the next run goes on. */
export interface IdCursor {
  /** Whether an entry is newer than the last run. One without an id is: what is known already is only stored again. */
  isNews(id: number | null): boolean;
  /** The highest id read so far. */
  readonly end: string | null;
}

/** An id of abuse.ch: a whole number, also as digits. `null`: none. */
export function idOf(value: unknown): number | null {
  const id = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/**
 * The cursor over the ids of one answer. One senseless id must not hide all later entries: a cursor above everything in the answer is
 * none of theirs, and everything counts as news.
 */
export function idCursor(ids: readonly (number | null)[], cursor: string | null): IdCursor {
  const known = ids.filter((id) => id !== null);
  const highest = known.reduce((max, id) => Math.max(max, id), -1);
  const last = idOf(cursor);
  const since = last === null || (known.length > 0 && highest < last) ? -1 : last;
  return { isNews: (id) => id === null || id > since, end: known.length > 0 ? String(highest) : cursor };
}

/** The `id` of a row that may be anything. */
export function idOfRow(row: unknown): number | null {
  return typeof row === 'object' && row !== null && 'id' in row ? idOf(row.id) : null;
}
