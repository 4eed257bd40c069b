import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { extractFromEmail } from '../../../src/extract/extract.ts';
import { takeUuencoded } from '../../../src/extract/mail/uuencoded.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** As `uuencode` writes it; `trim`: without the blanks at line ends, as mail programs leave them away. */
function uuencode(bytes: Buffer, name: string, { zero = '`', trim = false } = {}): string {
  const lines = [`begin 644 ${name}`];
  const char = (value: number) => (value === 0 ? zero : String.fromCharCode(value + 32));
  for (let at = 0; at < bytes.length; at += 45) {
    const part = bytes.subarray(at, at + 45);
    const padded = Buffer.concat([part, Buffer.alloc((3 - (part.length % 3)) % 3)]);
    let line = char(part.length);
    for (let n = 0; n < padded.length; n += 3) {
      const group = padded.readUIntBE(n, 3);
      line += [18, 12, 6, 0].map((shift) => char((group >> shift) & 63)).join('');
    }
    lines.push(trim ? line.trimEnd() : line);
  }
  return [...lines, zero, 'end'].join('\n');
}

const read = async (text: string) =>
  (await extractFromEmail(Buffer.from(text), { withHosts: false })).map(
    ({ type, value, part, offset }) => `${part} ${type} ${value} ${offset}`,
  );
const LINK = 'x("http://drop.evil.com/a")';

describe('uuencoded files in the text of a mail', () => {
  it('are hashed and looked into; what stands around keeps its place', async () => {
    const file = uuencode(Buffer.from(LINK), 'a.js');
    const body = `see http://one.evil.com/x\n\n${file}\nand http://two.evil.com/y\n`;
    const found = await read(`From: a@evil.com\nSubject: x\n\n${body}`);
    expect(found).toContain(`attachment:a.js file:sha256 ${sha256(LINK)} 0`);
    expect(found).toContain('attachment:a.js url http://drop.evil.com/a 3');
    expect(found).toContain(`text url http://two.evil.com/y ${body.indexOf('http://two')}`);
    expect(found.filter((line) => line.startsWith('text '))).toHaveLength(2);
  });

  it('are parts of their own where the transfer encoding says so', async () => {
    const part = uuencode(Buffer.from(LINK), 'a.js');
    const found = await read(
      `From: a@evil.com\nContent-Type: application/octet-stream; name="b.js"\nContent-Transfer-Encoding: x-uuencode\n\n${part}\n`,
    );
    expect(found).toContain(`attachment:b.js file:sha256 ${sha256(LINK)} 0`);
  });

  it.each([{}, { zero: ' ' }, { zero: ' ', trim: true }])('come out byte for byte, however blanks are written: %j', (options) => {
    for (let length = 1; length < 140; length += 1) {
      const bytes = Buffer.from(Array.from({ length }, (_, n) => ((n * 37 + length) % 256) & (n % 5 === 0 ? 0 : 255)));
      const [file] = takeUuencoded(`a\n${uuencode(bytes, 'x y.bin', options)}\nb\n`).files;
      expect(Buffer.from(file?.bytes ?? []).equals(bytes)).toBe(true);
      expect(file?.name).toBe('x y.bin');
    }
  });

  it('several, packed in base64, or without an end are read, too', () => {
    const two = takeUuencoded(`${uuencode(Buffer.from('one'), '1')}\n${uuencode(Buffer.from('two'), '2')}\n`);
    expect(two.files.map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString()}`)).toEqual(['1 one', '2 two']);
    const [base64] = takeUuencoded(`begin-base64 644 b.txt\n${Buffer.from('three').toString('base64')}\n====\n`).files;
    expect(Buffer.from(base64?.bytes ?? []).toString()).toBe('three');
    const [cut] = takeUuencoded(uuencode(Buffer.from('four'), '4').replace(/\n`\nend$/, '')).files;
    expect(Buffer.from(cut?.bytes ?? []).toString()).toBe('four');
  });

  it('a line that only begins like one hides no file behind it', () => {
    const text = `begin 644 the work\nand so on\n${uuencode(Buffer.from('one'), '1')}\n`;
    expect(takeUuencoded(text).files).toHaveLength(1);
  });

  it.each([
    'begin 644 the work today\nand then go on, quite a while longer than any line of that length could be written as\nend\n',
    'begin 12 x\nend\n',
    'begin 644 a\n\nend\n',
  ])('a text that only begins like one stays: %j', (text) => {
    expect(takeUuencoded(text)).toEqual({ text, files: [] });
  });

  it('are found in time that grows with the length of the text', () => {
    const hostile = 'begin 644 x\nbegin-base64 644 x\n'.repeat(40_000);
    const started = performance.now();
    takeUuencoded(hostile);
    const short = performance.now() - started;
    takeUuencoded(hostile.repeat(2));
    expect(performance.now() - started - short).toBeLessThan(short * 8 + 500);
  });
});
