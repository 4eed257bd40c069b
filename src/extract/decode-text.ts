import { utf16Of } from '../model/formats/utf16.ts';

/**
 * Bytes as text: by their mark, as UTF-16 when every other byte of the start is zero, else in the character set that is named. Bytes of sets
 * that nobody knows are read as Latin-1.
 */
export function decodeText(bytes: Uint8Array, charset = ''): string {
  const wide = utf16Of(bytes);
  if (wide !== null) return new TextDecoder(wide).decode(bytes);
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return Buffer.from(bytes).toString('latin1');
    throw error;
  }
}
