import { describe, expect, it } from 'vitest';
import { encodingOf, readUnicode, toUtf8, utf8Parts, type MarkRule, type TextEncoding } from '../../../src/model/formats/text-encoding.ts';

const TEXT = 'ip,name\n198.51.100.7,Müller 𝛼\n';

/** The text in an encoding, written here once more in another way. */
function encode(text: string, encoding: TextEncoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text);
  if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(codes.length * 4);
  for (const [n, code] of codes.entries()) bytes.writeUInt32LE(code, n * 4);
  return encoding === 'utf-32le' ? bytes : bytes.swap32();
}

const ENCODINGS: readonly TextEncoding[] = ['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'];

async function convert(bytes: Buffer, marks: MarkRule, size: number): Promise<string> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
  const out: Uint8Array[] = [];
  for await (const part of utf8Parts(
    (async function* () {
      yield* await Promise.resolve(pieces);
    })(),
    marks,
  ))
    out.push(part);
  return Buffer.concat(out).toString('utf8');
}

describe.each(ENCODINGS)('a text in %s', (encoding) => {
  it.each(['', '\uFEFF'])('is known and read, with the mark %j', (mark) => {
    const bytes = encode(mark + TEXT, encoding);
    expect(encodingOf(bytes)).toEqual({ encoding, markBytes: mark === '' ? 0 : encode(mark, encoding).length });
    expect(readUnicode(bytes)).toBe(TEXT);
    expect(Buffer.from(toUtf8(bytes)).toString('utf8')).toBe(TEXT);
  });

  it.each([1, 2, 3, 7, 100_000])('comes out in UTF-8 when it comes in pieces of %i bytes', async (size) => {
    expect(await convert(encode(TEXT, encoding), 'keep', size)).toBe(TEXT);
    expect(await convert(encode(`\uFEFF${TEXT}`, encoding), 'keep', size)).toBe(`\uFEFF${TEXT}`);
    expect(await convert(encode(`\uFEFF${TEXT}`, encoding), 'drop', size)).toBe(TEXT);
    expect(await convert(encode(`\uFEFF${TEXT}`, encoding), 'keep-utf8', size)).toBe(encoding === 'utf-8' ? `\uFEFF${TEXT}` : TEXT);
  });
});

describe('the encoding', () => {
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['one letter', Buffer.from('a')],
    ['zeros, as a log has where its disk was full', Buffer.concat([Buffer.alloc(300), Buffer.from('{"a":1}')])],
    ['two letters and a zero', Buffer.from('a b\0c')],
    ['letters beyond ASCII', Buffer.from('äöü')],
    ['bytes of Latin-1', Buffer.from('Köln', 'latin1')],
  ])('of %s is UTF-8', async (_, bytes) => {
    expect(encodingOf(bytes).encoding).toBe('utf-8');
    expect(await convert(bytes, 'keep', 1)).toBe(bytes.toString('utf8'));
  });

  it('of UTF-16 and UTF-32 is known without a mark by four bytes', () => {
    for (const encoding of ENCODINGS) expect(encodingOf(encode('{"a"', encoding)).encoding).toBe(encoding);
  });

  it('cut in the middle of a character ends in a replacement', async () => {
    expect(await convert(encode('abcdé', 'utf-32le').subarray(0, -1), 'keep', 5)).toBe('abcd\uFFFD');
    expect(await convert(encode('abcdé', 'utf-16le').subarray(0, -1), 'keep', 5)).toBe('abcd\uFFFD');
  });

  it('of a line that somebody types is known with the line, before more comes', async () => {
    const parts = utf8Parts(
      (async function* () {
        yield Buffer.from('8.8.8.8\n');
        await new Promise(() => {});
      })(),
      'drop',
    );
    expect(Buffer.from((await parts.next()).value as Uint8Array).toString()).toBe('8.8.8.8\n');
  });
});
