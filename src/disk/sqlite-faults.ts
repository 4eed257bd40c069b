// src/disk/: what engine and store both need of files and SQLite; stands on packages only.
import type { DatabaseSync } from 'node:sqlite';

/** `busy`: another process holds it; `unusable`: the disk says no; `damaged`: what is in it is no longer a database of ours. */
export type StoreFaultKind = 'busy' | 'unusable' | 'damaged';

/** Primary result codes (https://www.sqlite.org/rescode.html). */
const BUSY_CODES = new Set([5, 6]);
const UNUSABLE = new Map([
  [3, 'no permission'],
  [7, 'out of memory'],
  [8, 'read-only'],
  [10, 'the disk reports an error'],
  [13, 'the disk is full'],
  [14, 'it cannot be opened'],
  // Faults of ours: what is in the file is as good as before.
  [20, 'it was given a value of another type'],
  [21, 'it was called in a wrong way'],
  [25, 'it was given a value for a place that is not there'],
]);
const RETRY_MS = 20;

/** What kind of fault of a store an error is; `null`: none, it is a fault of ours. */
export function storeFaultKind(error: unknown): StoreFaultKind | null {
  if (!(error instanceof Error)) return null;
  const { code, errcode, syscall } = error as { code?: unknown; errcode?: unknown; syscall?: unknown };
  if (typeof errcode === 'number') {
    const primary = errcode & 0xff;
    if (BUSY_CODES.has(primary)) return 'busy';
    return UNUSABLE.has(primary) ? 'unusable' : 'damaged';
  }
  // A number no program of ours has written; texts that are none.
  if (code === 'ERR_OUT_OF_RANGE' || code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'damaged';
  return code === 'ERR_INVALID_STATE' || typeof syscall === 'string' ? 'unusable' : null;
}

/** The same in words. */
export function storeFaultText(error: unknown): string {
  const { errcode, code, message } = error as { errcode?: number; code?: string; message?: string };
  const kind = storeFaultKind(error);
  if (kind === 'busy') return 'another process holds its lock';
  if (kind === 'damaged') return `it is damaged: ${message ?? 'unknown fault'}`;
  return UNUSABLE.get((errcode ?? 0) & 0xff) ?? code ?? message ?? 'unknown fault';
}

/** Runs `work` in one transaction that writes: all of it is kept, or nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** Ends a transaction that failed. */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK');
  } catch {
    // A full or broken disk has ended it already (https://www.sqlite.org/lang_transaction.html, "Response To Errors"): the first fault counts.
    return;
  }
}

/** Tries again while another process holds the lock, without holding up anybody meanwhile; then throws what SQLite says. */
export async function whenFree<T>(work: () => T, patienceMs: number): Promise<T> {
  const endMs = Date.now() + patienceMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (storeFaultKind(error) !== 'busy' || Date.now() >= endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
