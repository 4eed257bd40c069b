import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { extractFromEmail, extractFromFile } from '../../../src/extract/extract.ts';
import { looksLikeEmail } from '../../../src/extract/mail/looks-like-mail.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.replaceAll('\n', '\r\n'));
const digest = (algorithm: string, content: string): string => createHash(algorithm).update(content).digest('hex');

const DROPPER = 'MZ\u0000this program cannot be run';
const PAGE = '<html><body><form action="https://collect.evil-form.com/post.php"></form></body></html>';
const REPORT = `Return-Path: <bounce-77@mailer.evil.com>
Received: from mx.evil.com (mx.evil.com [203.0.113.25])
\tby mx1.corp.org (Postfix) with ESMTPS id 4XyZ
\tfor <bob@corp.org>; Fri, 20 Nov 2026 10:00:00 +0000 (UTC)
DKIM-Signature: v=1; a=rsa-sha256; d=evil.com; s=k1; h=from:to:subject;
 bh=abc.DEF+ghi/jkl=; b=x.com/AbC+def==
Message-ID: <20261120.1.abc@host7.evil.com>
From: =?UTF-8?B?UGF5UGFsIFN1cHBvcnQ=?= <support@paypa1-secure.com>
Reply-To: =?utf-8?q?collect=40evil-reply=2Ecom?=
To: Bob <bob@corp.org>
Cc: alice@corp.org
Subject: =?utf-8?q?Your_account_at_http=3A//verify=2Eevil=2Ecom/a?=
X-Originating-IP: [198.51.100.77]
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_mix.1"

This is a multi-part message from preamble.evil.com.
--=_mix.1
Content-Type: multipart/alternative; boundary=alt

--alt
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Visit https://evil.com/login?user=3Dbob&very=3Dlong=
er-than-the-line or hxxp://backup[.]evil[.]net =E2=80=93 now.
--alt
Content-Type: text/html; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">
<html xmlns=3D"http://www.w3.org/1999/xhtml"><style>.btn.name{background:url(https://img.evil.com/a.png)} a.info{}</style>
<a href=3D"https://nam02.safelinks.protection.outlook.com/?url=3Dhttps%3A%2F%2Fhidden.evil.com%2Fx%3Fa%3Db&amp;data=3D05">https://www.paypal.com/</a>
<img src=3D"https://track.evil.com/p.gif?id=3D1&amp;u=3D2"> m&#252;nchen-evil.de &#104;ttps&#58;//entity.evil.com/e
--alt--
--=_mix.1
Content-Type: application/octet-stream; name="invoice.exe"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="invoice.exe"

${Buffer.from(DROPPER).toString('base64')}
--=_mix.1
Content-Type: text/html
Content-Disposition: attachment; filename*=utf-8''p%C3%A4ge.html
Content-Transfer-Encoding: base64

${Buffer.from(PAGE).toString('base64')}
--=_mix.1
Content-Type: message/rfc822

From: inner@forwarded.com
To: bob@corp.org
Subject: fwd

inner text: http://inner.evil.org/z
--=_mix.1--
epilogue.evil.com
`;

describe('a phishing report', async () => {
  const found = (await extractFromEmail(bytes(REPORT), { withHosts: false })).map(({ type, value, part }) => `${part} ${type} ${value}`);

  it('gives what its headers, texts and attachments hold, and nothing of the receiving side', () => {
    expect(found).toEqual([
      'header:return-path email-addr bounce-77@mailer.evil.com',
      'header:received domain-name mx.evil.com',
      'header:received domain-name mx.evil.com',
      'header:received ipv4-addr 203.0.113.25',
      'header:dkim-signature domain-name evil.com',
      'header:from email-addr support@paypa1-secure.com',
      'header:reply-to email-addr collect@evil-reply.com',
      'header:subject url http://verify.evil.com/a',
      'header:x-originating-ip ipv4-addr 198.51.100.77',
      'text url https://evil.com/login?user=bob&very=longer-than-the-line',
      'text url http://backup.evil.net/',
      'html url https://img.evil.com/a.png',
      'html url https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fhidden.evil.com%2Fx%3Fa%3Db&data=05',
      'html url https://hidden.evil.com/x?a=b',
      'html url https://www.paypal.com/',
      'html url https://track.evil.com/p.gif?id=1&u=2',
      'html domain-name xn--mnchen-evil-thb.de',
      'html url https://entity.evil.com/e',
      `attachment:invoice.exe file:sha256 ${digest('sha256', DROPPER)}`,
      `attachment:invoice.exe file:sha1 ${digest('sha1', DROPPER)}`,
      `attachment:invoice.exe file:md5 ${digest('md5', DROPPER)}`,
      `attachment:päge.html file:sha256 ${digest('sha256', PAGE)}`,
      `attachment:päge.html file:sha1 ${digest('sha1', PAGE)}`,
      `attachment:päge.html file:md5 ${digest('md5', PAGE)}`,
      'attachment:päge.html url https://collect.evil-form.com/post.php',
      'message/header:from email-addr inner@forwarded.com',
      'message/text url http://inner.evil.org/z',
    ]);
  });

  it('reads the same with bare line feeds, and as a file', async () => {
    const plain = new TextEncoder().encode(REPORT);
    expect((await extractFromEmail(plain, { withHosts: false })).map(({ type, value, part }) => `${part} ${type} ${value}`)).toEqual(found);
    expect(await extractFromFile(plain, { withHosts: false })).toHaveLength(found.length);
  });

  it('gives each value once when asked to', async () => {
    const values = (await extractFromEmail(bytes(REPORT), { isUnique: true })).map(({ type, value }) => `${type} ${value}`);
    expect(new Set(values).size).toBe(values.length);
    expect(values).toContain('domain-name hidden.evil.com');
  });
});

