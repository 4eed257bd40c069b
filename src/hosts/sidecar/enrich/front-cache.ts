import type { Known } from './known.ts';

/*
 * One slot is eight integers side by side, and the keys lie side by side too: a look-up touches two lines of memory, not a chain of
 * objects. That, not the arithmetic, is what a look-up costs once there are ten thousand values.
 */
const SLOT_INTS = 8;
const HASH = 0;
const KEY = 1;
const LENGTH = 2;
const UNTIL = 3;
const SUMMARY = 4;

/** Unit of the times, so that 32 bits last for years. */
const TICK_MS = 100;

/** Room for keys, on average, by slot. */
const KEY_BYTES = 64;

/** What is found for a value that the cache does not hold. */
export const NOT_FOUND = -1;

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
  /** `Known.summary` of what the slot holds, without touching it. */
  summaryAt(slot: number): number;
  knownAt(slot: number): Known | undefined;
  /** Lets what the slot holds be used for longer. */
  renew(slot: number, untilMs: number): void;
  /** Keeps what is known of a value; `range`: where its bytes are. Gives its slot. */
  keep(bytes: Uint8Array, range: readonly [start: number, end: number], known: Known, untilMs: number): number;
}

/** A cache with room for `size` values, a power of two. `startMs`: now. */
export function createFrontCache(size: number, startMs: number): FrontCache {
  const mask = size - 1;
  const slots = new Int32Array(size * SLOT_INTS);
  const knowns: (Known | undefined)[] = new Array<Known | undefined>(size).fill(undefined);
  const keys = new Uint8Array(size * KEY_BYTES);
  let keysEnd = 0;

  function isIt(at: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (slots[at + LENGTH] !== length) return false;
    const key = slots[at + KEY] as number;
    for (let n = 0; n < length; n++) {
      if (keys[key + n] !== bytes[start + n]) return false;
    }
    return true;
  }

  function find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const slot = hash & mask;
    if (slots[slot * SLOT_INTS + HASH] === hash && isIt(slot * SLOT_INTS, bytes, start, end - start)) return slot;
    const other = slot ^ 1;
    if (slots[other * SLOT_INTS + HASH] === hash && isIt(other * SLOT_INTS, bytes, start, end - start)) return other;
    return NOT_FOUND;
  }

  /** Where a new key goes. When the room is used up, everything is forgotten: it is all known one step further back. */
  function placeOfKey(length: number): number {
    if (keysEnd + length > keys.length) {
      slots.fill(0);
      knowns.fill(undefined);
      keysEnd = 0;
    }
    keysEnd += length;
    return keysEnd - length;
  }

  function slotFor(bytes: Uint8Array, start: number, end: number): number {
    const first = hashOf(bytes, start, end) & mask;
    const second = first ^ 1;
    return (slots[first * SLOT_INTS + UNTIL] as number) <= (slots[second * SLOT_INTS + UNTIL] as number) ? first : second;
  }

  return {
    find,
    isFresh: (slot, nowMs) => (slots[slot * SLOT_INTS + UNTIL] as number) > (nowMs - startMs) / TICK_MS,
    summaryAt: (slot) => slots[slot * SLOT_INTS + SUMMARY] as number,
    knownAt: (slot) => knowns[slot],
    renew(slot, untilMs) {
      slots[slot * SLOT_INTS + UNTIL] = Math.floor((untilMs - startMs) / TICK_MS);
    },
    keep(bytes, [start, end], known, untilMs) {
      const found = find(bytes, start, end);
      const key = found === NOT_FOUND ? placeOfKey(end - start) : NOT_FOUND;
      const slot = found === NOT_FOUND ? slotFor(bytes, start, end) : found;
      const at = slot * SLOT_INTS;
      if (key !== NOT_FOUND) {
        slots[at + HASH] = hashOf(bytes, start, end);
        slots[at + KEY] = key;
        slots[at + LENGTH] = end - start;
        keys.set(bytes.subarray(start, end), key);
      }
      slots[at + UNTIL] = Math.floor((untilMs - startMs) / TICK_MS);
      slots[at + SUMMARY] = known.summary;
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
