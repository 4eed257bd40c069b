// src/events/bulk/: the body of a bulk request, line by line, and what of it is enriched.
import { OPEN_OBJECT, QUOTE, skipSpace } from '../json/json-bytes.ts';

/** What a line of a bulk body asks for. `blank`: nothing; `broken`: nobody knows, so neither where the next action is. */
export type Action = 'index' | 'create' | 'update' | 'delete' | 'blank' | 'broken';

const NAMES = ['index', 'create', 'update', 'delete'] as const;
const ACTIONS: readonly (readonly [Action, Uint8Array])[] = NAMES.map((action) => [action, Buffer.from(action)]);
/** An action that is spelled oddly is read as JSON up to this length: a longer line is a document. */
const LONGEST_ODD = 4096;
const MARK = 0xef;

/** The action on the line from `start` to `end`: the first key of its object. */
export function actionOn(bytes: Buffer, start: number, end: number): Action {
  const open = skipSpace(bytes, behindMark(bytes, start), end);
  if (open >= end) return 'blank';
  const key = skipSpace(bytes, open + 1, end);
  if (bytes[open] !== OPEN_OBJECT || bytes[key] !== QUOTE) return 'broken';
  for (const [action, name] of ACTIONS) {
    if (bytes[key + 1 + name.length] === QUOTE && isSpelled(bytes, key + 1, name)) return action;
  }
  return end - open > LONGEST_ODD ? 'broken' : oddActionOn(bytes, open, end);
}

/** Past the byte order mark at `start`, if there is one. The engine reads each line for itself, so each may begin with one. */
export function behindMark(bytes: Uint8Array, start: number): number {
  return bytes[start] === MARK && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start;
}

function isSpelled(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let n = 0; n < name.length; n++) {
    if (bytes[at + n] !== name[n]) return false;
  }
  return true;
}

/** An action whose name is spelled with escapes, which the engine undoes. */
function oddActionOn(bytes: Buffer, open: number, end: number): Action {
  const line = parsed(bytes, open, end);
  const [key] = line === null ? [] : Object.keys(line);
  return NAMES.find((name) => name === key) ?? 'broken';
}

/** The `_index` that the line names; `null`: none. Only asked for where fields differ by index. */
export function indexOn(bytes: Buffer, start: number, end: number): string | null {
  const line = parsed(bytes, behindMark(bytes, start), end) as Record<string, { _index?: unknown } | null> | null;
  const index = line === null ? null : Object.values(line)[0]?._index;
  return typeof index === 'string' ? index : null;
}

function parsed(bytes: Buffer, start: number, end: number): object | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
    return typeof value === 'object' ? value : null;
  } catch {
    // A line that cannot be read names nothing.
    return null;
  }
}
