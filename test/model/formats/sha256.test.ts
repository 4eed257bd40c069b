import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha256 } from '../../../src/model/formats/sha256.ts';

const hex = (text: string) => Buffer.from(sha256(text)).toString('hex');

it.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['bad.example/', '611d2cf5687a72278c3da89f28dc0cc5f674b1b7fca042bf31fce4a9d1e159a5'],
])('the digest of %j is the published one', (text, digest) => {
  expect(hex(text)).toBe(digest);
});

it.each([55, 56, 63, 64, 65, 119, 120])('a message of %i bytes is padded as OpenSSL pads it', (length) => {
  const text = 'x'.repeat(length);
  expect(hex(text)).toBe(createHash('sha256').update(text).digest('hex'));
});

it('any text has the digest that OpenSSL gives its UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      expect(hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }),
  );
});
