import { createTextReader, encodingOf } from '../model/formats/text-encoding.ts';

/**
 * Bytes as text: by their mark or their zeros (see `encodingOf`), else in the character set that is named. Bytes of sets that nobody knows are
 * read as Latin-1.
 */
export function decodeText(bytes: Uint8Array, charset = ''): string {
  const { encoding, markBytes } = encodingOf(bytes);
  if (encoding !== 'utf-8') return createTextReader(encoding).decode(bytes.subarray(markBytes), true);
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return Buffer.from(bytes).toString('latin1');
    throw error;
  }
}
