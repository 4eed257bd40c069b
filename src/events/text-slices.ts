import { CLOSE_ARRAY, CLOSE_OBJECT, closingQuote, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from './json/json-bytes.ts';
import { startOf, type TextForm } from './enrich-text.ts';

const LINE_FEED = 0x0a;
/** A slice is about this long; an event that is longer is one. */
const SLICE_BYTES = 64 * 1024;

/** A piece of a text. `between`: bytes that stay as they are. `fault`: the text is no JSON from `offset` on. */
export type TextSlice =
  | {
      readonly kind: 'events';
      /** Whole events, a text of their own: of an array with brackets around them, which are `margin` bytes at both ends. */
      readonly bytes: Buffer;
      /** Where they stand in the text. */
      readonly offset: number;
      readonly margin: 0 | 1;
    }
  | { readonly kind: 'between'; readonly bytes: Buffer }
  | { readonly kind: 'fault'; readonly offset: number };

/** Cuts a text between its events. Whether what lies between the cuts is JSON is for its reader to see; a text that is no array is one slice. */
export function* slicesOf(text: Buffer, form: TextForm): Generator<TextSlice> {
  const start = form === 'json' ? skipSpace(text, startOf(text), text.length) : 0;
  if (form === 'ndjson') yield* linesOf(text);
  else if (text[start] === OPEN_ARRAY) yield* itemsOf(text, start);
  else yield { kind: 'events', bytes: text, offset: 0, margin: 0 };
}

function* linesOf(text: Buffer): Generator<TextSlice> {
  for (let pos = 0; pos < text.length;) {
    const feed = pos + SLICE_BYTES < text.length ? text.indexOf(LINE_FEED, pos + SLICE_BYTES) : -1;
    const end = feed < 0 ? text.length : feed + 1;
    yield { kind: 'events', bytes: text.subarray(pos, end), offset: pos, margin: 0 };
    pos = end;
  }
}

function* itemsOf(text: Buffer, start: number): Generator<TextSlice> {
  yield { kind: 'between', bytes: text.subarray(0, start + 1) };
  for (let pos = start + 1; ;) {
    const end = endOfItems(text, pos);
    // What is not closed is no array: its reader says where it breaks.
    if (end < 0)
      return yield { kind: 'events', bytes: Buffer.concat([text.subarray(start, start + 1), text.subarray(pos)]), offset: pos, margin: 1 };
    const isLast = text[end] === CLOSE_ARRAY;
    const isBlank = skipSpace(text, pos, end) === end;
    if (isBlank && !(isLast && pos === start + 1)) return yield { kind: 'fault', offset: end };
    yield { kind: 'events', bytes: Buffer.concat([OPEN, text.subarray(pos, end), CLOSE]), offset: pos, margin: 1 };
    if (isLast) return yield* behind(text, end);
    yield { kind: 'between', bytes: text.subarray(end, end + 1) };
    pos = end + 1;
  }
}

function* behind(text: Buffer, end: number): Generator<TextSlice> {
  const rest = skipSpace(text, end + 1, text.length);
  if (rest < text.length) yield { kind: 'fault', offset: rest };
  else yield { kind: 'between', bytes: text.subarray(end) };
}

const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');

/** The bracket that ends the array, or a comma between its items that is far enough from `from`; -1: the text ends before. */
function endOfItems(text: Buffer, from: number): number {
  let depth = 0;
  for (let pos = from; pos < text.length; pos++) {
    const byte = text[pos];
    if (byte === QUOTE) {
      pos = closingQuote(text, pos + 1);
      if (pos < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_ARRAY && depth === 0) return pos;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
    else if (byte === COMMA && depth === 0 && pos - from >= SLICE_BYTES) return pos;
  }
  return -1;
}
