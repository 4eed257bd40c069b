import { createHash } from 'node:crypto';
import { gzipSync, strToU8, zipSync } from 'fflate';
import type { Zippable } from 'fflate';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../src/extract/extract.ts';
import { openPdf } from '../../../src/extract/files/open-pdf.ts';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

async function read(bytes: Uint8Array) {
  const unread: string[] = [];
  const found = await extractFromFile(bytes, {
    withHosts: false,
    openPdf,
    onUnread: (part, reason) => void unread.push(`${part}: ${reason}`),
  });
  return {
    found: found.map((find) => `${'part' in find ? find.part : ''} ${find.type} ${find.value}`),
    values: found.map(({ value }) => value),
    unread,
  };
}

const zip = (files: Zippable) => zipSync(files, { level: 9 });

describe('archives', () => {
  it('are opened: each file hashed, and what it says', async () => {
    const { values, unread } = await read(zip({ 'a.js': strToU8('x("http://drop.evil.com/a")'), 'b.exe': strToU8('MZ') }));
    expect(values).toEqual(expect.arrayContaining([sha256('x("http://drop.evil.com/a")'), 'http://drop.evil.com/a', sha256('MZ')]));
    expect(unread).toEqual([]);
  });

  it('in archives and mails are opened in turn, and called by their way', async () => {
    const inner = zip({ 'page.html': strToU8('<a href="http://deep.evil.com/a">x</a>') });
    const mail = `From: a@evil.com\nTo: b@c.com\nContent-Type: application/zip; name="o.zip"\nContent-Transfer-Encoding: base64\n\n${Buffer.from(zip({ 'i.zip': inner })).toString('base64')}\n`;
    const { found } = await read(Buffer.from(mail));
    expect(found).toContain('attachment:o.zip/i.zip/page.html url http://deep.evil.com/a');
    expect(found).toContain(`attachment:o.zip/i.zip file:sha256 ${sha256(inner)}`);
  });

  it('of one file (gzip) are opened', async () =>
    expect((await read(gzipSync(strToU8('see http://evil.com/gz')))).values).toContain('http://evil.com/gz'));

  it('that are bombs are not unpacked, and said so', async () => {
    const bomb = zip({ 'b.txt': new Uint8Array(30 << 20) });
    expect((await read(bomb)).unread).toEqual([expect.stringContaining('times longer than packed')]);
    expect((await read(gzipSync(new Uint8Array(30 << 20)))).unread).toEqual([expect.stringContaining('far longer than packed')]);
  });

  it('nested without end are followed to a depth, and said so', async () => {
    let nested = zip({ 'a.txt': strToU8('http://evil.com/bottom') });
    for (let depth = 0; depth < 20; depth += 1) nested = zip({ 'n.zip': nested });
    const { values, unread } = await read(nested);
    expect(values).not.toContain('http://evil.com/bottom');
    expect(unread).toEqual([expect.stringContaining('nested deeper than 16')]);
  });

  it('with a password, broken, or of another kind are said to be unread', async () => {
    const locked = zip({ 'secret.exe': strToU8('MZ') });
    locked[6] = (locked[6] ?? 0) | 1;
    expect((await read(locked)).unread).toEqual(['file: a zip archive with a password (secret.exe)']);
    expect((await read(zip({ 'a.txt': strToU8('abc') }).subarray(0, 60))).unread).toEqual([expect.stringContaining('broken')]);
    expect((await read(Buffer.from('526172211a0700cf', 'hex'))).unread).toEqual(['file: a rar archive, which is not opened']);
    const mail = `From: a@evil.com\nTo: b@c.com\nContent-Type: application/x-rar; name="o.rar"\nContent-Transfer-Encoding: base64\n\n${Buffer.from('526172211a0700', 'hex').toString('base64')}\n`;
    expect((await read(Buffer.from(mail))).unread).toEqual(['attachment:o.rar: a rar archive, which is not opened']);
  });
});

describe('Office documents', () => {
  it('give their text with its words whole, the links in fields, and what they refer to outside', async () => {
    const { values } = await read(
      zip({
        '[Content_Types].xml': strToU8('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
        'word/document.xml': strToU8(
          '<w:document xmlns:w="http://schemas.openxmlformats.org/w"><w:p><w:r><w:t>see ev</w:t></w:r><w:r><w:t>il.com</w:t></w:r></w:p><w:p><w:r><w:t>next</w:t></w:r><w:instrText>HYPERLINK "http://field.evil.com/a"</w:instrText></w:p></w:document>',
        ),
        'word/_rels/document.xml.rels': strToU8(
          '<Relationships xmlns="http://schemas.openxmlformats.org/r"><Relationship Id="1" Type="http://schemas.openxmlformats.org/h" Target="http://rel.evil.com/x?a=1&amp;b=2" TargetMode="External"/><Relationship Id="2" Type="http://schemas.openxmlformats.org/s" Target="styles.xml"/></Relationships>',
        ),
      }),
    );
    expect(values.toSorted()).toEqual(['evil.com', 'http://field.evil.com/a', 'http://rel.evil.com/x?a=1&b=2']);
  });

  it('OpenDocument alike', async () => {
    const content =
      '<office:document-content xmlns:text="urn:x"><text:p>go <text:a xlink:href="http://odt.evil.com/a?b&amp;c">here</text:a></text:p></office:document-content>';
    expect(
      (await read(zip({ mimetype: strToU8('application/vnd.oasis.opendocument.text'), 'content.xml': strToU8(content) }))).values,
    ).toEqual(['http://odt.evil.com/a?b&c']);
  });
});

describe('PDF documents', () => {
  const stream = 'BT /F1 12 Tf 72 700 Td (Open http://text.evil.com/a now) Tj ET';
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R] >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    '<< /Type /Annot /Subtype /Link /Rect [72 690 200 712] /A << /S /URI /URI (https://link.evil.com/b) >> >>',
  ];
  let body = '%PDF-1.4\n';
  const places = objects.map((object, n) => {
    const place = body.length;
    body += `${n + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  const pdf = Buffer.from(
    `${body}xref\n0 7\n0000000000 65535 f \n${table}trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
  );

  it('give their text and what their links lead to', async () =>
    expect((await read(pdf)).values).toEqual(['https://link.evil.com/b', 'http://text.evil.com/a']));
  it('that are broken are said to be unread', async () =>
    expect((await read(Buffer.from('%PDF-1.4\nnothing'))).unread).toEqual([expect.stringContaining('cannot be read')]));
});
