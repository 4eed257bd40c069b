import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { isHolderGone } from '../disk/lock-holder.ts';

const MAX_QUARANTINED_ITEMS = 100_000;
const MAX_RUNS = 200;
/** No lease is longer: one that ends later was written before the clock was set back. */
const LONGEST_LEASE_MS = 3_600_000;

/** A feed item that was kept aside. */
export interface QuarantinedItem {
  readonly feed: string;
  readonly raw: string;
  readonly reason: string;
  /** How often it came. */
  readonly times: number;
  readonly atS: number;
}

/** What runs of the pipeline leave for the next one. */
export interface RunState {
  cursor(feed: string): string | null;
  saveCursor(feed: string, cursor: string, nowS: number): void;
  /** Keeps bad feed items aside; the oldest are forgotten beyond 100,000. */
  quarantineItems(feed: string, items: readonly { readonly raw: string; readonly reason: string }[], nowS: number): void;
  /** Those of one feed, or of all (`null`), newest first. */
  quarantinedItems(feed: string | null, limit: number): readonly QuarantinedItem[];
  countQuarantinedItems(feed: string | null): number;
  /** Takes or prolongs a lease; false when somebody else holds it. A holder whose process has ended holds nothing. */
  takeLease(name: string, holder: string, times: { readonly nowMs: number; readonly untilMs: number }): boolean;
  /** Who holds a lease; `null`: nobody. */
  leaseHolder(name: string): string | null;
  releaseLease(name: string, holder: string): void;
  /** Keeps a run's report, as JSON. */
  saveRun(report: string, nowS: number): void;
  /** Reports of the last runs, newest first. */
  runs(limit: number): readonly { readonly atS: number; readonly report: string }[];
}

/** Prepares the statements on an open store. */
export function runState(db: DatabaseSync): RunState {
  const cursor = db.prepare('SELECT cursor FROM feed_cursor WHERE feed = ?');
  const saveCursor = db.prepare(
    'INSERT INTO feed_cursor (feed, cursor, at) VALUES (?, ?, ?) ON CONFLICT (feed) DO UPDATE SET cursor = excluded.cursor, at = excluded.at',
  );
  const quarantine = db.prepare(`INSERT INTO feed_quarantine (feed, raw, reason, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (feed, raw) DO UPDATE SET reason = excluded.reason, at = excluded.at, times = times + 1`);
  const forget = db.prepare('DELETE FROM feed_quarantine WHERE id <= (SELECT max(id) FROM feed_quarantine) - ?');
  const quarantined = db.prepare('SELECT * FROM feed_quarantine WHERE ?1 IS NULL OR feed = ?1 ORDER BY at DESC, id DESC LIMIT ?2');
  const quarantineCount = db.prepare('SELECT count(*) AS n FROM feed_quarantine WHERE ?1 IS NULL OR feed = ?1');
  const take = db.prepare(`INSERT INTO lease (name, holder, until_ms) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms WHERE lease.holder = excluded.holder OR lease.until_ms <= ? OR lease.until_ms > ?`);
  const takeOver = db.prepare('UPDATE lease SET holder = ?, until_ms = ? WHERE name = ? AND holder = ?');
  const holderOf = db.prepare('SELECT holder FROM lease WHERE name = ?');
  const release = db.prepare('DELETE FROM lease WHERE name = ? AND holder = ?');
  const saveRun = db.prepare('INSERT INTO run (at, report) VALUES (?, ?)');
  const forgetRuns = db.prepare('DELETE FROM run WHERE id <= (SELECT max(id) FROM run) - ?');
  const runs = db.prepare('SELECT at, report FROM run ORDER BY id DESC LIMIT ?');
  const leaseHolder = (name: string) => {
    const row = holderOf.get(name);
    return row ? String(row.holder) : null;
  };
  return {
    cursor(feed) {
      const row = cursor.get(feed);
      return row ? String(row.cursor) : null;
    },
    saveCursor: (feed, at, nowS) => void saveCursor.run(feed, at, nowS),
    quarantineItems: (feed, items, nowS) =>
      inTransaction(db, () => {
        for (const { raw, reason } of items) quarantine.run(feed, raw, reason, nowS);
        forget.run(MAX_QUARANTINED_ITEMS);
      }),
    quarantinedItems: (feed, limit) =>
      quarantined.all(feed, limit).map((row) => ({
        feed: String(row.feed),
        raw: String(row.raw),
        reason: String(row.reason),
        times: Number(row.times),
        atS: Number(row.at),
      })),
    countQuarantinedItems: (feed) => Number(quarantineCount.get(feed)?.n ?? 0),
    takeLease(name, holder, { nowMs, untilMs }) {
      if (take.run(name, holder, untilMs, nowMs, nowMs + LONGEST_LEASE_MS).changes === 1) return true;
      const other = leaseHolder(name);
      return other !== null && isHolderGone(other) && takeOver.run(holder, untilMs, name, other).changes === 1;
    },
    leaseHolder,
    releaseLease: (name, holder) => void release.run(name, holder),
    saveRun: (report, nowS) =>
      inTransaction(db, () => {
        saveRun.run(nowS, report);
        forgetRuns.run(MAX_RUNS);
      }),
    runs: (limit) => runs.all(limit).map((row) => ({ atS: Number(row.at), report: String(row.report) })),
  };
}
