/** Bits of the fractional part, as FIPS 180-4 §4.2.2 and §5.3.3 derive their constants. */
const fractionBits = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0;

const PRIMES = firstPrimes(64);
const ROUND_CONSTANTS = Int32Array.from(PRIMES, (prime) => fractionBits(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fractionBits(Math.sqrt(prime)));

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, without I/O: for pure code that has to compare short values. */
export function sha256(text: string): Uint8Array {
  const message = padded(new TextEncoder().encode(text));
  const view = new DataView(message.buffer);
  const state = Int32Array.from(START);
  for (let offset = 0; offset < message.length; offset += 64) digestBlock(view, offset, state);
  const digest = new Uint8Array(32);
  state.forEach((word, n) => new DataView(digest.buffer).setInt32(n * 4, word));
  return digest;
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  message.set(bytes);
  message[bytes.length] = 0x80;
  new DataView(message.buffer).setBigUint64(message.length - 8, BigInt(bytes.length) * 8n);
  return message;
}

function digestBlock(view: DataView, offset: number, state: Int32Array): void {
  const schedule = new Int32Array(64);
  for (let n = 0; n < 16; n++) schedule[n] = view.getInt32(offset + n * 4);
  for (let n = 16; n < 64; n++) {
    const before15 = schedule[n - 15] ?? 0;
    const before2 = schedule[n - 2] ?? 0;
    const small0 = rotate(before15, 7) ^ rotate(before15, 18) ^ (before15 >>> 3);
    const small1 = rotate(before2, 17) ^ rotate(before2, 19) ^ (before2 >>> 10);
    schedule[n] = (schedule[n - 16] ?? 0) + small0 + (schedule[n - 7] ?? 0) + small1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let n = 0; n < 64; n++) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const step1 = (h + big1 + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[n] ?? 0) + (schedule[n] ?? 0)) | 0;
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const step2 = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + step1) | 0, c, b, a, (step1 + step2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => (state[n] = (state[n] ?? 0) + word));
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}
