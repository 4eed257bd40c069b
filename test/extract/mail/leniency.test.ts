import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../src/extract/extract.ts';

const LINK = 'http://phish.evil.com/login';
const base64 = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64');
const HIDDEN = base64(`<a href="${LINK}">x</a>`);
const HEAD = [
  'From: "Billing" <billing@sender.com>',
  'To: victim@our-company.com',
  'Subject: Invoice',
  'Date: Mon, 3 Nov 2025 10:00:00 +0000',
  'MIME-Version: 1.0',
];
const BODY = ['Content-Type: text/html', 'Content-Transfer-Encoding: base64', '', HIDDEN, ''];
const MAIL = [...HEAD, ...BODY];
const crlf = (lines: readonly string[]) => lines.join('\r\n');
const values = async (mail: string | Uint8Array) =>
  (await extractFromFile(typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail, { withHosts: true })).map(({ value }) => value);

async function expectRead(mail: string | Uint8Array) {
  const found = await values(mail);
  expect(found).toContain(LINK);
  expect(found.filter((value) => value.endsWith('our-company.com'))).toEqual([]);
}

describe('a mail is known as one and its encoded text read', () => {
  it.each<[string, string | Uint8Array]>([
    ['behind a byte order mark', `\xef\xbb\xbf${crlf(MAIL)}`],
    ['behind blank lines', `\r\n\r\n  \r\n${crlf(MAIL)}`],
    ['behind a line of an exporter', `Exported message, do not edit\r\n\r\n${crlf(MAIL)}`],
    ['with blanks before the colons', crlf(MAIL).replace(/^([\w-]+):/gm, '$1 :')],
    ['behind a header of more than 64 KiB', `X-Spam-Report: ${'a'.repeat(90_000)}\r\n${crlf(MAIL)}`],
    ['behind many folded lines', `X-Spam-Report: a\r\n${' bbbbbbbbbb\r\n'.repeat(9000)}${crlf(MAIL)}`],
    ['with CR at the ends of lines', MAIL.join('\r')],
    ['with CR CR LF at the ends of lines', MAIL.join('\r\r\n')],
    ['with LF at the ends of lines', MAIL.join('\n')],
    ['with a dot in the name of a header', `X-Foo.Bar: 1\r\n${crlf(MAIL)}`],
    ['in UTF-16 with its mark', Buffer.from(`\ufeff${crlf(MAIL)}`, 'utf16le')],
    ['in UTF-16 of the other order', Buffer.from(`\ufeff${crlf(MAIL)}`, 'utf16le').swap16()],
    ['in UTF-16 without mark', Buffer.from(crlf(MAIL), 'utf16le')],
    ['with a line in its headers that is none', crlf([...HEAD, 'this is no header', ...BODY])],
    ['behind the line of a mailbox', `From a@b Mon Nov  3 10:00:00 2025\r\n${crlf(MAIL)}`],
    ['as the third of a mailbox', [1, 2, 3].map(() => `From a@b Mon Nov  3 10:00:00 2025\n${MAIL.join('\n')}`).join('\n\n')],
  ])('%s', async (_, mail) => expectRead(mail));

  it('names no header as a host', async () => expect(await values(`X-Foo.Bar: 1\r\n${crlf(MAIL)}`)).not.toContain('foo.bar'));

  it.each([
    [
      'a page of a web server with its headers',
      'HTTP/1.1 200 OK\r\nDate: Mon, 3 Nov 2025 10:00:00 GMT\r\nContent-Type: text/html\r\n\r\nto: bob@evil.com',
    ],
    ['an article that quotes headers far down', `${'A long report.\n'.repeat(30)}From: a@evil.com\nTo: bob@evil.com\nSubject: x\n\n`],
  ])('%s is none', async (_, text) => expect(await values(text)).toContain('bob@evil.com'));
});

describe('parts that no head announces', () => {
  const quoted = (...head: string[]) =>
    crlf([...HEAD, ...head, '', 'see http://evil.com/before', '--b1', ...BODY, '--b1--', 'and http://evil.com/behind']);

  it.each([
    ['of a mail without media type', quoted()],
    ['of one whose media type is empty', quoted('Content-Type:')],
    ['that a text quotes', quoted('Content-Type: text/plain; charset=utf-8')],
    ['that stand in a text in quoted-printable', quoted('Content-Type: text/plain', 'Content-Transfer-Encoding: quoted-printable')],
  ])('%s are read, and the text around them', async (_, mail) => {
    await expectRead(mail);
    expect(await values(mail)).toEqual(expect.arrayContaining(['http://evil.com/before', 'http://evil.com/behind']));
  });
});

