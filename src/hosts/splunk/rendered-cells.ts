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
    const start = this.size;
    // UTF-8 takes at most three bytes for a unit of UTF-16.
    if (start + text.length * 3 > this.bytes.length) this.bytes = widen(this.bytes, start + text.length * 3);
    const number = ++this.#count;
    if (number >= this.ends.length) {
      const larger = new Int32Array(number * 2);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.ends[number] = start + this.bytes.write(text, start);
    return number;
  }

  /** Forgets all of them; the numbers will be given again. */
  clear(): void {
    this.#count = 0;
  }
}
