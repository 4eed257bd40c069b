import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toMimeMessage } from '../../../src/hosts/pipeline/mime-message.ts';
import { sendMail } from '../../../src/hosts/pipeline/smtp.ts';
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
      } else if (refuse[verb]) reply(refuse[verb]);
      else if (verb === 'EHLO') socket.write('250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n');
      else if (verb === 'STARTTLS') {
        reply('220 go');
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
async function mail(security: 'tls' | 'starttls', options: { refuse?: Record<string, string>; trusted?: boolean } = {}) {
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
    server: { host: 'localhost', port: (server.address() as net.AddressInfo).port, security, user: 'u', password: 'pw' },
    from: 'a@corp-net.com',
    to: ['soc@corp-net.com', 'b@corp-net.com'],
    subject: 'P1 45[.]83',
    text: 'one\n.\ntwo\n',
    messageId: 'id1',
  };
  try {
    const ca = options.trusted === false ? null : tlsOptions.cert.toString('utf8');
    return { answer: await sendMail(call, { timeoutMs: 3000, signal: new AbortController().signal, ca, now: new Date(0) }), lines };
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

it('a subject cannot add headers, and letters outside ASCII survive', () => {
  const subject = `Böse\r\nBcc: evil@x.net ${'é'.repeat(80)}`;
  const message = toMimeMessage(
    {
      kind: 'mail',
      server: { host: '', port: 1, security: 'tls', user: '', password: '' },
      from: 'a@x.net',
      to: ['b@x.net'],
      subject,
      text: 'x',
      messageId: 'm',
    },
    new Date(0),
  );
  const head = message.slice(0, message.indexOf('\r\n\r\n'));
  expect(head).not.toMatch(/^Bcc/m);
  expect(head.split('\r\n').every((line) => line.length <= 78 || !line.startsWith('Subject'))).toBe(true);
  const words = [...head.matchAll(/=\?utf-8\?B\?([^?]+)\?=/g)].map(([, word]) => Buffer.from(word!, 'base64').toString('utf8'));
  expect(words.join('')).toBe(subject);
});
