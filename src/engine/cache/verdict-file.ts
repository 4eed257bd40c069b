import { BUSY_REST_MS, type BusyPatience, createBusyPatience } from './busy-patience.ts';
import { fileIdentity, setAside } from './damaged-file.ts';
import type { OpenVerdictFile, SqliteVerdictStore } from './sqlite-verdict-store.ts';
import { storeFaultKind, type StoreFaultKind, storeFaultText, whenFree } from '../../disk/sqlite-faults.ts';
import type { StoreHealth } from './verdict-store.ts';

/** How long the start of a program waits for a file that is busy. */
const OPEN_PATIENCE_MS = 1000;
/** How soon a file is tried again that took no writes for longer, or cannot be opened. */
const LOCKED_REST_MS = 1000;
const UNUSABLE_REST_MS = 5000;
/** How often it is looked whether the file is still the one that was opened. */
const LOOK_EVERY_MS = 1000;
/** Damaged files one process replaces; beyond it something else is wrong, and it stays in memory. */
const MAX_REPLACED = 5;
/** The same fault is told again after this. */
const TELL_AGAIN_MS = 600_000;
/** Tries to write what is left when the program ends. */
const LAST_TRIES = 4;
const LAST_TRIES_IN_A_CROWD = 100;
/** Written to see whether writing works again. */
const PROBE = 'written';

const IN_MEMORY = 'answers, limits and budgets are kept in the memory of this process meanwhile';
const NEW_FILE = 'a new one is begun';

/** What the file is opened with. */
export interface VerdictFileOptions {
  readonly path: string;
  readonly open: OpenVerdictFile;
  /** Told in one sentence what is wrong; not the same again for ten minutes. */
  readonly onFault: (message: string) => void;
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
  /** The file takes writes again. Faults of the file in it are counted, no more. */
  readonly onRecovery: (disk: SqliteVerdictStore) => void;
}

/**
 * The file of the verdict cache, which may fail in any way: full, read-only, locked, damaged, deleted, replaced. It is tried again, or made
 * anew; nobody who reads or writes through here gets an error of the file, or waits for it longer than its busy time-out.
 */
export class VerdictFile {
  readonly #options: VerdictFileOptions;
  readonly #toldMs = new Map<StoreFaultKind, number>();
  #disk: SqliteVerdictStore | null = null;
  #identity: string | null = null;
  #fault: string | null = null;
  #faults = 0;
  #replaced = 0;
  readonly #patience: BusyPatience;
  #restUntilMs = 0;
  /** Readers wait for a writer only when it has locked out everybody. */
  #readsRestUntilMs = 0;
  #lookAtMs = 0;
  #isClosed = false;

  constructor(options: VerdictFileOptions) {
    this.#options = options;
    this.#patience = createBusyPatience(options.nowMs);
  }

