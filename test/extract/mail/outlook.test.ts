import { burn } from '@kenjiuno/msgreader/lib/Burner.js';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../src/extract/extract.ts';
import { openOutlook } from '../../../src/extract/mail/open-outlook.ts';

const ROOT = 5;
const FOLDER = 1;
const STREAM = 2;
const PR_BODY = '1000001F';
const PR_HEADERS = '007D001F';
const PR_HTML = '10130102';
const PR_LONG_NAME = '3707001F';
const PR_DATA = '37010102';
const wide = (text: string) => Buffer.from(text, 'utf16le');

type Streams = Readonly<Record<string, Uint8Array>>;

/** A message as Outlook saves it: its properties as streams, its attachments as folders. */
function message(properties: Streams, attachments: readonly Streams[]): Uint8Array {
  const entries: Parameters<typeof burn>[0] = [{ name: 'Root Entry', type: ROOT, length: 0, children: [] }];
  const add = (parent: number, entry: (typeof entries)[0]) => {
    entries.push(entry);
    entries[parent]?.children?.push(entries.length - 1);
    return entries.length - 1;
  };
  const addStreams = (parent: number, streams: Streams) => {
    for (const [id, bytes] of Object.entries({ __properties: new Uint8Array(32), ...streams })) {
      const name = id === '__properties' ? '__properties_version1.0' : `__substg1.0_${id}`;
      add(parent, { name, type: STREAM, length: bytes.length, binaryProvider: () => Uint8Array.from(bytes) });
    }
  };
  addStreams(0, properties);
  add(0, { name: '__nameid_version1.0', type: FOLDER, length: 0, children: [] });
  for (const [n, streams] of attachments.entries())
    addStreams(add(0, { name: `__attach_version1.0_#${String(n).padStart(8, '0')}`, type: FOLDER, length: 0, children: [] }), streams);
  return burn(entries);
}

const PAGE = '<a href="http://att.evil.com/q">x</a>';
const MESSAGE = message(
  {
    [PR_HEADERS]: wide('From: x@evil.com\r\nTo: victim@ours.com\r\nSubject: s\r\n'),
    [PR_BODY]: wide('go to http://body.evil.com/a, victim@ours.com'),
    [PR_HTML]: Buffer.from('<a href="http://html.evil.com/b">x</a>'),
  },
  [{ [PR_LONG_NAME]: wide('page.html'), [PR_DATA]: Buffer.from(PAGE) }],
);

describe('a message of Outlook', () => {
  const expected = [
    'x@evil.com',
    'http://body.evil.com/a',
    'http://html.evil.com/b',
    createHash('sha256').update(PAGE).digest('hex'),
    'http://att.evil.com/q',
  ];

  it('is read like a mail: headers, texts, attachments, without its receivers', async () => {
    const found = (await extractFromFile(MESSAGE, { withHosts: false, openOutlook })).map(({ value }) => value);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(found).not.toContain('victim@ours.com');
  });

  it('is read when it is attached to a mail', async () => {
    const mail = `From: a@b.com\nTo: b@c.com\nContent-Type: application/vnd.ms-outlook; name="m.msg"\nContent-Transfer-Encoding: base64\n\n${Buffer.from(MESSAGE).toString('base64')}\n`;
    const found = (await extractFromFile(Buffer.from(mail), { withHosts: false, openOutlook })).map(({ value }) => value);
    expect(found).toEqual(expect.arrayContaining([...expected, createHash('sha256').update(MESSAGE).digest('hex')]));
  });

  it('that is cut off is read as far as it goes, or said to be unread', async () => {
    for (let length = 512; length < MESSAGE.length; length += 512) {
      const found = await extractFromFile(MESSAGE.subarray(0, length), { withHosts: false, openOutlook });
      expect(Array.isArray(found)).toBe(true);
    }
  });
});

describe('winmail.dat', () => {
  const attribute = (id: number, content: Uint8Array) => {
    const head = Buffer.alloc(9);
    head.writeUInt16LE(id, 1);
    head.writeUInt32LE(content.length, 5);
    return Buffer.concat([head, content, Buffer.alloc(2)]);
  };
  const property = (id: number, type: number, content: Uint8Array) => {
    const head = Buffer.alloc(12);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(id, 2);
    head.writeUInt32LE(1, 4);
    head.writeUInt32LE(content.length, 8);
    return Buffer.concat([head, content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
  };
  const properties = (...all: readonly Uint8Array[]) => {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(all.length);
    return Buffer.concat([count, ...all]);
  };
  const tnef = (...attributes: readonly Uint8Array[]) => Buffer.concat([Buffer.from('789f3e220100', 'hex'), ...attributes]);
  const inner = tnef(attribute(0x800c, Buffer.from('inner http://inner.evil.com/a\0')));
  const winmail = tnef(
    attribute(
      0x9003,
      properties(
        property(0x1013, 0x102, Buffer.from('<a href="http://html.evil.com/b">x</a>')),
        property(0x1000, 0x1f, wide('http://body.evil.com/c')),
      ),
    ),
    attribute(0x9002, Buffer.alloc(14)),
    attribute(0x8010, Buffer.from('INVOIC~1.HTM\0')),
    attribute(0x800f, Buffer.from(PAGE)),
    attribute(0x9005, properties(property(0x3707, 0x1f, wide('invoice.html\0')))),
    attribute(0x9002, Buffer.alloc(14)),
    attribute(0x9005, properties(property(0x3701, 0x0d, Buffer.concat([Buffer.alloc(16), inner])))),
  );
  const mail = (bytes: Uint8Array) =>
    Buffer.from(
      `From: a@b.com\nTo: b@c.com\nContent-Type: application/octet-stream; name="winmail.dat"\nContent-Transfer-Encoding: base64\n\n${Buffer.from(bytes).toString('base64')}\n`,
    );

  it('gives the text, the files and the messages in it', async () => {
    const found = await extractFromFile(mail(winmail), { withHosts: false });
    expect(found.map(({ value }) => value)).toEqual(
      expect.arrayContaining([
        'http://html.evil.com/b',
        'http://body.evil.com/c',
        createHash('sha256').update(PAGE).digest('hex'),
        'http://att.evil.com/q',
        'http://inner.evil.com/a',
      ]),
    );
    expect(found.map(({ original }) => original)).toContain('invoice.html');
  });

  it('is read as far as it goes, cut off anywhere', async () => {
    for (let length = 0; length < winmail.length; length += 3)
      expect(Array.isArray(await extractFromFile(mail(winmail.subarray(0, length))))).toBe(true);
  });
});
