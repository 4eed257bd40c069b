import { widen } from './value-table.ts';

const FIRST_BYTES = 1 << 22;
const FIRST_COUNT = 1 << 15;

/** Ready-made ends of rows, numbered from 1, one after the other in one buffer. */
export class RenderedCells {
  /** The bytes of rendering n are `[ends[n - 1], ends[n])`. */
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  ends = new Int32Array(FIRST_COUNT);
  #count = 0;

  /** Bytes used. */
  get size(): number {
    return this.ends[this.#count] as number;
  }

  /** Keeps a text; answers its number. */
  add(text: string): number {
    return this.addBetween(0, text, 0);
  }

  /** Keeps a text between two others that are kept already, by their numbers (0: nothing); answers its number. */
  addBetween(before: number, text: string, after: number): number {
    let at = this.size;
    // UTF-8 takes at most three bytes for a unit of UTF-16.
    const most = at + this.#lengthOf(before) + text.length * 3 + this.#lengthOf(after);
    if (most > this.bytes.length) this.bytes = widen(this.bytes, most);
    at = this.#copy(before, at);
    at += this.bytes.write(text, at);
    return this.#number(this.#copy(after, at));
  }

  /** Keeps a rendering of `other`; answers its number here. */
  addFrom(other: RenderedCells, number: number): number {
    const from = other.ends[number - 1] as number;
    const to = other.ends[number] as number;
    const at = this.size;
    if (at + to - from > this.bytes.length) this.bytes = widen(this.bytes, at + to - from);
    other.bytes.copy(this.bytes, at, from, to);
    return this.#number(at + to - from);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Goes on with renderings that were kept: `ends` has one place more than there are, the first is 0. */
  restore(bytes: Buffer<ArrayBuffer>, ends: Int32Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.ends = ends;
    this.#count = ends.length - 1;
  }

  /** Forgets all of them; the numbers will be given again. */
  clear(): void {
    this.#count = 0;
  }

  /** Numbers what was put at the end of the buffer, which ends there now. */
  #number(end: number): number {
    const number = ++this.#count;
    if (number >= this.ends.length) {
      const larger = new Int32Array(number * 2);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.ends[number] = end;
    return number;
  }

  #lengthOf(number: number): number {
    return number === 0 ? 0 : (this.ends[number] as number) - (this.ends[number - 1] as number);
  }

  /** Copies a text to `at`; answers where it ends there. */
  #copy(number: number, at: number): number {
    if (number === 0) return at;
    const from = this.ends[number - 1] as number;
    const to = this.ends[number] as number;
    this.bytes.copyWithin(at, from, to);
    return at + to - from;
  }
}
