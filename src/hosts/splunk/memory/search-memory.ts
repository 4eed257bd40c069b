// src/hosts/splunk/memory/: what a search leaves to later ones, and what that rests on.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../../disk/private-files.ts';
import { readEpoch } from '../../../engine/cache/store-epoch.ts';
import { stateFolder } from '../../../compose/state-folder.ts';
import type { SearchKeys } from '../../../rows/kept/earlier-searches.ts';
import { readSnapshot, writeSnapshot } from '../../../rows/kept/value-snapshot-file.ts';
import type { TakenSnapshot, ValueSnapshot } from '../../../rows/kept/value-snapshot.ts';
import { digestOfText, lastChangeMs, type Fingerprint, stillHolds } from '../../../splunkd/fingerprint.ts';

/** What an earlier search knew, and what that rests on. */
export interface Recalled {
  readonly known: ValueSnapshot;
  readonly fingerprint: Fingerprint;
}

interface About {
  /** See `SearchKeys`. */
  readonly question: string;
  /** Days since 1970 (UTC): a score may depend on the day. */
  readonly day: number;
  readonly fingerprint: Fingerprint;
}

const FOLDER = 'searches';
const ENDING = '.known';
const DAY_S = 86_400;
/** Younger changes could have come after the file was read, within the same tick of the disk's clock. */
const RACY_MS = 2000;
/** Files of other shapes that one search reads at most: the largest, since those know most. */
const MAX_OTHERS = 8;
const QUESTION_DIGITS = 16;
/** All files together; the oldest go first. */
const MAX_FOLDER_BYTES = 128 << 20;
/** What a killed process left half written. */
const FORGOTTEN_MS = 3_600_000;

interface KeptFile {
  readonly name: string;
  readonly size: number;
  readonly atMs: number;
}

/** How the program stands in the world. */
interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When the search began; milliseconds since 1970. */
  readonly startedMs: number;
}

/**
 * Keeps what searches know for later ones: most of them ask the same of the same values, day and night. What is kept fits every search that
 * asks the same question, but each shape has a file of its own, or two large searches would take turns in pushing each other out.
 * Nothing is shown longer than the engine would: a file counts only while everything holds that its answers rest on.
 */
export class SearchMemory {
  readonly #place: Place;
  readonly #folder: string;

  constructor(place: Place) {
    this.#place = place;
    this.#folder = join(stateFolder(place.env, true), FOLDER);
  }

  /**
   * What earlier searches knew that asked the same question: those of the same shape first. All of it rests on the same. A file that cannot
   * be read is none.
   */
  async *recall({ question, shape }: SearchKeys): AsyncGenerator<Recalled, void> {
    const own = nameOf({ question, shape }, false);
    const rest = nameOf({ question, shape }, true);
    const first = await this.#read(own, question);
    if (first !== null) yield first;
    let base = first === null ? null : JSON.stringify(first.fingerprint);
    const [largest, ...others] = this.#othersOf(own, rest);
    // Something large goes first, since a search goes on from it as it is.
    const names = first === null ? [largest ?? rest, rest, ...others] : [rest, largest ?? rest, ...others];
    for (const name of new Set(names)) {
      const other = await this.#read(name, question);
      if (other === null || (base !== null && JSON.stringify(other.fingerprint) !== base)) continue;
      base = JSON.stringify(other.fingerprint);
      yield other;
    }
  }

  /** Keeps what this search knows. Throws what the disk says. */
  keep(keys: SearchKeys, { known, isRest }: TakenSnapshot, fingerprint: Fingerprint): void {
    if (lastChangeMs(fingerprint) > this.#place.startedMs - RACY_MS) return;
    makePrivateFolder(this.#folder);
    const about: About = { question: keys.question, day: this.#day(), fingerprint };
    writeSnapshot(join(this.#folder, nameOf(keys, isRest)), about, known);
    if (!isRest) rmSync(join(this.#folder, nameOf(keys, true)), { force: true });
    this.#prune();
  }

  async #read(name: string, question: string): Promise<Recalled | null> {
    let fingerprint: Fingerprint | null = null;
    try {
      const known = await readSnapshot(join(this.#folder, name), async (about) => {
        const noted = about as About;
        if (noted.question !== question || noted.day !== this.#day() || !stillHolds(noted.fingerprint, this.#place.env)) return false;
        fingerprint = noted.fingerprint;
        return (await readEpoch(fingerprint.verdicts.path)) === fingerprint.verdicts.epoch;
      });
      return known === null || fingerprint === null ? null : { known, fingerprint };
    } catch {
      // Broken, or not ours to read: the engine answers.
      return null;
    }
  }

  #day(): number {
    return Math.floor(this.#place.startedMs / 1000 / DAY_S);
  }

  /** Files of other shapes that asked the same question, the largest first. */
  #othersOf(own: string, rest: string): string[] {
    const question = own.slice(0, QUESTION_DIGITS + 1);
    let files: readonly KeptFile[] = [];
    try {
      files = this.#files();
    } catch {
      // No folder yet, or none of ours.
    }
    return files
      .filter(({ name }) => name !== own && name !== rest && name.startsWith(question) && name.endsWith(ENDING))
      .sort((one, other) => other.size - one.size)
      .slice(0, MAX_OTHERS)
      .map(({ name }) => name);
  }

  #files(): KeptFile[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const found = statSync(join(this.#folder, name), { throwIfNoEntry: false });
      return found === undefined ? [] : [{ name, size: found.size, atMs: found.mtimeMs }];
    });
  }

  #prune(): void {
    let bytes = 0;
    for (const { name, size, atMs } of this.#files().sort((one, other) => other.atMs - one.atMs)) {
      bytes += size;
      const isLeftover = !name.endsWith(ENDING) && atMs < this.#place.startedMs - FORGOTTEN_MS;
      if (bytes > MAX_FOLDER_BYTES || isLeftover) rmSync(join(this.#folder, name), { force: true });
    }
  }
}

/** The file of a shape. `isRest`: the one with what its searches learnt since the other was written. */
function nameOf({ question, shape }: SearchKeys, isRest: boolean): string {
  return `${digestOfText(question).slice(0, QUESTION_DIGITS)}-${digestOfText(shape)}${isRest ? '-rest' : ''}${ENDING}`;
}
