import type { Indicator, LookupReading, ParsedObservable } from './indicator.ts';
import { parseIndicator } from './parse-indicator.ts';
import { redirectTargets, urlHost } from './parsing/hosts-in-url.ts';
import { maskedNetwork } from './parsing/masked-network.ts';
import { isLongerThan, MAX_VALUE_BYTES, tooLongReason } from './parsing/longest-value.ts';
import { withoutNote } from './parsing/note-behind.ts';
import { isPlaceholder } from './parsing/placeholder.ts';
import { namedByCounts, valuesAroundBracket, withoutLabel } from './parsing/value-in-form.ts';

/** Most indicators that are asked about for one value. */
const MAX_PARTS = 16;
/** Longest text that is taken for a list. */
const MAX_LIST_CHARS = 2048;

/** The answers of a DNS query as Sysmon writes them: `type:  5 name;type:  33 ;::ffff:192.0.2.1;`. An address has no type before it. */
const RECORD_TYPE = /(?:^|;)\s*type:\s*\d{1,5}\b/i;
const RECORD_TYPES = /(^|;)\s*type:\s*\d{1,5}\b(?:\s+\d{1,5}(?=\s))?/gi;

/** A value that names something. */
type Named = Exclude<ParsedObservable, { kind: 'invalid' }>;

const NOTHING: LookupReading = { kind: 'nothing', reason: 'empty, or a placeholder: nothing to look up' };

/**
 * Reads a value as every host looks it up: `parseIndicator`, and where that would leave something in the dark, what is sure to be in the
 * value. A URL beyond the bound, with several "@", or with control characters is asked by its host; a URL that leads on to another host, a
 * list of addresses, a text with several hashes of one file by all of them. Whoever gets `parts` never resolves by itself.
 */
export function readForLookup(value: string, maxBytes = MAX_VALUE_BYTES): LookupReading {
  if (isLongerThan(value, maxBytes)) return readLong(value, maxBytes);
  const parsed = parseIndicator(value);
  if (parsed.kind === 'invalid')
    return isPlaceholder(value) ? NOTHING : (readForm(value) ?? readList(value) ?? readBrokenUrl(value) ?? parsed);
  // A dash of typesetting reads as the name of a host.
  if (parsed.kind === 'private' && parsed.indicator.type === 'domain-name' && isPlaceholder(value)) return NOTHING;
  if (parsed.indicator.type !== 'url') return parsed;
  if (PORT_AND_MORE.test(value)) return readForm(value) ?? parsed;
  return NO_PART_OF_A_URL.test(value) ? readUrlAndMore(value, parsed) : readUrl(value, parsed);
}

