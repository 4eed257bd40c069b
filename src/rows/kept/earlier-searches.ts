import { adoptFrom, restoreSnapshot } from './value-snapshot.ts';
import type { SnapshotParts, ValueSnapshot } from './value-snapshot.ts';

/** What tells searches apart. */
export interface SearchKeys {
  /** Who is asked, and for whom: on this and on the settings rests what is answered. */
  readonly question: string;
  /** The question, and what the search looks up and shows: searches that share it most likely have the same values. */
  readonly shape: string;
}

/** What searches that asked the same question knew: first the one of the same shape, then the others. All of it rests on the same. */
export type Recall = (keys: SearchKeys) => AsyncIterator<ValueSnapshot, unknown>;

/** What a search takes over from earlier ones, for as long as the engine is not open. */
export class EarlierSearches {
  readonly #parts: SnapshotParts;
  readonly #readS: number;
  #unread: AsyncIterator<ValueSnapshot, unknown> | undefined;
  readonly #others: ValueSnapshot[] = [];
  /** The routes of fields that were looked up; `undefined`: every provider was asked about every field. */
  routes: Readonly<Record<string, string>> | undefined;

  constructor(parts: SnapshotParts, unread: AsyncIterator<ValueSnapshot, unknown> | undefined, readS: number) {
    this.#parts = parts;
    this.#unread = unread;
    this.#readS = readS;
  }

  /** Goes on where the first of them ended; false: there is none. This search has seen nothing yet. */
  async goOn(): Promise<boolean> {
    const first = await this.#next();
    if (first === null) return false;
    restoreSnapshot(this.#parts, first, this.#readS);
    this.routes = first.routes;
    return true;
  }

  /** Takes from the others what they know of `ids`; answers the rest. */
  async adopt(ids: number[], nowS: number): Promise<number[]> {
    let left = ids;
    for (let n = 0; left.length > 0; n++) {
      const other = this.#others[n] ?? (await this.#next());
      if (other === null) break;
      this.#others[n] = other;
      left = adoptFrom(this.#parts, other, left, { nowS, readS: this.#readS });
    }
    return left;
  }

  /** The engine answers from here on. */
  end(): void {
    this.#unread = undefined;
    this.#others.length = 0;
  }

  async #next(): Promise<ValueSnapshot | null> {
    const next = await this.#unread?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#unread = undefined;
    return null;
  }
}