describe('an encoding that is said oddly', () => {
  it.each([
    ['in two headers', 'Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64'],
    ['in two headers, the other way round', 'Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit'],
    ['with a hyphen', 'Content-Transfer-Encoding: base-64'],
    ['as an extension', 'Content-Transfer-Encoding: X-Base64'],
  ])('%s', async (_, header) => expectRead(crlf([...HEAD, 'Content-Type: text/html', header, '', HIDDEN])));

  it('a body right behind the head of its part', async () => {
    const part = ['--b1', 'Content-Type: text/html', 'Content-Transfer-Encoding: base64'];
    await expectRead(crlf([...HEAD, 'Content-Type: multipart/mixed; boundary="b1"', '', ...part, HIDDEN, '--b1--']));
    await expectRead(
      crlf([...HEAD, 'Content-Type: multipart/mixed; boundary="b1"', '', ...part.slice(0, 2), `<a href="${LINK}">x</a>`, '--b1--']),
    );
  });

  it('a mail that is cut into pieces, the first of them', async () =>
    expectRead(crlf([...HEAD, 'Content-Type: message/partial; id="a"; number=1; total=2', '', ...MAIL])));
});

describe('a multipart that is a little broken loses nothing', () => {
  const part = ['Content-Type: text/html', 'Content-Transfer-Encoding: base64', '', HIDDEN];
  const multi = (type: string, body: readonly string[]) => crlf([...HEAD, `Content-Type: ${type}`, ...body]);
  it.each([
    ['no blank line before the first boundary', multi('multipart/mixed; boundary="bb"', ['--bb', ...part, '--bb--', ''])],
    [
      'the same in a part inside',
      multi('multipart/mixed; boundary=o', [
        '',
        '--o',
        'Content-Type: multipart/related; boundary=i',
        '--i',
        ...part,
        '--i--',
        '--o--',
        '',
      ]),
    ],
    ['a boundary that never comes, links in plain sight', multi('multipart/mixed; boundary="never"', ['', `see ${LINK} now`, ''])],
    [
      'a boundary that never comes, another in its place',
      multi('multipart/mixed; boundary="never"', ['', '--other', ...part, '--other--', '']),
    ],
    ['no boundary named', multi('multipart/mixed', ['', '--other', ...part, '--other--', ''])],
    [
      'an inner boundary that starts with the outer one',
      multi('multipart/mixed; boundary="=_x"', [
        '',
        '--=_x',
        'Content-Type: multipart/alternative; boundary="=_x--alt"',
        '',
        '--=_x--alt',
        ...part,
        '--=_x--alt--',
        '--=_x--',
        '',
      ]),
    ],
    ['a comment behind the boundary', multi('multipart/mixed; boundary=abc (comment)', ['', '--abc', ...part, '--abc--', ''])],
    [
      'a comment behind the encoding',
      multi('multipart/mixed; boundary=abc', [
        '',
        '--abc',
        'Content-Type: text/html (x)',
        'Content-Transfer-Encoding: base64 (y)',
        '',
        HIDDEN,
        '--abc--',
        '',
      ]),
    ],
    [
      'a semicolon behind the encoding',
      multi('multipart/mixed; boundary=abc', [
        '',
        '--abc',
        'Content-Type: text/html;',
        'Content-Transfer-Encoding: base64;',
        '',
        HIDDEN,
        '--abc--',
        '',
      ]),
    ],
    ['blanks behind the boundaries', multi('multipart/mixed; boundary=abc', ['', '--abc  ', ...part, '--abc--\t', ''])],
    ['no closing boundary', multi('multipart/mixed; boundary=abc', ['', '--abc', ...part, ''])],
    [
      'an inner multipart that is never closed',
      multi('multipart/mixed; boundary=o', [
        '',
        '--o',
        'Content-Type: multipart/alternative; boundary=i',
        '',
        '--i',
        'Content-Type: text/plain',
        '',
        'hi',
        '--o',
        ...part,
        '--o--',
        '',
      ]),
    ],
    [
      'a digest, whose parts are mails unless they say otherwise',
      multi('multipart/digest; boundary=d', ['', '--d', '', 'From: i@evil.com', 'To: other@our-company.com', ...BODY, '--d--', '']),
    ],
    ['a type that is none', crlf([...HEAD, 'Content-Type: html', 'Content-Transfer-Encoding: base64', '', base64(`see ${LINK}`), ''])],
    [
      'a page that says it is a text',
      crlf([...HEAD, 'Content-Type: text/plain', '', '<html><a href="http://phish.ev\nil.com/login">x</a>', '']),
    ],
  ])('%s', async (_, mail) => expectRead(mail));
});

