import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, endOfScalar, endOfString, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from './json-bytes.ts';

/** A member of an object: where its key begins, its value begins, and what is behind the value. */
export interface Member {
  readonly name: string;
  readonly from: number;
  readonly value: number;
  readonly to: number;
}

/** The members of the object whose brackets are the bytes at `open` and before `end`. It has been checked that they are JSON. */
export function membersOf(bytes: Buffer, open: number, end: number): Member[] {
  const members: Member[] = [];
  let pos = skipSpace(bytes, open + 1, end);
  while (bytes[pos] === QUOTE) {
    const from = pos;
    const close = endOfString(bytes, from + 1, end);
    const value = skipSpace(bytes, skipSpace(bytes, close + 1, end) + 1, end);
    const to = endOfValue(bytes, value, end);
    members.push({ name: String(JSON.parse(bytes.toString('utf8', from, close + 1))), from, value, to });
    pos = skipSpace(bytes, to, end);
    if (bytes[pos] === COMMA) pos = skipSpace(bytes, pos + 1, end);
  }
  return members;
}

function endOfValue(bytes: Buffer, from: number, end: number): number {
  if (bytes[from] === QUOTE) return endOfString(bytes, from + 1, end) + 1;
  if (bytes[from] !== OPEN_OBJECT && bytes[from] !== OPEN_ARRAY) return endOfScalar(bytes, from, end);
  let depth = 0;
  for (let pos = from; pos < end; pos += 1) {
    const byte = bytes[pos];
    if (byte === QUOTE) pos = endOfString(bytes, pos + 1, end);
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth -= 1;
    if (depth === 0) return pos + 1;
  }
  return end;
}
