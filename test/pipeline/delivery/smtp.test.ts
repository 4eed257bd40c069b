import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendMail } from '../../../src/pipeline/delivery/smtp.ts';
import type { MailOutputCall } from '../../../src/outputs/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-smtp-'));
const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
let tlsOptions: { key: Buffer; cert: Buffer };
beforeAll(() => {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      keyFile,
      '-out',
      certFile,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ],
    { stdio: 'ignore' },
  );
  tlsOptions = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A mail server that says yes, except to what `refuse` names. */
function serve(socket: net.Socket, lines: string[], refuse: Record<string, string>) {
  let text = '';
  let inData = false;
  const reply = (line: string) => void socket.write(`${line}\r\n`);
  socket.on('error', () => undefined);
  socket.on('data', (part: Buffer) => {
    text += part.toString('utf8');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      lines.push(line);
      const verb = line.split(/[ :]/)[0] ?? '';
      if (inData) {
        if (line !== '.') continue;
        inData = false;
        reply(refuse['.'] ?? '250 queued');
      } else if (refuse[line] !== undefined) reply(refuse[line]);
      else if (refuse[verb] !== undefined) {
        if (refuse[verb] === 'hang up') socket.destroy();
        else if (refuse[verb] !== 'say nothing') reply(refuse[verb]);
      } else if (verb === 'EHLO') socket.write('250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n');
      else if (verb === 'STARTTLS') {
        // What stands behind the reply came before TLS: anybody on the way may have put it there.
        reply(refuse['before TLS'] ?? '220 go');
        socket.removeAllListeners('data');
        const secure = new tls.TLSSocket(socket, { isServer: true, ...tlsOptions });
        serve(secure, lines, refuse);
        return;
      } else if (verb === 'AUTH') reply('235 ok');
      else if (verb === 'DATA') {
        inData = true;
        reply('354 go on');
      } else if (verb !== 'QUIT') reply('250 ok');
    }
  });
}
async function mail(
  security: 'tls' | 'starttls',
  options: {
    refuse?: Record<string, string>;
    trusted?: boolean;
    call?: Partial<MailOutputCall>;
    host?: string;
    password?: string;
    signal?: AbortSignal;
  } = {},
) {
  const lines: string[] = [];
  const onSocket = (socket: net.Socket) => {
    socket.write('220 mail\r\n');
    serve(socket, lines, options.refuse ?? {});
  };
  const server = security === 'tls' ? tls.createServer(tlsOptions, onSocket) : net.createServer(onSocket);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const call: MailOutputCall = {
    kind: 'mail',
    server: {
      host: options.host ?? 'localhost',
      port: (server.address() as net.AddressInfo).port,
      security,
      user: 'u',
      password: options.password ?? 'pw',
    },
    from: 'a@corp-net.com',
    to: ['soc@corp-net.com', 'b@corp-net.com'],
    subject: 'P1 45[.]83',
    text: 'one\n.\ntwo\n',
    messageId: 'id1',
    ...options.call,
  };
  try {
    const ca = options.trusted === false ? null : tlsOptions.cert.toString('utf8');
    return {
      answer: await sendMail(call, { timeoutMs: 3000, signal: options.signal ?? new AbortController().signal, ca, now: new Date(0) }),
      lines,
    };
  } catch (error) {
    return { error: error as Error, lines };
  } finally {
    server.close();
  }
}

describe.each(['tls', 'starttls'] as const)('mail over %s', (security) => {
  it('arrives whole, after logging in', async () => {
    const { answer, lines } = await mail(security);
    expect(answer?.status).toBe(200);
    expect(lines).toContain('RCPT TO:<b@corp-net.com>');
    expect(lines.indexOf(`AUTH PLAIN ${Buffer.from('\0u\0pw').toString('base64')}`)).toBeGreaterThan(lines.indexOf('STARTTLS'));
    const body = lines.slice(lines.indexOf('') + 1, lines.indexOf('.')).join('');
    expect(Buffer.from(body, 'base64').toString('utf8')).toBe('one\n.\ntwo\n');
  });
  it('is not sent to a server whose certificate is not trusted', async () => {
    const { error, lines } = await mail(security, { trusted: false });
    expect(error?.message).toMatch(/mail server localhost/);
    expect(lines.some((line) => line.startsWith('AUTH') || line.startsWith('MAIL'))).toBe(false);
  });
  it.each([
    ['AUTH', '535 bad login', 401],
    ['RCPT', '550 no such user', 400],
    ['RCPT', '451 later', 503],
    ['.', '452 full', 503],
  ])('a reply to %s of "%s" becomes %i', async (verb, reply, status) => {
    expect((await mail(security, { refuse: { [verb]: reply } })).answer?.status).toBe(status);
  });
});

