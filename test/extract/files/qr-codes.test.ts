import { createHash } from 'node:crypto';
import { encode as encodePng } from 'fast-png';
import { zipSync } from 'fflate';
import jpeg from 'jpeg-js';
import { encodeQR } from 'qr';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../src/extract/extract.ts';
import { openImage } from '../../../src/extract/files/open-image.ts';

const LINK = 'https://login.evil-host.net/q?id=7';

/** Dark modules of codes beside each other, each module some pixels wide, with the quiet zone around. */
function modulesOf(texts: readonly string[], scale = 4, quiet = 4) {
  const codes = texts.map((text) => encodeQR(text, 'raw', { border: quiet }));
  const rows = Math.max(...codes.map((code) => code.length));
  const widths = codes.map((code) => code[0]?.length ?? 0);
  const width = widths.reduce((sum, one) => sum + one, 0) * scale;
  const isDark = (x: number, y: number): boolean => {
    let column = Math.floor(x / scale);
    for (const [n, code] of codes.entries()) {
      if (column < (widths[n] ?? 0)) return code[Math.floor(y / scale)]?.[column] === true;
      column -= widths[n] ?? 0;
    }
    return false;
  };
  return { width, height: rows * scale, isDark };
}

type Paint = (isDark: boolean) => readonly number[];

function drawn(texts: readonly string[], paint: Paint) {
  const { width, height, isDark } = modulesOf(texts);
  const data = Array.from({ length: width * height }, (_, at) => paint(isDark(at % width, Math.floor(at / width)))).flat();
  return { width, height, data };
}

function png(paint: Paint, channels: 1 | 2 | 3 | 4, texts: readonly string[] = [LINK]): Uint8Array {
  const { width, height, data } = drawn(texts, paint);
  return encodePng({ width, height, channels, depth: 8, data: Uint8Array.from(data) });
}

function jpg(texts: readonly string[] = [LINK]): Uint8Array {
  const { width, height, data } = drawn(texts, (isDark) => (isDark ? [20, 20, 60, 255] : [240, 240, 230, 255]));
  return jpeg.encode({ width, height, data: Uint8Array.from(data) }, 75).data;
}

/** One bit a pixel, as most programs that make codes write them; the format's checksums are left to the encoder's own. */
function onePixelBits(): Uint8Array {
  const { width, height, isDark } = modulesOf([LINK]);
  const rowBytes = Math.ceil(width / 8);
  const data = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) if (!isDark(x, y)) data[y * rowBytes + (x >> 3)]! |= 128 >> (x & 7);
  return encodePng({ width, height, channels: 1, depth: 1, data });
}

async function read(bytes: Uint8Array, more: object = { openImage }) {
  const unread: string[] = [];
  const found = await extractFromFile(bytes, {
    withHosts: false,
    onUnread: (part, reason) => void unread.push(`${part}: ${reason}`),
    ...more,
  });
  return { found: found.map((find) => `${'part' in find ? find.part : ''} ${find.type} ${find.value}`), unread };
}

function mailWith(type: string, bytes: Uint8Array): Buffer {
  const base64 = Buffer.from(bytes).toString('base64').replace(/.{76}/g, '$&\n');
  const head = `From: a@evil.com\nTo: b@c.com\nContent-Type: ${type}; name="scan.bin"\nContent-Transfer-Encoding: base64\n\n`;
  return Buffer.from(`${head}${base64}\n`);
}

describe('QR codes in pictures', () => {
  const kinds: readonly (readonly [string, Uint8Array])[] = [
    ['grey', png((isDark) => [isDark ? 0 : 255], 1)],
    ['grey on nothing', png((isDark) => [0, isDark ? 255 : 0], 2)],
    ['colours', png((isDark) => (isDark ? [90, 0, 20] : [250, 250, 210]), 3)],
    ['colours on nothing', png((isDark) => (isDark ? [0, 0, 90, 255] : [0, 0, 90, 0]), 4)],
    ['one bit a pixel', onePixelBits()],
    ['JPEG', jpg()],
  ];

  it.each(kinds)('of a mail are read: %s', async (_name, bytes) => {
    const { found, unread } = await read(mailWith('image/png', bytes));
    expect(found).toContain(`attachment:scan.bin url ${LINK}`);
    expect(found).toContain(`attachment:scan.bin file:sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
    expect(unread).toEqual([]);
  });

  it('are read in a file of its own and in an archive, several in one picture', async () => {
    const other = 'https://two.evil-host.net/';
    const both = png((isDark) => [isDark ? 0 : 255], 1, [LINK, other]);
    expect((await read(both)).found.toSorted()).toEqual([`qr url ${LINK}`, `qr url ${other}`]);
    expect((await read(zipSync({ 'a.jpg': jpg() }))).found).toContain(`attachment:a.jpg url ${LINK}`);
  });

  it('a picture without one holds nothing, and is no reason to worry', async () => {
    const blank = encodePng({ width: 60, height: 60, channels: 1, depth: 8, data: new Uint8Array(3600).fill(200) });
    expect(await read(blank)).toEqual({ found: [], unread: [] });
  });

  it('a picture that is broken or far too large is said to be unread', async () => {
    const cut = png((isDark) => [isDark ? 0 : 255], 1).subarray(0, 60);
    expect((await read(cut)).unread).toEqual([expect.stringMatching(/^file: a picture that cannot be read .*not searched for QR codes$/)]);
    const huge = Buffer.from(png((isDark) => [isDark ? 0 : 255], 1));
    huge.writeUInt32BE(60_000, 16);
    huge.writeUInt32BE(60_000, 20);
    expect((await read(huge)).unread).toEqual([expect.stringMatching(/more than 12000000 pixels/)]);
    expect((await read(Buffer.from('ffd8ffe000104a464946', 'hex'))).unread).toHaveLength(1);
  });

  it('are left to programs that carry the decoders: others hash the picture', async () => {
    expect((await read(mailWith('image/jpeg', jpg()), {})).found.filter((line) => line.includes(' url '))).toEqual([]);
  });
});
