import { createHash } from 'node:crypto';
import { gzipSync, zipSync } from 'fflate';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../src/extract/extract.ts';
import { openTar } from '../../../src/extract/files/open-tar.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const entry = (name: string, body: string, type: 'file' | 'directory' | 'symlink' = 'file') => ({
  header: { name, size: type === 'file' ? Buffer.byteLength(body) : 0, type, ...(type === 'symlink' && { linkname: 'x' }) },
  ...(type === 'file' && { body }),
});
const LINK = 'x("http://drop.evil.com/a")';

async function read(bytes: Uint8Array) {
  const unread: string[] = [];
  const found = await extractFromFile(bytes, { withHosts: false, onUnread: (part, reason) => void unread.push(`${part}: ${reason}`) });
  return { found: found.map((find) => `${'part' in find ? find.part : ''} ${find.type} ${find.value}`), unread };
}

function mailWith(name: string, bytes: Uint8Array): Buffer {
  const base64 = Buffer.from(bytes).toString('base64').replace(/.{76}/g, '$&\n');
  return Buffer.from(
    `From: a@evil.com\nTo: b@c.com\nContent-Type: application/octet-stream; name="${name}"\nContent-Transfer-Encoding: base64\n\n${base64}\n`,
  );
}

describe('tar archives', () => {
  it('are opened: each file hashed, and what it says; folders, links and empty files hold nothing', async () => {
    const tar = await packTar([
      entry('d/', '', 'directory'),
      entry('d/a.js', LINK),
      entry('l', '', 'symlink'),
      entry('empty', ''),
      entry('b.exe', 'MZ'),
    ]);
    const { found, unread } = await read(tar);
    expect(found).toEqual([
      `attachment:d/a.js file:sha256 ${sha256(LINK)}`,
      expect.stringContaining('attachment:d/a.js file:sha1'),
      expect.stringContaining('attachment:d/a.js file:md5'),
      'attachment:d/a.js url http://drop.evil.com/a',
      `attachment:b.exe file:sha256 ${sha256('MZ')}`,
      expect.stringContaining('attachment:b.exe file:sha1'),
      expect.stringContaining('attachment:b.exe file:md5'),
    ]);
    expect(unread).toEqual([]);
  });

  it.each(['x.tar.gz', 'x.tgz', 'x.bin'])('packed as %s are opened in turn', async (name) => {
    const tar = await packTar([entry('a.js', LINK)]);
    const { found } = await read(mailWith(name, gzipSync(tar)));
    expect(found).toContainEqual(expect.stringMatching(/a\.js url http:\/\/drop\.evil\.com\/a$/));
    expect(found).toContainEqual(expect.stringContaining(`file:sha256 ${sha256(gzipSync(tar))}`));
  });

  it('in archives in archives are called by their way', async () => {
    const tar = await packTar(
      [{ header: { name: 'i.zip', size: 0, type: 'file' }, body: zipSync({ 'a.js': Buffer.from(LINK) }) }].map(({ header, body }) => ({
        header: { ...header, type: 'file' as const, size: body.length },
        body,
      })),
    );
    const { found } = await read(mailWith('o.tar', tar));
    expect(found).toContain('attachment:o.tar/i.zip/a.js url http://drop.evil.com/a');
  });

  it('names that are too long for a header stand before it', async () => {
    const long = `${'folder/'.repeat(40)}a.js`;
    const { found } = await read(await packTar([entry(long, LINK)]));
    expect(found).toContain(`attachment:${long} url http://drop.evil.com/a`);
  });

  it('without a mark are known by their name, as old programs write them', async () => {
    const tar = Buffer.from(await packTar([entry('a.js', LINK)]));
    tar.fill(0, 257, 265);
    let sum = 0;
    for (let at = 0; at < 512; at += 1) sum += at >= 148 && at < 156 ? 32 : (tar[at] ?? 0);
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const { found } = await read(mailWith('old.tar', tar));
    expect(found).toContain('attachment:old.tar/a.js url http://drop.evil.com/a');
  });

  it('have bounds, and what is not read is said', async () => {
    const many = await packTar(Array.from({ length: 203 }, (_, n) => entry(`f${n}`, 'x')));
    expect(openTar(many)).toMatchObject({ unread: 'of a tar archive: f200: more than 200 files' });
    expect(openTar(many).files).toHaveLength(200);
    const tar = await packTar([entry('a.js', LINK), entry('b.js', LINK)]);
    expect(openTar(tar.subarray(0, 1024 + 512 + 5)).unread).toMatch(/b\.js: cut off/);
    const broken = Buffer.from(tar);
    broken[1024 + 3] = 0x7f;
    expect(openTar(broken)).toMatchObject({ files: [{ name: 'a.js' }], unread: 'of a tar archive: broken from byte 1024 on' });
    expect(openTar(Buffer.alloc(4096, 0x20)).unread).toMatch(/broken from byte 0/);
    const huge = Buffer.from(tar.subarray(0, 512));
    huge.set([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 124);
    expect(openTar(huge).unread).toMatch(/broken/);
  });
});

describe('archives that are not opened', () => {
  it.each([
    ['rar', Buffer.from('526172211a0701000000', 'hex')],
    ['7z', Buffer.from('377abcaf271c0004', 'hex')],
    ['ace', Buffer.concat([Buffer.alloc(7, 1), Buffer.from('**ACE**')])],
    ['lzh', Buffer.concat([Buffer.from([1, 2]), Buffer.from('-lh5-')])],
    ['iso', Buffer.concat([Buffer.alloc(0x8000), Buffer.from('\x01CD001')])],
    ['vhd', Buffer.from('conectix\0\0\0\x02')],
  ])('%s: its own hash is found, and it is said to be unread', async (kind, bytes) => {
    const { found, unread } = await read(mailWith('doc.pdf', bytes));
    expect(found).toContain(`attachment:doc.pdf file:sha256 ${sha256(bytes)}`);
    expect(unread).toEqual([`attachment:doc.pdf: a ${kind} archive, which is not opened`]);
  });

  it.each([
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['a message of Outlook', Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from('__properties_version1.0', 'utf16le')])],
  ])('%s is said to be unread by a program that has no reader for it', async (what, bytes) => {
    const { found, unread } = await read(mailWith('a.bin', bytes));
    expect(found).toContain(`attachment:a.bin file:sha256 ${sha256(bytes)}`);
    expect(unread).toEqual([expect.stringContaining(`attachment:a.bin: ${what}, which is not opened here`)]);
  });

  it('a text that has a word of theirs is a text', async () => {
    const text = `${'x'.repeat(257)}ustar see http://drop.evil.com/a ${'y'.repeat(400)}`;
    expect((await read(Buffer.from(text))).found).toEqual([' url http://drop.evil.com/a']);
  });
});
