const SAMPLE = 256;

/** Which UTF-16 bytes are written in, by their mark or by the zeros between the letters; `null` when they are not. */
export function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const length = Math.min(bytes.length & ~1, SAMPLE);
  if (length < 8) return null;
  const zeros = [0, 0];
  for (let at = 0; at < length; at += 1) if (bytes[at] === 0) zeros[at & 1] = (zeros[at & 1] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd * 2 > length * 0.8 && even === 0) return 'utf-16le';
  return even * 2 > length * 0.8 && odd === 0 ? 'utf-16be' : null;
}
