import { parseIpv6 } from '../../model/parsing/host-name.ts';
import { ipv6Groups, readIpv6 } from '../../model/parsing/ipv6-address.ts';
import { refang } from '../../model/refang.ts';
import { isHexDigit, isWordCharacter } from './characters.ts';
import { note } from '../extracted.ts';
import type { Reading } from '../extracted.ts';
import { endOf } from './url-host.ts';

/** Longest address with every colon defanged, in characters. */
const MAX_TEXT = 80;
const COLON = 58;
const ZONE = /%[\w.-]{1,15}/y;

/**
 * Reads the IPv6 address that starts at `start` (a hex digit or a colon). Gives the place behind it, or -1. Only whole words count, and
 * only what looks like an address: `a::b`, `12:30:45` and fingerprints (`aa:bb:cc:…`) do not.
 */
export function readIpv6At(reading: Reading, start: number): number {
  const { text } = reading;
  if (start > 0 && isInsideWord(text.charCodeAt(start - 1))) return -1;
  let end = addressEnd(text, start);
  while (end > start && text.charCodeAt(end - 1) === 46) end -= 1;
  if (end - start > 2 && text.charCodeAt(end - 1) === 58 && text.charCodeAt(end - 2) !== 58) end -= 1;
  if (isWordPart(text.charCodeAt(end))) return -1;
  const isMarked = hasBracket(text, start, end);
  if (!isMarked && readIpv6(text, start, end) === 'none') return -1;
  const plain = isMarked ? refang(text.slice(start, end).replaceAll('[::]', '::')) : text.slice(start, end);
  if ((isMarked && readIpv6(plain, 0, plain.length) === 'none') || !isLikely(plain)) return -1;
  const zoneEnd = text.charCodeAt(end) === 37 ? Math.max(end, endOf(ZONE, text, end)) : end;
  const isNetwork = isWholeNetwork(text, end);
  const parsed = parseIpv6(plain);
  if (parsed === null || parsed.kind === 'invalid') return -1;
  if (!isNetwork) note(reading, parsed.indicator.type, parsed.indicator.value, { start, end: zoneEnd });
  return zoneEnd;
}

function hasBracket(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at) === 91) return true;
  return false;
}

function addressEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + MAX_TEXT);
  let at = start;
  while (at < limit) {
    const code = text.charCodeAt(at);
    if (isHexDigit(code) || code === 58 || code === 46) at += 1;
    else if (code === 91 && /^\[(?:::?|\.)\]/.test(text.slice(at, at + 4)))
      at += text.charCodeAt(at + 2) === 58 && text.charCodeAt(at + 3) === 93 ? 4 : 3;
    else break;
  }
  return at;
}

/** Enough of an address to be none by chance: six groups that are not bytes, or `::` with a first group that is in use. */
function isLikely(plain: string): boolean {
  if (isOfBytes(plain)) return false;
  if (!plain.includes('::')) return true;
  const first = ipv6Groups[0] ?? 0;
  if (first === 0) return plain !== '::' && (plain === '::1' || /^(?:0:)*:?:?(?:ffff:|\d)/i.test(plain) || plain.includes('.'));
  // Global unicast, unique local, link local, multicast, translation, discard.
  return first >> 13 === 1 || first >> 9 === 0x7e || first >> 6 === 0x3fa || first >> 4 === 0xff0 || first === 0x64 || first === 0x100;
}

/** More than four groups of two digits each, and no other: a fingerprint, the address of a card. */
function isOfBytes(plain: string): boolean {
  let groups = 0;
  let length = 0;
  for (let at = 0; at <= plain.length; at += 1) {
    if (at < plain.length && plain.charCodeAt(at) !== COLON) length += 1;
    else if (length > 0) {
      if (length !== 2) return false;
      groups += 1;
      length = 0;
    }
  }
  return groups > 4;
}

/** What stands inside of a word, a time, a port or an address, but not before one. */
function isInsideWord(code: number): boolean {
  return isWordPart(code) || code === COLON || code === 46 || code === 37 || code === 64 || code === 45;
}

/** A letter, a digit or an underscore, of ASCII. */
function isWordPart(code: number): boolean {
  return code === 95 || (code < 128 && isWordCharacter(code));
}

/** `2001:db8::/32`: a prefix, not the address of anything. /128 is one address. */
function isWholeNetwork(text: string, end: number): boolean {
  if (text.charCodeAt(end) !== 47) return false;
  const match = /^\/(\d{1,3})(?!\d)/.exec(text.slice(end, end + 5));
  return match !== null && Number(match[1]) < 128 && [4, 5, 6, 7].every((at) => ipv6Groups[at] === 0);
}
