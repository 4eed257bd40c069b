import { OPEN_OBJECT, QUOTE, skipSpace } from '../../../events/json/json-bytes.ts';

/** What a line of a bulk body asks for. `blank`: nothing; `broken`: nobody knows, so neither where the next action is. */
export type Action = 'index' | 'create' | 'update' | 'delete' | 'blank' | 'broken';

const ACTIONS: readonly (readonly [Action, Uint8Array])[] = (['index', 'create', 'update', 'delete'] as const).map((action) => [
  action,
  Buffer.from(action),
]);

/** The action on the line from `start` to `end`: the first key of its object. */
export function actionOn(bytes: Uint8Array, start: number, end: number): Action {
  const open = skipSpace(bytes, start, end);
  if (open === end) return 'blank';
  const key = skipSpace(bytes, open + 1, end);
  if (bytes[open] !== OPEN_OBJECT || bytes[key] !== QUOTE) return 'broken';
  for (const [action, name] of ACTIONS) {
    if (bytes[key + 1 + name.length] === QUOTE && isSpelled(bytes, key + 1, name)) return action;
  }
  return 'broken';
}

function isSpelled(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let n = 0; n < name.length; n++) {
    if (bytes[at + n] !== name[n]) return false;
  }
  return true;
}

/** The `_index` that the line names; `null`: none. Only asked for where fields differ by index. */
export function indexOn(bytes: Buffer, start: number, end: number): string | null {
  try {
    const line = JSON.parse(bytes.toString('utf8', start, end)) as Record<string, { _index?: unknown } | null>;
    const index = Object.values(line)[0]?._index;
    return typeof index === 'string' ? index : null;
  } catch {
    return null;
  }
}
