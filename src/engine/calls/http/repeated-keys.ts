const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const COLON = 58;
const SPACE = 32;
/** Brackets around the rows of a list in an object: `{"results":[{`. */
const ROW_DEPTH = 3;
/** Keys of one object that are told apart. */
const MAX_KEYS = 31;

/**
 * Whether one object of a JSON text says one of `keys` twice: the outermost one, or a row of a list in it. JSON's parsers keep the last of
 * them, whatever the first one said. The text has been parsed: it is JSON. Keys written with escapes count as others.
 */
export function repeatsKey(text: string, keys: readonly string[]): boolean {
  if (keys.slice(0, MAX_KEYS).every((key) => !occursTwice(text, `"${key}"`))) return false;
  let depth = 0;
  let seen = 0;
  let outer = 0;
  for (let pos = 0; pos < text.length; pos++) {
    const code = text.charCodeAt(pos);
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (++depth === ROW_DEPTH) {
        outer = seen;
        seen = 0;
      }
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      if (depth-- === ROW_DEPTH) seen = outer;
    } else if (code === QUOTE) {
      const end = endOfString(text, pos);
      if ((depth === 1 || depth === ROW_DEPTH) && isKey(text, end)) {
        const bit = bitOf(keys, text.slice(pos + 1, end));
        if ((seen & bit) !== 0) return true;
        seen |= bit;
      }
      pos = end;
    }
  }
  return false;
}

function occursTwice(text: string, part: string): boolean {
  const first = text.indexOf(part);
  return first >= 0 && text.includes(part, first + part.length);
}

function bitOf(keys: readonly string[], key: string): number {
  const at = keys.indexOf(key);
  return at < 0 || at >= MAX_KEYS ? 0 : 1 << at;
}

/** The quote that ends the string whose first quote is at `from`. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let pos = end + 1;
  while (text.charCodeAt(pos) <= SPACE) pos++;
  return text.charCodeAt(pos) === COLON;
}
