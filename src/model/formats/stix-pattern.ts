/** Object paths whose value is an indicator (STIX 2.1 §6). */
const PATHS = [
  /^(ipv4-addr|ipv6-addr|domain-name|url|email-addr):value$/,
  /^network-traffic:(dst|src)_ref\.value$/,
  /^email-message:(from|sender)_ref\.value$/,
];
const HASH_PATH = /^file:hashes\.'?(MD5|SHA-?1|SHA-?256|SHA-?512)'?$/i;

/** Longest pattern that is read. */
const MAX_CHARACTERS = 1 << 20;
const TOKEN = /\s+|'(?:[^'\\]|\\.)*'|[A-Za-z0-9_-]+:(?:[A-Za-z0-9_.[\]*-]|'[^']*')+|\bAND\b|\bOR\b|\bIN\b|[[\]()=,]|[^\s]+/gy;

/** What a pattern amounts to: values that each are an indicator of their own, or why it is no such list. */
export type PatternValues = { readonly values: readonly string[] } | { readonly reason: string };

/**
 * The values of a STIX pattern that is a list of alternatives: `[ipv4-addr:value = 'a' OR url:value IN ('b', 'c')]`, `[…] OR […]`.
 * `AND` is taken between hashes of one file only, where each names it alone; anything else needs several things at once.
 */
export function readPattern(pattern: string): PatternValues {
  if (pattern.length > MAX_CHARACTERS) return { reason: `pattern is longer than ${MAX_CHARACTERS} characters` };
  const tokens = (pattern.match(TOKEN) ?? []).filter((token) => token.trim() !== '');
  const values: string[] = [];
  let at = 0;
  while (at < tokens.length) {
    if (values.length > 0) {
      if (tokens[at] !== 'OR') return { reason: `pattern relates several observations (${shown(tokens[at])}): no single indicator` };
      at += 1;
    }
    const end = tokens.indexOf(']', at);
    if (tokens[at] !== '[' || end < 0) return { reason: `not a pattern we can read, at ${shown(tokens[at])}` };
    const found = readComparisons(tokens.slice(at + 1, end));
    if ('reason' in found) return found;
    for (const value of found.values) values.push(value);
    at = end + 1;
  }
  return values.length > 0 ? { values } : { reason: 'empty pattern' };
}

function readComparisons(tokens: readonly string[]): PatternValues {
  const values: string[] = [];
  let at = 0;
  while (at < tokens.length) {
    const [path = '', operator] = tokens.slice(at, at + 2);
    const isHash = HASH_PATH.test(path);
    if (!isHash && !PATHS.some((known) => known.test(path))) return { reason: `${shown(path)} names no indicator` };
    const list = operator === 'IN' ? tokens.indexOf(')', at) : at + 2;
    if ((operator !== '=' && operator !== 'IN') || list < 0)
      return { reason: `comparison ${shown(operator)} is more than a list of values` };
    const quoted = tokens.slice(at + 2, list + 1).filter((token) => token.startsWith("'"));
    if (quoted.length === 0) return { reason: `${shown(path)} is compared with no text` };
    for (const token of quoted) values.push(unquote(token));
    at = list + 1;
    const joint = tokens[at];
    if (joint === undefined) break;
    const isSameFile = joint === 'AND' && isHash && HASH_PATH.test(tokens[at + 1] ?? '');
    if (joint !== 'OR' && !isSameFile) return { reason: `pattern wants several things at once (${shown(joint)}): no single indicator` };
    at += 1;
  }
  return { values };
}

function unquote(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, '$1');
}

function shown(token: string | undefined): string {
  return token === undefined ? 'its end' : token.slice(0, 60);
}
