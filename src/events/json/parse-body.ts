import { nextTurn } from '../../engine/turns.ts';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.ts';

/** Values in one body: each costs memory many times its own length once it is parsed. */
export const MAX_VALUES = 400_000;
/** Brackets that a body may have open at once. */
export const MAX_BODY_DEPTH = 1000;
/** A shorter body cannot hold enough to matter. */
const SHORT_BYTES = 64 * 1024;
/** Bytes of UTF-8 that one character of a text takes at most. */
const MOST_BYTES = 3;
/** Bytes that are looked through in one turn. */
const TURN_BYTES = 1024 * 1024;

/** What a body holds too much of to be parsed: `values`, or brackets open at once. `null`: it can be. A text is not checked to be JSON. */
export type Excess = 'values' | 'depth' | null;

/** What a body may hold at most, brackets and commas counted outside of texts. */
export interface BodyBounds {
  readonly values: number;
  readonly depth: number;
}

/** Looks through a body before it is parsed, in slices. */
export async function excessOf(body: Buffer, bounds: BodyBounds): Promise<Excess> {
  if (body.length < SHORT_BYTES) return null;
  const count = newCount();
  for (let at = 0; at < body.length; at += TURN_BYTES) {
    if (at > 0) await nextTurn();
    const excess = countValues(body, at, count, bounds);
    if (excess !== null) return excess;
  }
  return null;
}

/** The same without giving way to anybody, for short bodies and threads of their own. */
export function excessAtOnce(body: Buffer, bounds: BodyBounds): Excess {
  if (body.length < SHORT_BYTES) return null;
  const count = newCount();
  let excess: Excess = null;
  for (let at = 0; at < body.length && excess === null; at += TURN_BYTES) excess = countValues(body, at, count, bounds);
  return excess;
}

/** The same of a text; a short one is not copied for it. */
export function excessInText(text: string, bounds: BodyBounds): Excess {
  return text.length * MOST_BYTES < SHORT_BYTES ? null : excessAtOnce(Buffer.from(text), bounds);
}

interface Count {
  values: number;
  depth: number;
  isText: boolean;
  isEscaped: boolean;
}

function newCount(): Count {
  return { values: 0, depth: 0, isText: false, isEscaped: false };
}

function countValues(body: Buffer, from: number, count: Count, bounds: BodyBounds): Excess {
  let { values, depth, isText, isEscaped } = count;
  const end = Math.min(body.length, from + TURN_BYTES);
  for (let pos = from; pos < end; pos++) {
    const byte = body[pos];
    if (isEscaped) isEscaped = false;
    else if (byte === QUOTE) isText = !isText;
    else if (isText) isEscaped = byte === BACKSLASH;
    else if (byte === COMMA) values++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      values++;
      if (++depth > bounds.depth) return 'depth';
    }
  }
  Object.assign(count, { values, depth, isText, isEscaped });
  return values > bounds.values ? 'values' : null;
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
