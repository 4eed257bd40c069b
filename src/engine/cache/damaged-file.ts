import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../disk/sqlite-faults.ts';

/** Damaged files that are kept for those who want to see why; the oldest go. */
const KEPT = 3;
const ENDING = '.damaged-';
// The log and its index first: a fresh file never finds those of the damaged one beside it.
const PARTS = ['-shm', '-wal', ''];

/** Which file a path names at the moment; `null`: none. A file that was deleted or replaced is another. */
export function fileIdentity(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** Renames a damaged database with what belongs to it, and forgets the oldest of those. Gives the new path. Throws what the disk says. */
export function setAside(path: string, nowMs: number): string {
  const place = `${path}${ENDING}${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}`;
  for (const part of PARTS) {
    if (statSync(path + part, { throwIfNoEntry: false }) !== undefined) renameSync(path + part, place + part);
  }
  const folder = dirname(path);
  const mine = readdirSync(folder).filter((name) => name.startsWith(basename(path) + ENDING));
  const places = [...new Set(mine.map((name) => name.replace(/-(shm|wal)$/, '')))].toSorted();
  for (const old of places.slice(0, -KEPT)) for (const part of PARTS) rmSync(join(folder, old + part), { force: true });
  return place;
}

/** What a damaged cache still knows that money or limits depend on. */
export interface Salvage {
  readonly spending: readonly Readonly<Record<string, unknown>>[];
  readonly notes: readonly Readonly<Record<string, unknown>>[];
}

/** Reads what is left of it; what cannot be read is left out. */
export function salvageFrom(db: DatabaseSync): Salvage {
  return {
    spending: rowsOf(db, 'SELECT provider, day, credits FROM spending').filter(
      ({ provider, day, credits }) => typeof provider === 'string' && typeof day === 'string' && Number.isSafeInteger(credits),
    ),
    notes: rowsOf(db, "SELECT name, text, at FROM notes WHERE name <> 'epoch'").filter(
      ({ name, text, at }) => typeof name === 'string' && typeof text === 'string' && Number.isSafeInteger(at),
    ),
  };
}

/** Takes it over into a fresh file. What stands there already is newer. */
export function restoreInto(db: DatabaseSync, { spending, notes }: Salvage): void {
  if (spending.length === 0 && notes.length === 0) return;
  const spend = db.prepare('INSERT OR IGNORE INTO spending VALUES (?, ?, ?)');
  const note = db.prepare('INSERT OR IGNORE INTO notes VALUES (?, ?, ?)');
  inTransaction(db, () => {
    for (const { provider, day, credits } of spending) spend.run(String(provider), String(day), Number(credits));
    for (const { name, text, at } of notes) note.run(String(name), String(text), Number(at));
  });
}

function rowsOf(db: DatabaseSync, sql: string): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  try {
    for (const row of db.prepare(sql).iterate()) rows.push(row);
  } catch {
    // As far as it can be read: the rest is what the damage took.
    return rows;
  }
  return rows;
}
