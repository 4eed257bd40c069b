import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { deleteInSlices } from './delete-in-slices.ts';

const DAY_S = 86_400;

/** One of our machines or users was seen with a value, once or several times on one day (UTC). */
export interface Sighting {
  /** Canonical value. */
  readonly value: string;
  /** Host, address or user in the house. */
  readonly asset: string;
  readonly times: number;
  readonly firstS: number;
  readonly lastS: number;
}

/** Who was seen with a value: one row per asset. */
export interface SightedAsset {
  readonly asset: string;
  readonly times: number;
  readonly firstS: number;
  readonly lastS: number;
}

/** The index of what was seen where, one row per value, asset and day: answers a retro-hunt without asking the SIEM. */
export interface SightingIndex {
  recordSightings(sightings: readonly Sighting[]): void;
  /** Who was seen with `value` since `sinceS`, latest first. */
  whoSaw(value: string, sinceS: number, limit: number): readonly SightedAsset[];
  countSightings(): number;
  /** Drops days that ended before `beforeS`, then the oldest days until at most `maxRows` are left; gives how many rows went. */
  forgetSightings(beforeS: number, maxRows: number): number;
}

/** Prepares the statements on an open store. */
export function sightingIndex(db: DatabaseSync): SightingIndex {
  const valueId = idOf(db, 'sighted_value', 'value');
  const assetId = idOf(db, 'sighted_asset', 'name');
  const add = db.prepare(`INSERT INTO sighting (value_id, asset_id, day, times, first, last) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET times = times + excluded.times, first = min(first, excluded.first), last = max(last, excluded.last)`);
  const who = db.prepare(`
    SELECT a.name AS asset, sum(s.times) AS times, min(s.first) AS first, max(s.last) AS last
    FROM sighted_value v JOIN sighting s ON s.value_id = v.id JOIN sighted_asset a ON a.id = s.asset_id
    WHERE v.value = ? AND s.day >= ? AND s.last >= ? GROUP BY a.id ORDER BY last DESC, a.name LIMIT ?`);
  const count = db.prepare('SELECT count(*) AS n FROM sighting');
  return {
    recordSightings: (sightings) =>
      inTransaction(db, () => {
        for (const { value, asset, times, firstS, lastS } of sightings)
          add.run(valueId(value), assetId(asset), dayOf(lastS), times, Math.trunc(firstS), Math.trunc(lastS));
      }),
    whoSaw: (value, sinceS, limit) =>
      who.all(value, dayOf(sinceS), Math.trunc(sinceS), limit).map((row) => ({
        asset: String(row.asset),
        times: Number(row.times),
        firstS: Number(row.first),
        lastS: Number(row.last),
      })),
    countSightings: () => Number(count.get()?.n ?? 0),
    forgetSightings: (beforeS, maxRows) => forget(db, beforeS, maxRows),
  };
}

const SIGHTING = { table: 'sighting', key: 'value_id, asset_id, day' } as const;

function forget(db: DatabaseSync, beforeS: number, maxRows: number): number {
  let gone = deleteInSlices(db, { ...SIGHTING, where: 'day < ?' }, [dayOf(beforeS)]);
  const days = db.prepare('SELECT day, count(*) AS n FROM sighting GROUP BY day ORDER BY day').all();
  let left = days.reduce((sum, row) => sum + Number(row.n), 0);
  for (const { day, n } of days) {
    if (left <= maxRows) break;
    gone += deleteInSlices(db, { ...SIGHTING, where: 'day = ?' }, [Number(day)]);
    left -= Number(n);
  }
  deleteInSlices(db, { table: 'sighted_value', key: 'id', where: 'id NOT IN (SELECT value_id FROM sighting)' });
  deleteInSlices(db, { table: 'sighted_asset', key: 'id', where: 'id NOT IN (SELECT asset_id FROM sighting)' });
  return gone;
}

function idOf(db: DatabaseSync, table: string, column: string): (text: string) => number {
  const find = db.prepare(`SELECT id FROM ${table} WHERE ${column} = ?`);
  const add = db.prepare(`INSERT INTO ${table} (${column}) VALUES (?)`);
  return (text) => Number(find.get(text)?.id ?? add.run(text).lastInsertRowid);
}

function dayOf(atS: number): number {
  return Math.floor(atS / DAY_S);
}
