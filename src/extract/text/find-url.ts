// src/extract/text/: one pass over a text: what begins where it stands, and what only looks like an indicator.
import { parseIndicator } from '../../model/parse-indicator.ts';
import { canonicalRest, MAX_URL, urlFrom } from '../../model/parsing/url.ts';
import { isHostCharacter, isUserCharacter } from './characters.ts';
import { note } from '../extracted.ts';
import type { FoundHost, Reading } from '../extracted.ts';
import type { HostRun } from './host-name-run.ts';
import { readHostRun, scratchRun } from './host-name-run.ts';
import type { NamedHost } from './judged-host.ts';
import { unwrapLink } from '../links/unwrap-link.ts';
import { plainPath, plainUrl } from './plain-url.ts';
import { findUrlEnd, isBackslashed } from './url-end.ts';
import { endOf, findPortEnd, readUrlHost } from './url-host.ts';
import type { UrlHost } from './url-host.ts';
import { schemeAt } from './url-scheme.ts';
import { LONGEST_REREAD, withoutLines, wrappedEnd } from './url-lines.ts';

/** User name and password, up to the last `@` before the host ends. */
const DOMAIN_USER = /[\w-]{1,64};[\w.-]{1,64}(?::[^\s@/]{0,64})?@(?=[\w[])/y;
const USER = /[\w.~%!$&*+=:-]{0,256}(?:@[\w.~%!$&*+=:-]{1,64}){0,2}@(?=[\w[]|[^\0-\u007f])/y;

/** `http://evil.com\@good.com`: browsers read the backslash as a slash, and what stands behind it as the path. */
const SLASHED_USER = /\\{1,2}@[^\s"'<>|`\\]{1,256}/y;

/** A path behind an address: it starts with a letter, or with digits that go on like the name of a file or folder (`/85.exe`, `/7/bins`). */
const ADDRESS_PATH =
  /^(?:\/|\\{1,4}\/)(?!(?:tcp|udp|icmp)\b)(?:[a-zA-Z_~.?-]|\d{1,12}(?:\.(?:[a-z][a-z\d]{1,4}|[A-Z][A-Z\d]{1,4})(?![\w-])|[a-z_?][\w.=-]|\/(?!tcp|udp|icmp)[a-z_~]))/;

/** The run behind a scheme; no longer needed once the host in it is found. */
const HOST = scratchRun();

/** Gateways that may have rewritten each other's links. */
const MAX_LAYERS = 6;

/** Reads the URL whose scheme is `run`, or ends in it. Gives the place behind it; -1 when there is none. */
export function readUrl(reading: Reading, run: HostRun): number {
  const { text } = reading;
  const scheme = schemeAt(reading, run);
  if (scheme === null) return -1;
  const first = isHostCharacter(text.charCodeAt(scheme.end)) ? readHostRun(text, scheme.end, HOST) : null;
  const user = first !== null && !first.isDefanged && !mayEndUser(text.charCodeAt(first.stop)) ? -1 : userEnd(text, scheme);
  const host = user < 0 ? readUrlHost(reading, scheme.end, first, scheme.isWeb) : readUrlHost(reading, user, null, scheme.isWeb);
  if (host === null) return -1;
  const isPlain = user < 0 || !text.slice(scheme.end, user).includes(';');
  return noteUrl(reading, scheme.start, host, isPlain ? scheme.plain : null);
}

/** Whether what stands behind a host may be the rest of a user name instead, or the end of one. */
function mayEndUser(code: number): boolean {
  return code === 64 || code === 59 || isUserCharacter(code);
}

/** Where user name and password end, with their at sign; -1 when there are none. */
function userEnd(text: string, scheme: { end: number; isWeb: boolean }): number {
  let at = scheme.end;
  while (isHostCharacter(text.charCodeAt(at))) at += 1;
  while (at < text.length && isUserCharacter(text.charCodeAt(at))) at += 1;
  const code = text.charCodeAt(at);
  if (code === 64) return endOf(USER, text, scheme.end);
  return code === 59 && !scheme.isWeb ? endOf(DOMAIN_USER, text, scheme.end) : -1;
}

/** Reads a URL without a scheme: a host that was found already, and a path or a port with a path behind it. -1 when there is none. */
export function readBareUrl(reading: Reading, host: FoundHost): number {
  const { text } = reading;
  const code = text.charCodeAt(host.end);
  if (code !== 47 && code !== 58 && code !== 91 && code !== 92 && code !== 40) return -1;
  const portEnd = findPortEnd(text, host.end);
  const first = text.charCodeAt(portEnd);
  if (first !== 47 && first !== 91 && first !== 92) return -1;
  // Behind an address a number is a port or a prefix, as firewalls write it.
  const path = host.host.indicator.type === 'ipv4-addr' ? ADDRESS_PATH : /^(?:\/|\[\/\]|\\{1,4}\/)[^\s"'<>)\]},;|\\]/;
  if (!path.test(text.slice(portEnd, portEnd + 24))) return -1;
  return noteUrl(reading, host.start, { host: host.host, start: host.start, end: host.end, portEnd }, 'http');
}

function noteUrl(reading: Reading, start: number, found: UrlHost, scheme: string | null): number {
  const { text } = reading;
  const { host, portEnd } = found;
  const isPath = startsPath(text, portEnd) || (text.charCodeAt(portEnd) === 92 && isBackslashed(text, start));
  const lineEnd = isPath ? findUrlEnd(text, portEnd, start) : Math.max(portEnd, endOf(SLASHED_USER, text, portEnd));
  const end = isPath ? wrappedEnd(text, start, lineEnd) : lineEnd;
  const url = { original: text.slice(start, end), start, end };
  const value = end > lineEnd ? readWhole(withoutLines(url.original)) : canonicalUrl(text, url, found, scheme);
  // What is far too long is passed over whole: reading it once more from each of its slashes would not be linear.
  if (value === null) return end - start > LONGEST_REREAD ? end : -1;
  reading.found.push({ type: 'url', value, original: url.original, offset: start });
  if (host === null) return end;
  if (host.isGateway) noteTarget(reading, value, url);
  if (reading.withHosts)
    reading.found.push({ type: host.indicator.type, value: host.indicator.value, original: host.original, offset: found.start });
  return end;
}

/** Behind a link that a gateway rewrote, what it leads to, at the place of the link. */
function noteTarget(reading: Reading, link: string, span: { start: number; end: number }): void {
  const target = reading.layers < MAX_LAYERS ? unwrapLink(link) : null;
  const parsed = target === null ? null : parseIndicator(target);
  if (parsed === null || parsed.kind === 'invalid') return;
  const { type, value } = parsed.indicator;
  if (type !== 'url') return note(reading, type, value, span);
  const inner: Reading = { ...reading, text: value, found: [], from: 0, layers: reading.layers + 1 };
  if (readUrl(inner, readHostRun(value, 0)) < 0) return;
  for (const find of inner.found) note(reading, find.type, find.value, span);
}

function readWhole(written: string): string | null {
  const parsed = parseIndicator(plainUrl(written));
  return parsed.kind === 'invalid' || parsed.indicator.type !== 'url' ? null : parsed.indicator.value;
}

/** A URL as it stands in a text. */
interface WrittenUrl {
  readonly original: string;
  readonly start: number;
  readonly end: number;
}

/** What was read goes together without being read again, where nothing is defanged or escaped. */
function canonicalUrl(text: string, url: WrittenUrl, found: UrlHost, scheme: string | null): string | null {
  const { host, portEnd } = found;
  const hostEnd = text.charCodeAt(found.end) === 93 ? found.end + 1 : found.end;
  const isPortMarked = portEnd !== hostEnd && text.charCodeAt(hostEnd) !== 58;
  // Without a scheme a host may begin with one, as `hxxp__evil[.]com[:]80` does.
  if (scheme === null || host === null || (isPortMarked && found.start === url.start)) return readWhole(url.original);
  const isOfWeb = scheme === 'http' || scheme === 'https';
  const port = portEnd > hostEnd ? text.slice(hostEnd + (isPortMarked ? '[:]' : ':').length, portEnd) : '';
  if (isPlainPath(text, portEnd, url.end)) {
    const isWritten = isOfWeb && portEnd === found.end && isCanonicalStart(url, found.start, host, scheme);
    return isWritten ? url.original : urlFrom(scheme, host.indicator, port, portEnd === url.end ? '/' : text.slice(portEnd, url.end));
  }
  const isMarked = mayBeMarked(text, portEnd, url.end);
  if (isMarked && (!isOfWeb || text.charCodeAt(found.start - 1) === 64)) return readWhole(url.original);
  const rest = text.slice(portEnd, url.end);
  return urlFrom(scheme, host.indicator, port, canonicalRest(isMarked ? plainPath(rest) : rest, 0));
}

/** Whether a URL begins as its canonical spelling does: the scheme, the colon with its slashes and the host. */
function isCanonicalStart({ original, start }: WrittenUrl, hostStart: number, host: NamedHost, scheme: string): boolean {
  return (
    original.length > hostStart - start + host.original.length &&
    hostStart - start === scheme.length + 3 &&
    original.charCodeAt(scheme.length + 1) === 47 &&
    original.charCodeAt(scheme.length + 2) === 47 &&
    original.startsWith(scheme) &&
    host.indicator.value === host.original &&
    original.length <= MAX_URL
  );
}

/** Characters of a path and a query that are canonical as they stand, and mark nothing. */
const IS_PLAIN = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&*+,;=:@%/?')
  IS_PLAIN[character.charCodeAt(0)] = 1;

/** Whether path and query, or nothing at all, stand between two places, surely canonical: what is left to say is left to `canonicalRest`. */
function isPlainPath(text: string, from: number, end: number): boolean {
  if (from < end && text.charCodeAt(from) !== 47) return false;
  let before = 0;
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || IS_PLAIN[code] === 0) return false;
    if (code === 46 && before === 47) return false;
    if (code === 37 && text.charCodeAt(at + 1) === 50) return false;
    if (code === 38 && (text.charCodeAt(at + 1) === 35 || text.charCodeAt(at + 1) === 97)) return false;
    before = code;
  }
  return true;
}

/** What stands in a mark behind its brackets: a sign, or the first letter of the word for one. */
const IN_MARK = new Uint8Array(128);
for (const character of '.@:/\\,adpscADPSC ') IN_MARK[character.charCodeAt(0)] = 1;

/** Whether there may be a defang mark or an escape in a path. Beside letters outside ASCII any bracket may be one. */
function mayBeMarked(text: string, from: number, end: number): boolean {
  let isWide = false;
  let isBracketed = false;
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 92) return true;
    if (code === 38 && (text.charCodeAt(at + 1) === 35 || text.startsWith('amp', at + 1))) return true;
    if (isOpening(code) && mayBeInMark(text.charCodeAt(at + 1))) return true;
    if (isClosing(code) && text.charCodeAt(at - 1) === 46) return true;
    isWide ||= code > 127;
    isBracketed ||= isOpening(code);
  }
  return isWide && isBracketed;
}

function isOpening(code: number): boolean {
  return code === 91 || code === 40 || code === 123 || code === 60;
}

function isClosing(code: number): boolean {
  return code === 93 || code === 41 || code === 125;
}

function mayBeInMark(code: number): boolean {
  return code < 128 && (IN_MARK[code] === 1 || isOpening(code));
}

/** A slash (also as JSON or a report writes it), question mark or number sign. */
function startsPath(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === 47 || code === 63 || code === 35) return true;
  return (
    (code === 92 && /^\\{1,4}\//.test(text.slice(at, at + 5))) ||
    (code === 91 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) === 93)
  );
}