describe('an attached mail is read as a mail, whatever its type', () => {
  const inner = crlf(['From: evil@attacker.com', 'To: x@our-company.com', 'Subject: inner', ...BODY]);
  const attach = (headers: readonly string[], content = inner) =>
    crlf([
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      '--b1',
      'Content-Type: text/plain',
      '',
      'fwd',
      '--b1',
      ...headers,
      '',
      content,
      '--b1--',
      '',
    ]);
  const coded = ['Content-Transfer-Encoding: base64'];
  it.each([
    ['message/rfc822', attach(['Content-Type: message/rfc822'])],
    ['message/rfc822 in base64', attach(['Content-Type: message/rfc822', ...coded], base64(inner))],
    ['message/global', attach(['Content-Type: message/global'])],
    ['message/x-eml', attach(['Content-Type: message/x-eml; name=a.eml'])],
    ['octet-stream with a name', attach(['Content-Type: application/octet-stream; name="phish.eml"', ...coded], base64(inner))],
    ['octet-stream without a name', attach(['Content-Type: application/octet-stream', ...coded], base64(inner))],
    [
      'text/plain with a name',
      attach(['Content-Type: text/plain; name="phish.eml"', 'Content-Disposition: attachment', ...coded], base64(inner)),
    ],
    ['text/plain with a name, inline', attach(['Content-Type: text/plain; name="phish.eml"', ...coded], base64(inner))],
    [
      'message/rfc822 in quoted-printable',
      attach(['Content-Type: message/rfc822', 'Content-Transfer-Encoding: quoted-printable'], inner.replaceAll('=', '=3D')),
    ],
    [
      'text/rfc822-headers and a mail behind a mark',
      attach(['Content-Type: application/octet-stream; name=m.EML', ...coded], base64(`\ufeff${inner}`)),
    ],
  ])('%s', async (_, mail) => {
    await expectRead(mail);
    expect(await values(mail)).toContain('evil@attacker.com');
  });

  it('also as the only content of a signed message (smime.p7m)', async () => {
    const der = (tag: number, ...content: Buffer[]): Buffer => {
      const body = Buffer.concat(content);
      const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
      return Buffer.concat([Buffer.from([tag, ...length]), body]);
    };
    const oid = (hex: string) => der(6, Buffer.from(hex, 'hex'));
    const entity = Buffer.from(crlf(BODY));
    const halves = [entity.subarray(0, 40), entity.subarray(40)].map((half) => der(4, half));
    for (const content of [der(4, entity), der(0x24, ...halves)]) {
      const signed = der(0x30, der(2, Buffer.from([1])), der(0x31), der(0x30, oid('2a864886f70d010701'), der(0xa0, content)));
      const p7m = der(0x30, oid('2a864886f70d010702'), der(0xa0, signed));
      const mail = crlf([
        ...HEAD,
        'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"',
        'Content-Transfer-Encoding: base64',
        '',
        base64(p7m),
        '',
      ]);
      await expectRead(mail);
    }
  });
});

