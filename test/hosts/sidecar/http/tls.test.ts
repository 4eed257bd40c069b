import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../../../../src/compose/check/check-config.ts';
import { createHandshakeFaults } from '../../../../src/compose/sidecar-access/handshake-faults.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarConfigError } from '../../../../src/hosts/sidecar/way-in.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../../../support/fixtures.ts';
import { hasOpenssl } from '../../../support/loopback-splunkd.ts';

const PASSPHRASE = 'CANARY-pass-phrase';
const TOKEN = 'a-token-of-the-house-42';
const HEAD = 'host: localhost\r\ncontent-type: application/json\r\n';
const certificates = createCertificates();
const { folder, file, read, openssl, authority, issue } = certificates;

beforeAll(() => {
  if (!hasOpenssl) return;
  for (const name of ['ca', 'other-ca']) authority(name);
  for (const name of ['first', 'second', 'client']) issue(name, 'ca');
  issue('short', 'ca', 2);
  issue('stranger', 'other-ca');
  openssl('pkey', '-aes256', '-passout', `pass:${PASSPHRASE}`, '-in', 'first.key', '-out', 'locked.key');
  writeFileSync(file('both.pem'), `${read('first.pem')}\n${read('first.key')}`);
  writeFileSync(file('passphrase'), `${PASSPHRASE}\n`);
  writeFileSync(file('nothing.pem'), 'no certificate\n');
  writeFileSync(file('broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
});
afterAll(() => certificates.remove());

const own = (name = 'first') => ({ tlsCertFile: file(`${name}.pem`), tlsKeyFile: file(`${name}.key`) });
const sidecarOf = (settings: object, log: (line: string) => void = () => undefined) =>
  createSidecar({ enricher: createFakeEnricher(), settings: SidecarSettings.parse({ port: 0, drainMs: 200, ...settings }), log });

async function start(settings: object = own()) {
  const log: string[] = [];
  const sidecar = await sidecarOf(settings, (line) => log.push(line));
  const { scheme, port } = await sidecar.listen();
  onTestFinished(() => sidecar.close());
  expect(scheme).toBe('https');
  return { port, log };
}

interface Answered {
  readonly status: number | undefined;
  readonly text: string;
  readonly shown: string;
}

/** One call on a connection of its own, unless `agent` keeps them. */
function ask(port: number, path: string, options: https.RequestOptions & { body?: string } = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const method = body === undefined ? 'GET' : 'POST';
    const call = https.request({ host: '127.0.0.1', port, path, method, ca: read('ca.pem'), agent: false, ...rest }, (response) => {
      const shown = String((response.socket as TLSSocket).getPeerCertificate().subject.CN);
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve({ status: response.statusCode, text, shown }));
    });
    call.on('error', reject).end(body);
  });
}

const shows = (name: string) => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) });

/** A connection that only writes what it is told, and all that came back by its end. */
async function dial(port: number, options: ConnectionOptions = {}): Promise<{ socket: TLSSocket; ended: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port, ca: read('ca.pem'), ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return { socket, ended: endOf(socket) };
}

function endOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString()));
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

