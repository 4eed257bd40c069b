import type { Known } from './known.ts';

/*
 * A slot is one line of memory: five integers, then the value's bytes if they are few enough, else where they are. A look-up touches
 * that line and no other; a chain of objects would be what it costs once there are ten thousand values.
 */
const SLOT_BYTES = 64;
const SLOT_INTS = SLOT_BYTES / 4;
const HASH = 0;
const LENGTH = 1;
const UNTIL = 2;
const SUMMARY = 3;
const KEY = 4;
/** Bytes of a slot before the key. */
const HEAD_BYTES = 20;
const SHORT_KEY = SLOT_BYTES - HEAD_BYTES;

/** Unit of the times, so that 32 bits last for years. */
const TICK_MS = 100;

/** Room for the keys that do not fit their slot: on average, by slot; and for the longest one in any case. */
const LONG_KEY_BYTES = 32;
const LEAST_LONG_KEYS_BYTES = 128 * 1024;

/** What is found for a value that the cache does not hold. */
export const NOT_FOUND = -1;

/** What is kept of a value. */
export interface KeptValue {
  /** See `summaryOf`. */
  readonly summary: number;
  readonly known: Known | undefined;
  readonly untilMs: number;
}

/**
 * What is known of a value, found by the very bytes that stand in the event, before any string is made of them. A direct-mapped
 * table of pairs: a newcomer takes the place of the one that runs out first. The bytes are compared, so that no value can pass for
 * another by having its hash.
 */
export interface FrontCache {
  /** Slot of the value whose bytes are from `start` to `end`, or `NOT_FOUND`. It holds until the next `keep`. */
  find(bytes: Uint8Array, start: number, end: number): number;
  /** Whether what the slot holds may still be used. Times are of a clock that only grows. */
  isFresh(slot: number, nowMs: number): boolean;
  summaryAt(slot: number): number;
  /** `undefined`: only the summary is kept. */
  knownAt(slot: number): Known | undefined;
  /** Adds to a slot that holds a summary only. */
  attach(slot: number, known: Known): void;
  clear(): void;
  /** Keeps what is known of a value, in place of what was before; `range`: where its bytes are. Gives its slot. */
  keep(bytes: Uint8Array, range: readonly [start: number, end: number], value: KeptValue): number;
}

/** A cache with room for `size` values, a power of two. `startMs`: now. */
export function createFrontCache(size: number, startMs: number): FrontCache {
  const mask = size - 1;
  const slots = new Int32Array(size * SLOT_INTS);
  const shortKeys = new Uint8Array(slots.buffer);
  const longKeys = new Uint8Array(Math.max(size * LONG_KEY_BYTES, LEAST_LONG_KEYS_BYTES));
  const knowns: (Known | undefined)[] = Array.from({ length: size });
  let longKeysEnd = 0;

  function isIt(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
    const at = slot * SLOT_INTS;
    if (slots[at + LENGTH] !== length) return false;
    const isShort = length <= SHORT_KEY;
    const keys = isShort ? shortKeys : longKeys;
    const key = isShort ? slot * SLOT_BYTES + HEAD_BYTES : (slots[at + KEY] as number);
    for (let n = 0; n < length; n++) {
      if (keys[key + n] !== bytes[start + n]) return false;
    }
    return true;
  }

  function find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const slot = hash & mask;
    if (slots[slot * SLOT_INTS + HASH] === hash && isIt(slot, bytes, start, end - start)) return slot;
    const other = slot ^ 1;
    if (slots[other * SLOT_INTS + HASH] === hash && isIt(other, bytes, start, end - start)) return other;
    return NOT_FOUND;
  }

  function clear(): void {
    slots.fill(0);
    knowns.fill(undefined);
    longKeysEnd = 0;
  }

  /** Room for a long key. When it is used up, everything is forgotten: it is all known one step further back. */
  function roomFor(length: number): number {
    if (longKeysEnd + length > longKeys.length) clear();
    longKeysEnd += length;
    return longKeysEnd - length;
  }

  function write(slot: number, bytes: Uint8Array, start: number, end: number): void {
    const at = slot * SLOT_INTS;
    slots[at + HASH] = hashOf(bytes, start, end);
    slots[at + LENGTH] = end - start;
    const key = bytes.subarray(start, end);
    if (key.length <= SHORT_KEY) shortKeys.set(key, slot * SLOT_BYTES + HEAD_BYTES);
    else longKeys.set(key, slots[at + KEY]);
  }

  function slotFor(bytes: Uint8Array, start: number, end: number): number {
    const first = hashOf(bytes, start, end) & mask;
    const second = first ^ 1;
    return (slots[first * SLOT_INTS + UNTIL] as number) <= (slots[second * SLOT_INTS + UNTIL] as number) ? first : second;
  }

  return {
    find,
    clear,
    isFresh: (slot, nowMs) => (slots[slot * SLOT_INTS + UNTIL] as number) > (nowMs - startMs) / TICK_MS,
    summaryAt: (slot) => slots[slot * SLOT_INTS + SUMMARY] as number,
    knownAt: (slot) => knowns[slot],
    attach(slot, known) {
      knowns[slot] = known;
      slots[slot * SLOT_INTS + SUMMARY] = known.summary;
    },
    keep(bytes, [start, end], { summary, known, untilMs }) {
      const found = find(bytes, start, end);
      const room = found === NOT_FOUND && end - start > SHORT_KEY ? roomFor(end - start) : NOT_FOUND;
      const slot = found === NOT_FOUND ? slotFor(bytes, start, end) : found;
      const at = slot * SLOT_INTS;
      if (room !== NOT_FOUND) slots[at + KEY] = room;
      if (found === NOT_FOUND) write(slot, bytes, start, end);
      slots[at + UNTIL] = Math.floor((untilMs - startMs) / TICK_MS);
      slots[at + SUMMARY] = summary;
      knowns[slot] = known;
      return slot;
    },
  };
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let pos = start; pos < end; pos++) hash = Math.imul(hash ^ (bytes[pos] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
