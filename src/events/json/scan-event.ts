// src/events/json/: where what stands in the bytes of an event, and how bytes are put between them.
import { ESCAPED, noteHash, noteListed, notePlace, noteValue, Place } from './event-map.ts';
import type { EventMap } from './event-map.ts';
import { HASH_START, hashedByte, hashOf } from './byte-hash.ts';
import { createKeyTree, spelledAs } from './key-tree.ts';
import type { KeyNode } from './key-tree.ts';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  endOfEscape,
  endOfPlain,
  endOfScalar,
  endOfString,
  OPEN_ARRAY,
  OPEN_OBJECT,
  PLAIN,
  QUOTE,
  SPACE,
  skipSpace,
} from './json-bytes.ts';

/** The tree in which nothing is wanted: what it reads is only checked. */
const NOTHING = createKeyTree();

/** Strings of so many bytes are rare, and then mostly much longer. */
const LONG = 32;

/** A text being read, and where what is found in an event is noted. */
export interface Scan {
  bytes: Buffer;
  /** See `wordsIn`. */
  words: Int32Array;
  /** First byte that is not part of the text. */
  end: number;
  /** Brackets that may be open at once: the reader recurses once for each. */
  readonly maxDepth: number;
  readonly map: EventMap;
}

/**
 * Reads the event whose `{` is at `from`, notes in `scan.map` what `tree` asks for, and gives the position past its `}`.
 * Every byte is held against the grammar (RFC 8259); a fault is given as the one's complement of where it is. `depth`:
 * brackets open around the event.
 */
export function scanEvent(scan: Scan, tree: KeyNode, from: number, depth: number): number {
  const close = scanObject(scan, tree, from, depth);
  if (close < 0) return close;
  // The tree itself may say that the event is not this object but one inside it; what stands there may be no object.
  const root = scan.map.places[Place.root * 2] as number;
  if (root === -1) notePlace(scan.map, Place.root, from, close);
  else if (scan.bytes[root] !== OPEN_OBJECT) scan.map.valueCount = 0;
  return close;
}

/** The text of a JSON string; `start` and `end` are inside its quotes, and it has been checked. */
export function textOfString(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  return text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text;
}

/*
 * The loops over plain bytes, and the tests for white space, stand here as well as in json-bytes.ts: a call for each of the two
 * hundred strings of an event cost more than all the rest. What is rare (escapes, white space) goes through json-bytes.ts.
 */
function scanObject(scan: Scan, node: KeyNode, from: number, depth: number): number {
  const { bytes, end } = scan;
  if (depth >= scan.maxDepth) return ~from;
  let pos = skipSpace(bytes, from + 1, end);
  if (pos < end && bytes[pos] === CLOSE_OBJECT) return pos + 1;
  for (;;) {
    if (pos >= end) return ~end;
    if (bytes[pos] !== QUOTE) return ~pos;
    const start = pos + 1;
    pos = start;
    while (pos < end && PLAIN[bytes[pos] as number] === 1) pos++;
    let child = NOTHING;
    if (pos < end && bytes[pos] === QUOTE) {
      const length = pos - start;
      const branches = length < node.byLength.length ? node.byLength[length] : undefined;
      if (branches !== undefined) child = spelledAs(branches, bytes, start) ?? NOTHING;
    } else {
      pos = endOfString(bytes, pos, end);
      if (pos < 0) return pos;
      child = node.byText.get(textOfString(bytes, start, pos)) ?? NOTHING;
    }
    pos = skipColon(bytes, pos + 1, end);
    if (pos < 0) return pos;
    if (bytes[pos] === QUOTE && child === NOTHING) {
      pos++;
      const near = pos + LONG < end ? pos + LONG : end;
      while (pos < near && PLAIN[bytes[pos] as number] === 1) pos++;
      if (pos >= end || bytes[pos] !== QUOTE) pos = endOfLong(scan, pos);
      if (pos < 0) return pos;
      pos++;
    } else {
      pos = scanValue(scan, child, pos, depth + 1);
      if (pos < 0) return pos;
    }
    if (pos < end && (bytes[pos] as number) <= SPACE) pos = skipSpace(bytes, pos, end);
    if (pos >= end) return ~end;
    if (bytes[pos] === CLOSE_OBJECT) return pos + 1;
    if (bytes[pos] !== COMMA) return ~pos;
    pos++;
    if (pos < end && (bytes[pos] as number) <= SPACE) pos = skipSpace(bytes, pos, end);
  }
}

