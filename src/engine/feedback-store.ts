import { chmodSync, existsSync, mkdirSync, unwatchFile, watchFile } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { IndicatorType } from '../model/indicator.ts';
import type { Verdict, VerdictWord } from '../model/verdict.ts';
import { type FeedbackStore, isInForce, type Override, type OverrideVerdict, verdictOfOverride } from './feedback.ts';
import { loadSqlite } from './load-sqlite.ts';

const BUSY_MS = 5000;
/** How often programs that stay look for decisions of other processes, in milliseconds. */
const WATCH_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// Not in WAL mode: the file itself has to change when something is decided, so that others see it.
const SCHEMA = `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = DELETE;
CREATE TABLE IF NOT EXISTS override (
  id INTEGER PRIMARY KEY, value TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER, said_verdict TEXT, said_score INTEGER, ended_at INTEGER, ended_by TEXT) STRICT;
CREATE INDEX IF NOT EXISTS override_value ON override (value, ended_at);`;

interface OpenOptions {
  readonly path: string;
  /** Whether decisions of other processes are looked for. */
  readonly watches: boolean;
  readonly nowS: () => number;
}

/** Opens the file of overrides. It is made when the first one is given; while there is none nothing is opened. */
export async function openFeedbackStore({ path, watches, nowS }: OpenOptions): Promise<FeedbackStore> {
  const sqlite = await loadSqlite();
  const listeners: (() => void)[] = [];
  let db: DatabaseSync | null = null;
  let inForce = new Map<string, { override: Override; verdict: Verdict }>();
  let timer: NodeJS.Timeout | undefined;

  const open = (): DatabaseSync => (db ??= openFile(sqlite, path));
  function load(): void {
    const all = existsSync(path) ? readAll(open()) : [];
    inForce = new Map(
      all.filter((one) => isInForce(one, nowS())).map((override) => [override.value, { override, verdict: verdictOfOverride(override) }]),
    );
    wakeAtNextEnd();
  }
  function reload(): void {
    load();
    for (const listener of listeners) listener();
  }
  function wakeAtNextEnd(): void {
    clearTimeout(timer);
    const ends = Array.from(inForce.values(), ({ override }) => override.untilS ?? Infinity);
    const nextS = ends.reduce((soonest, end) => Math.min(soonest, end), Infinity);
    if (Number.isFinite(nextS)) timer = setTimeout(reload, Math.min(LONGEST_TIMER_MS, (nextS - nowS()) * 1000 + 1)).unref();
  }
  load();
  if (watches) watchFile(path, { interval: WATCH_MS, persistent: false }, reload);

  return {
    lookup({ value }, atS) {
      if (inForce.size === 0) return null;
      const found = inForce.get(value);
      return found && isInForce(found.override, atS) ? found.verdict : null;
    },
    onChange: (listener) => void listeners.push(listener),
    add(given) {
      insertOverride(open(), given);
      reload();
    },
    remove(value, by, atS) {
      const hadOne = existsSync(path) && endOverride(open(), value, by, atS);
      if (hadOne) reload();
      return hadOne;
    },
    list({ sinceS = 0, inForceAtS } = {}) {
      if (!existsSync(path)) return [];
      return readAll(open())
        .filter((one) => one.atS >= sinceS && (inForceAtS === undefined || isInForce(one, inForceAtS)))
        .toReversed();
    },
    close() {
      clearTimeout(timer);
      if (watches) unwatchFile(path, reload);
      db?.close();
      db = null;
    },
  };
}

function openFile(sqlite: typeof import('node:sqlite'), path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new sqlite.DatabaseSync(path);
  db.exec(SCHEMA);
  chmodSync(path, 0o600);
  return db;
}

/** An earlier override on the same value ends with it. */
function insertOverride(db: DatabaseSync, given: Omit<Override, 'endedAtS' | 'endedBy'>): void {
  const { value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore } = given;
  db.exec('BEGIN IMMEDIATE');
  try {
    endOverride(db, value, author, atS);
    db.prepare(
      'INSERT INTO override (value, type, verdict, score, author, reason, at, until, said_verdict, said_score) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function endOverride(db: DatabaseSync, value: string, by: string, atS: number): boolean {
  const ending = db.prepare(
    'UPDATE override SET ended_at = ?, ended_by = ? WHERE value = ? AND ended_at IS NULL AND (until IS NULL OR until > ?)',
  );
  return Number(ending.run(atS, by, value, atS).changes) > 0;
}

function readAll(db: DatabaseSync): Override[] {
  return db
    .prepare('SELECT * FROM override ORDER BY id')
    .all()
    .map((row) => ({
      value: String(row['value']),
      type: String(row['type']) as IndicatorType,
      verdict: String(row['verdict']) as OverrideVerdict,
      score: Number(row['score']),
      author: String(row['author']),
      reason: String(row['reason']),
      atS: Number(row['at']),
      untilS: row['until'] === null ? null : Number(row['until']),
      saidVerdict: row['said_verdict'] === null ? null : (String(row['said_verdict']) as VerdictWord),
      saidScore: row['said_score'] === null ? null : Number(row['said_score']),
      endedAtS: row['ended_at'] === null ? null : Number(row['ended_at']),
      endedBy: row['ended_by'] === null ? null : String(row['ended_by']),
    }));
}
