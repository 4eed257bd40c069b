import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { builtinModule } from '../disk/builtin-module.ts';
import { makePrivateFile, makePrivateFolder } from '../disk/private-files.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { MIGRATIONS } from './schema.ts';

// "ISM1" in ASCII: a file of another program is refused, not migrated.
const APPLICATION_ID = 0x49534d31;
const BUSY_TIMEOUT_MS = 10_000;
/** Readers sit on event loops; in WAL mode they wait only for who locks out everybody. */
const READER_BUSY_TIMEOUT_MS = 50;

// 64 MiB of journal before it is folded into the file (SQLite's 4 MiB halve the insert rate at a million rows), 64 MiB of page cache.
const SPEED =
  'PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY';

/** The store cannot be used: foreign file, newer version, or damaged. The message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/**
 * Opens the store's file, creates or migrates it. WAL: readers never wait, and a killed process loses nothing it had committed.
 * The folder and file are for the owner only: it names what the house looks for.
 */
export function openDatabase(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  const db = openFile(path, options.readOnly === true);
  try {
    db.exec(`PRAGMA busy_timeout = ${options.readOnly ? READER_BUSY_TIMEOUT_MS : BUSY_TIMEOUT_MS}`);
    if (options.readOnly) {
      if (requireVersion(db, path) < MIGRATIONS.length) openDatabase(path).close();
      db.exec('PRAGMA mmap_size = 268435456');
      return db;
    }
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; ${SPEED}`);
    migrate(db, path);
    return db;
  } catch (cause) {
    db.close();
    throw cause instanceof StoreError
      ? cause
      : new StoreError(`${path} cannot be read as our store: restore it from a backup or move it away`, { cause });
  }
}

/** What is wrong with the file; empty when it is sound. Reads all of it. */
export function checkIntegrity(db: DatabaseSync): string[] {
  const rows = db
    .prepare('PRAGMA integrity_check(20)')
    .all()
    .map((row) => String(row.integrity_check));
  const strays = db.prepare('PRAGMA foreign_key_check').all();
  return [...rows.filter((row) => row !== 'ok'), ...strays.map((row) => `${String(row.table)} row ${String(row.rowid)} points nowhere`)];
}

function openFile(path: string, readOnly: boolean): DatabaseSync {
  const { DatabaseSync: Database } = sqlite();
  try {
    if (path !== ':memory:' && !readOnly) {
      makePrivateFolder(dirname(path));
      makePrivateFile(path);
    }
    return new Database(path, { readOnly });
  } catch (cause) {
    throw new StoreError(`${path} cannot be opened: check that the folder exists and belongs to this user`, { cause });
  }
}

function migrate(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id') === 0 && pragma(db, 'user_version') === 0 && !hasTables(db))
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  // Two processes may open a fresh file at once: the second one waits here and then finds the work done.
  inTransaction(db, () => {
    const version = requireVersion(db, path);
    MIGRATIONS.slice(version).forEach((sql, n) => {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${version + n + 1}`);
    });
  });
}

function requireVersion(db: DatabaseSync, path: string): number {
  if (pragma(db, 'application_id') !== APPLICATION_ID)
    throw new StoreError(`${path} is a file of another program: name another state folder`);
  const version = pragma(db, 'user_version');
  if (version > MIGRATIONS.length) throw new StoreError(`${path} was written by a newer version (${version}): update this program`);
  return version;
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** Loaded with the first file: programs that open none run on a Node without SQLite, too. */
function sqlite(): typeof import('node:sqlite') {
  const found = findSqlite();
  if (found) return found;
  throw new StoreError(`the store of the pipeline needs Node 22.13 or newer: Node ${process.versions.node} has no SQLite`);
}

function findSqlite(): typeof import('node:sqlite') | undefined {
  try {
    return builtinModule('node:sqlite');
  } catch {
    // Node before 22.3 throws where later ones give nothing.
    return undefined;
  }
}
