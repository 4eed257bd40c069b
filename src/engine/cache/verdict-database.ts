import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { makePrivateFile, makePrivateFolder } from '../../disk/private-files.ts';
import { prepareLists } from './select-verdicts.ts';
import { inTransaction } from '../../disk/sqlite-faults.ts';

const SCHEMA_VERSION = 3;
/** An event loop waits no longer for another process; who needs it asks again. */
const BUSY_MS = 50;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS verdicts (provider TEXT, value TEXT, answer TEXT, checked_at INT, expires_at INT, PRIMARY KEY (provider, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (provider TEXT, value TEXT, owner TEXT, until INT, PRIMARY KEY (provider, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (provider TEXT, at_ms INT);
CREATE INDEX IF NOT EXISTS calls_at ON calls (provider, at_ms);
CREATE TABLE IF NOT EXISTS spending (provider TEXT, day TEXT, credits INT, PRIMARY KEY (provider, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT, at INT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS figures (day TEXT, name TEXT, count INT, PRIMARY KEY (day, name)) WITHOUT ROWID;
INSERT OR IGNORE INTO notes VALUES ('epoch', hex(randomblob(8)), 0);
CREATE TRIGGER IF NOT EXISTS verdict_replaced AFTER UPDATE ON verdicts WHEN old.expires_at > new.checked_at AND old.answer IS NOT new.answer
BEGIN UPDATE notes SET at = at + 1 WHERE name = 'epoch'; END;
CREATE TRIGGER IF NOT EXISTS verdict_deleted AFTER DELETE ON verdicts WHEN old.expires_at > unixepoch()
BEGIN UPDATE notes SET at = at + 1 WHERE name = 'epoch'; END;
PRAGMA user_version = ${SCHEMA_VERSION};`;

/** Opens the file of the cache, made with its tables if it is new; throws what SQLite says. */
export function openVerdictDatabase(sqlite: typeof import('node:sqlite'), path: string): DatabaseSync {
  makePrivateFolder(dirname(path));
  makePrivateFile(path);
  const db = new sqlite.DatabaseSync(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;`);
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version !== SCHEMA_VERSION) inTransaction(db, () => db.exec(SCHEMA));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The statements of a store, prepared once. */
export type PreparedStatements = ReturnType<typeof prepareStatements>;

/** Prepares them on an open file. */
export function prepareStatements(db: DatabaseSync) {
  return {
    // Not INSERT OR REPLACE: that would not fire the trigger that counts.
    insert: db.prepare(
      `INSERT INTO verdicts VALUES (?, ?, ?, ?, ?) ON CONFLICT (provider, value)
       DO UPDATE SET answer = excluded.answer, checked_at = excluded.checked_at, expires_at = excluded.expires_at`,
    ),
    take: db.prepare(
      `INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (provider, value)
       DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE until < ? OR until > ? OR owner = excluded.owner`,
    ),
    leaseOf: db.prepare('SELECT owner, until FROM leases WHERE provider = ? AND value = ?'),
    takeOver: db.prepare('UPDATE leases SET owner = ?, until = ? WHERE provider = ? AND value = ?'),
    give: db.prepare('DELETE FROM leases WHERE provider = ? AND value = ? AND owner = ?'),
    dropCalls: db.prepare('DELETE FROM calls WHERE provider = ? AND at_ms <= ?'),
    clampCalls: db.prepare('UPDATE calls SET at_ms = ? WHERE provider = ? AND at_ms > ?'),
    nthCall: db.prepare('SELECT at_ms FROM calls WHERE provider = ? AND at_ms > ? ORDER BY at_ms DESC LIMIT 1 OFFSET ?'),
    addCall: db.prepare('INSERT INTO calls VALUES (?, ?)'),
    spent: db.prepare('SELECT credits FROM spending WHERE provider = ? AND day = ?'),
    spend: db.prepare('INSERT OR REPLACE INTO spending VALUES (?, ?, ?)'),
    selectList: prepareLists(db),
  };
}
