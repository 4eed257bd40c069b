import { openDatabase } from './database.ts';
import type { HalfLives } from './decay.ts';
import { storedIndicator } from './indicators.ts';
import { storedNetwork } from './networks.ts';
import type { StoredIndicator, StoredNetwork } from './observation.ts';

/** What feeds listed, to be read by programs that answer: opened in little time, and written to by others meanwhile. */
export interface Listings {
  get(value: string, nowS: number): StoredIndicator | null;
  /** All networks and AS numbers that are listed and not withdrawn. */
  networks(): readonly StoredNetwork[];
  /** How many AS numbers are among them. */
  countSystems(): number;
  count(): number;
  /** Changes whenever feeds have listed something. */
  changes(): number;
  close(): void;
}

/** Opens the store's file for that. An older file is brought up to date first. */
export function openListings(path: string, halfLives: HalfLives): Listings {
  const db = openDatabase(path, { readOnly: true });
  const byValue = db.prepare('SELECT * FROM indicator WHERE value = ?');
  const rows = db.prepare('SELECT (SELECT count(*) FROM indicator) + (SELECT count(*) FROM network) AS n');
  const networks = db.prepare('SELECT * FROM network WHERE state <> 1 ORDER BY network');
  const systems = db.prepare("SELECT count(*) AS n FROM network WHERE network >= 'AS' AND network < 'AT' AND state <> 1");
  const changes = db.prepare('SELECT changes FROM listing');
  return {
    get(value, nowS) {
      const row = byValue.get(value);
      return row ? storedIndicator(row, nowS, halfLives) : null;
    },
    networks: () => networks.all().map(storedNetwork),
    countSystems: () => Number(systems.get()?.n ?? 0),
    count: () => Number(rows.get()?.n ?? 0),
    changes: () => Number(changes.get()?.changes ?? 0),
    close: () => db.close(),
  };
}
