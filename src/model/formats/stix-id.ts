import { sha1 } from '@noble/hashes/legacy.js';
import { concatBytes, bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Our own namespace for STIX ids: the UUIDv5 of `ismalicious-siem-pack` under RFC 9562's DNS namespace. Never changes. */
const NAMESPACE = hexToBytes('e0a4b57e3b0b5f5c9f3c6f1d2a7c9b41');

/** The same name gives the same UUID (version 5, RFC 9562 §5.5) in every process and release. It is defined by SHA-1; nothing secret depends on it. */
export function uuid5(name: string): string {
  const bytes = sha1(concatBytes(NAMESPACE, utf8ToBytes(name))).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytesToHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
