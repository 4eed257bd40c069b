// src/hosts/splunk/memory/: what a search leaves to the next one of the same shape, and what that rests on.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../../disk/private-files.ts';
import { readEpoch } from '../../../engine/cache/store-epoch.ts';
import { stateFolder } from '../../../compose/state-folder.ts';
import { readSnapshot, writeSnapshot } from '../../../rows/value-snapshot-file.ts';
import type { ValueSnapshot } from '../../../rows/value-snapshot.ts';
import { digestOfText, lastChangeMs, type Fingerprint, stillHolds } from '../../../splunkd/fingerprint.ts';

/** What an earlier search of the same shape knew, and what that rests on. */
export interface Recalled {
  readonly known: ValueSnapshot;
  readonly fingerprint: Fingerprint;
}

interface About {
  readonly shape: string;
  /** Days since 1970 (UTC): a score may depend on the day. */
  readonly day: number;
  readonly fingerprint: Fingerprint;
}

const FOLDER = 'searches';
const ENDING = '.known';
const DAY_S = 86_400;
/** Younger changes could have come after the file was read, within the same tick of the disk's clock. */
const RACY_MS = 2000;
/** All files together; the oldest go first. */
const MAX_FOLDER_BYTES = 128 << 20;
/** What a killed process left half written. */
const FORGOTTEN_MS = 3_600_000;

/** How the program stands in the world. */
interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When the search began; milliseconds since 1970. */
  readonly startedMs: number;
}

/**
 * Keeps what one search knows for the next one of the same shape: a scheduled search asks the same of the same values, day and night.
 * Nothing is shown longer than the engine would: the file counts only while everything holds that its answers rest on.
 */
export class SearchMemory {
  readonly #place: Place;
  readonly #folder: string;

  constructor(place: Place) {
    this.#place = place;
    this.#folder = join(stateFolder(place.env, true), FOLDER);
  }

  /** What an earlier search knew. `shape`: what its rows depend on, besides the fingerprint. A file that cannot be read is none. */
  async recall(shape: string): Promise<Recalled | null> {
    let fingerprint: Fingerprint | null = null;
    try {
      const known = await readSnapshot(this.#pathOf(shape), async (about) => {
        const noted = about as About;
        if (noted.shape !== shape || noted.day !== this.#day() || !stillHolds(noted.fingerprint, this.#place.env)) return false;
        fingerprint = noted.fingerprint;
        return (await readEpoch(fingerprint.verdicts.path)) === fingerprint.verdicts.epoch;
      });
      return known === null || fingerprint === null ? null : { known, fingerprint };
    } catch {
      // Broken, or not ours to read: the engine answers.
      return null;
    }
  }

  /** Keeps what this search knows. Throws what the disk says. */
  keep(shape: string, known: ValueSnapshot, fingerprint: Fingerprint): void {
    if (lastChangeMs(fingerprint) > this.#place.startedMs - RACY_MS) return;
    makePrivateFolder(this.#folder);
    const about: About = { shape, day: this.#day(), fingerprint };
    writeSnapshot(this.#pathOf(shape), about, known);
    this.#prune();
  }

  #day(): number {
    return Math.floor(this.#place.startedMs / 1000 / DAY_S);
  }

  #pathOf(shape: string): string {
    return join(this.#folder, digestOfText(shape) + ENDING);
  }

  #prune(): void {
    const files = readdirSync(this.#folder).flatMap((name) => {
      const path = join(this.#folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? [] : [{ path, size: found.size, atMs: found.mtimeMs }];
    });
    let bytes = 0;
    for (const { path, size, atMs } of files.sort((one, other) => other.atMs - one.atMs)) {
      bytes += size;
      const isLeftover = !path.endsWith(ENDING) && atMs < this.#place.startedMs - FORGOTTEN_MS;
      if (bytes > MAX_FOLDER_BYTES || isLeftover) rmSync(path, { force: true });
    }
  }
}
