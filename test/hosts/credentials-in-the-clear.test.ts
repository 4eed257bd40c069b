import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { connect, createServer as createPlainServer } from 'node:net';
import { createServer as createMailServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { settingMeta } from '../../src/config/setting.ts';
import { createFetchTransport } from '../../src/engine/calls/http/fetch-transport.ts';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { createEngineClient } from '../../src/search-engine/engine-client.ts';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { sendMail } from '../../src/pipeline/delivery/smtp.ts';
import { openUpstream } from '../../src/hosts/sidecar/gateway/upstream.ts';
import { SplunkdSettings } from '../../src/splunkd/splunk-settings.ts';
import { openSplunkd } from '../../src/splunkd/splunkd.ts';

const SWITCH = 'NODE_TLS_REJECT_UNAUTHORIZED';
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const plain = { provider: 'test', connections: 2, proxy: null, ca: null };

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

describe.skipIf(!hasOpenssl)('with NODE_TLS_REJECT_UNAUTHORIZED=0 a certificate that nobody vouches for is refused all the same', () => {
  const servers: Server[] = [];
  let seen: string[] = [];
  let port = 0;
  let mailPort = 0;
  let key: { key: Buffer; cert: Buffer };

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', [...kind, ...files, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
    key = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
    const web = createTlsServer(key, (request, response) => {
      seen.push(`${request.method} ${request.headers.authorization}`);
      response.end('{}');
    });
    const mail = createMailServer(key, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (line: Buffer) => seen.push(line.toString()));
      socket.write('220 hello\r\n');
    });
    servers.push(web, mail);
    [port, mailPort] = [await listen(web), await listen(mail)];
  });
  afterAll(() => servers.forEach((server) => server.close()));
  beforeEach(() => {
    seen = [];
    process.env[SWITCH] = '0';
    onTestFinished(() => void delete process.env[SWITCH]);
  });

  const call = () => ({ url: new URL(`https://127.0.0.1:${port}/`), headers: { authorization: 'secret' } });

  it('by providers, feeds, outputs and the engine client', async () => {
    const transport = createUndiciTransport(plain);
    await expect(transport.send(call(), { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'unavailable' });
    await transport.close();
    expect(seen).toEqual([]);
  });

  it('through a proxy: the proxy’s own, and the one behind it', async () => {
    const blind = createServer();
    blind.on('connect', (request, socket) => {
      const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    const proxyPort = await listen(blind);
    for (const proxy of [`http://127.0.0.1:${proxyPort}`, `https://127.0.0.1:${port}`]) {
      const transport = createUndiciTransport({ ...plain, proxy });
      await expect(transport.send(call(), { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'unavailable' });
      await transport.close();
    }
    blind.closeAllConnections();
    blind.close();
    expect(seen).toEqual([]);
  });

  it('by the transport of older versions of Node', async () => {
    const transport = createFetchTransport('test');
    await expect(transport.send(call(), { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'unavailable' });
    expect(seen).toEqual([]);
  });

  it('by the gateway', async () => {
    const upstream = openUpstream({ url: `https://127.0.0.1:${port}`, caFile: undefined, maxConnections: 1, timeoutMs: 5000 });
    const error = await new Promise<Error>((resolve, reject) => {
      const out = upstream.request('GET', '/', ['authorization', 'secret']);
      out.once('error', resolve);
      out.once('response', () => reject(new Error('was let in')));
      out.end();
    });
    upstream.close();
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(seen).toEqual([]);
  });

  it('by the mail output', async () => {
    const server = { host: '127.0.0.1', port: mailPort, security: 'tls', user: 'u', password: 'secret' } as const;
    const mail = { kind: 'mail', server, from: 'a@a.test', to: ['b@b.test'], subject: 's', text: 't' } as never;
    const options = { timeoutMs: 5000, signal: new AbortController().signal, ca: null, now: new Date(0) };
    await expect(sendMail(mail, options)).rejects.toThrow(/self-signed/);
    expect(seen).toEqual([]);
  });

  it('by the session with splunkd', async () => {
    const settings = SplunkdSettings.parse({});
    const splunkd = await openSplunkd({ uri: `https://127.0.0.1:${port}`, sessionKey: 'secret' }, { settings, env: {} });
    await expect(splunkd.request({ path: '/x', method: 'GET', needs: 'x' })).rejects.toThrow('is not trusted');
    await splunkd.close();
    expect(seen).toEqual([]);
  });

  it('and the program says once that the variable is ignored', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const io = { stdin: new PassThrough(), stdout, stderr, env: {}, hasColor: false, hasProgress: false };
    await runProgram(['config', 'show'], io as never);
    const said = String(stderr.read() ?? '');
    expect(said.match(/warning: NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/g)).toHaveLength(1);
    expect(process.env[SWITCH]).toBeUndefined();
  });
});

describe('plain http to another machine', () => {
  const FAR = [
    'http://0.0.0.0:9200',
    'http://es.corp:9200',
    'http://[::]:9200',
    'http://localhost.evil.test',
    'http://127.0.0.1.evil.test',
  ];
  const silent = { send: () => Promise.reject(new Error('was sent')), close: () => Promise.resolve() };

  it.each(FAR)('%s is told no key and no password by `elastic` and `backfill`', (url) => {
    expect(() => createEngineClient(url, { kind: 'user', user: 'u', password: 'p' }, silent)).toThrow(/https/);
    expect(() => createEngineClient(url, { kind: 'api_key', key: 'a:b' }, silent)).toThrow(/https/);
    createEngineClient(url, { kind: 'none' }, silent);
  });

  it.each(['http://127.0.0.1:9200', 'http://localhost:9200', 'http://[::1]:9200', 'https://es.corp'])('%s is', (url) => {
    createEngineClient(url, { kind: 'user', user: 'u', password: 'p' }, silent);
  });

  it.each(['http://0.0.0.0:8089', 'http://splunk.corp:8089'])('%s is told no session key', async (uri) => {
    const settings = SplunkdSettings.parse({});
    await expect(openSplunkd({ uri, sessionKey: 'secret' }, { settings, env: {} })).rejects.toThrow(/plain http/);
  });

  it('is no address that a provider, feed or output can be given', async () => {
    const tried: string[] = [];
    for (const { id, settings } of [...(await loadProviders()), ...FEEDS, ...OUTPUTS] as unknown as {
      id: string;
      settings: { shape: Record<string, never> };
    }[])
      for (const [name, schema] of Object.entries(settings.shape) as [string, { safeParse(value: unknown): { success: boolean } }][]) {
        // A link that people click: it is never called.
        if (name === 'evidenceUrl') continue;
        if (!/(url|endpoint|server)$/i.test(name) || !settingMeta.has(schema as never)) continue;
        if (!schema.safeParse('https://x.test').success) continue;
        tried.push(`${id}.${name}`);
        for (const url of FAR) expect([id, name, url, schema.safeParse(url).success]).toEqual([id, name, url, false]);
      }
    expect(tried.length).toBeGreaterThan(25);
  });
});

describe('an answer without an end', () => {
  it.each([
    ['the newer transport', createUndiciTransport(plain)],
    ['the one of older versions of Node', createFetchTransport('test')],
  ])('is read by %s up to its bound, decompressed too', async (_, transport) => {
    let sent = 0;
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const server = createServer((request, response) => {
      if (request.url === '/bomb') return void response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(bomb);
      if (request.url === '/fits') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}'));
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
        response.once('drain', more);
      };
      more();
    });
    const base = `http://127.0.0.1:${await listen(server)}`;
    const get = (path: string) => transport.send({ url: new URL(path, base) }, { timeoutMs: 20_000, maxBytes: 1_000_000 });
    await expect(get('/endless')).rejects.toMatchObject({ code: 'bad_response', message: expect.stringContaining('larger') as string });
    await expect(get('/bomb')).rejects.toMatchObject({ code: 'bad_response' });
    expect((await get('/fits')).body).toEqual({ a: 1 });
    // What the sockets of both sides hold comes on top.
    expect(sent).toBeLessThan(64_000_000);
    await transport.close();
    server.closeAllConnections();
    server.close();
  });
});

