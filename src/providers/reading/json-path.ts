import { JSONPathEnvironment, JSONPathError, type JSONPathQuery } from 'json-p3';

/** A longer path is no path. */
const MAX_CHARS = 500;
/** A path that leads to more values than this was not meant; the answer may be as long as the provider likes. */
const MAX_VALUES = 100_000;
/** Objects and lists inside each other that `..` goes down. */
const MAX_DEPTH = 100;
/** Compiled paths that are kept: far more than a configuration has. */
const MAX_KEPT = 2000;

const environment = new JSONPathEnvironment({ maxRecursionDepth: MAX_DEPTH });
// Regular expressions that an answer's text may keep busy for hours.
environment.functionRegister.delete('match');
environment.functionRegister.delete('search');

const kept = new Map<string, JSONPathQuery | null>();

/** Whether a text is a JSONPath that may be used: see `selectJson`. */
export function isJsonPath(text: string): boolean {
  return compile(text) !== null;
}

/**
 * Every value that a path leads to, in document order; missing ones are left out, `null` is a value. A path is one of RFC 9535 that begins
 * with `$`, or the short form `results[0].name`, `data["a.b"][*]`, in which names may hold `-`, `@` and `$` as well. What could take more time
 * than the answer is long is none: `match`, `search`, `..` twice, more than two filters, more than four commas, and
 * the whole document inside a filter.
 */
export function selectJson(document: unknown, path: string): unknown[] {
  const query = compile(path);
  if (!query) return [];
  const found: unknown[] = [];
  for (const { value } of query.lazyQuery(document as Parameters<JSONPathQuery['lazyQuery']>[0])) {
    if (found.length === MAX_VALUES) throw new Error(`${path} leads to more than ${MAX_VALUES} values`);
    found.push(value);
  }
  return found;
}

function compile(text: string): JSONPathQuery | null {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const path = text.trim();
  const query = path.length > MAX_CHARS ? null : ((path.startsWith('$') ? standard(path) : null) ?? standard(fromShortForm(path)));
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(text, query);
  return query;
}

function standard(path: string | null): JSONPathQuery | null {
  if (path === null || !isBounded(path)) return null;
  try {
    return environment.compile(path);
  } catch (fault) {
    if (fault instanceof JSONPathError) return null;
    throw fault;
  }
}

/** Whether the work is bounded by the length of the answer, times the depth of its lists and objects. */
function isBounded(path: string): boolean {
  const bare = path.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "''");
  const count = (sign: string) => bare.split(sign).length - 1;
  return count('..') <= 1 && count('?') <= 2 && count(',') <= 4 && count('$') === 1;
}

const TOKEN = /\.?([A-Za-z_@$][\w@$-]*)|\[(\d{1,6})\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** `data.a-b[0]["c d"]` as `$["data"]["a-b"][0]["c d"]`; `null`: not of that form. */
function fromShortForm(text: string): string | null {
  const path = text.replace(/^\$\.?/, '');
  let normal = '$';
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < path.length) {
    const found = TOKEN.exec(path);
    if (!found) return null;
    const [, key, index, quoted] = found;
    const name = key ?? quoted?.replace(/\\(.)/g, '$1');
    normal += `[${name !== undefined ? JSON.stringify(name) : index !== undefined ? Number(index) : '*'}]`;
  }
  return normal;
}
