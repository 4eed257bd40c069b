import type { ByteSink } from './byte-streams.ts';

const BLOCK_BYTES = 1 << 20;
// Below this a loop is faster than the call of a copy.
const SHORT_BYTES = 24;

/** Gathers pieces of other buffers in one block and writes it when it is full, so that a large output is never held whole. */
export class BlockWriter {
  readonly #sink: ByteSink;
  #block = Buffer.alloc(0);
  #used = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Room for an output of `size` bytes, or for one block of it. */
  reserve(size: number): void {
    const wanted = Math.min(BLOCK_BYTES, size);
    if (this.#block.length < wanted) this.#block = Buffer.allocUnsafeSlow(wanted);
  }

  /** Adds `source[from, to)`. */
  append(source: Buffer, from: number, to: number): void {
    const length = to - from;
    if (this.#used + length > this.#block.length) {
      this.flush();
      if (length > this.#block.length) {
        this.#sink.write(source.subarray(from, to));
        return;
      }
    }
    const block = this.#block;
    let at = this.#used;
    this.#used = at + length;
    if (length > SHORT_BYTES) source.copy(block, at, from, to);
    else for (let n = from; n < to; n++) block[at++] = source[n] as number;
  }

  /** Adds a whole buffer. */
  appendAll(source: Buffer): void {
    this.append(source, 0, source.length);
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#used > 0) this.#sink.write(this.#block.subarray(0, this.#used));
    this.#used = 0;
  }
}
