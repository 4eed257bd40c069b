import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Indicator } from '../model/indicator.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { soundRows, typeCodes, verdictCodes } from './codes.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';

/** An indicator somebody wants to be told about. */
export interface Watch {
  readonly indicator: Indicator;
  readonly reason: string;
  readonly by: string;
  readonly addedS: number;
  /** How often it is checked, in seconds. */
  readonly everyS: number;
  readonly dueS: number;
  /** When watching ends; `null`: never. */
  readonly untilS: number | null;
  /** At the last check; `null`: not checked yet. */
  readonly verdict: VerdictWord | null;
  readonly score: number | null;
  readonly checkedS: number | null;
}

/** What is asked to be watched. */
export interface WatchRequest {
  readonly indicator: Indicator;
  readonly reason: string;
  readonly by: string;
  readonly everyS: number;
  readonly untilS: number | null;
}

/** The watched indicators. */
export interface Watchlist {
  /** True when it is new; a known one keeps its history and takes the new terms. */
  watch(request: WatchRequest, nowS: number): boolean;
  /** False when it was not watched. */
  unwatch(value: string): boolean;
  /** Without those that cannot be read. */
  watched(limit: number): readonly Watch[];
  /** Rows that a damaged file holds, and that are passed over. */
  unreadableWatches(): number;
  countWatched(): number;
  /** Those to be checked now, longest due first. Ended ones are removed. */
  dueWatches(nowS: number, limit: number): readonly Watch[];
  /** Keeps what checks said; a failed one (`verdict` null) is tried again after `retryS`. */
  saveChecks(
    checks: readonly { readonly value: string; readonly verdict: VerdictWord | null; readonly score: number | null }[],
    times: { readonly nowS: number; readonly retryS: number },
  ): void;
}

const DAY_S = 86_400;
/** Rows whose numbers no program of ours has written. */
const UNREADABLE = 'type NOT BETWEEN 0 AND ? OR verdict NOT BETWEEN 0 AND ?';
const KNOWN_CODES = [typeCodes.last, verdictCodes.last] as const;

/** Prepares the statements on an open store. */
export function watchlistTable(db: DatabaseSync): Watchlist {
  const known = db.prepare('SELECT 1 FROM watch WHERE value = ?');
  const save =
    db.prepare(`INSERT INTO watch (value, type, reason, added_by, added, every_s, due, until, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (value) DO UPDATE SET reason = excluded.reason, every_s = excluded.every_s, until = excluded.until,
      changed_ms = max(coalesce(changed_ms, 0) + 1, excluded.changed_ms), due = min(due, excluded.due)`);
  const remove = db.prepare('DELETE FROM watch WHERE value = ?');
  const noteGone = db.prepare('INSERT INTO unwatched VALUES (?, ?) ON CONFLICT (value) DO UPDATE SET at_ms = excluded.at_ms');
  const noteBack = db.prepare('DELETE FROM unwatched WHERE value = ?');
  const all = db.prepare('SELECT * FROM watch ORDER BY added DESC, value LIMIT ?');
  const count = db.prepare('SELECT count(*) AS n FROM watch');
  const end = db.prepare('DELETE FROM watch WHERE until <= ?');
  const due = db.prepare('SELECT * FROM watch WHERE due <= ? ORDER BY due, value LIMIT ?');
  const checked = db.prepare('UPDATE watch SET verdict = ?, score = ?, checked = ?, due = ? + every_s WHERE value = ?');
  const bad = db.prepare(`SELECT count(*) AS n FROM watch WHERE ${UNREADABLE}`);
  const later = db.prepare(`UPDATE watch SET due = ? WHERE due <= ? AND (${UNREADABLE})`);
  const failed = db.prepare('UPDATE watch SET due = ? WHERE value = ?');
  return {
    watch: ({ indicator, reason, by, everyS, untilS }, nowS) =>
      inTransaction(db, () => {
        const isNew = known.get(indicator.value) === undefined;
        save.run(indicator.value, typeCodes.toCode(indicator.type), reason, by, nowS, everyS, nowS, untilS, Date.now());
        noteBack.run(indicator.value);
        return isNew;
      }),
    unwatch: (value) =>
      inTransaction(db, () => {
        const wasThere = remove.run(value).changes === 1;
        if (wasThere) noteGone.run(value, Date.now());
        return wasThere;
      }),
    watched: (limit) => soundRows(all.all(limit), watchOf),
    unreadableWatches: () => Number(bad.get(...KNOWN_CODES)?.n ?? 0),
    countWatched: () => Number(count.get()?.n ?? 0),
    dueWatches(nowS, limit) {
      end.run(nowS);
      const rows = due.all(nowS, limit);
      const sound = soundRows(rows, watchOf);
      // One that cannot be read would be due again and again, and others never be reached.
      if (sound.length < rows.length) later.run(nowS + DAY_S, nowS, ...KNOWN_CODES);
      return sound;
    },
    saveChecks: (checks, { nowS, retryS }) =>
      inTransaction(db, () => {
        for (const { value, verdict, score } of checks) {
          if (verdict === null) failed.run(nowS + retryS, value);
          else checked.run(verdictCodes.toCode(verdict), score, nowS, nowS, value);
        }
      }),
  };
}

function watchOf(row: Record<string, SQLOutputValue>): Watch {
  const number = (value: SQLOutputValue | undefined) => (value === null || value === undefined ? null : Number(value));
  return {
    indicator: { type: typeCodes.toWord(row.type), value: String(row.value) },
    reason: String(row.reason),
    by: String(row.added_by),
    addedS: Number(row.added),
    everyS: Number(row.every_s),
    dueS: Number(row.due),
    untilS: number(row.until),
    verdict: row.verdict === null ? null : verdictCodes.toWord(row.verdict),
    score: number(row.score),
    checkedS: number(row.checked),
  };
}