describe('names of attachments', () => {
  const attach = (...disposition: readonly string[]) =>
    crlf([
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      '--b1',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      ...disposition,
      '',
      HIDDEN,
      '--b1--',
      '',
    ]);
  it.each([
    [
      'filename and filename*',
      'invoice.html',
      ['Content-Disposition: attachment; filename="invoice.html"; filename*=UTF-8\'\'invoice.html'],
    ],
    [
      'filename* before filename',
      'invoice.html',
      ['Content-Disposition: attachment; filename*=UTF-8\'\'invoice.html; filename="other.html"'],
    ],
    ['pieces in another order', 'invoice.html', ['Content-Disposition: attachment; filename*1=".html"; filename*0="invoice"']],
    [
      'a character cut between pieces',
      '€ invoice.html',
      ["Content-Disposition: attachment; filename*0*=UTF-8''%E2%82;", ' filename*1*=%AC%20invoice.html'],
    ],
    ['encoded words cut by pieces', 'aé.html', ['Content-Disposition: attachment; filename*0="=?UTF-8?Q?a=C3"; filename*1="=A9.html?="']],
    ['a blank at the end', 'invoice.html', ['Content-Disposition: attachment; filename="invoice.html "']],
    ['an encoded word', 'Køb.html', ['Content-Disposition: attachment; filename="=?iso-8859-1?Q?K=F8b.html?="']],
  ])('%s', async (_, name, disposition) => {
    const found = await extractFromFile(Buffer.from(attach(...disposition)), { withHosts: false });
    expect(found.map(({ value }) => value)).toContain(LINK);
    expect(found.map(({ original }) => original)).toContain(name);
  });
});

describe('attachments', () => {
  const SCRIPT = 'line one\r\nfetch("http://drop.evil.com/a")\r\n';
  const digest = createHash('sha256').update(SCRIPT).digest('hex');
  it.each([
    ['7bit', SCRIPT],
    ['quoted-printable', SCRIPT.replaceAll('=', '=3D')],
    ['base64', base64(SCRIPT)],
  ])('are hashed byte for byte: %s', async (encoding, content) => {
    const mail = crlf([
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      '--b1',
      'Content-Type: text/javascript; name=a.js',
      `Content-Transfer-Encoding: ${encoding}`,
      '',
      `${content}\r\n--b1--`,
      '',
    ]);
    const found = await values(mail);
    expect(found).toContain(digest);
    expect(found).toContain('http://drop.evil.com/a');
  });

  it('of calendars are unfolded, without their guests', async () => {
    const calendar = [
      'BEGIN:VCALENDAR',
      'ATTENDEE;CN=Bob:mailto:bob@guests.com',
      'DESCRIPTION:Join https://meet.ev',
      ' il.com/long/pa',
      ' th\\nNext',
      'END:VCALENDAR',
      '',
    ].join('\r\n');
    const mail = crlf([...HEAD, 'Content-Type: text/calendar; method=REQUEST', '', calendar]);
    const found = await values(mail);
    expect(found).toContain('https://meet.evil.com/long/path');
    expect(found).not.toContain('bob@guests.com');
  });
});

describe('receivers', () => {
  const mail = (from: string, to: string, body: string) =>
    crlf([`From: ${from}`, `To: ${to}`, 'Received: from a.evil.com by mx.ours.com for bob@ours.com; now', 'Subject: x', '', body]);
  it('are no indicators, wherever they stand', async () => {
    const found = await values(
      mail('x@evil.com', 'Bob <bob@ours.com>', 'Dear bob@ours.com, log in: http://evil.com/?u=bob@ours.com or ask help@ours.com'),
    );
    expect(found).toEqual([
      'x@evil.com',
      'evil.com',
      'a.evil.com',
      'http://evil.com/?u=bob@ours.com',
      'evil.com',
      'help@ours.com',
      'ours.com',
    ]);
  });
  it('hide no link: whoever writes a mail writes its To as well', async () =>
    expect(await values(mail('x@evil.com', 'a@phish.com', 'http://phish.com/a'))).toContain('http://phish.com/a'));
  it('hide no sender', async () => expect(await values(mail('x@evil.com', 'x@evil.com', 'hi'))).toContain('x@evil.com'));
  it('of a report on delivery are left out, too', async () => {
    const report = crlf([
      ...HEAD,
      'Content-Type: multipart/report; boundary=b',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'Final-Recipient: rfc822; carol@third.com',
      'Diagnostic-Code: smtp; see http://evil.com/help',
      '--b--',
      '',
    ]);
    const found = await values(report);
    expect(found).toContain('http://evil.com/help');
    expect(found).not.toContain('carol@third.com');
  });
});
