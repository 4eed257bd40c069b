import { insert, replace } from '../json/edits.ts';
import type { Edits } from '../json/edits.ts';
import type { EventMap } from '../json/event-map.ts';
import { OPEN_ARRAY, OPEN_OBJECT, SPACE } from '../json/lex.ts';

const NULL_START = 0x6e;
const NULL_LENGTH = 4;
export const COMMA_PIECE = Buffer.from(',');
const BRACKET = Buffer.from('[');
const END_BRACKET = Buffer.from(']');
const BRACE = Buffer.from('{');
const END_BRACE = Buffer.from('}');

/** An event (read from `bytes`, its places in `map`) and the edits it gets. */
export interface Editing {
  bytes: Uint8Array;
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

/**
 * Adds members to the object at `place`; the first byte of the first piece is a comma. `null` becomes an object.
 * `false`: something else stands there and is left alone.
 */
export function extendObject({ bytes, map, edits }: Editing, place: number, members: readonly Uint8Array[]): boolean {
  const start = startOfPlace(map, place);
  const isNull = bytes[start] === NULL_START;
  if (!isNull && bytes[start] !== OPEN_OBJECT) return false;
  const at = isNull ? start + NULL_LENGTH : endOfPlace(map, place) - 1;
  if (isNull) replace(edits, start, BRACE, NULL_LENGTH);
  for (const piece of isNull || isEmpty(bytes, start, at) ? withoutComma(members) : members) insert(edits, at, piece);
  if (isNull) insert(edits, at, END_BRACE);
  return true;
}

/**
 * Adds items (pieces with the commas between them) to the list at `place`. A single value that begins with the byte `single`
 * becomes a list, and so does `null`. `false`: something else stands there and is left alone.
 */
export function extendList({ bytes, map, edits }: Editing, place: number, items: readonly Uint8Array[], single: number): boolean {
  const start = startOfPlace(map, place);
  const end = endOfPlace(map, place);
  if (bytes[start] === OPEN_ARRAY) {
    if (!isEmpty(bytes, start, end - 1)) insert(edits, end - 1, COMMA_PIECE);
    for (const item of items) insert(edits, end - 1, item);
    return true;
  }
  if (bytes[start] === NULL_START) replace(edits, start, BRACKET, NULL_LENGTH);
  else if (bytes[start] === single) {
    insert(edits, start, BRACKET);
    insert(edits, end, COMMA_PIECE);
  } else return false;
  for (const item of items) insert(edits, end, item);
  insert(edits, end, END_BRACKET);
  return true;
}

/** The pieces without their first byte, the comma that divides them from what is before. */
export function withoutComma([first, ...others]: readonly Uint8Array[]): Uint8Array[] {
  return first === undefined ? [] : [first.subarray(1), ...others];
}

/** Whether nothing but white space stands between the brackets. */
function isEmpty(bytes: Uint8Array, open: number, close: number): boolean {
  let pos = close - 1;
  while (pos > open && (bytes[pos] as number) <= SPACE) pos--;
  return pos === open;
}
