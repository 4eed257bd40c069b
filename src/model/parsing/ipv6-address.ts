import { ipv4FromText } from './ipv4-address.ts';

const COLON = 58;
const DOT = 46;

/** The 16-bit groups of the address last read by `readIpv6`. Shared to save an allocation per address: read it at once. */
export const ipv6Groups = new Uint16Array(8);

/** What `readIpv6` found: no address, one in another spelling, or one that is spelled canonically (RFC 5952) already. */
export type Ipv6Spelling = 'none' | 'other' | 'canonical';

/**
 * Reads an IPv6 address (RFC 4291, no zone, no brackets) from the part of `text` between `start` and `end` into `ipv6Groups`.
 * The last two groups may be a dotted quad.
 */
export function readIpv6(text: string, start: number, end: number): Ipv6Spelling {
  if (end - start < 2 || end - start > 45) return 'none';
  let at = start;
  let count = 0;
  let gap = -1;
  let isCanonical = true;
  if (text.charCodeAt(at) === COLON) {
    if (text.charCodeAt(at + 1) !== COLON) return 'none';
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === 8) return 'none';
    const groupStart = at;
    let group = 0;
    let code = 0;
    while (at < end && (code = hexValue(text.charCodeAt(at))) >= 0) {
      if (code >= 16) isCanonical = false;
      group = group * 16 + (code & 15);
      at += 1;
    }
    const length = at - groupStart;
    if (at < end && text.charCodeAt(at) === DOT) {
      if (!readEmbeddedIpv4(text, groupStart, end, count)) return 'none';
      count += 2;
      isCanonical = false;
      break;
    }
    if (length === 0 || length > 4) return 'none';
    if (length > 1 && text.charCodeAt(groupStart) === 48) isCanonical = false;
    ipv6Groups[count] = group;
    count += 1;
    if (at === end) break;
    if (text.charCodeAt(at) !== COLON) return 'none';
    at += 1;
    if (at === end) return 'none';
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return 'none';
      gap = count;
      at += 1;
    }
  }
  return placeGap(count, gap, isCanonical);
}

/** Writes `ipv6Groups` as RFC 5952 asks: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export function ipv6GroupsToText(): string {
  const run = longestZeroRun();
  const runStart = run >> 4;
  const runEnd = runStart + (run & 15);
  let text = '';
  for (let at = 0; at < 8; at += 1) {
    if (at === runStart && runEnd > runStart) {
      text += '::';
      at = runEnd - 1;
      continue;
    }
    if (at > 0 && at !== runEnd) text += ':';
    text += (ipv6Groups[at] ?? 0).toString(16);
  }
  return text;
}

/** 0 to 15 for a hex digit, 16 more when it is an upper-case letter, -1 for anything else. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55 + 16;
  return -1;
}

function readEmbeddedIpv4(text: string, start: number, end: number, count: number): boolean {
  if (count > 6) return false;
  const address = ipv4FromText(text, start, end);
  if (address < 0) return false;
  ipv6Groups[count] = address / 0x10000;
  ipv6Groups[count + 1] = address & 0xffff;
  return true;
}

/** Moves the groups behind `::` to the end and fills with zeros; `gap`: how many groups stand before it, -1 when there is none. */
function placeGap(count: number, gap: number, isCanonical: boolean): Ipv6Spelling {
  if (gap < 0) {
    if (count !== 8) return 'none';
    return isCanonical && (longestZeroRun() & 15) === 0 ? 'canonical' : 'other';
  }
  if (count === 8) return 'none';
  const missing = 8 - count;
  for (let at = count - 1; at >= gap; at -= 1) ipv6Groups[at + missing] = ipv6Groups[at] ?? 0;
  ipv6Groups.fill(0, gap, gap + missing);
  return isCanonical && longestZeroRun() === gap * 16 + missing ? 'canonical' : 'other';
}

/** First longest run of at least two zero groups: its start times 16 plus its length; 0 when there is none. */
function longestZeroRun(): number {
  let bestStart = 0;
  let bestLength = 1;
  let length = 0;
  for (let at = 0; at < 8; at += 1) {
    if (ipv6Groups[at] !== 0) {
      length = 0;
      continue;
    }
    length += 1;
    if (length > bestLength) {
      bestLength = length;
      bestStart = at - length + 1;
    }
  }
  return bestLength < 2 ? 0 : bestStart * 16 + bestLength;
}
