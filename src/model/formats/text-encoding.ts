/** The encodings of Unicode texts: UTF-8, and those that other programs write to files (PowerShell, Excel, Windows tools). */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** How a text is written. `markBytes`: length of the byte order mark at its start, 0 without one. */
export interface FoundEncoding {
  readonly encoding: TextEncoding;
  readonly markBytes: number;
}

/** So many bytes tell the encoding of a text without a mark. */
export const ENCODING_SAMPLE = 256;
/** In a text without a mark, at least this share of a letter's high bytes is zero. */
const ZERO_SHARE = 0.8;

const UTF8: FoundEncoding = { encoding: 'utf-8', markBytes: 0 };
const UTF8_MARK: FoundEncoding = { encoding: 'utf-8', markBytes: 3 };

/** How the bytes of a text are written: by its mark (Unicode 16.0, 23.8), else by the zeros between the letters at its start; else UTF-8. */
export function encodingOf(bytes: Uint8Array): FoundEncoding {
  const [first, second, third, fourth] = bytes;
  // Most texts begin with two characters of ASCII; in the other encodings a zero or a mark is among the first two bytes.
  if (first !== undefined && second !== undefined && isAscii(first) && isAscii(second)) return UTF8;
  if (first === 0xef && second === 0xbb && third === 0xbf) return UTF8_MARK;
  if (first === 0xff && second === 0xfe)
    return third === 0 && fourth === 0 ? { encoding: 'utf-32le', markBytes: 4 } : { encoding: 'utf-16le', markBytes: 2 };
  if (first === 0xfe && second === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  if (first === 0 && second === 0 && third === 0xfe && fourth === 0xff) return { encoding: 'utf-32be', markBytes: 4 };
  const wide = encodingByZeros(bytes);
  return wide === null ? UTF8 : { encoding: wide, markBytes: 0 };
}

function isAscii(byte: number): boolean {
  return byte > 0 && byte < 0x80;
}

function encodingByZeros(bytes: Uint8Array): TextEncoding | null {
  const length = Math.min(bytes.length & ~3, ENCODING_SAMPLE);
  if (length === 0) return null;
  const zeros = [0, 0, 0, 0];
  for (let at = 0; at < length; at += 1) if (bytes[at] === 0) zeros[at & 3] = (zeros[at & 3] ?? 0) + 1;
  const letters = length / 4;
  const isFull = zeros.map((count) => count >= letters * ZERO_SHARE);
  const isEmpty = zeros.map((count) => count === 0);
  if (isEmpty[0] && isFull[1] && isFull[2] && isFull[3]) return 'utf-32le';
  if (isFull[0] && isFull[1] && isFull[2] && isEmpty[3]) return 'utf-32be';
  if (isEmpty[0] && isFull[1] && isEmpty[2] && isFull[3]) return 'utf-16le';
  return isFull[0] && isEmpty[1] && isFull[2] && isEmpty[3] ? 'utf-16be' : null;
}

/** Reads a text that comes in parts. A mark at its start is part of the text. */
export interface TextReader {
  /** The characters that are complete. `isLast`: nothing follows, so that what is cut short is U+FFFD. */
  decode(bytes: Uint8Array, isLast?: boolean): string;
}

/** A reader for one encoding. What is no character becomes U+FFFD. */
export function createTextReader(encoding: TextEncoding): TextReader {
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return createUtf32Reader(encoding === 'utf-32le');
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  return { decode: (bytes, isLast = false) => decoder.decode(bytes, { stream: !isLast }) };
}

const REPLACEMENT = 0xfffd;
const LAST_CHARACTER = 0x10ffff;

/** No decoder of the platform knows UTF-32 (WHATWG Encoding, 4.2). */
function createUtf32Reader(isLittleEndian: boolean): TextReader {
  let rest = new Uint8Array(0);
  return {
    decode(bytes, isLast = false) {
      const all = new Uint8Array(rest.length + bytes.length);
      all.set(rest);
      all.set(bytes, rest.length);
      const whole = all.length & ~3;
      const view = new DataView(all.buffer);
      const parts: string[] = [];
      for (let at = 0; at < whole; at += 4) {
        const code = view.getUint32(at, isLittleEndian);
        const isCharacter = code <= LAST_CHARACTER && (code < 0xd800 || code > 0xdfff);
        parts.push(String.fromCodePoint(isCharacter ? code : REPLACEMENT));
      }
      rest = all.slice(whole);
      if (isLast && rest.length > 0) parts.push(String.fromCodePoint(REPLACEMENT));
      return parts.join('');
    },
  };
}

/** A whole text without its mark. */
export function readUnicode(bytes: Uint8Array): string {
  const { encoding, markBytes } = encodingOf(bytes);
  return createTextReader(encoding).decode(bytes.subarray(markBytes), true);
}

/** Which byte order marks stay: every one (that of another encoding as UTF-8's), only UTF-8's own, or none. */
export type MarkRule = 'keep' | 'keep-utf8' | 'drop';

/** The same text in UTF-8, as it comes; one that is in UTF-8 goes through byte for byte. */
export async function* utf8Parts(input: AsyncIterable<Uint8Array | string>, marks: MarkRule): AsyncGenerator<Uint8Array> {
  const writer = new TextEncoder();
  let held: Uint8Array = new Uint8Array(0);
  let reader: TextReader | null = null;
  let isKnown = false;
  const begin = (bytes: Uint8Array): Uint8Array => {
    isKnown = true;
    const { encoding, markBytes } = encodingOf(bytes);
    if (encoding !== 'utf-8') reader = createTextReader(encoding);
    const staysAsItIs = marks === 'keep' || (marks === 'keep-utf8' && encoding === 'utf-8');
    return staysAsItIs ? bytes : bytes.subarray(markBytes);
  };
  const convert = (bytes: Uint8Array, isLast = false) => (reader === null ? bytes : writer.encode(reader.decode(bytes, isLast)));
  for await (const part of input) {
    const bytes = typeof part === 'string' ? writer.encode(part) : part;
    if (isKnown) {
      const text = convert(bytes);
      if (text.length > 0) yield text;
      continue;
    }
    held = held.length === 0 ? bytes : join(held, bytes);
    if (!tellsEncoding(held)) continue;
    const text = convert(begin(held));
    held = new Uint8Array(0);
    if (text.length > 0) yield text;
  }
  const last = isKnown ? convert(new Uint8Array(0), true) : convert(begin(held), true);
  if (last.length > 0) yield last;
}

/** Whether so much of a text tells its encoding: a sample, or a start that only UTF-8 has. Who types line by line does not wait for a sample. */
function tellsEncoding(bytes: Uint8Array): boolean {
  if (bytes.length >= ENCODING_SAMPLE) return true;
  const [first, second] = bytes;
  return first !== undefined && second !== undefined && isAscii(first) && isAscii(second);
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** A whole text in UTF-8 without a mark: the very bytes where they are that already. */
export function toUtf8(bytes: Uint8Array): Uint8Array {
  const { encoding, markBytes } = encodingOf(bytes);
  if (encoding === 'utf-8') return bytes.subarray(markBytes);
  return new TextEncoder().encode(createTextReader(encoding).decode(bytes.subarray(markBytes), true));
}
