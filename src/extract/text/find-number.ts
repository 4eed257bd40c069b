import { ipv4FromText } from '../../model/parsing/ipv4-address.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import { inLowerCase, isDigit, isHexDigit, isWordCharacter } from './characters.ts';
import { note } from '../extracted.ts';
import type { Reading } from '../extracted.ts';
import type { HostRun } from './host-name-run.ts';
import { isHexTrap } from './hash-lookalikes.ts';
import { isNumberTrap } from './lookalikes.ts';

/** Fewest hex digits of a hash that we know. */
export const SHORTEST_HASH = 32;

const HASH_TYPES: ReadonlyMap<number, IndicatorType> = new Map([
  [32, 'file:md5'],
  [40, 'file:sha1'],
  [64, 'file:sha256'],
  [128, 'file:sha512'],
]);

const CVE = /cve[-_\u2010-\u2013](\d{4})[-_\u2010-\u2013](\d{4,19})(?!\d)/gi;

/** Notes the vulnerability ids in a run (`exploit-CVE-2021-44228.sh`) or, with odd hyphens, behind its start. Says whether there was one. */
export function noteVulnerabilities(reading: Reading, run: HostRun): boolean {
  const { text } = reading;
  const end = run.end - run.start === 3 ? run.end + 16 : run.end;
  if (!hasCve(text, run.start, end)) return false;
  let isFound = false;
  const looked = text.slice(run.start, end);
  CVE.lastIndex = 0;
  for (let match = CVE.exec(looked); match !== null; match = CVE.exec(looked)) {
    if (match.index >= run.end - run.start) break;
    const start = run.start + match.index;
    if (/[a-z0-9]/i.test(text.charAt(start - 1)) && start > run.start) continue;
    note(reading, 'cve', `CVE-${match[1]}-${match[2]}`, { start, end: start + match[0].length });
    isFound = true;
  }
  return isFound;
}

function hasCve(text: string, start: number, end: number): boolean {
  let at = start + 2;
  while (at < end) {
    const letter = text.charCodeAt(at) | 32;
    if (letter === 101 && (text.charCodeAt(at - 1) | 32) === 118 && (text.charCodeAt(at - 2) | 32) === 99) return true;
    at += letter === 118 ? 1 : letter === 99 ? 2 : 3;
  }
  return false;
}

/** Notes the hashes in a run: whole words of hex digits (`VirusShare_<md5>`, `<sha256>.exe`), never a piece of a longer one. */
export function noteHashes(reading: Reading, run: HostRun): boolean {
  const { text } = reading;
  let isFound = false;
  let start = run.start;
  while (start < run.end) {
    let end = start;
    while (end < run.end && isHexDigit(text.charCodeAt(end))) end += 1;
    const isWhole = !isLetterOrDigit(text.charCodeAt(start - 1)) && !isLetterOrDigit(text.charCodeAt(end));
    const type = isWhole && end - start >= SHORTEST_HASH ? HASH_TYPES.get(end - start) : undefined;
    if (type !== undefined && !isHexTrap(text, start, end)) {
      const digits = text.slice(start, end);
      reading.found.push({ type, value: inLowerCase(digits), original: digits, offset: start });
      isFound = true;
    }
    start = end + 1;
  }
  return isFound;
}

/** Whether the run is digits, dots and hyphens only, so that nobody has to look for a name in it. */
export function isNumbers(text: string, run: HostRun): boolean {
  for (let at = run.start; at < run.end; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && code !== 46 && code !== 45) return false;
  }
  return true;
}

/** Notes the IPv4 addresses of a run of digits, dots and hyphens: `192.0.2.1-192.0.2.9` is two. */
export function noteIpv4(reading: Reading, run: HostRun): void {
  const { text } = reading;
  if (text.charCodeAt(run.start) === 46) return;
  const address = ipv4FromText(text, run.start, run.end);
  if (address >= 0) noteAddress(reading, run, address);
  else if (run.dots > 3) {
    let { start } = run;
    for (const piece of text.slice(run.start, run.end).split('-')) {
      const span = { start, end: start + piece.length };
      const inner = ipv4FromText(text, span.start, span.end);
      if (inner >= 0) noteAddress(reading, span, inner);
      else noteCaptured(reading, span, piece);
      start = span.end + 1;
    }
  }
}

/** Unless it is a version, a network or a piece of something longer. */
function noteAddress(reading: Reading, span: { start: number; end: number }, address: number): void {
  const { text } = reading;
  const before = text.charCodeAt(span.start - 1);
  if (before === 46 || isLetterOrDigit(text.charCodeAt(span.end))) return;
  if (isLetterOrDigit(before) && !/%(?:25){0,2}[\da-f]{2}$/i.test(text.slice(Math.max(0, span.start - 7), span.start))) return;
  if (before === 45 && isLetter(text.charCodeAt(span.start - 2))) return;
  if (isNetwork(text, span.end, address) || isNumberTrap(text, span.start, address)) return;
  const value = text.slice(span.start, span.end);
  reading.found.push({ type: 'ipv4-addr', value, original: value, offset: span.start });
}

/** `10.0.0.0/8` behind the address that ends at `end`: all bits behind the prefix are zero. `192.0.2.1/24` is an address with its mask, `192.0.2.1/443` one with its port. */
export function isNetwork(text: string, end: number, address: number): boolean {
  if (text.charCodeAt(end) !== 47 || !isDigit(text.charCodeAt(end + 1))) return false;
  const match = /^\/(\d{1,2})(?![\d/.])/.exec(text.slice(end, end + 4));
  const length = Number(match?.[1] ?? 32);
  return length < 32 && address % 2 ** (32 - length) === 0;
}

/** How far back the start of a line of netstat is looked for, in characters. */
const NETSTAT_REACH = 160;

/** tcpdump writes `IP 192.0.2.1.443 > 198.51.100.7.51234:`, an address and a port; so does netstat of BSD and macOS, on lines that start with the protocol. */
function noteCaptured(reading: Reading, span: { start: number; end: number }, plain: string): void {
  const { text } = reading;
  const match = /^((?:\d{1,3}\.){3}\d{1,3})\.\d{1,5}$/.exec(plain);
  if (match?.[1] === undefined || !(isOfTcpdump(text, span) || isOfNetstat(text, span.start))) return;
  if (ipv4FromText(match[1], 0, match[1].length) >= 0)
    note(reading, 'ipv4-addr', match[1], { start: span.start, end: span.start + match[1].length });
}

function isOfTcpdump(text: string, { start, end }: { start: number; end: number }): boolean {
  return /^:? > /.test(text.slice(end, end + 4)) || text.slice(start - 3, start) === ' > ';
}

function isOfNetstat(text: string, start: number): boolean {
  return /(?:^|\n)(?:tcp|udp)[46]{0,2}[ \t][^\n]*$/.test(text.slice(Math.max(0, start - NETSTAT_REACH), start));
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}

function isLetterOrDigit(code: number): boolean {
  return code < 128 && isWordCharacter(code);
}
