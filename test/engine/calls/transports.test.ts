import { readFileSync, writeFileSync, mkdtempSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetchTransport } from '../../../src/engine/calls/http/fetch-transport.ts';
import { redactUrl } from '../../../src/engine/calls/http/transport.ts';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';
import { proxyFromEnv } from '../../../src/compose/proxy.ts';

const plain = { provider: 'test', connections: 2, proxy: null, ca: null };

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

describe('the undici transport', () => {
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/hang') return;
      if (request.url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}'));
      else if (request.url === '/bomb')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
      else if (request.url === '/away') response.writeHead(302, { location: '/gzip' }).end();
      else
        response
          .writeHead(200, { 'x-twice': ['a', 'b'] })
          .end(JSON.stringify({ method: request.method, key: request.headers['x-api-key'] }));
    });
    base = `http://127.0.0.1:${await listen(server)}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('sends what a call describes and parses JSON', async () => {
    const transport = createUndiciTransport(plain);
    const answer = await transport.send(
      { url: new URL('/x', base), method: 'POST', headers: { 'x-api-key': 'k' }, body: '{}' },
      { timeoutMs: 5000 },
    );
    expect(answer).toMatchObject({ status: 200, headers: { 'x-twice': 'a, b' }, body: { method: 'POST', key: 'k' } });
    await transport.close();
  });

  it('reads a compressed answer, refuses a bomb, follows no redirect', async () => {
    const transport = createUndiciTransport(plain);
    const get = (path: string) => transport.send({ url: new URL(path, base) }, { timeoutMs: 5000 });
    expect((await get('/gzip')).body).toEqual({ a: 1 });
    await expect(get('/bomb')).rejects.toMatchObject({ code: 'bad_response' });
    expect((await get('/away')).status).toBe(302);
    await transport.close();
  });

  it('ends with the time, and with the signal', async () => {
    const transport = createUndiciTransport(plain);
    await expect(transport.send({ url: new URL('/hang', base) }, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const asked = transport.send({ url: new URL('/hang', base) }, { timeoutMs: 5000, signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'LookupError' });
    await transport.close();
  });
});

describe('TLS is verified', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tls-'));
  let hasOpenssl = true;
  let server: ReturnType<typeof createTlsServer> | undefined;
  let base = '';
  beforeAll(async () => {
    try {
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
          join(folder, 'key.pem'),
          '-out',
          join(folder, 'cert.pem'),
          '-days',
          '2',
          '-subj',
          '/CN=localhost',
          '-addext',
          'subjectAltName=IP:127.0.0.1',
        ],
        { stdio: 'ignore' },
      );
    } catch {
      hasOpenssl = false;
      return;
    }
    server = createTlsServer(
      { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) },
      (_request, response) => response.end('{"ok":true}'),
    );
    base = `https://127.0.0.1:${await listen(server as unknown as Server)}`;
  });
  afterAll(() => server?.close());

  it('refuses a certificate nobody vouches for, and takes it with ca_file', async ({ skip }) => {
    if (!hasOpenssl) skip('openssl is not installed');
    const strict = createUndiciTransport(plain);
    await expect(strict.send({ url: new URL(base) }, { timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('certificate refused') as string,
    });
    const trusting = createUndiciTransport({ ...plain, ca: readFileSync(join(folder, 'cert.pem'), 'utf8') });
    expect((await trusting.send({ url: new URL(base) }, { timeoutMs: 5000 })).body).toEqual({ ok: true });
    await Promise.all([strict.close(), trusting.close()]);
  });

  it('goes through a proxy with user, password and special characters', async ({ skip }) => {
    if (!hasOpenssl) skip('openssl is not installed');
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      seen.push(String(request.headers['proxy-authorization']));
      const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    const port = await listen(proxy);
    const transport = createUndiciTransport({
      ...plain,
      proxy: `http://us%40er:p%3Aa%2Fss@127.0.0.1:${port}`,
      ca: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    });
    expect((await transport.send({ url: new URL(base) }, { timeoutMs: 5000 })).body).toEqual({ ok: true });
    expect(seen).toEqual([`Basic ${Buffer.from('us@er:p:a/ss').toString('base64')}`]);
    await transport.close();
    proxy.closeAllConnections();
    proxy.close();
  });

  it('has no switch that turns it off', () => {
    writeFileSync(join(folder, 'x'), '');
    const source = ['undici-transport', 'fetch-transport']
      .map((name) => readFileSync(new URL(`../../../src/engine/calls/http/${name}.ts`, import.meta.url), 'utf8'))
      .join('\n');
    expect(source).not.toMatch(/rejectUnauthorized: (?!true)|checkServerIdentity|process\.env/);
  });
});

describe('the fetch transport', () => {
  const msw = setupServer();
  beforeAll(() => msw.listen({ onUnhandledFrame: 'error' }));
  afterAll(() => msw.close());

  it('answers like the other one', async () => {
    msw.use(
      http.get('https://api.ismalicious.com/check', ({ request }) =>
        HttpResponse.json({ key: request.headers.get('x-api-key') }, { status: 429, headers: { 'retry-after': '3' } }),
      ),
    );
    const transport = createFetchTransport('test');
    const answer = await transport.send(
      { url: new URL('https://api.ismalicious.com/check?query=x'), headers: { 'x-api-key': 'k' } },
      { timeoutMs: 5000 },
    );
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '3' }, body: { key: 'k' } });
  });
});

it('shows a URL without credentials and secret parameters', () => {
  const url = new URL('https://user:pass@api.shodan.io/shodan/host/1.2.3.4?key=SECRET&minify=true');
  expect(redactUrl({ url, secretQuery: ['key'] })).toBe('https://api.shodan.io/shodan/host/1.2.3.4?key=REDACTED&minify=true');
});

it.each([
  ['https://api.example.com/', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128'],
  ['https://api.example.com/', { https_proxy: 'p:3128' }, 'http://p:3128'],
  ['http://api.example.com/', { HTTPS_PROXY: 'http://p:3128' }, null],
  ['https://api.example.com/', { HTTPS_PROXY: 'http://p', NO_PROXY: 'example.com' }, null],
  ['https://api.example.com/', { HTTPS_PROXY: 'http://p', NO_PROXY: '.example.com,other' }, null],
  ['https://api.example.com/', { HTTPS_PROXY: 'http://p', NO_PROXY: 'example.com:8443' }, 'http://p'],
  ['https://api.example.com:8443/', { HTTPS_PROXY: 'http://p', NO_PROXY: 'example.com:8443' }, null],
  ['https://myexample.com/', { HTTPS_PROXY: 'http://p', NO_PROXY: 'example.com' }, 'http://p'],
  ['https://api.example.com/', { HTTPS_PROXY: 'http://p', NO_PROXY: '*' }, null],
  ['http://127.0.0.1:9/', { HTTP_PROXY: 'http://p' }, null],
  ['https://api.example.com/', {}, null],
])('%s with %j goes through %j', (target, env, proxy) => {
  expect(proxyFromEnv(new URL(target), env)).toBe(proxy);
});
