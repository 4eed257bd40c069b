const DOT = 46;
const ZERO = 48;

/**
 * Reads a dotted quad out of `text`, from `start` to before `end`, without making a string: 0 to 2^32 - 1, or -1 when those characters
 * are not exactly four decimal numbers. Leading zeros are refused: `010` is 8 to some programs and 10 to others.
 */
export function ipv4FromText(text: string, start: number, end: number): number {
  if (end - start > 15 || end - start < 7) return -1;
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (part === 0) return -1;
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return -1;
    } else if (code === DOT && part >= 0) {
      address = address * 256 + part;
      part = -1;
      dots += 1;
    } else return -1;
  }
  return dots === 3 && part >= 0 ? address * 256 + part : -1;
}

/** Writes 0 to 2^32 - 1 as a dotted quad. */
export function ipv4ToText(address: number): string {
  return `${Math.floor(address / 0x1000000)}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** Why something that is made of numbers and dots is no IPv4 address we accept: one line for people. */
export function ipv4Fault(text: string): string {
  if (/(?:^|\.)0x/i.test(text)) return 'IPv4 in hex: programs read it differently; write four decimal numbers, 0 to 255';
  const parts = text.split('.');
  if (parts.includes('')) return 'numbers with an empty part: an IPv4 address is four numbers between three dots';
  if (parts.length > 4) return `${parts.length} numbers: a version or an object identifier, not an IPv4 address (four numbers)`;
  if (parts.length === 1) return 'a number, not an indicator: write an IPv4 address as four numbers with dots';
  if (parts.length < 4) return `${parts.length} numbers: a version or a shortened IPv4 address; write all four numbers`;
  if (parts.some((part) => part.length > 1 && part.startsWith('0'))) {
    return 'IPv4 with leading zeros: programs read them as octal or decimal; write the numbers without';
  }
  return 'IPv4 number above 255: each of the four is 0 to 255';
}
