import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { createGoneHolders, lockHolderName } from '../../disk/lock-holder.ts';
import { loadSqlite } from './load-sqlite.ts';
import { purgeVerdicts } from './purge-verdicts.ts';
import { isSound, type VerdictRow } from './select-verdicts.ts';
import { restoreInto, type Salvage, salvageFrom } from './damaged-file.ts';
import { inTransaction } from '../../disk/sqlite-faults.ts';
import { EPOCH_QUERY } from './store-epoch.ts';
import { openVerdictDatabase, type PreparedStatements, prepareStatements } from './verdict-database.ts';
import type { StoredVerdict, StoreEpoch, StoreHealth, StoreStats, TakeVerdict, VerdictStore } from './verdict-store.ts';
import { builtinModule } from '../../disk/builtin-module.ts';

/** Days of figures that are kept. */
const FIGURE_DAYS = 400;
/** Writes are gathered this long, off the answer path; a crash loses no more. */
const FLUSH_MS = 20;
const FLUSH_ROWS = 500;
/** Writes that wait while the disk takes none; the oldest go. */
const MAX_WAITING = 100_000;
/** So many look-ups that have ended are told to others at once: a process that is killed leaves no more than these to be asked again. */
const FLUSH_RELEASES = 16;
/** No lease is longer: one that ends later was written before the clock was set back. */
const LONGEST_LEASE_S = 300;
/** Values bound to one statement. */
const CHUNK = 500;

/** Told of a background write that failed, and with `null` that it works again; gives the milliseconds until it is tried again. */
type OnWriteFault = (error: unknown) => number;

/** The verdict cache on disk: one SQLite file (WAL) for all processes of a host, opened and never loaded whole. Every method may throw. */
export class SqliteVerdictStore implements VerdictStore {
  readonly #db: DatabaseSync;
  readonly #path: string;
  #owner: string | null = null;
  #noteOf: StatementSync | null = null;
  readonly #prepared: PreparedStatements;
  readonly #dirty = new Map<string, { provider: string; value: string; verdict: StoredVerdict }>();
  readonly #released = new Map<string, { provider: string; value: string }>();
  #timer: NodeJS.Timeout | null = null;
  /** After a write that failed, until it is tried again. */
  #isResting = false;
  #isClosed = false;
  readonly #onWriteFault: OnWriteFault;

  #flushSoon = (): void => {
    const isMuch = this.#dirty.size >= FLUSH_ROWS || this.#released.size >= FLUSH_RELEASES;
    if (isMuch && !this.#isResting) this.#flushOrRest();
    else this.#timer ??= setTimeout(() => this.#flushOrRest(), FLUSH_MS);
  };

  constructor(db: DatabaseSync, path: string, onWriteFault: OnWriteFault) {
    this.#db = db;
    this.#path = path;
    this.#prepared = prepareStatements(db);
    this.#onWriteFault = onWriteFault;
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
      for (const row of rows) if (isSound(row)) take(row[0], row[1], row[2], row[3]);
    }
    if (this.#dirty.size === 0) return;
    for (const value of values) {
      const waiting = this.#dirty.get(`${provider}\n${value}`);
      if (waiting) take(value, waiting.verdict.answer, waiting.verdict.checkedAtS, waiting.verdict.expiresAtS);
    }
  }

  put(provider: string, value: string, verdict: StoredVerdict): void {
    this.#dirty.set(`${provider}\n${value}`, { provider, value, verdict });
    if (this.#dirty.size > MAX_WAITING) {
      const [oldest] = this.#dirty.keys();
      if (oldest !== undefined) this.#dirty.delete(oldest);
    }
    this.#flushSoon();
  }

  lease(provider: string, values: readonly string[], untilS: number, nowS: number): Set<string> {
    const { take } = this.#prepared;
    const owner = this.#ownName();
    return inTransaction(this.#db, () => {
      const won = new Set<string>();
      const lost: string[] = [];
      for (const value of values) {
        // Taken again before the others were told that it is free.
        this.#released.delete(`${provider}\n${value}`);
        const isOurs = take.run(provider, value, owner, untilS, nowS, nowS + LONGEST_LEASE_S).changes === 1;
        if (isOurs) won.add(value);
        else lost.push(value);
      }
      if (lost.length > 0) for (const value of this.#inherit(provider, lost, untilS)) won.add(value);
      return won;
    });
  }

  leasable(provider: string, values: readonly string[], nowS: number): string[] {
    const gone = createGoneHolders();
    return values.filter((value) => {
      const row = this.#prepared.leaseOf.get(provider, value);
      if (row === undefined) return true;
      const [owner, untilS] = [String(row['owner']), Number(row['until'])];
      return untilS < nowS || untilS > nowS + LONGEST_LEASE_S || owner === this.#ownName() || gone(owner);
    });
  }

  /** Takes over what processes hold that have ended. */
  #inherit(provider: string, values: readonly string[], untilS: number): string[] {
    const { leaseOf, takeOver } = this.#prepared;
    const gone = createGoneHolders();
    return values.filter((value) => {
      const holder = String(leaseOf.get(provider, value)?.['owner']);
      return gone(holder) && takeOver.run(this.#ownName(), untilS, provider, value).changes === 1;
    });
  }