describe.skipIf(!hasOpenssl)('the sidecar on https [needs openssl]', () => {
  it.each<[string, () => object]>([
    ['certificate and key', own],
    ['both in one file', () => ({ tlsCertFile: file('both.pem') })],
    [
      'a key with a passphrase in a file',
      () => ({ tlsCertFile: file('first.pem'), tlsKeyFile: file('locked.key'), tlsKeyPassphraseFile: file('passphrase') }),
    ],
  ])('answers look-ups with %s', async (_name, settings) => {
    const { port } = await start(settings());
    const body = '{"destination":{"ip":"8.8.8.8"}}';
    const answer = await ask(port, '/v1/enrich', { body, headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.text.includes('"verdict"'), answer.shown]).toEqual([200, true, 'first']);
  });

  it('answers nothing in plain http, and nothing older than TLS 1.2; the log says why', async () => {
    const { port, log } = await start();
    const plain = connectPlain(port, '127.0.0.1');
    plain.write(`GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    expect(await endOf(plain)).not.toContain('HTTP/1.1 200');
    await expect.poll(() => log.join('\n')).toContain('spoke plain http');
    for (const [minVersion, maxVersion, opens] of [
      ['TLSv1', 'TLSv1.1', false],
      ['TLSv1.2', 'TLSv1.2', true],
      ['TLSv1.3', 'TLSv1.3', true],
    ] as const) {
      const call = ask(port, '/healthz', { minVersion, maxVersion, ciphers: 'DEFAULT:@SECLEVEL=0' });
      if (opens) expect((await call).status).toBe(200);
      else await expect(call).rejects.toThrow();
    }
  });

  it('with an authority for callers answers nobody without its certificate, and asks for the token as well', async () => {
    const { port, log } = await start({ ...own(), tlsClientCaFile: file('ca.pem'), token: TOKEN });
    for (const path of ['/healthz', '/v1/watchlist']) {
      await expect(ask(port, path)).rejects.toThrow();
      await expect(ask(port, path, shows('stranger'))).rejects.toThrow();
    }
    await expect.poll(() => log.join('\n')).toMatch(/^TLS: .* could not connect: /);
    expect((await ask(port, '/healthz', shows('client'))).status).toBe(200);
    expect((await ask(port, '/metrics', shows('client'))).status).toBe(401);
    expect((await ask(port, '/metrics', { ...shows('client'), headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  });

  it('takes new certificates without a restart; what cannot be used changes nothing, and connections from before end', async () => {
    for (const end of ['pem', 'key']) copyFileSync(file(`first.${end}`), file(`live.${end}`));
    copyFileSync(file('ca.pem'), file('live-ca.pem'));
    const { port, log } = await start({ ...own('live'), tlsClientCaFile: file('live-ca.pem') });
    const shown = async (caller: string) => (await ask(port, '/healthz', shows(caller))).shown;
    expect(await shown('client')).toBe('first');
    const { socket, ended } = await dial(port, shows('client'));
    socket.write(`GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(socket, 'data');

    writeFileSync(file('live.key'), read('second.key'));
    await expect.poll(() => log.join('\n')).toMatch(/tls_key_file .*is not the private key of tls_cert_file.*still counts/);
    expect(await shown('client')).toBe('first');
    writeFileSync(file('live.pem'), read('second.pem'));
    await expect.poll(() => shown('client')).toBe('second');
    await ended;

    writeFileSync(file('live-ca.pem'), read('other-ca.pem'));
    await expect.poll(() => shown('stranger').catch(() => 'refused')).toBe('second');
    await expect(shown('client')).rejects.toThrow();
  });

  it('says on /readyz that its certificate is nearly over', async () => {
    const [short, long] = [await start(own('short')), await start()];
    expect((await ask(short.port, '/readyz')).text).toContain('tls_cert_file');
    expect((await ask(long.port, '/readyz')).text).not.toContain('tls_cert_file');
  });

  it('is announced as such by the process', async () => {
    const env = {
      PATH: process.env.PATH ?? '',
      ISMALICIOUS_STATE_DIR: mkdtempSync(join(folder, 'state-')),
      ISMALICIOUS_SIDECAR_TLS_CERT_FILE: file('first.pem'),
      ISMALICIOUS_SIDECAR_TLS_KEY_FILE: file('first.key'),
    };
    const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'serve', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let words = '';
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${words}`)));
      child.stderr.on('data', (part: Buffer) => {
        words += part.toString();
        const found = /isMalicious sidecar on https:\/\/127\.0\.0\.1:(\d+) /.exec(words);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    expect((await ask(port, '/healthz')).status).toBe(200);
  });
});

describe.skipIf(!hasOpenssl)('what bounds callers holds on https as well [needs openssl]', () => {
  const patient = () => ({ ...own(), requestTimeoutMs: 200 });

  it('who connects and says nothing is cut off, before the handshake and after it', async () => {
    const { port } = await start(patient());
    await endOf(connectPlain(port, '127.0.0.1'));
    const { ended } = await dial(port);
    expect(await ended).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  it('who stands still in its headers or its body is told so, who keeps moving is not', async () => {
    const { port } = await start(patient());
    const head = await dial(port);
    head.socket.write('POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\n');
    expect(await head.ended).toMatch(/^HTTP\/1.1 408 /);
    const body = await dial(port);
    body.socket.write(`POST /v1/enrich HTTP/1.1\r\n${HEAD}content-length: 999\r\n\r\n{"destination":`);
    expect(await body.ended).toMatch(/^HTTP\/1.1 408 [^]*"code":"request_timeout"/);
    const moving = await dial(port);
    const text = '{"destination":{"ip":"8.8.8.8"}}';
    moving.socket.write(`POST /v1/enrich HTTP/1.1\r\n${HEAD}content-length: ${text.length}\r\nconnection: close\r\n\r\n`);
    // Longer than the limit in all.
    for (const letter of text) {
      moving.socket.write(letter);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await moving.ended).toMatch(/^HTTP\/1.1 200 [^]*"verdict":"clean"/);
  });

  it('a body that is too long is refused, and more connections than may be are not taken', async () => {
    const { port } = await start({ ...own(), maxSmallBodyBytes: 1024, maxConnections: 2 });
    const body = JSON.stringify({ indicators: ['8.8.8.8'.repeat(1000)] });
    expect((await ask(port, '/v1/lookup', { body, headers: { 'content-type': 'application/json' } })).status).toBe(413);
    const kept = [await dial(port), await dial(port)];
    await expect(ask(port, '/healthz')).rejects.toThrow();
    for (const { socket } of kept) socket.destroy();
    await expect
      .poll(() =>
        ask(port, '/healthz').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

describe.skipIf(!hasOpenssl)('files of TLS that cannot be used [needs openssl]', () => {
  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      'a key of another certificate',
      () => ({ ...own(), tlsKeyFile: file('second.key') }),
      /tls_key_file .*second\.key.*not the private key of tls_cert_file/,
    ],
    ['no key', () => ({ tlsCertFile: file('first.pem') }), /tls_cert_file .*holds no private key in PEM form: set tls_key_file/],
    [
      'a file that is not there',
      () => ({ ...own(), tlsCertFile: file('nowhere.pem') }),
      /tls_cert_file .*nowhere\.pem.*cannot be read \(ENOENT\): check/,
    ],
    ['a file that is no certificate', () => ({ ...own(), tlsCertFile: file('nothing.pem') }), /tls_cert_file .*holds no certificate/],
    ['a locked key', () => ({ ...own(), tlsKeyFile: file('locked.key') }), /tls_key_file .*is encrypted: set tls_key_passphrase/],
    [
      'a passphrase that does not fit',
      () => ({ ...own(), tlsKeyFile: file('locked.key'), tlsKeyPassphrase: `${PASSPHRASE}x` }),
      /tls_key_file .*does not open with this passphrase: check tls_key_passphrase/,
    ],
    ['a key alone', () => ({ tlsKeyFile: file('first.key') }), /tls_key_file .*needs tls_cert_file/],
    ['an authority alone', () => ({ tlsClientCaFile: file('ca.pem') }), /tls_client_ca_file .*needs tls_cert_file/],
    [
      'an authority that is none',
      () => ({ ...own(), tlsClientCaFile: file('nothing.pem') }),
      /tls_client_ca_file .*nothing\.pem.*holds no certificate/,
    ],
    [
      'an authority that is broken',
      () => ({ ...own(), tlsClientCaFile: file('broken.pem') }),
      /tls_client_ca_file .*certificate 1 of 1 cannot be read/,
    ],
    ['a UNIX socket beside it', () => ({ ...own(), socket: file('s.sock') }), /tls_cert_file .*take sidecar\.socket out/],
  ])('stop the start, and `config check` names them: %s', async (_name, settings, words) => {
    const open = sidecarOf(settings());
    await expect(open).rejects.toThrow(SidecarConfigError);
    await expect(open).rejects.toThrow(words);
    const env = Object.entries(settings()).map(([key, value]) => [
      `ISMALICIOUS_SIDECAR_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      value,
    ]);
    const { faults } = await checkConfig({ env: { ISMALICIOUS_STATE_DIR: folder, ...Object.fromEntries(env) } });
    const found = faults.map(({ key, place, message }) => `${key} (${place}): ${message}`).join('\n');
    expect(found).toMatch(words);
    expect(found).not.toContain(PASSPHRASE);
  });
});

it('failed handshakes are told once a minute, with how many there were', () => {
  const log: string[] = [];
  let nowMs = 0;
  const tell = createHandshakeFaults(
    (line) => log.push(line),
    () => nowMs,
  );
  const socket = { remoteAddress: '192.0.2.7' } as TLSSocket;
  const fail = (code: string, more: object = {}) => tell(Object.assign(new Error(code), { code }), { ...socket, ...more } as TLSSocket);
  fail('ECONNRESET');
  expect(log).toEqual([]);
  fail('ERR_SSL_HTTP_REQUEST');
  fail('ERR_SSL_HTTP_REQUEST');
  fail('ERR_SSL_HTTP_REQUEST');
  nowMs = 60_000;
  fail('ECONNRESET', { authorizationError: 'CERT_HAS_EXPIRED' });
  expect(log).toEqual([
    'TLS: 192.0.2.7 could not connect: it spoke plain http: its URL has to begin with https://',
    'TLS: 192.0.2.7 could not connect: its certificate was refused (CERT_HAS_EXPIRED): sidecar.tls_client_ca_file has to hold who signed it (and 2 before it)',
  ]);
});