/** The closing quote of a string that is long, or has escapes. */
function endOfLong({ bytes, words, end }: Scan, from: number): number {
  let pos = endOfPlain(bytes, words, from, end);
  while (pos < end && bytes[pos] === BACKSLASH) {
    pos = endOfEscape(bytes, pos, end);
    if (pos < 0) return pos;
    pos = endOfPlain(bytes, words, pos, end);
  }
  if (pos >= end) return ~end;
  return bytes[pos] === QUOTE ? pos : ~pos;
}

/** From behind a key to the first byte of its value, which is inside the text. */
function skipColon(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  if (pos < end && bytes[pos] !== COLON) pos = skipSpace(bytes, pos, end);
  if (pos >= end) return ~end;
  if (bytes[pos] !== COLON) return ~pos;
  pos++;
  if (pos < end && (bytes[pos] as number) <= SPACE) pos = skipSpace(bytes, pos, end);
  return pos >= end ? ~end : pos;
}

function scanValue(scan: Scan, node: KeyNode, from: number, depth: number): number {
  const byte = scan.bytes[from];
  let pos: number;
  if (byte === QUOTE) pos = scanString(scan, node, from);
  else if (byte === OPEN_OBJECT) pos = scanObject(scan, node, from, depth);
  else if (byte === OPEN_ARRAY) pos = scanArray(scan, node, from, depth);
  else pos = endOfScalar(scan.bytes, from, scan.end);
  if (node !== NOTHING && pos >= 0) {
    if (node.place >= 0) notePlace(scan.map, node.place, from, pos);
    scan.map.members |= node.member;
  }
  return pos;
}

function scanString(scan: Scan, node: KeyNode, from: number): number {
  if (node.field >= 0) return scanWanted(scan, node.field, from);
  const { bytes, end, map } = scan;
  const start = from + 1;
  let close = start;
  while (close < end && PLAIN[bytes[close] as number] === 1) close++;
  if (close >= end || bytes[close] !== QUOTE) close = endOfString(bytes, close, end);
  if (close < 0) return close;
  if (node.place >= Place.relatedIp && node.place <= Place.relatedHash) noteListed(map, node.place, start, close);
  return close + 1;
}

/** A value that is wanted: its hash is made on the way. */
function scanWanted(scan: Scan, field: number, from: number): number {
  const { bytes, end, map } = scan;
  const start = from + 1;
  let close = start;
  let hash = HASH_START;
  while (close < end && PLAIN[bytes[close] as number] === 1) hash = hashedByte(hash, bytes[close++] as number);
  if (close < end && bytes[close] === QUOTE) {
    if (close === start) return close + 1;
    noteValue(map, field, start, close);
    noteHash(map, hash);
    return close + 1;
  }
  close = endOfString(bytes, close, end);
  if (close < 0) return close;
  noteValue(map, field | ESCAPED, start, close);
  noteHash(map, hashOf(bytes, start, close));
  return close + 1;
}

/** An array in place of a value: its strings are values, its objects are read like the one object they stand for, arrays in it likewise. */
function scanArray(scan: Scan, node: KeyNode, from: number, depth: number): number {
  const { bytes, end } = scan;
  if (depth >= scan.maxDepth) return ~from;
  let pos = skipSpace(bytes, from + 1, end);
  if (pos < end && bytes[pos] === CLOSE_ARRAY) return pos + 1;
  for (;;) {
    if (pos >= end) return ~end;
    const byte = bytes[pos];
    if (byte === QUOTE) pos = scanString(scan, node, pos);
    else if (byte === OPEN_OBJECT) pos = scanObject(scan, node, pos, depth + 1);
    else if (byte === OPEN_ARRAY) pos = scanArray(scan, node, pos, depth + 1);
    else pos = endOfScalar(bytes, pos, end);
    if (pos < 0) return pos;
    if (pos < end && (bytes[pos] as number) <= SPACE) pos = skipSpace(bytes, pos, end);
    if (pos >= end) return ~end;
    if (bytes[pos] === CLOSE_ARRAY) return pos + 1;
    if (bytes[pos] !== COMMA) return ~pos;
    pos++;
    if (pos < end && (bytes[pos] as number) <= SPACE) pos = skipSpace(bytes, pos, end);
  }
}
