// src/store/: the pipeline's indicators and its journal of deliveries, in SQLite, behind a worker.
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { stateCodes, typeCodes, verdictCodes } from './codes.ts';
import { checkIntegrity, openDatabase } from './database.ts';
import { DEFAULT_HALF_LIVES, type HalfLives } from './decay.ts';
import { type IndicatorTable, indicatorTable } from './indicators.ts';
import { type JudgementTable, judgementTable } from './judgements.ts';
import { type NetworkTable, networkTable } from './networks.ts';
import { type OutputState, outputState } from './delivery/output-state.ts';
import { type TicketTable, ticketTable } from './delivery/tickets.ts';
import { type Outbox, outboxTable } from './outbox.ts';
import { type OverrideMarks, overrideMarks } from './overrides.ts';
import { type RunState, runState } from './run-state.ts';
import { type SightingIndex, sightingIndex } from './sightings.ts';
import { sharedWatchTable, type SharedWatches } from './shared-watches.ts';
import { type Watchlist, watchlistTable } from './watchlist.ts';

/** What is in the store, for people. */
export interface StoreStats {
  readonly indicators: number;
  /** Networks that feeds list; not counted among the indicators. */
  readonly networks: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byVerdict: Readonly<Record<string, number>>;
  readonly byState: Readonly<Record<string, number>>;
  /** Never answered so far. */
  readonly unenriched: number;
  readonly watched: number;
  readonly sightings: number;
  readonly quarantinedItems: number;
  /** With the part that is still in the write-ahead log. */
  readonly fileBytes: number;
}

/** Everything the store can do, on the thread that opened it. Each call is one transaction. */
export interface StoreCore
  extends
    IndicatorTable,
    NetworkTable,
    JudgementTable,
    Outbox,
    OutputState,
    TicketTable,
    OverrideMarks,
    RunState,
    Watchlist,
    SharedWatches,
    SightingIndex {
  stats(): StoreStats;
  /** What is wrong with the file; empty when it is sound. */
  check(): readonly string[];
  /** Gives the space of purged rows back to the disk. */
  compact(): void;
  close(): void;
}

/** Opens the store on this thread. Long work blocks it: programs that serve use `openStore` of `store-client.ts`. */
export function openStoreCore(path: string, options: { readOnly?: boolean; halfLives?: HalfLives } = {}): StoreCore {
  const db = openDatabase(path, { readOnly: options.readOnly === true });
  const halfLives = options.halfLives ?? DEFAULT_HALF_LIVES;
  const indicators = indicatorTable(db, halfLives);
  const networks = networkTable(db);
  const watches = watchlistTable(db);
  return {
    ...indicators,
    ...networks,
    purge: (beforeS) => indicators.purge(beforeS) + networks.purgeNetworks(beforeS),
    ...judgementTable(db, halfLives),
    ...outboxTable(db),
    ...outputState(db),
    ...ticketTable(db),
    ...overrideMarks(db),
    ...runState(db),
    ...watches,
    ...sharedWatchTable(db),
    ...sightingIndex(db),
    stats: () => statsOf(db, path),
    check() {
      const unreadable = watches.unreadableWatches();
      const faults = checkIntegrity(db);
      return unreadable === 0 ? faults : [...faults, `${unreadable} rows of the watchlist cannot be read and are skipped: add them again`];
    },
    compact: () => db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'),
    close() {
      if (!options.readOnly) db.exec('PRAGMA optimize');
      db.close();
    },
  };
}

function statsOf(db: DatabaseSync, path: string): StoreStats {
  const count = (table: string, where = '1') => Number(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).get()?.n ?? 0);
  const by = (column: string, word: (code: unknown) => string) =>
    Object.fromEntries(
      db
        .prepare(`SELECT ${column} AS code, count(*) AS n FROM indicator WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY 1`)
        .all()
        .map((row) => [word(row.code), Number(row.n)]),
    );
  return {
    indicators: count('indicator'),
    networks: count('network'),
    byType: by('type', typeCodes.toWord),
    byVerdict: by('verdict', verdictCodes.toWord),
    byState: by('state', stateCodes.toWord),
    unenriched: count('indicator', 'verdict IS NULL'),
    watched: count('watch'),
    sightings: count('sighting'),
    quarantinedItems: count('feed_quarantine'),
    fileBytes: [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0),
  };
}