it('a server without STARTTLS is told nothing', async () => {
  const { answer, lines } = await mail('starttls', { refuse: { STARTTLS: '502 what?' } });
  expect([answer?.status, lines.some((line) => line.startsWith('AUTH'))]).toEqual([400, false]);
});

it('a subject cannot add headers, and letters outside ASCII survive', async () => {
  const subject = `Böse\r\nBcc: evil@x.net ${'é'.repeat(80)}`;
  const { lines } = await mail('tls', { call: { subject } });
  const data = lines.slice(lines.indexOf('DATA') + 1);
  const head = data.slice(0, data.indexOf(''));
  expect(
    head.filter((line) => /^(Bcc|Subject|To|From|Message-ID|Auto-Submitted|Date)/i.test(line)).map((line) => line.split(':')[0]),
  ).toEqual(expect.arrayContaining(['From', 'To', 'Subject', 'Message-ID', 'Date', 'Auto-Submitted']));
  expect(head.join('\n')).not.toMatch(/^Bcc/im);
  expect(head).toEqual(
    expect.arrayContaining([
      'To: soc@corp-net.com, b@corp-net.com',
      'Message-ID: <id1@corp-net.com>',
      'Date: Thu, 01 Jan 1970 00:00:00 +0000',
    ]),
  );
  for (const line of head) expect(line.length).toBeLessThanOrEqual(78);
  const unfolded = head.join('\r\n').replace(/\r\n[ \t]/g, ' ');
  const [, encoded = ''] = /^Subject: (.*)$/m.exec(unfolded) ?? [];
  expect(decodeWords(encoded.trim())).toBe(subject.replace('\r\n', ' '));
});

/** RFC 2047, both encodings; the blank between two words is no part of the text. */
function decodeWords(text: string): string {
  const bytes = text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?(.*?)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('latin1')
        : word.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

it.each([
  ['soc@corp-net.com>\r\nRCPT TO:<evil@x.net', 'recipient'],
  ['a@corp-net.com>\r\nDATA', 'sender'],
])('an address cannot add commands: %j as %s', async (address, place) => {
  const { lines } = await mail('tls', { call: place === 'sender' ? { from: address } : { to: [address] } });
  expect(lines.filter((line) => line.startsWith('RCPT') && line.includes('evil'))).toEqual([]);
  expect(lines.filter((line) => line === 'DATA').length).toBeLessThanOrEqual(1);
});

it('what was put behind the reply to STARTTLS is not taken for the words of the server', async () => {
  const { answer, error, lines } = await mail('starttls', { refuse: { 'before TLS': '220 go\r\n250-evil\r\n250 AUTH LOGIN\r\n535 no' } });
  // Sent over TLS as if nothing had been said, or given up; never believed.
  if (answer) expect([answer.status, lines.some((line) => line.startsWith('AUTH PLAIN'))]).toEqual([200, true]);
  else expect(error?.message).toMatch(/mail server localhost/);
});

it('a recipient who is refused is never counted as delivered, and the others get the message', async () => {
  const refused = await mail('tls', { refuse: { 'RCPT TO:<b@corp-net.com>': '550 no such user' } });
  expect([refused.answer?.status, refused.answer?.body]).toEqual([400, expect.stringContaining('b@corp-net.com')]);
  expect(refused.lines).toContain('.');
  expect((await mail('tls', { refuse: { 'RCPT TO:<b@corp-net.com>': '451 later' } })).answer?.status).toBe(503);
});

it.each(['pw-5ecret', Buffer.from('pw-5ecret').toString('base64'), Buffer.from('\0u\0pw-5ecret').toString('base64')])(
  'a server that repeats the password does not get it into our words: %s',
  async (echo) => {
    const { answer, error } = await mail('tls', { refuse: { AUTH: `535 bad login ${echo}` }, password: 'pw-5ecret' });
    expect(answer?.status).toBe(401);
    expect(JSON.stringify([answer, error, String(error?.cause)])).not.toContain(echo);
  },
);

it.each([
  ['hang up', 'EHLO'],
  ['hang up', 'MAIL'],
  ['hang up', '.'],
  ['say nothing', 'EHLO'],
  ['say nothing', 'RCPT'],
])('a server that begins to %s at %s is not reachable', async (does, verb) => {
  const { error } = await mail('tls', { refuse: { [verb]: does } });
  expect(error).toMatchObject({ name: 'LookupError', code: 'unavailable', message: expect.stringContaining('mail server localhost') });
});

it('is given up at once when it is cancelled', async () => {
  const { error } = await mail('tls', { signal: AbortSignal.abort() });
  expect(error?.message).toBe('email: mail server localhost: cancelled');
});

it('no server at all is said with its name', async () => {
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const server = { host: '127.0.0.1', port, security: 'tls' as const, user: '', password: '' };
  const { error } = await mail('tls', { call: { server } });
  expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/^email: mail server 127\.0\.0\.1: .*ECONNREFUSED/) });
});
