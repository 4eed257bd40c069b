import { widen } from './value-table.ts';

const FIRST_BYTES = 1 << 22;
const FIRST_COUNT = 1 << 15;
// Below this a loop is faster than the call of a copy.
const SHORT_BYTES = 64;
const LAST_ASCII = 0x7f;

/** Ready-made pieces of rows, numbered from 1, one after the other in one buffer. */
export class RenderedCells {
  /** The bytes of rendering n are `[ends[n - 1], ends[n])`. */
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  ends = new Int32Array(FIRST_COUNT);
  #count = 0;
  /** Where the rendering ends that is being put together. */
  #at = 0;

  /** Bytes used. */
  get size(): number {
    return this.ends[this.#count] as number;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Keeps a text; answers its number. */
  add(text: string): number {
    this.appendText(text);
    return this.close();
  }

  /** Keeps a rendering of `other`; answers its number here. */
  addFrom(other: RenderedCells, number: number): number {
    this.appendFrom(other, number);
    return this.close();
  }

  /** Appends to the rendering that is being put together: a rendering of `other`, without its first `skip` bytes. */
  appendFrom(other: RenderedCells, number: number, skip = 0): void {
    this.append(other.bytes, (other.ends[number - 1] as number) + skip, other.ends[number] as number);
  }

  /** Appends `source[from, to)` to the rendering that is being put together. */
  append(source: Buffer, from: number, to: number): void {
    const end = this.#at + to - from;
    if (end > this.bytes.length) this.bytes = widen(this.bytes, end);
    const { bytes } = this;
    if (to - from >= SHORT_BYTES) source.copy(bytes, this.#at, from, to);
    else for (let n = from, at = this.#at; n < to; n++, at++) bytes[at] = source[n] as number;
    this.#at = end;
  }

  /** Appends a text to the rendering that is being put together. */
  appendText(text: string): void {
    // UTF-8 takes at most three bytes for a unit of UTF-16.
    const most = this.#at + text.length * 3;
    if (most > this.bytes.length) this.bytes = widen(this.bytes, most);
    const { bytes } = this;
    const start = this.#at;
    if (text.length < SHORT_BYTES) {
      let n = 0;
      for (let code = 0; n < text.length && (code = text.charCodeAt(n)) <= LAST_ASCII; n++) bytes[start + n] = code;
      this.#at = start + n;
      if (n === text.length) return;
    }
    this.#at = start + bytes.write(text, start);
  }

  /** Ends the rendering that was put together; answers its number. */
  close(): number {
    const number = ++this.#count;
    if (number >= this.ends.length) {
      const larger = new Int32Array(number * 2);
      larger.set(this.ends);
      this.ends = larger;
    }
    this.ends[number] = this.#at;
    return number;
  }

  /** Goes on with renderings that were kept: `ends` has one place more than there are, the first is 0. */
  restore(bytes: Buffer<ArrayBuffer>, ends: Int32Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.ends = ends;
    this.#count = ends.length - 1;
    this.#at = this.size;
  }

  /** Forgets all of them; the numbers will be given again. */
  clear(): void {
    this.#count = 0;
    this.#at = 0;
  }
}
