import { nextTurn } from '../../engine/turns.ts';
import { BACKSLASH, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.ts';

/** Values in one body: each costs memory many times its own length once it is parsed. */
export const MAX_VALUES = 400_000;
/** A shorter body cannot hold enough to matter. */
const SHORT_BYTES = 64 * 1024;
/** Bytes that are looked through in one turn. */
const TURN_BYTES = 1024 * 1024;

/** `false`: it holds more than `MAX_VALUES` values, brackets and commas counted outside of texts. A text is not checked to be JSON. */
export async function hasFewValues(body: Buffer): Promise<boolean> {
  if (body.length < SHORT_BYTES) return true;
  const count = { values: 0, isText: false, isEscaped: false };
  for (let at = 0; at < body.length; at += TURN_BYTES) {
    if (at > 0) await nextTurn();
    countValues(body, at, count);
    if (count.values > MAX_VALUES) return false;
  }
  return true;
}

/** The same without giving way to anybody, for a thread of its own. */
export function hasFewValuesAtOnce(body: Buffer): boolean {
  const count = { values: 0, isText: false, isEscaped: false };
  for (let at = 0; at < body.length && count.values <= MAX_VALUES; at += TURN_BYTES) countValues(body, at, count);
  return count.values <= MAX_VALUES;
}

interface Count {
  values: number;
  isText: boolean;
  isEscaped: boolean;
}

function countValues(body: Buffer, from: number, count: Count): void {
  let { values, isText, isEscaped } = count;
  const end = Math.min(body.length, from + TURN_BYTES);
  for (let pos = from; pos < end; pos++) {
    const byte = body[pos];
    if (isEscaped) isEscaped = false;
    else if (byte === QUOTE) isText = !isText;
    else if (isText) isEscaped = byte === BACKSLASH;
    else if (byte === COMMA || byte === OPEN_OBJECT || byte === OPEN_ARRAY) values++;
  }
  count.values = values;
  count.isText = isText;
  count.isEscaped = isEscaped;
}

/** Parses a body. A member `__proto__` is left out, wherever it stands: copied to another object it would become that one's prototype. */
export function parseBody(body: Buffer): unknown {
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  const parsed = JSON.parse(text) as unknown;
  // It may be written with escapes, too.
  if (text.includes('proto__') || text.includes('\\u00')) dropPrototypes(parsed);
  return parsed;
}

function dropPrototypes(parsed: unknown): void {
  const open = [parsed];
  for (let value = open.pop(); open.length > 0 || value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
    for (const member of Object.values(value) as unknown[]) if (typeof member === 'object' && member !== null) open.push(member);
  }
}
