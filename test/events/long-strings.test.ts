import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOfPlain, PLAIN, wordsIn } from '../../src/events/json/json-bytes.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { faultIn, textEnricherOn } from './support/text-enricher.ts';

const SIZE = 4096;

function endByByte(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  while (pos < end && PLAIN[bytes[pos]!] === 1) pos++;
  return pos;
}

describe('long strings, four bytes a step', () => {
  it('end at every byte that does not stand for itself, wherever it lies in its word, and at no other', () => {
    const bytes = Buffer.alloc(SIZE, 'a');
    const words = wordsIn(bytes);
    expect(words.length).toBe(SIZE / 4);
    for (let byte = 0; byte < 256; byte++) {
      for (let at = 101; at < 105; at++) {
        for (const neighbour of [0x20, 0x61, 0x7f, 0x80, 0xff]) {
          bytes.fill(neighbour, 96, 112);
          bytes[at] = byte;
          expect([byte, at, neighbour, endOfPlain(bytes, words, 97, SIZE)]).toEqual([byte, at, neighbour, endByByte(bytes, 97, SIZE)]);
        }
      }
      bytes.fill('a');
    }
  });

  it('end where they end in any bytes, from and to anywhere', () => {
    const rare = fc.constantFrom(0x22, 0x5c, 0x00, 0x1f, 0x0a);
    const bytesIn = fc.array(fc.oneof({ weight: 40, arbitrary: fc.integer({ min: 0x20, max: 0xff }) }, { weight: 1, arbitrary: rare }), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(bytesIn, fc.nat(130), fc.nat(130), (some, from, more) => {
        const bytes = Buffer.alloc(SIZE, 'x');
        bytes.set(some, SIZE - 200);
        const start = SIZE - 210 + from;
        const end = Math.min(SIZE, start + more);
        expect(endOfPlain(bytes, wordsIn(bytes), start, end)).toBe(endByByte(bytes, start, end));
      }),
      { numRuns: 3000 },
    );
  });

  it('are held against the grammar like short ones', () => {
    const texts = textEnricherOn(createFakeEnricher());
    const escapes = fc.constantFrom(
      '\\n',
      '\\u00e9',
      '\\"',
      '\\\\',
      '\\x',
      '\\u12',
      '\\',
      '"',
      '\n',
      '\u0000',
      'é',
      '€',
      '😀',
      'a'.repeat(40),
    );
    fc.assert(
      fc.property(fc.array(escapes, { maxLength: 12 }), fc.nat(7), (parts, shift) => {
        const text = `{"pad":"${'p'.repeat(shift)}","message":"${parts.join('m'.repeat(9))}","filler":"${'f'.repeat(3000)}"}`;
        expect(faultIn(texts, text) < 0).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
