import { grown } from './grown.ts';

const DOT = 46;
const NONE = -1;
/** FNV-1a, 32 bits (RFC 9923), over the characters from last to first. */
const HASH_SEED = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** How an entry matches. `suffix`: the name and every name below it; `exact`: that text alone. */
export type NameScope = 'suffix' | 'exact';

/**
 * Names and other texts in one byte array behind an open-addressing hash table. Hashes run from the last character to the first, so that
 * one pass over a name gives the hash of each of its suffixes.
 */
export interface NameTable {
  readonly size: number;
  /** Slot → number of a name plus one; 0 is a free slot. Its length is a power of two. */
  readonly slots: Uint32Array;
  /** Where the bytes of a name start; one more than there are names. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** Entry number of each name, doubled, plus one when it is exact. */
  readonly entries: Int32Array;
}

/** Puts names together; `add` returns the builder's own count. Grows by doubling. */
export interface NameTableBuilder {
  add(name: string, scope: NameScope, entry: number): void;
  build(): NameTable;
}

/** Starts an empty table. Of two equal names with the same scope the later entry wins. Names are ASCII. */
export function nameTableBuilder(): NameTableBuilder {
  let bytes = new Uint8Array(1 << 16);
  let offsets = new Uint32Array(1 << 12);
  let entries = new Int32Array(1 << 12);
  let used = 0;
  let size = 0;
  return {
    add(name, scope, entry) {
      if (used + name.length > bytes.length) bytes = grown(bytes, new Uint8Array(Math.max(bytes.length * 2, used + name.length)));
      if (size + 1 >= offsets.length) offsets = grown(offsets, new Uint32Array(offsets.length * 2));
      if (size >= entries.length) entries = grown(entries, new Int32Array(entries.length * 2));
      for (let at = 0; at < name.length; at += 1) bytes[used + at] = name.charCodeAt(at);
      used += name.length;
      entries[size] = entry * 2 + (scope === 'exact' ? 1 : 0);
      size += 1;
      offsets[size] = used;
    },
    build() {
      const table = { size, bytes: bytes.slice(0, used), offsets: offsets.slice(0, size + 1), entries: entries.slice(0, size) };
      return { ...table, slots: placeNames(table) };
    },
  };
}

/** Entry of `text` itself, else (scope `suffix`) of its longest listed suffix that starts at a label; -1 when there is none. */
export function findName(table: NameTable, text: string, scope: NameScope): number {
  if (table.size === 0) return NONE;
  let found = NONE;
  let hash = HASH_SEED;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const code = text.charCodeAt(at);
    if (code === DOT && scope === 'suffix') {
      const entry = probe(table, hash, text, { from: at + 1, exactBit: 0 });
      if (entry !== NONE) found = entry;
    }
    hash = Math.imul(hash ^ code, HASH_PRIME);
  }
  const exact = probe(table, hash, text, WHOLE_EXACT);
  if (exact !== NONE) return exact;
  const whole = scope === 'suffix' ? probe(table, hash, text, WHOLE_SUFFIX) : NONE;
  return whole === NONE ? found : whole;
}

const WHOLE_EXACT = { from: 0, exactBit: 1 };
const WHOLE_SUFFIX = { from: 0, exactBit: 0 };

/** Looks for the part of `text` behind `from`. `exactBit`: 1 for exact entries, 0 for suffixes. */
function probe(table: NameTable, hash: number, text: string, { from, exactBit }: typeof WHOLE_EXACT): number {
  const { slots, offsets, entries } = table;
  const mask = slots.length - 1;
  for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
    const number = (slots[slot] ?? 0) - 1;
    if (number < 0) return NONE;
    const entry = entries[number] ?? 0;
    if ((entry & 1) !== exactBit) continue;
    const start = offsets[number] ?? 0;
    if ((offsets[number + 1] ?? 0) - start === text.length - from && isSame(table.bytes, start, text, from)) return entry >> 1;
  }
}

function isSame(bytes: Uint8Array, start: number, text: string, from: number): boolean {
  for (let at = text.length - 1; at >= from; at -= 1) if (bytes[start + at - from] !== text.charCodeAt(at)) return false;
  return true;
}

function placeNames(table: Omit<NameTable, 'slots'>): Uint32Array {
  const { size, bytes, offsets } = table;
  let room = 16;
  while (room < size * 1.6) room *= 2;
  const slots = new Uint32Array(room);
  for (let number = 0; number < size; number += 1) {
    const start = offsets[number] ?? 0;
    let hash = HASH_SEED;
    for (let at = (offsets[number + 1] ?? 0) - 1; at >= start; at -= 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), HASH_PRIME);
    let slot = spread(hash) & (room - 1);
    while (slots[slot] !== 0 && !isSameName(table, (slots[slot] ?? 0) - 1, number)) slot = (slot + 1) & (room - 1);
    slots[slot] = number + 1;
  }
  return slots;
}

function isSameName(table: Omit<NameTable, 'slots'>, one: number, other: number): boolean {
  const { offsets, bytes, entries } = table;
  if (((entries[one] ?? 0) & 1) !== ((entries[other] ?? 0) & 1)) return false;
  const start = offsets[one] ?? 0;
  const length = (offsets[one + 1] ?? 0) - start;
  const otherStart = offsets[other] ?? 0;
  if (length !== (offsets[other + 1] ?? 0) - otherStart) return false;
  for (let at = 0; at < length; at += 1) if (bytes[start + at] !== bytes[otherStart + at]) return false;
  return true;
}

/** FNV's low bits are weak for short texts; this mixes the high ones in. */
function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
