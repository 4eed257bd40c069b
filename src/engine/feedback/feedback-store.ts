import { existsSync, unwatchFile, watchFile } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Indicator } from '../../model/indicator.ts';
import type { Verdict } from '../../model/verdict.ts';
import { faultOfOverride } from './override-rows.ts';
import {
  type FeedbackHealth,
  type FeedbackStore,
  FeedbackStoreError,
  isInForce,
  MAX_AUTHOR_CHARS,
  type Override,
  verdictOfOverride,
} from './overrides.ts';
import { findSqlite, NoSqliteError } from '../cache/load-sqlite.ts';
import {
  badRowsFault,
  endOverride,
  errorOf,
  insertForeign,
  insertOverride,
  openOverrides,
  readAll,
  type ReadOverrides,
  unreadable,
} from './override-file.ts';
import { inTransaction, storeFaultKind } from '../../disk/sqlite-faults.ts';

/** How often programs that stay look for decisions of other processes, and for a file that could not be read, in milliseconds. */
const WATCH_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How often the start of a program tries a file that is locked, and how long it waits in between. */
const OPEN_TRIES = 15;
const OPEN_PAUSE_MS = 20;

interface OpenOptions {
  readonly path: string;
  /** Whether decisions of other processes are looked for. */
  readonly watches: boolean;
  readonly nowS: () => number;
  /** Told what is wrong with the file, and what to do. */
  readonly onFault?: (message: string) => void;
}

/**
 * The overrides in their file, which is made when the first one is given; while there is none nothing is opened. A file that cannot be read
 * ends nothing: overrides that could be read stay in force, the fault is told, and it is tried again.
 */
class SqliteFeedbackStore implements FeedbackStore {
  readonly #sqlite: typeof import('node:sqlite');
  readonly #options: OpenOptions;
  readonly #listeners: (() => void)[] = [];
  #db: DatabaseSync | null = null;
  #inForce = new Map<string, { override: Override; verdict: Verdict }>();
  #health: FeedbackHealth = { fault: null, badRows: 0 };
  #timer: NodeJS.Timeout | undefined;
  #nextStartS = Infinity;

  readonly #reload = (): void => {
    const error = this.#load();
    if (error !== null) this.#note(unreadable(this.#options.path, error), this.#health.badRows);
    this.#wakeAtNextEnd(error !== null);
    if (error === null) for (const listener of this.#listeners) listener();
  };

  constructor(sqlite: typeof import('node:sqlite'), options: OpenOptions) {
    this.#sqlite = sqlite;
    this.#options = options;
  }

  async start(): Promise<void> {
    for (let n = 0; n < OPEN_TRIES && storeFaultKind(this.#load()) === 'busy'; n++)
      await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE_MS));
    this.#reload();
    const { path, watches } = this.#options;
    if (watches) watchFile(path, { interval: WATCH_MS, persistent: false }, this.#reload);
  }

  lookup({ value }: Indicator, atS: number): Verdict | null {
    if (this.#inForce.size === 0) return null;
    const found = this.#inForce.get(value);
    return found && isInForce(found.override, atS) ? found.verdict : null;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  health(): FeedbackHealth {
    return this.#health;
  }

  add(given: Omit<Override, 'endedAtS' | 'endedBy'>): void {
    const fault = faultOfOverride(given);
    if (fault !== null) throw new RangeError(fault);
    this.#use((db) => inTransaction(db, () => insertOverride(db, given)));
    this.#reload();
  }

  takeOver(decisions: Parameters<FeedbackStore['takeOver']>[0]): void {
    this.#use((db) =>
      inTransaction(db, () => {
        for (const decision of decisions) insertForeign(db, decision);
      }),
    );
    this.#reload();
  }

  remove(value: string, by: string, nowS: number): boolean {
    const hadOne = existsSync(this.#options.path) && this.#use((db) => endOverride(db, value, by.slice(0, MAX_AUTHOR_CHARS), nowS));
    if (hadOne) this.#reload();
    return hadOne;
  }

  list({ sinceS = 0, inForceAtS }: { readonly sinceS?: number; readonly inForceAtS?: number } = {}): readonly Override[] {
    const { overrides } = this.#use(() => this.#read());
    return overrides.filter((one) => one.atS >= sinceS && (inForceAtS === undefined || isInForce(one, inForceAtS))).toReversed();
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#options.watches) unwatchFile(this.#options.path, this.#reload);
    this.#leave();
  }

  #open(): DatabaseSync {
    return (this.#db ??= openOverrides(this.#sqlite, this.#options.path));
  }

  #leave(): void {
    this.#db?.close();
    this.#db = null;
  }

  #use<T>(work: (db: DatabaseSync) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      throw errorOf(this.#options.path, error);
    }
  }

