/**
 * URLs as Safe Browsing compares them: https://developers.google.com/safe-browsing/reference/URLs.and.Hashing.
 * All text in here is a byte string: one character per byte, as the rules are written for bytes.
 */
interface CanonicalUrl {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
}

const MAX_HOST_SUFFIXES = 4;
const MAX_PATH_PREFIXES = 4;

/** The URL in the spelling that Safe Browsing hashes; `http://` is added where no scheme is given. */
export function canonicalUrl(url: string): string {
  const { scheme, host, path, query } = parse(url);
  return `${scheme}://${host}${path}${query}`;
}

/**
 * What is hashed and looked up for a URL: up to 5 host suffixes times up to 6 path prefixes, without scheme, port or user.
 * Suffixes go from the last five labels down to two, as in v4; of names with more than six labels v5 would also try the sixth.
 */
export function lookupExpressions(url: string): string[] {
  const { host, path, query } = parse(url);
  const paths = [...new Set([path + query, path, ...pathPrefixes(path)])];
  return [host, ...hostSuffixes(host)].flatMap((name) => paths.map((tail) => name + tail));
}

function parse(url: string): CanonicalUrl {
  const trimmed = url.replace(/[\t\r\n]/g, '').replace(/^ +| +$/g, '');
  const plain = unescapeAll(bytesOf(trimmed.replace(/#.*$/s, '')));
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(plain) ?? [];
  const authority = /^[^/?]*/.exec(rest)?.[0] ?? '';
  const [, path = '', query = ''] = /^([^?]*)(\?.*)?$/s.exec(rest.slice(authority.length)) ?? [];
  return {
    scheme: scheme.toLowerCase(),
    host: escapeBytes(canonicalHost(authority)),
    path: escapeBytes(canonicalPath(path)),
    query: escapeBytes(query),
  };
}

/** Percent-unescapes until nothing is left to unescape, in one pass: a decoded character may complete an escape before it. */
function unescapeAll(text: string): string {
  const out: string[] = [];
  for (const character of text) {
    out.push(character);
    for (;;) {
      const [percent, high, low] = out.slice(-3);
      if (out.length < 3 || percent !== '%' || !isHex(high) || !isHex(low)) break;
      out.splice(-3, 3, String.fromCharCode(Number.parseInt(`${high}${low}`, 16)));
    }
  }
  return out.join('');
}

function isHex(character: string | undefined): boolean {
  return character !== undefined && /^[0-9a-f]$/i.test(character);
}

function bytesOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

function escapeBytes(bytes: string): string {
  return bytes.replace(/[^\x21-\x7e]|[#%]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function canonicalHost(authority: string): string {
  const host = authority
    .replace(/^.*@/s, '')
    .replace(/:\d*$/, '')
    .replace(/\.+/g, '.')
    .replace(/^\.|\.$/g, '')
    .toLowerCase();
  if (host.startsWith('[')) return URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).host : host;
  return dottedDecimal(host) ?? host;
}

/** Any legal spelling of an IPv4 address (decimal, octal, hex, one to four parts) in four decimal parts; `null`: no address. */
function dottedDecimal(host: string): string | null {
  const parts = host.split('.');
  if (parts.length > 4 || !parts.every((part) => /^(0x[0-9a-f]+|\d+)$/.test(part))) return null;
  const numbers = parts.map((part) => (/^0[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number(part)));
  const last = numbers.pop() ?? Number.NaN;
  if (!(last < 256 ** (4 - numbers.length)) || numbers.some((part) => part > 255)) return null;
  const tail = Array.from({ length: 4 - numbers.length }, (_, n) => Math.floor(last / 256 ** (3 - numbers.length - n)) % 256);
  return [...numbers, ...tail].join('.');
}

function canonicalPath(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').filter((segment) => segment !== '');
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  const isFolder = path.endsWith('/') || ['.', '..'].includes(segments.at(-1) ?? '.');
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`;
}

function hostSuffixes(host: string): string[] {
  if (host.startsWith('[') || dottedDecimal(host) !== null) return [];
  const labels = host.split('.').slice(-(MAX_HOST_SUFFIXES + 1));
  const suffixes = labels.map((_, n) => labels.slice(n).join('.')).filter((suffix) => suffix !== host && suffix.includes('.'));
  return suffixes.slice(0, MAX_HOST_SUFFIXES);
}

/** `/`, `/a/`, `/a/b/`: the folders from the root, four at most. */
function pathPrefixes(path: string): string[] {
  const folders = path.split('/').slice(1, -1);
  return ['/', ...folders.map((_, n) => `/${folders.slice(0, n + 1).join('/')}/`)].slice(0, MAX_PATH_PREFIXES);
}