  release(provider: string, values: readonly string[]): void {
    // Beyond it they run out by themselves.
    if (this.#released.size < MAX_WAITING) for (const value of values) this.#released.set(`${provider}\n${value}`, { provider, value });
    this.#flushSoon();
  }

  book(provider: string, windows: readonly { requests: number; perMs: number }[], calls: number, nowMs: number): number {
    const longestMs = Math.max(0, ...windows.map((window) => window.perMs));
    const { dropCalls, clampCalls, addCall } = this.#prepared;
    return inTransaction(this.#db, () => {
      dropCalls.run(provider, nowMs - longestMs);
      // The clock was set back: a call of later was made by now.
      clampCalls.run(nowMs, provider, nowMs);
      const waitMs = Math.max(0, ...windows.map((window) => this.#waitFor(provider, window, calls, nowMs)));
      if (waitMs > 0) return waitMs;
      for (let n = 0; n < calls; n++) addCall.run(provider, nowMs);
      return 0;
    });
  }

  /** As `windowWaitMs`, but of thousands of calls in a window only one is read: the one whose leaving makes room. */
  #waitFor(provider: string, { requests, perMs }: { requests: number; perMs: number }, calls: number, nowMs: number): number {
    if (calls > requests) return perMs;
    // What is only noted has no bound; SQLite takes no infinite number for one.
    if (requests === Infinity) return 0;
    const row = this.#prepared.nthCall.get(provider, nowMs - perMs, requests - calls);
    return row === undefined ? 0 : Number(row['at_ms']) + perMs - nowMs;
  }

  booked(provider: string, sinceMs: number): number[] {
    const rows = this.#db.prepare('SELECT at_ms FROM calls WHERE provider = ? AND at_ms > ? ORDER BY at_ms').all(provider, sinceMs);
    return rows.map((row) => Number(row['at_ms']));
  }

  spent(provider: string, day: string): number {
    const row = this.#prepared.spent.get(provider, day);
    return Number(row?.['credits'] ?? 0);
  }

  spend(provider: string, day: string, credits: number, limit: number | null): boolean {
    return inTransaction(this.#db, () => {
      const total = this.spent(provider, day) + credits;
      if (limit !== null && total > limit) return false;
      this.#prepared.spend.run(provider, day, total);
      return true;
    });
  }

  note(name: string): { text: string; atS: number } | null {
    const row = (this.#noteOf ??= this.#db.prepare('SELECT text, at FROM notes WHERE name = ?')).get(name);
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

  purge = (beforeS: number): Promise<number> => purgeVerdicts(this.#db, beforeS);

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#dirty.size === 0 && this.#released.size === 0) return;
    const { insert, give } = this.#prepared;
    inTransaction(this.#db, () => {
      for (const { provider, value, verdict } of this.#dirty.values()) {
        insert.run(provider, value, verdict.answer, verdict.checkedAtS, verdict.expiresAtS);
      }
      for (const { provider, value } of this.#released.values()) give.run(provider, value, this.#ownName());
    });
    this.#dirty.clear();
    this.#released.clear();
  }

  /** What waits to be written, for another file that takes this one's place. */
  handOver(to: VerdictStore): void {
    for (const { provider, value, verdict } of this.#dirty.values()) to.put(provider, value, verdict);
    this.#dirty.clear();
    this.#released.clear();
  }

  salvage = (): Salvage => salvageFrom(this.#db);

  restore = (salvage: Salvage): void => restoreInto(this.#db, salvage);

  #flushOrRest(): void {
    const wasResting = this.#isResting;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isResting = false;
    try {
      this.flush();
      if (wasResting) this.#onWriteFault(null);
    } catch (error) {
      const restMs = this.#onWriteFault(error);
      if (this.#isClosed || (this.#dirty.size === 0 && this.#released.size === 0)) return;
      this.#isResting = true;
      this.#timer ??= setTimeout(() => this.#flushOrRest(), restMs);
    }
  }

  /** What this process is called among those that hold leases. */
  #ownName(): string {
    // Loaded at the first lease: a search that finds everything in the cache takes none.
    return (this.#owner ??= lockHolderName(builtinModule('node:crypto').randomBytes(8).toString('hex')));
  }

  stats(): StoreStats {
    const rows = Number(this.#db.prepare('SELECT count(*) AS rows FROM verdicts').get()?.['rows']);
    return { kind: 'sqlite', path: this.#path, rows, sizeBytes: statSync(this.#path).size, fault: null };
  }

  /** Another number after each change that another connection has made. */
  dataVersion(): number {
    return Number(this.#db.prepare('PRAGMA data_version').get()?.['data_version']);
  }

  health = (): StoreHealth => ({ fault: null, faults: 0, setAside: 0 });

  close(): void {
    // A call that was cut short may still report: it has nothing to write any more.
    this.#flushSoon = () => {};
    this.#isClosed = true;
    try {
      this.flush();
    } finally {
      if (this.#timer) clearTimeout(this.#timer);
      this.#db.close();
    }
  }
}

/** Opens a file of the cache, as often as needed, without waiting; throws what SQLite says. */
export type OpenVerdictFile = (onWriteFault: OnWriteFault) => SqliteVerdictStore;

/** What opens the file at `path`. */
export async function verdictFileOpener(path: string): Promise<OpenVerdictFile> {
  const sqlite = await loadSqlite();
  return (onWriteFault) => {
    const db = openVerdictDatabase(sqlite, path);
    try {
      return new SqliteVerdictStore(db, path, onWriteFault);
    } catch (error) {
      db.close();
      throw error;
    }
  };
}

/** Opens the shared verdict cache, bare: every fault of the file is thrown. Hosts open a `DurableVerdictStore`. */
export async function openSqliteVerdictStore(path: string): Promise<VerdictStore> {
  return (await verdictFileOpener(path))((error) => {
    if (error === null) return 0;
    throw error;
  });
}