describe('a server that never stops talking', () => {
  it('has its mail session ended', async () => {
    const server = createPlainServer((socket) => {
      socket.on('error', () => undefined);
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024, 0x78)));
        socket.once('drain', more);
      };
      more();
    });
    const host = { host: '127.0.0.1', port: await listen(server), security: 'starttls', user: '', password: '' } as const;
    const mail = { kind: 'mail', server: host, from: 'a@a.test', to: ['b@b.test'], subject: 's', text: 't' } as never;
    const options = { timeoutMs: 20_000, signal: new AbortController().signal, ca: null, now: new Date(0) };
    await expect(sendMail(mail, options)).rejects.toThrow(/says too much|exceeds maximum/);
    server.close();
  });

  it('has its answer to a Splunk program cut off', async () => {
    let sent = 0;
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(256 * 1024))) sent += 256 * 1024;
        response.once('drain', more);
      };
      more();
    });
    const uri = `http://127.0.0.1:${await listen(server)}`;
    const splunkd = await openSplunkd({ uri, sessionKey: 'secret' }, { settings: SplunkdSettings.parse({}), env: {} });
    await expect(splunkd.request({ path: '/x', method: 'GET', needs: 'x' })).rejects.toThrow('cannot be reached');
    expect(sent).toBeLessThan(128 * 1024 * 1024);
    await splunkd.close();
    server.closeAllConnections();
    server.close();
  });
});