  /** Opens it for the first time; waits a little for one that is busy. */
  async start(): Promise<void> {
    try {
      await whenFree(() => this.#open(), OPEN_PATIENCE_MS);
    } catch (error) {
      this.#failed(error);
    }
  }

  read<T>(onDisk: (disk: SqliteVerdictStore) => T, otherwise: T): T {
    const disk = this.current();
    if (disk === null || this.#areReadsResting()) return otherwise;
    try {
      return onDisk(disk);
    } catch (error) {
      const kind = this.#failed(error);
      if (kind === 'busy') this.#readsRestUntilMs = this.#options.nowMs() + LOCKED_REST_MS;
      // The fresh file has what was not written yet.
      return kind === 'damaged' && this.#disk !== null ? this.read(onDisk, otherwise) : otherwise;
    }
  }

  /** `instead`: what holds while the file takes no writes; busy: it may take them soon. */
  write<T>(onDisk: (disk: SqliteVerdictStore) => T, instead: (isBusy: boolean) => T): T {
    const disk = this.current();
    if (disk === null || this.#options.nowMs() < this.#restUntilMs) return instead(this.#patience.isWaiting());
    try {
      const result = onDisk(disk);
      this.#recovered();
      return result;
    } catch (error) {
      const isReplaced = this.#failed(error) === 'damaged' && this.#disk !== null;
      return isReplaced ? this.write(onDisk, instead) : instead(this.#patience.isWaiting());
    }
  }

  /** The file, if it is open; looks now and then whether it is still there, and tries one that could not be opened. */
  current(): SqliteVerdictStore | null {
    const nowMs = this.#options.nowMs();
    if (nowMs < this.#lookAtMs || this.#isClosed) return this.#disk;
    this.#lookAtMs = nowMs + LOOK_EVERY_MS;
    if (this.#disk === null) {
      if (nowMs >= this.#restUntilMs) this.#openOrRest();
    } else if (this.#identityNow() !== this.#identity) this.#reopen();
    return this.#disk;
  }

  /** Looks whether a fault is over, too. */
  health(): StoreHealth {
    if (this.#fault !== null && !this.#isClosed) {
      const atS = Math.floor(Date.now() / 1000);
      this.write(
        (disk) => disk.setNote(PROBE, '', atS),
        () => undefined,
      );
    }
    return { fault: this.#fault, faults: this.#faults, setAside: this.#replaced };
  }

  get fault(): string | null {
    return this.#fault;
  }

  /** Writes what waits, if the file takes it. */
  close(): void {
    for (let [n, left] = [0, LAST_TRIES]; n < LAST_TRIES_IN_A_CROWD && left > 0 && this.#disk !== null; n++) {
      this.#restUntilMs = 0;
      left = this.#patience.hasSeenOthersWrite(this.#disk) ? LAST_TRIES : left - 1;
      const isDone = this.write(
        (disk) => {
          disk.flush();
          return true;
        },
        () => false,
      );
      if (isDone) break;
    }
    this.#isClosed = true;
    const disk = this.#disk;
    // A call that is still in flight finds no file, which is no fault of it.
    this.#disk = null;
    if (disk !== null) close(disk);
  }

  #areReadsResting(): boolean {
    return this.#readsRestUntilMs !== 0 && this.#options.nowMs() < this.#readsRestUntilMs;
  }

  /** Throws what the file says. */
  #open(): void {
    const { open, nowMs } = this.#options;
    this.#identity = this.#identityNow();
    this.#disk = open((error) => this.#heardInBackground(error));
    this.#identity = this.#identityNow();
    this.#lookAtMs = nowMs() + LOOK_EVERY_MS;
    this.#restUntilMs = 0;
    if (this.#faults > 0) this.#recovered();
  }

  #openOrRest(): void {
    try {
      this.#open();
    } catch (error) {
      this.#failed(error);
    }
  }

  #reopen(): void {
    this.#tell('unusable', 'it was deleted or replaced while it was open', NEW_FILE);
    const old = this.#disk;
    this.#disk = null;
    this.#openOrRest();
    if (old !== null) this.#leave(old, null);
  }

  /** What became of the file; `damaged`: it was replaced, if there is one now. */
  #failed(error: unknown): StoreFaultKind {
    const kind = storeFaultKind(error);
    if (kind === null) throw error;
    const nowMs = this.#options.nowMs();
    if (kind === 'busy') {
      this.#patience.failed(this.#disk);
      this.#restUntilMs = nowMs + (this.#patience.isWaiting() ? BUSY_REST_MS : LOCKED_REST_MS);
      if (!this.#patience.isWaiting()) this.#tell(kind, storeFaultText(error));
      return kind;
    }
    this.#restUntilMs = nowMs + UNUSABLE_REST_MS;
    if (kind === 'damaged') this.#replace(error);
    else this.#tell(kind, storeFaultText(error));
    return kind;
  }

  #heardInBackground(error: unknown): number {
    if (error === null) this.#recovered();
    else if (storeFaultKind(error) !== null) this.#failed(error);
    else {
      // Nobody waits for this write, and its timer is no place to throw at.
      this.#restUntilMs = this.#options.nowMs() + UNUSABLE_REST_MS;
      this.#tell('unusable', storeFaultText(error));
    }
    return Math.max(BUSY_REST_MS, this.#restUntilMs - this.#options.nowMs());
  }

  /** Sets a damaged file aside and begins a fresh one; what waits to be written and what was paid go over. */
  #replace(error: unknown): void {
    const old = this.#disk;
    this.#disk = null;
    if (this.#replaced >= MAX_REPLACED) {
      this.#tell('damaged', `${storeFaultText(error)}, again and again: check the disk`);
      if (old !== null) close(old);
      return;
    }
    const salvage = old?.salvage() ?? null;
    this.#replaced++;
    this.#tell('damaged', storeFaultText(error), this.#setAside());
    try {
      this.#open();
    } catch (fault) {
      if (storeFaultKind(fault) === null) throw fault;
      this.#tell('unusable', storeFaultText(fault));
    }
    if (old !== null) this.#leave(old, salvage);
  }

  /** Says where it is now. Another process may have replaced it already: its fresh file stays. */
  #setAside(): string {
    try {
      if (this.#identityNow() !== this.#identity) return `another process has begun a new one`;
      return `it is kept as ${setAside(this.#options.path, Date.now())}, ${NEW_FILE}`;
    } catch (error) {
      if (storeFaultKind(error) === null) throw error;
      return `it cannot be set aside (${storeFaultText(error)}), ${IN_MEMORY}`;
    }
  }

  #leave(old: SqliteVerdictStore, salvage: ReturnType<SqliteVerdictStore['salvage']> | null): void {
    const fresh = this.#disk;
    this.#beside(() => {
      if (fresh === null) return;
      old.handOver(fresh);
      if (salvage !== null) fresh.restore(salvage);
    });
    close(old);
  }

  /** What was paid and counted meanwhile goes to the file. */
  #recovered(): void {
    if (this.#fault === null && !this.#patience.hasFailed()) return;
    this.#fault = null;
    this.#patience.recovered();
    this.#restUntilMs = 0;
    const disk = this.#disk;
    if (disk !== null) this.#beside(() => this.#options.onRecovery(disk));
  }

  /** Work beside the point: a fault of the file shows at the next call that needs it. */
  #beside(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (storeFaultKind(error) === null) throw error;
      this.#faults++;
    }
  }

  #tell(kind: StoreFaultKind, why: string, consequence = IN_MEMORY): void {
    const { path, onFault, nowMs } = this.#options;
    this.#faults++;
    this.#fault = `the verdict cache ${path} cannot be used (${why}): ${consequence}`;
    const toldMs = this.#toldMs.get(kind);
    if (toldMs !== undefined && nowMs() - toldMs < TELL_AGAIN_MS) return;
    this.#toldMs.set(kind, nowMs());
    onFault(this.#fault);
  }

  #identityNow(): string | null {
    try {
      return fileIdentity(this.#options.path);
    } catch (error) {
      if (storeFaultKind(error) === null) throw error;
      return null;
    }
  }
}

function close(disk: SqliteVerdictStore): void {
  try {
    disk.close();
  } catch (error) {
    // What could not be written was told when it failed.
    if (storeFaultKind(error) === null) throw error;
  }
}
