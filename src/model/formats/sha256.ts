import { sha256 as digest } from '@noble/hashes/sha2.js';

const encoder = new TextEncoder();

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, without I/O: for pure code that has to compare short values. */
export function sha256(text: string): Uint8Array {
  return digest(encoder.encode(text));
}
