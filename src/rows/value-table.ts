const FIRST_SLOTS = 1 << 15;
const FIRST_BYTES = 1 << 20;

/** Ids below this one are not values; see `EMPTY_CELL` and `NO_COLUMN`. */
export const FIRST_VALUE_ID = 2;
/** Stands for a cell that held nothing. */
export const EMPTY_CELL = 0;
/** Stands for a field that the events do not have. */
export const NO_COLUMN = 1;

/** A table as it stands: what another process needs to go on with the same ids. */
export interface ValueTableState {
  readonly seed: number;
  /** One more than the greatest id. */
  readonly count: number;
  readonly slots: Int32Array<ArrayBuffer>;
  readonly hashes: Int32Array<ArrayBuffer>;
  readonly ends: Int32Array<ArrayBuffer>;
  readonly bytes: Buffer<ArrayBuffer>;
}

/**
 * Numbers the distinct values of a search, by their UTF-8 bytes: the same bytes get the same small whole number, without a
 * string being made. Open addressing with linear probing over typed arrays; grows as needed, so the owner clears it.
 */
export class ValueTable {
  // Nobody can guess it: rows carry text of strangers, who could otherwise choose values that all collide.
  #seed = (Math.random() * 0x1_0000_0000) | 0;
  #slots = new Int32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS);
  /** Bytes of id n are `[#ends[n - 1], #ends[n])` of `#bytes`. */
  #ends = new Int32Array(FIRST_SLOTS);
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #count = FIRST_VALUE_ID;

  /** One more than the greatest id. */
  get count(): number {
    return this.#count;
  }

  /** The id of `source[from, to)`; a new one when these bytes have not been seen. */
  idOf(source: Uint8Array, from: number, to: number): number {
    const hash = hashOf(this.#seed, source, from, to);
    const slot = this.#slotOf(hash, source, from, to);
    return (this.#slots[slot] as number) || this.#add(hash, slot, { source, from, to });
  }

  /** The id of a text that had to be decoded. */
  idOfText(text: string): number {
    const bytes = Buffer.from(text);
    return this.idOf(bytes, 0, bytes.length);
  }

  /** The value as text. */
  textOf(id: number): string {
    return this.#bytes.toString('utf8', this.#ends[id - 1], this.#ends[id]);
  }

  /** The id of a value of another table. */
  idFrom(other: ValueTable, id: number): number {
    return this.idOf(other.#bytes, other.#ends[id - 1] as number, other.#ends[id] as number);
  }

  /** The id here of a value of another table; 0: it was never seen here. */
  findFrom(other: ValueTable, id: number): number {
    const from = other.#ends[id - 1] as number;
    const to = other.#ends[id] as number;
    return this.#slots[this.#slotOf(hashOf(this.#seed, other.#bytes, from, to), other.#bytes, from, to)] as number;
  }

  /** The table's own arrays; they change with it. */
  state(): ValueTableState {
    const count = this.#count;
    const bytes = this.#bytes.subarray(0, this.#ends[count - 1]);
    return {
      seed: this.#seed,
      count,
      slots: this.#slots,
      hashes: this.#hashes.subarray(0, count),
      ends: this.#ends.subarray(0, count),
      bytes,
    };
  }

  /** Goes on where another table stood; `slots` and `bytes` become its own. */
  restore({ seed, count, slots, hashes, ends, bytes }: ValueTableState): void {
    this.#seed = seed;
    this.#count = count;
    this.#slots = slots;
    this.#hashes = copyInto(new Int32Array(slots.length), hashes);
    this.#ends = copyInto(new Int32Array(slots.length), ends);
    this.#bytes = bytes;
  }

  /** Forgets all values; their ids will be given again. */
  clear(): void {
    this.#slots.fill(0);
    this.#count = FIRST_VALUE_ID;
  }

  /** The slot of these bytes, or the free one in which they belong. */
  #slotOf(hash: number, source: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] as number;
      if (id === 0 || (this.#hashes[id] === hash && this.#equals(id, source, from, to))) return slot;
    }
  }

  #equals(id: number, source: Uint8Array, from: number, to: number): boolean {
    const start = this.#ends[id - 1] as number;
    if ((this.#ends[id] as number) - start !== to - from) return false;
    for (let n = from, at = start; n < to; n++, at++) if (source[n] !== this.#bytes[at]) return false;
    return true;
  }

  #add(hash: number, slot: number, { source, from, to }: { source: Uint8Array; from: number; to: number }): number {
    const id = this.#count++;
    const start = this.#ends[id - 1] as number;
    const end = start + to - from;
    if (end > this.#bytes.length) this.#bytes = widen(this.#bytes, end);
    const bytes = this.#bytes;
    // Most values are short: a loop is faster than a view and the call of a copy.
    for (let n = from, at = start; n < to; n++, at++) bytes[at] = source[n] as number;
    this.#ends[id] = end;
    this.#hashes[id] = hash;
    this.#slots[slot] = id;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return id;
  }

  #grow(): void {
    const size = this.#slots.length * 2;
    const mask = size - 1;
    this.#hashes = copyInto(new Int32Array(size), this.#hashes);
    this.#ends = copyInto(new Int32Array(size), this.#ends);
    this.#slots = new Int32Array(size);
    for (let id = FIRST_VALUE_ID; id < this.#count; id++) {
      let slot = (this.#hashes[id] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id;
    }
  }
}

function hashOf(seed: number, source: Uint8Array, from: number, to: number): number {
  let hash = seed ^ (to - from);
  let n = from;
  // Four bytes a step, as one number.
  for (; n + 3 < to; n += 4)
    hash = mixed(
      hash,
      (source[n] as number) | ((source[n + 1] as number) << 8) | ((source[n + 2] as number) << 16) | ((source[n + 3] as number) << 24),
    );
  for (; n < to; n++) hash = mixed(hash, source[n] as number);
  return hash ^ (hash >>> 15);
}

/** Takes four more bytes into a hash. The upper half is folded into the lower one, or it would never tell two values apart in a small table. */
function mixed(hash: number, bytes: number): number {
  const product = Math.imul(hash ^ bytes, 0x9e37_79b1);
  return product ^ (product >>> 15);
}

/** A larger buffer with the same beginning, at least `size` long. */
export function widen(bytes: Buffer<ArrayBufferLike>, size: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.max(size, bytes.length * 2));
  bytes.copy(larger);
  return larger;
}

function copyInto(target: Int32Array, source: Int32Array): Int32Array<ArrayBuffer> {
  target.set(source);
  return target as Int32Array<ArrayBuffer>;
}
