// src/engine/cache/: what was answered before: stores of verdicts, memory, and who may see which of it.

/** A provider's answer as it is cached. `answer`: JSON text of the verdict without its provider, or `null` for "not listed". */
export interface StoredVerdict {
  readonly answer: string;
  readonly checkedAtS: number;
  readonly expiresAtS: number;
}

/** Takes one answer that was read: the value, and the fields of its `StoredVerdict`. */
export type TakeVerdict = (value: string, answer: string, checkedAtS: number, expiresAtS: number) => void;

/** Counts of a verdict store. */
export interface StoreStats {
  readonly kind: 'sqlite' | 'memory';
  readonly path: string | null;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Why the disk is not used although it should be; `null` when all is well. */
  readonly fault: string | null;
}

/** How the file fares. */
export interface StoreHealth {
  /** What is wrong now, for people; `null`: nothing. */
  readonly fault: string | null;
  /** How often something went wrong. */
  readonly faults: number;
  /** How many damaged files were set aside. */
  readonly setAside: number;
}

/** A cache on disk, and what counts its changes: another epoch when an answer was replaced or deleted within its lifetime. */
export interface StoreEpoch {
  readonly path: string;
  readonly epoch: string;
}

/** Another process writes at this moment: the same call works soon. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('the shared verdict cache is being written to by another process');
    this.retryAfterMs = retryAfterMs;
  }
}

/** Verdicts by provider and canonical value, shared by all processes that open the same file. Synchronous: it is asked on hot paths. */
export interface VerdictStore {
  /** Fresh and stale answers alike; the caller judges by `expiresAtS`. */
  getMany(provider: string, values: readonly string[]): Map<string, StoredVerdict>;
  /** The same, one after the other, in any order: what is read by the ten thousand is not gathered first. */
  readMany(provider: string, values: readonly string[], take: TakeVerdict): void;
  put(provider: string, value: string, verdict: StoredVerdict): void;
  /**
   * Takes the look-up of these values upon us until `untilS`, or prolongs it; returns those that nobody else is looking up. A holder whose
   * process has ended, or whose lease lies further in the future than any may, holds nothing.
   */
  lease(provider: string, values: readonly string[], untilS: number, nowS: number): Set<string>;
  /** Those of these values that `lease` might win; only read, so that who asks again and again holds up nobody. */
  leasable(provider: string, values: readonly string[], nowS: number): string[];
  /** Gives look-ups free, not before the answers that were put until now can be read by everybody. */
  release(provider: string, values: readonly string[]): void;
  /**
   * Counts calls against windows shared by all processes: milliseconds to wait, or 0 when `calls` were booked. Calls dated in the future,
   * because the clock was set back, count as made now.
   */
  book(provider: string, windows: readonly { requests: number; perMs: number }[], calls: number, nowMs: number): number;
  /** When calls were booked after `sinceMs`, the oldest first; only read. */
  booked(provider: string, sinceMs: number): number[];
  /** Credits paid on a day (UTC), by all processes. */
  spent(provider: string, day: string): number;
  /** Pays `credits` if the day's total stays within `limit` (`null`: no limit); tells whether it did. Throws a `StoreBusyError` when it has to be asked again soon. */
  spend(provider: string, day: string, credits: number, limit: number | null): boolean;
  /** Small facts about a provider that outlive a process: bulk cap, quota notices, blocks. */
  note(key: string): { text: string; atS: number } | null;
  setNote(key: string, text: string, atS: number): void;
  /** Adds counts to those of a day (UTC). */
  addFigures(day: string, counts: ReadonlyMap<string, number>): void;
  /** Sums of the days from `from` to `to`, by name. */
  figures(from: string, to: string): Map<string, number>;
  /** `null`: nothing outlives the process. */
  epoch(): StoreEpoch | null;
  /** Deletes answers that went stale before `beforeS`, in slices that hold up nobody; counts them. */
  purge(beforeS: number): Promise<number>;
  flush(): void;
  stats(): StoreStats;
  /** The same without counting rows: asked often. */
  health(): StoreHealth;
  close(): void;
}
