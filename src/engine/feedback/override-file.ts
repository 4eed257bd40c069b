import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isSameOverride, overrideOf } from './override-rows.ts';
import { FeedbackStoreError, type Override } from './overrides.ts';
import { makePrivateFile, makePrivateFolder } from '../../disk/private-files.ts';
import { storeFaultKind, storeFaultText } from '../../disk/sqlite-faults.ts';

/** An event loop waits no longer for another process; who needs it asks again. */
const BUSY_MS = 50;

// Not in WAL mode: the file itself has to change when something is decided, so that others see it.
const SCHEMA = `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = DELETE;
CREATE TABLE IF NOT EXISTS override (
  id INTEGER PRIMARY KEY, value TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER, said_verdict TEXT, said_score INTEGER, ended_at INTEGER, ended_by TEXT) STRICT;
CREATE INDEX IF NOT EXISTS override_value ON override (value, ended_at);`;

/** Opens it, and makes it when it is not there. Throws what SQLite says. */
export function openOverrides(sqlite: typeof import('node:sqlite'), path: string): DatabaseSync {
  makePrivateFolder(dirname(path));
  makePrivateFile(path);
  const db = new sqlite.DatabaseSync(path);
  try {
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Takes an override; an earlier one on the same value ends with it. For use in a transaction. */
export function insertOverride(db: DatabaseSync, given: Omit<Override, 'endedAtS' | 'endedBy'>): void {
  const { value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore } = given;
  endOverride(db, value, author, atS);
  db.prepare(
    'INSERT INTO override (value, type, verdict, score, author, reason, at, until, said_verdict, said_score) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore);
}

/** Writes down what was decided last on a value on another machine; a decision that is here already gets its end. */
export function insertForeign(db: DatabaseSync, { override, was }: { readonly override: Override; readonly was: Override | null }): void {
  const select = db.prepare('SELECT * FROM override WHERE value = ? ORDER BY id DESC LIMIT 1');
  select.setReadBigInts(true);
  const row = select.get(override.value);
  const last = row === undefined ? null : overrideOf(row);
  // Somebody decided here meanwhile.
  if (row !== undefined && !isSameOverride(last, was)) return;
  const { endedAtS, endedBy } = override;
  if (row === undefined || !isSameOverride(last === null ? null : { ...last, endedAtS, endedBy }, override)) {
    endOverride(db, override.value, endedBy ?? override.author, endedAtS ?? override.atS);
    insertOverride(db, override);
  }
  const end = db.prepare('UPDATE override SET ended_at = ?, ended_by = ? WHERE id = (SELECT max(id) FROM override WHERE value = ?)');
  end.run(endedAtS, endedBy, override.value);
}

/** Whether there was one to end. */
export function endOverride(db: DatabaseSync, value: string, by: string, atS: number): boolean {
  const ending = db.prepare(
    'UPDATE override SET ended_at = ?, ended_by = ? WHERE value = ? AND ended_at IS NULL AND (until IS NULL OR until > ?)',
  );
  return Number(ending.run(atS, by, value, atS).changes) > 0;
}

/** That the file cannot be read, and what to do. */
export function unreadable(path: string, error: unknown): string {
  const remedy =
    storeFaultKind(error) === 'busy'
      ? 'end the process that holds it, or try again'
      : `restore ${path} from a backup, or move it away to begin without overrides`;
  return `analysts' overrides are not all in force: ${path} cannot be read (${storeFaultText(error)}): ${remedy}`;
}

/** The same of single rows; `null`: there is none. */
export function badRowsFault(path: string, badRows: number): string | null {
  if (badRows === 0) return null;
  return `${badRows} of analysts' overrides in ${path} cannot be read and do not count: take them back with \`ismalicious feedback remove VALUE\`, or restore the file`;
}

/** A fault of the file as an error that names it; any other as it is. */
export function errorOf(path: string, error: unknown): unknown {
  const kind = storeFaultKind(error);
  return kind === null ? error : new FeedbackStoreError(unreadable(path, error), { isBusy: kind === 'busy', cause: error });
}

/** What is in the file. */
export interface ReadOverrides {
  readonly overrides: readonly Override[];
  /** Rows in force, or that may be, that cannot be read. */
  readonly badRows: number;
  /** Where reading the file ended early; `undefined`: it did not. */
  readonly error?: unknown;
}

/** Every row that can be read; one that cannot costs itself. */
export function readAll(db: DatabaseSync): ReadOverrides {
  const overrides: Override[] = [];
  let badRows = 0;
  const select = db.prepare('SELECT * FROM override ORDER BY id');
  select.setReadBigInts(true);
  try {
    for (const row of select.iterate()) {
      const override = overrideOf(row);
      if (override !== null) overrides.push(override);
      else if (row['ended_at'] === null) badRows++;
    }
  } catch (error) {
    return { overrides, badRows, error };
  }
  return { overrides, badRows };
}
