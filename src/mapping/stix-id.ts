/** Our own namespace for STIX ids: the UUIDv5 of `ismalicious-siem-pack` under RFC 9562's DNS namespace. Never changes. */
const NAMESPACE = 'e0a4b57e-3b0b-5f5c-9f3c-6f1d2a7c9b41';

/** The same name gives the same UUID (version 5, RFC 9562 §5.5) in every process and release. */
export function uuid5(name: string): string {
  const namespace = Uint8Array.from(NAMESPACE.replaceAll('-', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const text = new TextEncoder().encode(name);
  const message = new Uint8Array(16 + text.length);
  message.set(namespace);
  message.set(text, 16);
  const bytes = sha1(message).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** SHA-1 (FIPS 180-4). UUIDv5 is defined by it; nothing secret depends on it. */
function sha1(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  for (let offset = 0; offset < padded.length; offset += 64) digestBlock(view, offset, state);
  const digest = new Uint8Array(20);
  state.forEach((word, n) => new DataView(digest.buffer).setInt32(n * 4, word));
  return digest;
}

function digestBlock(view: DataView, offset: number, state: Int32Array): void {
  const schedule = new Int32Array(80);
  const at = (n: number) => schedule[n] ?? 0;
  for (let n = 0; n < 16; n++) schedule[n] = view.getInt32(offset + n * 4);
  for (let n = 16; n < 80; n++) schedule[n] = rotate(at(n - 3) ^ at(n - 8) ^ at(n - 14) ^ at(n - 16), 1);
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let n = 0; n < 80; n++) {
    const mixed = n < 20 ? (b & c) | (~b & d) : n >= 40 && n < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][Math.floor(n / 20)] ?? 0;
    [e, d, c, b, a] = [d, c, rotate(b, 30), a, (rotate(a, 5) + mixed + e + constant + at(n)) | 0];
  }
  [a, b, c, d, e].forEach((word, n) => (state[n] = (state[n] ?? 0) + word));
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
