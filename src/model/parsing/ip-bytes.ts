import { specialPurposeIpv4 } from './special-purpose.ts';

const DOT = 46;
const ZERO = 48;

/**
 * Reads a dotted quad straight from bytes (`start` to before `end`): 0 to 2^32 - 1, or -1 when they are not exactly four decimal
 * numbers without leading zeros. For paths that must not make a string.
 */
export function ipv4FromBytes(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 15 || end - start < 7) return -1;
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let at = start; at < end; at += 1) {
    const code = bytes[at] ?? 0;
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

/**
 * Whether the bytes from `start` to before `end` are exactly a special-purpose IPv4 address in its canonical spelling. `false` says
 * nothing more than that: other spellings have to go through `parseIndicator`.
 */
export function isPrivateIpv4Bytes(bytes: Uint8Array, start: number, end: number): boolean {
  const address = ipv4FromBytes(bytes, start, end);
  return address >= 0 && specialPurposeIpv4(address) !== null;
}