describe('what is no clean message', () => {
  it('is read as far as it goes, cut off anywhere', async () => {
    const whole = bytes(REPORT);
    for (let length = 0; length < whole.length; length += 7)
      expect(Array.isArray(await extractFromEmail(whole.subarray(0, length)))).toBe(true);
  });

  it.each([
    [
      'an unknown character set',
      'From: a@evil.com\nContent-Type: text/plain; charset=x-nonsense\n\nhttp://evil.com/a',
      'http://evil.com/a',
    ],
    [
      'base64 with junk in it',
      'From: a@evil.com\nContent-Transfer-Encoding: base64\n\naHR0c!DovL2V2\naWwuY29tL2E=***',
      'http://evil.com/a',
    ],
    [
      'a boundary that never comes',
      'From: a@evil.com\nContent-Type: multipart/mixed; boundary=x\n\nhttp://evil.com/a',
      'http://evil.com/a',
    ],
    ['UTF-8 in a header, raw', 'From: a@evil.com\nSubject: münchen-evil.de\n\n', 'xn--mnchen-evil-thb.de'],
    ['no body', 'From: a@evil.com\nTo: b@corp.org', 'a@evil.com'],
    ['no headers', '\nhttp://evil.com/a', 'http://evil.com/a'],
  ])('%s', async (_, text, value) => {
    const values = (await extractFromEmail(bytes(text))).map((each) => each.value);
    expect(values).toContain(value);
  });

  it('ends for messages nested without end and for boundaries without number', async () => {
    const nested = 'Content-Type: message/rfc822\n\n'.repeat(5000);
    expect(await extractFromEmail(bytes(nested))).toEqual([]);
    const many = `Content-Type: multipart/mixed; boundary=x\n\n${'--x\n\nhttp://evil.com/a\n'.repeat(20_000)}`;
    expect((await extractFromEmail(bytes(many), { withHosts: false })).length).toBeLessThanOrEqual(1000);
  });
});

describe('telling a message from a text', () => {
  it.each([
    ['From: a@b.com\nTo: c@d.com\n\nhello', true],
    ['From x@y Fri Nov 20\nReceived: from a\n by b\nSubject: x\n\n', true],
    ['Received: by 10.0.0.1\nMIME-Version: 1.0\n\n', true],
    ['hello world', false],
    ['error: x\nwarning: y\n', false],
    ['{"from":"a@b.com"}', false],
    ['', false],
  ])('%j: %s', (text, isMessage) => expect(looksLikeEmail(bytes(text))).toBe(isMessage));

  it('reads HTML and UTF-16 files', async () => {
    const page =
      '<!doctype html>\n<html xmlns="http://www.w3.org/1999/xhtml"><style>p.name{}</style><a href="http://evil.com/a?b=c&amp;d">x</a>';
    const [first, ...others] = await extractFromFile(new TextEncoder().encode(page), { withHosts: false });
    expect([first?.value, others]).toEqual(['http://evil.com/a?b=c&d', []]);
    expect(page.slice(first?.offset).startsWith(first?.original ?? 'none')).toBe(true);
    const wide = Buffer.from('\ufeffsee evil.com', 'utf16le');
    expect((await extractFromFile(wide)).map(({ value }) => value)).toEqual(['evil.com']);
  });
});
