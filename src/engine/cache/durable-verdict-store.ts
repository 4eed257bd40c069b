import { createMemoryVerdictStore } from './memory-verdict-store.ts';
import { createUnwrittenSums } from './unwritten-sums.ts';
import { verdictFileOpener } from './sqlite-verdict-store.ts';
import { BUSY_REST_MS } from './busy-patience.ts';
import { VerdictFile, type VerdictFileOptions } from './verdict-file.ts';
import { StoreBusyError, type StoredVerdict, type StoreEpoch, type StoreHealth, type StoreStats } from './verdict-store.ts';
import type { TakeVerdict, VerdictStore } from './verdict-store.ts';

/** The verdict cache of a host: on disk, and in memory while the disk fails. What counts limits and credits counts within the process then. */
class DurableVerdictStore implements VerdictStore {
  readonly #file: VerdictFile;
  readonly #memory = createMemoryVerdictStore(null);
  readonly #owed = createUnwrittenSums();
  /** Whether memory holds something the file does not. */
  #hasMemory = false;

  constructor(options: Omit<VerdictFileOptions, 'onRecovery'>) {
    this.#file = new VerdictFile({ ...options, onRecovery: (disk) => this.#owed.settle(disk) });
  }

  start(): Promise<void> {
    return this.#file.start();
  }

  getMany(provider: string, values: readonly string[]): Map<string, StoredVerdict> {
    const found = new Map<string, StoredVerdict>();
    this.readMany(provider, values, (value, answer, checkedAtS, expiresAtS) => {
      const known = found.get(value);
      if (!known || known.expiresAtS < expiresAtS) found.set(value, { answer, checkedAtS, expiresAtS });
    });
    return found;
  }

  readMany(provider: string, values: readonly string[], take: TakeVerdict): void {
    if (this.#hasMemory) this.#memory.readMany(provider, values, take);
    this.#file.read((disk) => disk.readMany(provider, values, take), undefined);
  }

  put(provider: string, value: string, verdict: StoredVerdict): void {
    const disk = this.#file.current();
    // The file's own queue holds it while nothing can be written.
    if (disk !== null) return disk.put(provider, value, verdict);
    this.#hasMemory = true;
    return this.#memory.put(provider, value, verdict);
  }

  /** While the file is busy nobody wins: the answer may come from whoever holds it. */
  lease(provider: string, values: readonly string[], untilS: number, nowS: number): Set<string> {
    return this.#file.write(
      (disk) => disk.lease(provider, values, untilS, nowS),
      (isBusy) => new Set(isBusy ? [] : values),
    );
  }

  leasable(provider: string, values: readonly string[], nowS: number): string[] {
    return this.#file.read((disk) => disk.leasable(provider, values, nowS), [...values]);
  }

  release(provider: string, values: readonly string[]): void {
    this.#file.current()?.release(provider, values);
  }

  book(provider: string, windows: readonly { requests: number; perMs: number }[], calls: number, nowMs: number): number {
    const ownWaitMs = this.#hasMemory ? this.#memory.book(provider, windows, calls, nowMs) : 0;
    if (ownWaitMs > 0) return ownWaitMs;
    return this.#file.write(
      (disk) => disk.book(provider, windows, calls, nowMs),
      (isBusy) => {
        if (isBusy) return BUSY_REST_MS;
        if (this.#hasMemory) return 0;
        this.#hasMemory = true;
        return this.#memory.book(provider, windows, calls, nowMs);
      },
    );
  }

  booked(provider: string, sinceMs: number): number[] {
    const own = this.#hasMemory ? this.#memory.booked(provider, sinceMs) : [];
    return this.#file.read((disk) => [...disk.booked(provider, sinceMs), ...own].sort((a, b) => a - b), own);
  }

  spent(provider: string, day: string): number {
    return (
      this.#file.read((disk) => this.#owed.learn(provider, day, disk.spent(provider, day)), this.#owed.known(provider, day)) +
      this.#owed.credits(provider, day)
    );
  }

  spend(provider: string, day: string, credits: number, limit: number | null): boolean {
    return this.#file.write(
      (disk) => disk.spend(provider, day, credits, limit),
      (isBusy) => {
        if (isBusy && limit !== null) throw new StoreBusyError(BUSY_REST_MS);
        if (limit !== null && this.spent(provider, day) + credits > limit) return false;
        this.#owed.spend(provider, day, credits);
        return true;
      },
    );
  }

  note(name: string): { text: string; atS: number } | null {
    const own = this.#hasMemory ? this.#memory.note(name) : null;
    const kept = this.#file.read((disk) => disk.note(name), null);
    return own === null || (kept !== null && kept.atS > own.atS) ? kept : own;
  }

  setNote(name: string, text: string, atS: number): void {
    this.#file.write(
      (disk) => disk.setNote(name, text, atS),
      () => {
        this.#hasMemory = true;
        this.#memory.setNote(name, text, atS);
      },
    );
  }

  addFigures(day: string, counts: ReadonlyMap<string, number>): void {
    this.#file.write(
      (disk) => disk.addFigures(day, counts),
      () => this.#owed.addFigures(day, counts),
    );
  }

  figures(from: string, to: string): Map<string, number> {
    return this.#owed.addedTo(
      this.#file.read((disk) => disk.figures(from, to), new Map<string, number>()),
      from,
      to,
    );
  }

  epoch(): StoreEpoch | null {
    return this.#file.read((disk) => disk.epoch(), null);
  }

  async purge(beforeS: number): Promise<number> {
    const own = await this.#memory.purge(beforeS);
    return own + ((await this.#file.current()?.purge(beforeS)) ?? 0);
  }

  flush(): void {
    this.#file.write(
      (disk) => disk.flush(),
      () => undefined,
    );
  }

  stats(): StoreStats {
    const inMemory = { ...this.#memory.stats(), fault: this.#file.fault };
    return this.#file.read((disk) => ({ ...disk.stats(), fault: this.#file.fault }), inMemory);
  }

  health(): StoreHealth {
    return this.#file.health();
  }

  close(): void {
    this.#file.close();
  }
}

/** Opens the cache at `path`. A file that cannot be used is told through `onFault`, and tried again. */
export async function openDurableVerdictStore(options: Omit<VerdictFileOptions, 'onRecovery' | 'open'>): Promise<VerdictStore> {
  const store = new DurableVerdictStore({ ...options, open: await verdictFileOpener(options.path) });
  await store.start();
  return store;
}
