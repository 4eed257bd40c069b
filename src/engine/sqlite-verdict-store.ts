import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { loadSqlite } from './load-sqlite.ts';
import { windowWaitMs } from './call-windows.ts';
import { EPOCH_QUERY } from './store-epoch.ts';
import type { StoredVerdict, StoreEpoch, StoreStats, TakeVerdict, VerdictStore } from './verdict-store.ts';

const SCHEMA_VERSION = 3;
/** Days of figures that are kept. */
const FIGURE_DAYS = 400;
const BUSY_MS = 5000;
/** Writes are gathered this long, off the answer path; a crash loses no more. */
const FLUSH_MS = 20;
const FLUSH_ROWS = 500;
/** Values bound to one statement. */
const CHUNK = 500;

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

/** value, answer, checked_at, expires_at: rows as arrays cost half of what objects do. */
type VerdictRow = readonly [string, string, number, number];

function openDatabase(sqlite: typeof import('node:sqlite'), path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new sqlite.DatabaseSync(path);
  db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;`);
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version !== SCHEMA_VERSION) db.exec(SCHEMA);
  chmodSync(path, 0o600);
  return db;
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** Statements that bind a list are prepared per power-of-two length, so that their number stays small; the rest is filled with NULL. */
function prepareLists(db: DatabaseSync): (provider: string, values: string[]) => { statement: StatementSync; bound: (string | null)[] } {
  const bySize = new Map<number, StatementSync>();
  return (provider, values) => {
    let size = 1;
    while (size < values.length) size *= 2;
    let statement = bySize.get(size);
    if (!statement) {
      const marks = Array.from({ length: size }, () => '?').join(',');
      statement = db.prepare(`SELECT value, answer, checked_at, expires_at FROM verdicts WHERE value IN (${marks}) AND provider = ?`);
      statement.setReturnArrays(true);
      bySize.set(size, statement);
    }
    const bound: (string | null)[] = values;
    while (bound.length < size) bound.push(null);
    bound.push(provider);
    return { statement, bound };
  };
}

type Prepared = ReturnType<typeof prepareStatements>;

function prepareStatements(db: DatabaseSync) {
  return {
    // Not INSERT OR REPLACE: that would not fire the trigger that counts.
    insert: db.prepare(
      `INSERT INTO verdicts VALUES (?, ?, ?, ?, ?) ON CONFLICT (provider, value)
       DO UPDATE SET answer = excluded.answer, checked_at = excluded.checked_at, expires_at = excluded.expires_at`,
    ),
    take: db.prepare(
      `INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (provider, value)
       DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE until < ? OR owner = excluded.owner`,
    ),
    give: db.prepare('DELETE FROM leases WHERE provider = ? AND value = ? AND owner = ?'),
    selectList: prepareLists(db),
  };
}

/** The verdict cache on disk: one SQLite file (WAL) for all processes of a host, opened and never loaded whole. */
class SqliteVerdictStore implements VerdictStore {
  readonly #db: DatabaseSync;
  readonly #path: string;
  #owner: string | null = null;
  readonly #prepared: Prepared;
  readonly #dirty = new Map<string, { provider: string; value: string; verdict: StoredVerdict }>();
  #released: { provider: string; value: string }[] = [];
  #timer: NodeJS.Timeout | null = null;

  #flushSoon = (): void => {
    if (this.#dirty.size >= FLUSH_ROWS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  };

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#prepared = prepareStatements(db);
  }

  getMany(provider: string, values: readonly string[]): Map<string, StoredVerdict> {
    const found = new Map<string, StoredVerdict>();
    this.readMany(provider, values, (value, answer, checkedAtS, expiresAtS) => found.set(value, { answer, checkedAtS, expiresAtS }));
    return found;
  }

  readMany(provider: string, values: readonly string[], take: TakeVerdict): void {
    for (let at = 0; at < values.length; at += CHUNK) {
      const { statement, bound } = this.#prepared.selectList(provider, values.slice(at, at + CHUNK));
      const rows = statement.all(...bound) as unknown as VerdictRow[];
      for (const row of rows) take(row[0], row[1], row[2], row[3]);
    }
    if (this.#dirty.size === 0) return;
    for (const value of values) {
      const waiting = this.#dirty.get(`${provider}\n${value}`);
      if (waiting) take(value, waiting.verdict.answer, waiting.verdict.checkedAtS, waiting.verdict.expiresAtS);
    }
  }

  put(provider: string, value: string, verdict: StoredVerdict): void {
    this.#dirty.set(`${provider}\n${value}`, { provider, value, verdict });
    this.#flushSoon();
  }

  lease(provider: string, values: readonly string[], untilS: number): Set<string> {
    const nowS = Math.floor(Date.now() / 1000);
    const { take } = this.#prepared;
    const owner = this.#ownName();
    return inTransaction(this.#db, () => new Set(values.filter((value) => take.run(provider, value, owner, untilS, nowS).changes === 1)));
  }

  release(provider: string, values: readonly string[]): void {
    for (const value of values) this.#released.push({ provider, value });
    this.#flushSoon();
  }

  book(provider: string, windows: readonly { requests: number; perMs: number }[], calls: number, nowMs: number): number {
    const longestMs = Math.max(0, ...windows.map((window) => window.perMs));
    return inTransaction(this.#db, () => {
      this.#db.prepare('DELETE FROM calls WHERE provider = ? AND at_ms <= ?').run(provider, nowMs - longestMs);
      const rows = this.#db.prepare('SELECT at_ms FROM calls WHERE provider = ? ORDER BY at_ms').all(provider) as unknown as {
        at_ms: number;
      }[];
      const bookedMs = rows.map((row) => row.at_ms);
      const waitMs = windowWaitMs(bookedMs, windows, calls, nowMs);
      if (waitMs > 0) return waitMs;
      const add = this.#db.prepare('INSERT INTO calls VALUES (?, ?)');
      for (let n = 0; n < calls; n++) add.run(provider, nowMs);
      return 0;
    });
  }

  spent(provider: string, day: string): number {
    const row = this.#db.prepare('SELECT credits FROM spending WHERE provider = ? AND day = ?').get(provider, day);
    return Number(row?.['credits'] ?? 0);
  }

  spend(provider: string, day: string, credits: number, limit: number | null): boolean {
    return inTransaction(this.#db, () => {
      const total = this.spent(provider, day) + credits;
      if (limit !== null && total > limit) return false;
      this.#db.prepare('INSERT OR REPLACE INTO spending VALUES (?, ?, ?)').run(provider, day, total);
      return true;
    });
  }

  note(name: string): { text: string; atS: number } | null {
    const row = this.#db.prepare('SELECT text, at FROM notes WHERE name = ?').get(name);
    return row ? { text: String(row['text']), atS: Number(row['at']) } : null;
  }

  setNote(name: string, text: string, atS: number): void {
    this.#db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?, ?)').run(name, text, atS);
  }

  addFigures(day: string, counts: ReadonlyMap<string, number>): void {
    const add = this.#db.prepare(
      'INSERT INTO figures VALUES (?, ?, ?) ON CONFLICT (day, name) DO UPDATE SET count = count + excluded.count',
    );
    inTransaction(this.#db, () => {
      for (const [name, count] of counts) add.run(day, name, count);
      this.#db.prepare("DELETE FROM figures WHERE day < date(?, ? || ' days')").run(day, -FIGURE_DAYS);
    });
  }

  figures(from: string, to: string): Map<string, number> {
    const rows = this.#db.prepare('SELECT name, sum(count) AS total FROM figures WHERE day BETWEEN ? AND ? GROUP BY name').all(from, to);
    return new Map(rows.map((row) => [String(row['name']), Number(row['total'])]));
  }

  epoch(): StoreEpoch | null {
    const row = this.#db.prepare(EPOCH_QUERY).get();
    return row === undefined ? null : { path: this.#path, epoch: String(row['epoch']) };
  }

  purge(beforeS: number): number {
    return Number(this.#db.prepare('DELETE FROM verdicts WHERE expires_at < ?').run(beforeS).changes);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#dirty.size === 0 && this.#released.length === 0) return;
    const { insert, give } = this.#prepared;
    inTransaction(this.#db, () => {
      for (const { provider, value, verdict } of this.#dirty.values()) {
        insert.run(provider, value, verdict.answer, verdict.checkedAtS, verdict.expiresAtS);
      }
      for (const { provider, value } of this.#released) give.run(provider, value, this.#ownName());
    });
    this.#dirty.clear();
    this.#released = [];
  }

  /** What this process is called among those that hold leases. */
  #ownName(): string {
    // Loaded at the first lease: a search that finds everything in the cache takes none.
    return (this.#owner ??= process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex'));
  }

  stats(): StoreStats {
    const rows = Number(this.#db.prepare('SELECT count(*) AS rows FROM verdicts').get()?.['rows']);
    return { kind: 'sqlite', path: this.#path, rows, sizeBytes: statSync(this.#path).size, fault: null };
  }

  close(): void {
    this.flush();
    this.#db.close();
    // A call that was cut short may still report: it has nothing to write any more.
    this.#flushSoon = () => {};
  }
}

/** Opens the shared verdict cache. Throws when the file cannot be opened: the caller falls back to memory and says so. */
export async function openSqliteVerdictStore(path: string): Promise<VerdictStore> {
  return new SqliteVerdictStore(openDatabase(await loadSqlite(), path), path);
}
