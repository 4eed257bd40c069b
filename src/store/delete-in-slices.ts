import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/** Rows that go at once: other processes write between two slices. */
export const SLICE_ROWS = 5000;

/** Which rows go. */
export interface Doomed {
  readonly table: string;
  /** Columns that name one row. */
  readonly key: string;
  readonly where: string;
}

/** Deletes rows slice by slice, each a transaction of its own; gives how many went. */
export function deleteInSlices(db: DatabaseSync, { table, key, where }: Doomed, values: readonly SQLInputValue[] = []): number {
  const slice = db.prepare(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${where} LIMIT ${SLICE_ROWS})`);
  return inSlices(() => Number(slice.run(...values).changes));
}

/** Calls `work` until it has done less than a slice; gives the sum of what it did. */
export function inSlices(work: () => number): number {
  let sum = 0;
  for (let done = SLICE_ROWS; done >= SLICE_ROWS; sum += done) done = work();
  return sum;
}