/** What may tell that more than a URL stands there. */
const NO_PART_OF_A_URL = /[\s<"]|[,;|]\s*[a-z][a-z0-9+.-]{1,15}:\/\//i;
/** A firewall's address and port, and in brackets the user: `192.0.2.1/443(CORP\bob)`. */
const PORT_AND_MORE = /^\s*[\d.]{7,15}\/\d{1,5}\s?\(/;
const NEXT_URL = /[\s,;|][a-z][a-z0-9+.-]{1,15}:\/\//i;

/** A URL with a note, mark-up or another URL behind it: what is sure is parted, else its host is asked. */
function readUrlAndMore(value: string, parsed: Named): LookupReading {
  const alone = withoutNote(value.trim());
  if (NEXT_URL.test(alone))
    return readList(value) ?? { kind: 'invalid', reason: 'several URLs in one value: give each a value of its own' };
  if (/\s/.test(alone)) return readBrokenUrl(value) ?? { kind: 'invalid', reason: 'blanks in a URL: write the URL alone' };
  const url = parseIndicator(alone);
  return url.kind === 'invalid' ? url : readUrl(alone, parsed.indicator.type === url.indicator.type ? url : parsed);
}

/** What is told to whoever looks a long value up; the value's beginning is enough to know it again. */
export const SHOWN_CHARS = 64;

function readLong(value: string, maxBytes: number): LookupReading {
  const host = urlHost(value);
  if (host === null) return { kind: 'invalid', reason: tooLongReason(maxBytes) };
  const note = `longer than ${maxBytes} bytes: only ${host.indicator.value} was looked up, not the whole (sidecar.max_value_bytes)`;
  return host.kind === 'private' ? host : partsOf([host.indicator, ...redirectTargets(value)], note);
}

function readUrl(value: string, parsed: Named): LookupReading {
  if (value.includes('@') && hasSeveralUsers(value)) {
    const host = urlHost(value);
    if (host?.kind === 'public')
      return partsOf([host.indicator], `URL with more than one "@": only its host ${host.indicator.value} was looked up`);
  }
  const url = parsed.indicator.value;
  if (parsed.kind === 'private' || !mayRedirect(url)) return parsed;
  const targets = redirectTargets(url);
  if (targets.length === 0) return parsed;
  const names = targets.map((target) => target.value).join(', ');
  return partsOf([parsed.indicator, ...targets], `the URL leads on: it was looked up, and the host in it (${names})`);
}

/** A first look, since most URLs name no other one. */
function mayRedirect(url: string): boolean {
  return url.includes('//', url.indexOf('://') + 3) || (url.includes('%') && /%(?:25)*2f/i.test(url));
}

function hasSeveralUsers(value: string): boolean {
  const scheme = value.indexOf('://');
  if (scheme < 0) return false;
  const rest = value.slice(scheme + 3);
  const authority = rest.slice(0, Math.max(0, rest.search(/[/?#\\]|$/)));
  return authority.indexOf('@') !== authority.lastIndexOf('@');
}

/** A URL that cannot be read whole, while its host can: blanks, control characters, mark-up behind it. */
function readBrokenUrl(value: string): LookupReading | null {
  const scheme = value.indexOf('://');
  if (scheme < 0) return readBareBrokenUrl(value);
  if (!/^[\s"'<([{]*[a-z][a-z0-9+.*[\](){}-]{0,31}$/i.test(value.slice(0, scheme))) return null;
  if (!/[\s\p{Cc}]/u.test(value.trim()) || /[\s,;|]+[a-z][a-z0-9+.-]{0,31}:\/\//i.test(value.slice(scheme))) return null;
  const host = urlHost(value);
  if (host?.kind !== 'public') return null;
  return partsOf([host.indicator], `URL with blanks or control characters: only its host ${host.indicator.value} was looked up`);
}

/** `evil.com/a b.pdf`: a URL without its scheme and with blanks, and nothing behind the first of them that names anything. */
function readBareBrokenUrl(value: string): LookupReading | null {
  const [first = '', ...more] = value.trim().split(/\s+/);
  if (more.length === 0 || !/^[a-z\d][\w.-]*\.[\w-]+(?::\d{1,5})?\/(?!\d{1,5}$)[^\s;,|]/i.test(first)) return null;
  if (more.some((piece) => /:\/\/|^[;#]/.test(piece) || parseIndicator(piece).kind === 'public')) return null;
  const host = urlHost(first);
  if (host?.kind !== 'public') return null;
  return partsOf([host.indicator], `URL with blanks: only its host ${host.indicator.value} was looked up`);
}

/** A value in a form in which logs and lists write it: with its type before it, or with something in brackets behind it. */
function readForm(value: string): LookupReading | null {
  if (value.length > MAX_LIST_CHARS) return null;
  const network = maskedNetwork(value);
  if (network !== null) return readForLookup(network);
  const bare = withoutLabel(value);
  const read = bare === null ? null : readForLookup(bare);
  if (read !== null && read.kind !== 'invalid') return read;
  const alone = namedByCounts(value);
  if (alone !== null) return alone;
  const found = valuesAroundBracket(value).map(({ indicator }) => indicator);
  return found.length === 0 ? null : partsOf(found, noteOf(found.length));
}

function noteOf(count: number): string {
  const note = count === 1 ? 'one value in a longer text: it was looked up' : `${count} values in one: all looked up`;
  return `${note}; give each a value of its own`;
}

/** Several indicators in one text, where it is sure what parts them: each part is one that can be looked up. */
function readList(value: string): LookupReading | null {
  if (value.length > MAX_LIST_CHARS) return null;
  const hashes = hashList(value);
  const [only] = hashes ?? [];
  if (only && hashes?.length === 1) return { kind: 'public', indicator: only };
  if (hashes !== null) return partsOf(hashes, `several hashes in one value: all ${hashes.length} looked up`);
  const isTyped = RECORD_TYPE.test(value);
  const said = (isTyped ? value.replaceAll(RECORD_TYPES, '$1') : (forwardedFor(value) ?? value)).trim();
  // A list that was made a text: `['192.0.2.1', '192.0.2.2']`.
  const [, inside = said] = /^[[({]([^[\](){}]*)[\])}]$/.exec(said) ?? [];
  const pieces = inside.split(/[\s,;|]+/).filter((piece) => piece !== '');
  const words = pieces.filter((piece) => !isPlaceholder(piece));
  if (words.length === 0 || (pieces.length < 2 && said === value) || words.length > MAX_PARTS) return null;
  const parts: Indicator[] = [];
  for (const word of words) {
    const part = parseIndicator(withoutLabel(word) ?? word);
    // Plain words are names of hosts of ours, if one likes; a list that is sure has none.
    const isSure =
      isTyped || part.kind === 'public' || (part.kind === 'private' && /^[\da-f:]*[.:][\da-f.:]*$/i.test(part.indicator.value));
    if (part.kind === 'invalid' || !isSure) return null;
    parts.push(part.indicator);
  }
  return partsOf(parts, noteOf(words.length));
}

/** The addresses of a `Forwarded` header (RFC 7239): `for=192.0.2.1;proto=http, for="[2001:db8::1]:443"`; `null`: it is none. */
function forwardedFor(value: string): string | null {
  if (!/^\s*(?:by|for|host|proto)=/i.test(value)) return null;
  const hops = Array.from(value.matchAll(/(?:^|[;,\s])for=(?:"([^"]*)"|([^\s;,"]+))/gi), ([, quoted, plain]) => quoted ?? plain);
  // A node may hide its name (§6.3): `for=_hidden`.
  return hops.length === 0 ? null : hops.filter((hop) => !hop?.startsWith('_')).join(',');
}

/** `MD5=…,SHA256=…,IMPHASH=…` as Sysmon writes it, of one file; `null`: something else. */
function hashList(value: string): Indicator[] | null {
  if (!/^\W*(?:md5|sha-?1|sha-?256|sha-?512|imphash)\W{0,3}[=:]/i.test(value)) return null;
  const found: Indicator[] = [];
  for (const pair of value.split(/[\s,;|]+/)) {
    const said = /^\W*([a-z][a-z\d-]*)\W{0,3}[=:]\W{0,3}([\da-f]+)\W*$/i.exec(pair);
    if (said === null) {
      // `SHA1=` says that there is none.
      if (/\w/.test(pair) && !/^\W*(?:md5|sha-?\d{1,3}|imphash)\W*$/i.test(pair)) return null;
      continue;
    }
    const [, name = '', digits = ''] = said;
    // Hashes of a part of the file, and of how it looks, name no file.
    if (!/^(?:md5|sha-?1|sha-?256|sha-?512)$/i.test(name) || /^0+$/.test(digits)) continue;
    const parsed = parseIndicator(`${name}:${digits}`);
    if (parsed.kind === 'invalid') return null;
    found.push(parsed.indicator);
  }
  return found.length === 0 ? null : found;
}

function partsOf(found: readonly Indicator[], note: string): LookupReading {
  const byValue = new Map(found.map((indicator) => [indicator.value, indicator]));
  const parts = [...byValue.values()].slice(0, MAX_PARTS);
  return { kind: 'parts', parts, note };
}
