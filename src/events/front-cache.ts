import { endOf, hashAt, startOf } from './json/event-map.ts';
import type { EventMap } from './json/event-map.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';

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

/** Slots in which a key may be. */
const WAYS = 4;

/** Unit of the times, so that 32 bits last for years. */
const TICK_MS = 100;

/** Room for the keys that do not fit their slot: on average, by slot; and for the longest one in any case. */
const LONG_KEY_BYTES = 32;
const LEAST_LONG_KEYS_BYTES = 128 * 1024;

/** What is found for a value that the cache does not hold. */
export const NOT_FOUND = -1;

/**
 * What is known of a value, found by the very bytes that stand in the event, before any string is made of them. A table
 * with four slots for each value to be in: a newcomer takes the place of the one that runs out first. The bytes are compared, so that no value can pass for
 * another by having its hash.
 */
export interface FrontCache {
  readonly mask: number;
  readonly startMs: number;
  readonly slots: Int32Array;
  readonly shortKeys: Uint8Array;
  readonly longKeys: Uint8Array;
  longKeysEnd: number;
  readonly knowns: (RenderedVerdict | undefined)[];
}

/** What a value is kept under: its bytes, and their hash. */
export interface KeptKey {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

/** What is kept of a value. */
export interface KeptValue {
  /** See `summaryOf`. */
  readonly summary: number;
  /** `undefined`: only the summary is kept. */
  readonly known: RenderedVerdict | undefined;
  readonly untilMs: number;
}

/** A cache with room for `size` values, a power of two. Times are of a clock that only grows; `startMs`: now. */
export function createFrontCache(size: number, startMs: number): FrontCache {
  const slots = new Int32Array(size * SLOT_INTS);
  return {
    mask: size - 1,
    startMs,
    slots,
    shortKeys: new Uint8Array(slots.buffer),
    longKeys: new Uint8Array(Math.max(size * LONG_KEY_BYTES, LEAST_LONG_KEYS_BYTES)),
    longKeysEnd: 0,
    knowns: Array.from({ length: size }),
  };
}

/** Forgets everything. */
export function clearCache(cache: FrontCache): void {
  cache.slots.fill(0);
  cache.knowns.fill(undefined);
  cache.longKeysEnd = 0;
}

/** Reads the first slot of every value of an event, for nothing but to have them near: together they come in the time of one. */
export function fetchSlots(cache: FrontCache, map: EventMap): number {
  let read = 0;
  for (let n = 0; n < map.valueCount; n++) read |= cache.slots[slotOf(cache, hashAt(map, n)) * SLOT_INTS] as number;
  return read;
}

/** Slot of the n-th value of an event whose text is `bytes`, or `NOT_FOUND`. It holds until the next `keep`. */
export function findSlot(cache: FrontCache, bytes: Uint8Array, map: EventMap, n: number): number {
  const { slots } = cache;
  const hash = hashAt(map, n);
  const start = startOf(map, n);
  const length = endOf(map, n) - start;
  const first = slotOf(cache, hash);
  for (let way = 0; way < WAYS; way++) {
    const slot = first ^ way;
    const at = slot * SLOT_INTS;
    if (slots[at + HASH] === hash && slots[at + LENGTH] === length && isKey(cache, slot, bytes, start)) return slot;
  }
  return NOT_FOUND;
}

function slotOf({ mask }: FrontCache, hash: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

/** Whether the slot's key, whose length is right, is what stands at `start`. */
function isKey({ slots, shortKeys, longKeys }: FrontCache, slot: number, bytes: Uint8Array, start: number): boolean {
  const length = slots[slot * SLOT_INTS + LENGTH] as number;
  const isShort = length <= SHORT_KEY;
  const keys = isShort ? shortKeys : longKeys;
  const key = isShort ? slot * SLOT_BYTES + HEAD_BYTES : (slots[slot * SLOT_INTS + KEY] as number);
  for (let n = 0; n < length; n++) {
    if (keys[key + n] !== bytes[start + n]) return false;
  }
  return true;
}

/** A moment, as `isFresh` takes it. */
export function tickAt({ startMs }: FrontCache, ms: number): number {
  return Math.floor((ms - startMs) / TICK_MS);
}

/** Whether what the slot holds may still be used at a moment. */
export function isFresh({ slots }: FrontCache, slot: number, tick: number): boolean {
  return (slots[slot * SLOT_INTS + UNTIL] as number) > tick;
}

/** `KeptValue.summary` of what the slot holds. */
export function summaryAt({ slots }: FrontCache, slot: number): number {
  return slots[slot * SLOT_INTS + SUMMARY] as number;
}

/** Adds to a slot that holds a summary only. */
export function attach({ knowns, slots }: FrontCache, slot: number, known: RenderedVerdict): void {
  knowns[slot] = known;
  slots[slot * SLOT_INTS + SUMMARY] = known.summary;
}

/** Keeps what is known of a value: in the slot that `findSlot` gave for it, or, had it none, in one of its own. Gives the slot. */
export function keep(cache: FrontCache, found: number, key: KeptKey, { summary, known, untilMs }: KeptValue): number {
  const slot = found === NOT_FOUND ? place(cache, key) : found;
  cache.slots[slot * SLOT_INTS + UNTIL] = tickAt(cache, untilMs);
  cache.slots[slot * SLOT_INTS + SUMMARY] = summary;
  cache.knowns[slot] = known;
  return slot;
}

/** Of the slots in which a key may be, the one that runs out first; an empty one has run out. */
function oldestOf({ slots }: FrontCache, first: number): number {
  let oldest = first;
  for (let way = 1; way < WAYS; way++) {
    if ((slots[(first ^ way) * SLOT_INTS + UNTIL] as number) < (slots[oldest * SLOT_INTS + UNTIL] as number)) oldest = first ^ way;
  }
  return oldest;
}

/** Gives a new key its slot. When the room for long keys is used up, everything is forgotten: it is all known one step further back. */
function place(cache: FrontCache, { bytes, hash }: KeptKey): number {
  const { slots, shortKeys, longKeys } = cache;
  const isShort = bytes.length <= SHORT_KEY;
  if (!isShort && cache.longKeysEnd + bytes.length > longKeys.length) clearCache(cache);
  const slot = oldestOf(cache, slotOf(cache, hash));
  slots[slot * SLOT_INTS + HASH] = hash;
  slots[slot * SLOT_INTS + LENGTH] = bytes.length;
  if (isShort) shortKeys.set(bytes, slot * SLOT_BYTES + HEAD_BYTES);
  else {
    slots[slot * SLOT_INTS + KEY] = cache.longKeysEnd;
    longKeys.set(bytes, cache.longKeysEnd);
    cache.longKeysEnd += bytes.length;
  }
  return slot;
}
