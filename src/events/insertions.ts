import { openEdit, openLastEdit, put, putByte } from './json/byte-edits.ts';
import type { Edits } from './json/byte-edits.ts';
import { Place } from './json/event-map.ts';
import type { EventMap } from './json/event-map.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, SPACE } from './json/json-bytes.ts';

const NULL_START = 0x6e;
const NULL_LENGTH = 4;

/** An event (read from `bytes`, its places in `map`) and the edits it gets. */
export interface Editing {
  bytes: Buffer;
  readonly map: EventMap;
  readonly edits: Edits;
}

/** First byte of the value at `place`; -1: nothing is there. */
export function startOfPlace(map: EventMap, place: number): number {
  return map.places[place * 2] as number;
}

/** Position behind the value at `place`. */
export function endOfPlace(map: EventMap, place: number): number {
  return map.places[place * 2 + 1] as number;
}

/** Goes on at the end of the event's root, which is never empty when there is something to add; what closes the last value goes before. */
export function openRoot({ map, edits }: Editing): void {
  openLastEdit(edits, endOfPlace(map, Place.root) - 1);
}

/**
 * Opens the object at `place` for new members: what is put next are members with commas between them, then `endMembers`. When nothing
 * is there, `opening` (`,"name":{`) begins it in the root; `null` becomes an object. `false`: what stands there is none, and is left alone.
 */
export function beginMembers(editing: Editing, place: number, opening: Uint8Array): boolean {
  const { bytes, map, edits } = editing;
  const start = startOfPlace(map, place);
  if (start < 0) {
    openRoot(editing);
    put(edits, opening);
  } else if (bytes[start] === NULL_START) {
    openEdit(edits, start, NULL_LENGTH);
    putByte(edits, OPEN_OBJECT);
  } else if (bytes[start] === OPEN_OBJECT) {
    const close = endOfPlace(map, place) - 1;
    openEdit(edits, close, 0);
    if (!isEmpty(bytes, start, close)) putByte(edits, COMMA);
  } else return false;
  return true;
}

/** Closes what `beginMembers` opened. */
export function endMembers({ bytes, map, edits }: Editing, place: number): void {
  const start = startOfPlace(map, place);
  if (start < 0 || bytes[start] === NULL_START) putByte(edits, CLOSE_OBJECT);
}

/**
 * Opens the list that stands at `place` for new items: what is put next are items with commas between them, then `endItems`. A single
 * value that begins with the byte `single` becomes a list, and so does `null`. `false`: something else, left alone.
 */
export function beginItems({ bytes, map, edits }: Editing, place: number, single: number): boolean {
  const start = startOfPlace(map, place);
  const end = endOfPlace(map, place);
  if (bytes[start] === OPEN_ARRAY) {
    openEdit(edits, end - 1, 0);
    if (!isEmpty(bytes, start, end - 1)) putByte(edits, COMMA);
  } else if (bytes[start] === NULL_START) {
    openEdit(edits, start, NULL_LENGTH);
    putByte(edits, OPEN_ARRAY);
  } else if (bytes[start] === single) {
    openEdit(edits, start, 0);
    putByte(edits, OPEN_ARRAY);
    openEdit(edits, end, 0);
    putByte(edits, COMMA);
  } else return false;
  return true;
}

/** Closes what `beginItems` opened. */
export function endItems({ bytes, map, edits }: Editing, place: number): void {
  if (bytes[startOfPlace(map, place)] !== OPEN_ARRAY) putByte(edits, CLOSE_ARRAY);
}

/** Whether nothing but white space stands between the brackets. */
function isEmpty(bytes: Uint8Array, open: number, close: number): boolean {
  let pos = close - 1;
  while (pos > open && (bytes[pos] as number) <= SPACE) pos--;
  return pos === open;
}
