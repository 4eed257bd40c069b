import { parseHost, parseIpv6 } from './host-name.ts';
import type { Indicator, ParsedObservable } from '../indicator.ts';
import { invalid } from './invalid-observable.ts';

/** Ports that need not be written, by scheme (WHATWG URL). */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ftp', 21],
  ['ws', 80],
  ['wss', 443],
]);

/** Schemes that name something on this machine, not on the network. */
const LOCAL_SCHEMES: ReadonlySet<string> = new Set([
  'file',
  'res',
  'about',
  'chrome',
  'chrome-extension',
  'moz-extension',
  'ms-browser-extension',
  'resource',
  'content',
  'view-source',
]);

const MAX_PORT = 65_535;

/** Longest canonical URL, in characters: percent-encoding may make one up to nine times as long as it was written. */
export const MAX_URL = 65_536;

/** Characters that path and query carry as they are in the canonical spelling; all others go through the URL parser. */
const IS_PLAIN = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=:@%/?|[]')
  IS_PLAIN[character.charCodeAt(0)] = 1;

/** What stands between `://` and the path. */
interface Authority {
  readonly host: ParsedObservable;
  /** With its colon; empty when it is the default. */
  readonly port: string;
}

/**
 * Reads a URL whose `://` stands at `schemeEnd`, plain (not defanged). The canonical spelling is that of the WHATWG URL parser without
 * user name and password (never sent anywhere) and without the fragment (never sent to the server): scheme and host in lower case, default
 * port dropped, dot segments resolved, unsafe characters percent-encoded. An IPv4 host in octal, hex or short form is refused.
 */
export function parseUrl(text: string, schemeEnd: number): ParsedObservable {
  const scheme = schemeOf(text, schemeEnd);
  const schemeReason = schemeFault(scheme);
  if (schemeReason !== null) return invalid(schemeReason);
  const isSpecial = DEFAULT_PORTS.has(scheme);
  let hostStart = schemeEnd + 3;
  if (isSpecial) while (isSlash(text.charCodeAt(hostStart))) hostStart += 1;
  const hostEnd = authorityEnd(text, hostStart, isSpecial);
  const authority = readAuthority(text.slice(hostStart, hostEnd), scheme);
  if (typeof authority === 'string') return invalid(`URL: ${authority}`);
  const { host, port } = authority;
  if (host.kind === 'invalid') return invalid(`host of the URL: ${host.reason}`);
  const rest = canonicalRest(text, hostEnd);
  if (rest === null) return invalid('URL with a path that no browser would read: check its spelling');
  const name = host.indicator.type === 'ipv6-addr' ? `[${host.indicator.value}]` : host.indicator.value;
  const value = joined(text, [scheme, '://', name, port, rest]);
  if (value.length > MAX_URL) return invalid(`URL of ${value.length} characters: no source knows one that long`);
  const indicator = { type: 'url', value } as const;
  return host.kind === 'public' ? { kind: 'public', indicator } : { kind: 'private', indicator, reason: `host of the URL: ${host.reason}` };
}

/**
 * The canonical spelling of a URL out of its parts: the scheme in lower case, the port in digits or empty, path and query canonical already;
 * `null` when it is none.
 */
export function urlFrom(scheme: string, host: Indicator, port: string, path: string | null): string | null {
  if (path === null || schemeFault(scheme) !== null) return null;
  const written = port === '' ? '' : canonicalPort(port, scheme);
  if (written === null) return null;
  const name = host.type === 'ipv6-addr' ? `[${host.value}]` : host.value;
  const value = `${scheme}://${name}${written}${path}`;
  return value.length > MAX_URL ? null : value;
}

function schemeOf(text: string, end: number): string {
  if (end === 5 && text.startsWith('https')) return 'https';
  return end === 4 && text.startsWith('http') ? 'http' : text.slice(0, end).toLowerCase();
}

/** The parts in one string: `text` itself when that is what they make, which saves the joining, and the hashing where it is looked up. */
function joined(text: string, parts: readonly string[]): string {
  let at = 0;
  for (const part of parts) {
    if (!text.startsWith(part, at)) return parts.join('');
    at += part.length;
  }
  return at === text.length ? text : parts.join('');
}

function schemeFault(scheme: string): string | null {
  if (scheme === 'http' || scheme === 'https') return null;
  if (LOCAL_SCHEMES.has(scheme)) return 'URL of something on this machine: only names and addresses on a network can be looked up';
  if (!/^[a-z][a-z0-9+.-]{0,31}$/.test(scheme))
    return 'text before "://" that is not a URL scheme: write one URL, or use extract to find those in a text';
  return null;
}

function authorityEnd(text: string, start: number, isSpecial: boolean): number {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 47 || code === 63 || code === 35 || (code === 92 && isSpecial)) return at;
  }
  return text.length;
}

/** Splits user information, host and port; a string says what is wrong. */
function readAuthority(authority: string, scheme: string): Authority | string {
  const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1);
  if (hostAndPort === '') return 'no host after "://": write the whole URL';
  if (hostAndPort.startsWith('[')) {
    const bracket = hostAndPort.indexOf(']');
    const host = bracket < 0 ? null : parseIpv6(hostAndPort.slice(1, bracket));
    if (host === null) return 'brackets around something that is not an IPv6 address';
    const after = hostAndPort.slice(bracket + 1);
    if (after !== '' && !after.startsWith(':')) return 'text between the address and the path';
    return withPort(host, after.slice(1), scheme);
  }
  const colon = hostAndPort.lastIndexOf(':');
  const host = parseHost(decoded(colon < 0 ? hostAndPort : hostAndPort.slice(0, colon)));
  return withPort(host, colon < 0 ? '' : hostAndPort.slice(colon + 1), scheme);
}

function withPort(host: ParsedObservable, port: string, scheme: string): Authority | string {
  const written = canonicalPort(port, scheme);
  return written === null ? 'a port that is not a number from 0 to 65535' : { host, port: written };
}

/** With its colon, empty for the default one; `null` when it is no port. */
function canonicalPort(port: string, scheme: string): string | null {
  if (port === '') return '';
  const value = /^\d{1,10}$/.test(port) ? Number(port) : MAX_PORT + 1;
  if (value > MAX_PORT) return null;
  return DEFAULT_PORTS.get(scheme) === value ? '' : `:${value}`;
}

/** Host names may be percent-encoded in a URL: only what a name consists of is decoded. */
function decoded(host: string): string {
  return host.includes('%') ? host.replace(/%([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : host;
}

/** Path and query in canonical spelling, from `start` of `text`, without the fragment; `null` when the URL parser refuses them. */
export function canonicalRest(text: string, start: number): string | null {
  const hash = text.indexOf('#', start);
  const end = hash < 0 ? text.length : hash;
  if (start === end) return '/';
  if (text.charCodeAt(start) === 47 && isPlainRest(text, start, end)) return text.slice(start, end);
  // The empty fragment keeps a blank at the end, which the URL parser would trim.
  const url = `http://h${text.slice(start, end)}#`;
  return URL.canParse(url) ? new URL(url).href.slice('http://h'.length, -1) : null;
}

/** Whether the URL parser would leave path and query as they are: plain characters, and no `/.` or `%2e` in the path. */
function isPlainRest(text: string, start: number, end: number): boolean {
  let before = 0;
  let isPath = true;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || IS_PLAIN[code] === 0) return false;
    if (code === 63) isPath = false;
    else if (isPath && ((code === 46 && before === 47) || (code === 37 && text.charCodeAt(at + 1) === 50))) return false;
    before = code;
  }
  return true;
}

function isSlash(code: number): boolean {
  return code === 47 || code === 92;
}