  #read(): ReadOverrides {
    const { path } = this.#options;
    const found = existsSync(path) ? readAll(this.#open()) : { overrides: [], badRows: 0 };
    if (found.error !== undefined && storeFaultKind(found.error) !== 'damaged') throw found.error;
    this.#note(found.error === undefined ? badRowsFault(path, found.badRows) : unreadable(path, found.error), found.badRows);
    return found;
  }

  #note(fault: string | null, badRows: number): void {
    const isNew = fault !== null && fault !== this.#health.fault;
    this.#health = { fault, badRows };
    if (isNew) this.#options.onFault?.(fault);
  }

  /** What was in force stays so when the file cannot be read now; gives that fault. */
  #load(): unknown {
    const nowS = this.#options.nowS();
    try {
      const { overrides } = this.#read();
      const current = overrides.filter((one) => isInForce(one, nowS));
      // Another machine's clock may be ahead.
      const starts = overrides.filter(({ atS, endedAtS }) => atS > nowS && endedAtS === null);
      this.#nextStartS = starts.reduce((soonest, { atS }) => Math.min(soonest, atS), Infinity);
      this.#inForce = new Map(current.map((override) => [override.value, { override, verdict: verdictOfOverride(override) }]));
      return null;
    } catch (error) {
      if (storeFaultKind(error) === null) throw error;
      this.#leave();
      return error;
    }
  }

  #wakeAtNextEnd(hasFailed: boolean): void {
    clearTimeout(this.#timer);
    const { nowS, watches } = this.#options;
    const ends = Array.from(this.#inForce.values(), ({ override }) => override.untilS ?? Infinity);
    const nextS = ends.reduce((soonest, end) => Math.min(soonest, end), this.#nextStartS);
    const endMs = Math.max(0, nextS - nowS()) * 1000 + 1;
    const waitMs = Math.min(hasFailed && watches ? WATCH_MS : Infinity, endMs);
    if (Number.isFinite(waitMs)) this.#timer = setTimeout(this.#reload, Math.min(LONGEST_TIMER_MS, waitMs)).unref();
  }
}

/** Takes none and knows none; overrides that are there and cannot be read are a fault. */
function feedbackWithoutSqlite({ path, onFault }: OpenOptions): FeedbackStore {
  const refuse = () => {
    throw new FeedbackStoreError(new NoSqliteError('feedback').message, { isBusy: false });
  };
  const fault = existsSync(path) ? `overrides in ${path} do not count: ${new NoSqliteError('reading them').message}` : null;
  if (fault !== null) onFault?.(fault);
  return {
    lookup: () => null,
    onChange: () => {},
    add: refuse,
    remove: refuse,
    takeOver: refuse,
    list: () => [],
    health: () => ({ fault, badRows: 0 }),
    close: () => {},
  };
}

/** Opens the file of overrides; a file that cannot be read is told, and tried again. */
export async function openFeedbackStore(options: OpenOptions): Promise<FeedbackStore> {
  const sqlite = await findSqlite();
  if (sqlite === null) return feedbackWithoutSqlite(options);
  const store = new SqliteFeedbackStore(sqlite, options);
  await store.start();
  return store;
}
