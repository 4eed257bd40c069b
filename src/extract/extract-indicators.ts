import { ipv4FromText } from '../model/parsing/ipv4-address.ts';
import { isDigit, isHexDigit, isHostCharacter, isLocalCharacter, nextStart, ordinaryWordEnd } from './text/characters.ts';
import type { Extracted, ExtractOptions, Reading } from './extracted.ts';
import { noteHost } from './extracted.ts';
import { readCountedName } from './text/find-counted-name.ts';
import { readEmail, readWordedEmail } from './text/find-email.ts';
import { readEncodedUrl } from './text/find-encoded-url.ts';
import { readIpv6At } from './text/find-ipv6.ts';
import { findHost, judgedWith } from './text/find-name.ts';
import { isNetwork, isNumbers, noteHashes, noteIpv4, noteVulnerabilities, SHORTEST_HASH } from './text/find-number.ts';
import { readBareUrl, readUrl } from './text/find-url.ts';
import type { HostRun } from './text/host-name-run.ts';
import { MAX_RUN, readHostRun, scratchRun } from './text/host-name-run.ts';
import { isFileHost, isSocket, isTrapHere } from './text/lookalikes.ts';
import { mayBeScheme } from './text/url-scheme.ts';

const COLON = 58;
const AT = 64;
const FULL_WIDTH_AT = 0xff20;
const BACKSLASH = 92;
const SLASH = 47;
const PERCENT = 37;
const BRACKET = 40;

/** The run that is being read; nothing begins another one before it is done. */
const RUN = scratchRun();

const SHORTEST_CVE = 'CVE-2024-1234'.length;
/** Longest local part that is looked for behind a name, in characters. */
const MAX_LOCAL = 64;
/** How far back a Windows path is looked for, in characters. */
const PATH_REACH = 120;

/**
 * Finds the indicators in any text (a report, a log, JSON, HTML), defanged or not, in the order of the text. One pass, linear in the length
 * of the text. What only looks like an indicator stays out: file names, versions, object identifiers, package names, times, pieces of
 * longer hex.
 */
export function extractIndicators(text: string, options: ExtractOptions): Extracted[] {
  const found = beginExtraction(text, options).readUntil(text.length);
  return options.isUnique === true ? withoutRepeats(found) : (found as Extracted[]);
}

/** A text that is read in slices, for those who may not stop everything else while they read. */
export interface Extraction {
  /** Reads on until `until` at least, and gives what was found since the last time; it holds until the next time. */
  readUntil(until: number): readonly Extracted[];
  /** Where it goes on, in UTF-16 code units. */
  readonly at: number;
}

/** Begins to read a text; repeats are left in. */
export function beginExtraction(text: string, options: Omit<ExtractOptions, 'isUnique'>): Extraction {
  const reading: Reading = {
    text,
    hasPublicSuffix: options.hasPublicSuffix,
    withHosts: options.withHosts ?? true,
    found: [],
    judged: judgedWith(options.hasPublicSuffix),
    layers: 0,
    from: 0,
  };
  // No getter: an object literal with one makes V8 a new shape each time, in the old space, which keeps all finds alive until a full collection.
  const extraction = {
    at: 0,
    readUntil(until: number) {
      reading.found.length = 0;
      extraction.at = readFrom(reading, extraction.at, Math.min(until, text.length));
      return reading.found;
    },
  };
  return extraction;
}

/** Reads from `at` to `end` at least; gives the place to go on from. */
function readFrom(reading: Reading, from: number, end: number): number {
  const { text } = reading;
  let at = nextStart(text, from, end);
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isHostCharacter(code)) {
      const wordEnd = ordinaryWordEnd(text, at);
      at = wordEnd > 0 ? wordEnd : readRun(reading, at, ~wordEnd);
    } else if (code === AT || code === FULL_WIDTH_AT) at = readAt(reading, at, at + 1);
    else if (code === COLON && text.charCodeAt(at + 1) === COLON) at = goOn(reading, readIpv6At(reading, at), at + 2);
    else if (code === BRACKET && isDigit(text.charCodeAt(at + 1))) at = goOn(reading, readCountedName(reading, at), at + 1);
    else at += 1;
    at = nextStart(text, at, end);
  }
  return at;
}

