import { storeFaultKind } from '../../disk/sqlite-faults.ts';

/** How soon a busy file is tried again, and how long it may be busy before each process goes on alone. */
export const BUSY_REST_MS = 25;
const BUSY_PATIENCE_MS = 1000;
/** The same while others get their writes through: then it is a crowd, and our turn comes. */
const CROWD_PATIENCE_MS = 30_000;
/** How soon it is looked again at a file that locks out its readers, too. */
const LOCKED_REST_MS = 1000;

/** What tells whether others write to the file. */
export interface Versioned {
  /** Another number after each change that another connection has made. */
  dataVersion(): number;
}

/** Tells a file that somebody holds all the time from one that many write to in turn. */
export interface BusyPatience {
  /** A write found it busy; `null`: it could not even be opened, for which its opener has waited. */
  failed(disk: Versioned | null): void;
  recovered(): void;
  /** Whether a write has failed since one went through. */
  hasFailed(): boolean;
  /** Whether writes may soon go through. */
  isWaiting(): boolean;
  /** Whether another process has written since this was asked last. */
  hasSeenOthersWrite(disk: Versioned | null): boolean;
}

/** `nowMs`: milliseconds that only grow. */
export function createBusyPatience(nowMs: () => number): BusyPatience {
  let busySinceMs: number | null = null;
  let stillSinceMs = 0;
  let lastVersion: number | null = null;
  let looksAgainMs = 0;

  function hasSeenOthersWrite(disk: Versioned | null): boolean {
    if (disk === null || nowMs() < looksAgainMs) return false;
    try {
      const version = disk.dataVersion();
      const hasWritten = lastVersion !== null && version !== lastVersion;
      lastVersion = version;
      return hasWritten;
    } catch (error) {
      if (storeFaultKind(error) === null) throw error;
      looksAgainMs = nowMs() + LOCKED_REST_MS;
      return false;
    }
  }
  return {
    hasSeenOthersWrite,
    failed(disk) {
      const isCrowd = hasSeenOthersWrite(disk);
      if (busySinceMs === null || isCrowd) stillSinceMs = disk === null ? nowMs() - BUSY_PATIENCE_MS : nowMs();
      busySinceMs ??= nowMs();
    },
    recovered: () => void (busySinceMs = null),
    hasFailed: () => busySinceMs !== null,
    isWaiting: () => busySinceMs !== null && nowMs() - stillSinceMs < BUSY_PATIENCE_MS && nowMs() - busySinceMs < CROWD_PATIENCE_MS,
  };
}
