import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { INDICATOR_TYPES, type IndicatorType } from '../model/indicator.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { soundRows, typeCodes } from './codes.ts';

/** How long it is remembered that a watch was taken off, in milliseconds. */
const UNWATCHED_MS = 90 * 86_400_000;
const MAX_TEXT_CHARS = 1000;

/** The terms of a watch as machines tell each other: when they changed last, and as a text; an empty one: it was taken off. */
export interface SharedWatch {
  readonly name: string;
  readonly atMs: number;
  readonly text: string;
}

/** The watchlist as all machines share it. What checks said stays with each. */
export interface SharedWatches {
  /** Another text after each change. */
  watchVersion(): string;
  sharedWatches(): readonly SharedWatch[];
  /** Takes the terms of others, but where another text than `was` (`null`: none) stands by now; counts those that cannot be read. */
  takeWatches(watches: readonly (SharedWatch & { readonly was: string | null })[], nowS: number): number;
}

/** Prepares the statements on an open store. */
export function sharedWatchTable(db: DatabaseSync): SharedWatches {
  const version = db.prepare(`SELECT (SELECT count(*) || ' ' || coalesce(max(changed_ms), 0) FROM watch) || ' ' ||
    (SELECT count(*) || ' ' || coalesce(max(at_ms), 0) FROM unwatched) AS version`);
  const all = db.prepare('SELECT value, type, reason, added_by, added, every_s, until, changed_ms FROM watch');
  const gone = db.prepare('SELECT value, at_ms FROM unwatched');
  const forgetOld = db.prepare('DELETE FROM unwatched WHERE at_ms <= ?');
  const one = db.prepare('SELECT value, type, reason, added_by, added, every_s, until, changed_ms FROM watch WHERE value = ?');
  const isGone = db.prepare('SELECT 1 FROM unwatched WHERE value = ?');
  const remove = db.prepare('DELETE FROM watch WHERE value = ?');
  const note = db.prepare('INSERT INTO unwatched VALUES (?, ?) ON CONFLICT (value) DO UPDATE SET at_ms = excluded.at_ms');
  const forget = db.prepare('DELETE FROM unwatched WHERE value = ?');
  const save =
    db.prepare(`INSERT INTO watch (value, type, reason, added_by, added, every_s, due, until, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (value) DO UPDATE SET reason = excluded.reason, added_by = excluded.added_by, added = excluded.added, every_s = excluded.every_s,
      until = excluded.until, changed_ms = excluded.changed_ms, due = min(due, excluded.due)`);
  const textHere = (value: string) => {
    const row = one.get(value);
    if (row !== undefined) return soundRows([row], watchOfRow)[0]?.text ?? null;
    return isGone.get(value) === undefined ? null : '';
  };
  return {
    watchVersion: () => String(version.get()?.['version']),
    sharedWatches() {
      const ended = gone.all().map((row) => ({ name: String(row['value']), atMs: Number(row['at_ms']), text: '' }));
      return [...soundRows(all.all(), watchOfRow), ...ended];
    },
    takeWatches: (watches, nowS) =>
      inTransaction(db, () => {
        let unreadable = 0;
        for (const { name, atMs, text, was } of watches) {
          if (textHere(name) !== was) continue;
          if (text === '') {
            remove.run(name);
            note.run(name, atMs);
            continue;
          }
          const terms = termsOf(text);
          if (terms === null) unreadable++;
          else if (terms.until === null || terms.until > nowS) {
            forget.run(name);
            save.run(name, typeCodes.toCode(terms.type), terms.reason, terms.by, terms.added, terms.every_s, nowS, terms.until, atMs);
          }
        }
        forgetOld.run(Date.now() - UNWATCHED_MS);
        return unreadable;
      }),
  };
}

function watchOfRow(row: Record<string, SQLOutputValue>): SharedWatch {
  const terms = {
    type: typeCodes.toWord(row['type']),
    reason: String(row['reason']),
    by: String(row['added_by']),
    added: Number(row['added']),
    every_s: Number(row['every_s']),
    until: row['until'] === null ? null : Number(row['until']),
  };
  return { name: String(row['value']), atMs: Number(row['changed_ms'] ?? terms.added * 1000), text: JSON.stringify(terms) };
}

/** `null`: not what was written. */
function termsOf(text: string) {
  const terms = parse(text);
  if (terms === null) return null;
  const { type, reason, by, added, every_s: everyS, until } = terms;
  const isText = (words: unknown): words is string => typeof words === 'string' && words.length <= MAX_TEXT_CHARS;
  const isTime = (seconds: unknown): seconds is number => Number.isSafeInteger(seconds) && (seconds as number) >= 0;
  if (!INDICATOR_TYPES.some((known) => known === type) || !isText(reason) || !isText(by)) return null;
  if (!isTime(added) || !isTime(everyS) || everyS === 0 || !(until === null || isTime(until))) return null;
  return { type: type as IndicatorType, reason, by, added, every_s: everyS, until };
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null;
  } catch {
    // Not ours: counted by who wanted it.
    return null;
  }
}