/** Each value once, at its first place. */
export function withoutRepeats(found: readonly Extracted[]): Extracted[] {
  const seen = new Set<string>();
  return found.filter(({ type, value }) => {
    const key = `${type} ${value}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Reads what starts at a host character, with letters and digits up to `plainEnd`; gives the place to go on from. */
function readRun(reading: Reading, at: number, plainEnd: number): number {
  const { text } = reading;
  const start = at + escapeLength(text, at);
  const run = readHostRun(text, start, RUN, Math.max(start, plainEnd));
  if (run.end <= start || run.stop - start > MAX_RUN) return Math.max(run.stop, start + 1);
  if (mayBeScheme(text, run)) {
    const end = readUrl(reading, run);
    if (end > 0) return goOn(reading, end, end);
  }
  if (text.charCodeAt(run.end) === PERCENT) {
    const end = readEncodedUrl(reading, run);
    if (end > 0) return goOn(reading, end, end);
  }
  if (mayBeIpv6(text, run)) {
    const end = readIpv6At(reading, start);
    if (end > 0) return goOn(reading, end, end);
  }
  if (run.mark?.kind === 'at') return readAt(reading, run.end, run.mark.end);
  if (isWordedAt(text, run.end)) {
    const end = readWordedEmail(reading, run);
    if (end > 0) return goOn(reading, end, end);
  }
  return readPlain(reading, run);
}

/** ` at ` or ` AT `. */
function isWordedAt(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 32 || text.charCodeAt(at + 3) !== 32) return false;
  const letter = text.charCodeAt(at + 1);
  const next = text.charCodeAt(at + 2);
  return (letter === 97 && next === 116) || (letter === 65 && next === 84);
}

/** The at sign stands between `at` and `domainStart`. */
function readAt(reading: Reading, at: number, domainStart: number): number {
  return goOn(reading, readEmail(reading, at, domainStart), domainStart);
}

/** A vulnerability id, an address, a name, a URL without scheme, or hashes. */
function readPlain(reading: Reading, run: HostRun): number {
  const length = run.end - run.start;
  if (length >= SHORTEST_CVE || (length === 3 && (reading.text.charCodeAt(run.start) | 32) === 99)) noteVulnerabilities(reading, run);
  if (run.dots > 0) {
    if (isLocalPart(reading.text, run.end) && !isWebFolder(reading.text, run.end)) return run.end;
    const end = readHost(reading, run);
    if (end > 0) return goOn(reading, end, end);
  }
  if (length >= SHORTEST_HASH) noteHashes(reading, run);
  return run.end;
}

/** -1 when the run holds neither name nor address. */
function readHost(reading: Reading, run: HostRun): number {
  const { text } = reading;
  const isPlainNumbers = !run.isDefanged && isNumbers(text, run);
  const mayHavePath = text.charCodeAt(run.end) === SLASH || text.charCodeAt(run.end) === COLON;
  if (isPlainNumbers && !mayHavePath) {
    noteIpv4(reading, run);
    return run.end;
  }
  const found = findHost(reading, run);
  if (found === null) {
    if (isPlainNumbers) noteIpv4(reading, run);
    return isPlainNumbers ? run.end : -1;
  }
  const { type, value } = found.host.indicator;
  if (!run.isDefanged && type === 'domain-name' && isTrapHere(text, found)) return run.end;
  const url = isSocket(text, found.start) || isFileHost(text, found.start) ? -1 : readBareUrl(reading, found);
  if (url > 0) return url;
  if (type === 'ipv4-addr' && text.charCodeAt(found.end) === SLASH && isNetwork(text, found.end, ipv4FromText(value, 0, value.length)))
    return run.end;
  if (isPlainNumbers) noteIpv4(reading, run);
  else noteHost(reading, found);
  return found.end;
}

/** Moves on to `end`, or to `otherwise` when nothing was found (`end` is -1). */
function goOn(reading: Reading, end: number, otherwise: number): number {
  const next = end > 0 ? end : otherwise;
  if (end > 0) reading.from = end;
  return next;
}

function mayBeIpv6(text: string, run: HostRun): boolean {
  if (run.dots > 0 || run.end - run.start > 4) return false;
  if (text.charCodeAt(run.end) !== COLON && run.mark?.kind !== 'colon') return false;
  for (let at = run.start; at < run.end; at += 1) if (!isHexDigit(text.charCodeAt(at))) return false;
  return true;
}

/** Whether what ends at `end` goes on as the local part of an e-mail address: `first.last+tag@…`. */
function isLocalPart(text: string, end: number): boolean {
  const limit = Math.min(text.length, end + MAX_LOCAL);
  let at = end;
  while (at < limit && isLocalCharacter(text.charCodeAt(at))) at += 1;
  const code = text.charCodeAt(at);
  return code === AT || code === FULL_WIDTH_AT;
}

/** `\\evil.com@SSL\a`, `\\192.0.2.1@8080\a`: a folder on a web server (WebDAV), as Windows writes it. */
function isWebFolder(text: string, end: number): boolean {
  return text.charCodeAt(end) === AT && /^@(?:ssl(?:@\d{1,5})?|\d{1,5})\\/i.test(text.slice(end, end + 12));
}

/**
 * How many characters at `at` belong to an escape that starts before it: the `n` of `\n`, the `u003c` of `\u003c`, the `20` of `%20`. In a
 * Windows path a backslash escapes nothing.
 */
function escapeLength(text: string, at: number): number {
  const before = text.charCodeAt(at - 1);
  if (before === PERCENT) return /^(?:25){0,2}[\da-f]{2}/i.exec(text.slice(at, at + 6))?.[0].length ?? 0;
  if (before !== BACKSLASH) return 0;
  const letter = text.charCodeAt(at);
  if ((letter | 32) === 117) return /^u00[\da-f]{2}/i.test(text.slice(at, at + 5)) ? 5 : 0;
  if (letter !== 110 && letter !== 114 && letter !== 116) return 0;
  return /(?:[a-z]:\\|\\\\)[^\s"'<>|]*$/i.test(text.slice(Math.max(0, at - PATH_REACH), at)) ? 0 : 1;
}
