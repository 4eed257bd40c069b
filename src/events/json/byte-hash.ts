/** Where a hash begins. */
export const HASH_START = 0x811c9dc5 | 0;

const PRIME = 0x01000193;

/** The hash with one more byte (FNV-1a, 32 bits): what reads bytes anyway can take it along. */
export function hashedByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME);
}

/** The hash of the bytes from `start` to `end`. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_START;
  for (let pos = start; pos < end; pos++) hash = hashedByte(hash, bytes[pos] as number);
  return hash;
}
