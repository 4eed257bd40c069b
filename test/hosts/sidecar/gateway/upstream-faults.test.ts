import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import type { IncomingMessage, RequestOptions, Server, ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway } from '../support/start-sidecar.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const engine = () => createFakeEnricher();
const documents = (count: number) =>
  Buffer.from(
    Array.from({ length: count }, () => `{"index":{}}\n{"n":"${randomBytes(300).toString('hex')}","source":{"ip":"8.8.8.8"}}\n`).join(''),
  );

async function listen(server: Server | ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An engine that answers whole requests and says how many have begun and are neither whole nor broken off. */
async function startCounting() {
  const open = new Set<IncomingMessage>();
  let begun = 0;
  let changed = () => {};
  const server = createHttpServer((req, res) => {
    begun++;
    open.add(req);
    changed();
    req.on('error', () => undefined);
    req.resume().once('close', () => {
      open.delete(req);
      changed();
    });
    req.once('end', () => res.end('{"items":[]}'));
  });
  const url = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return {
    url,
    begun: () => begun,
    until: async (holds: (state: { begun: number; open: number }) => boolean) => {
      while (!holds({ begun, open: open.size })) await new Promise<void>((resolve) => (changed = resolve));
    },
  };
}

/** Calls, and gives the status; what goes wrong with sending does not count when there is an answer. */
function statusOf(port: number, options: RequestOptions, body: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    const out = request({ host: '127.0.0.1', port, path: '/_bulk', method: 'POST', agent: false, ...options });
    out.on('error', (error: NodeJS.ErrnoException) => setImmediate(() => resolve(error.code ?? error.message)));
    out.on('response', (res) => {
      res.resume().once('end', () => {
        resolve(res.statusCode ?? 0);
        out.destroy();
      });
    });
    out.end(body);
  });
}

describe('a damaged body', () => {
  const plain = documents(1500);
  const gzip = gzipSync(plain);
  const wrongSum = Buffer.from(gzip);
  wrongSum[gzip.length - 6]! ^= 0x55;
  it.each<[string, string, Buffer]>([
    ['cut', 'gzip', gzip.subarray(0, (gzip.length * 3) >> 2)],
    ['with a wrong checksum', 'gzip', wrongSum],
    ['cut', 'deflate', deflateSync(plain).subarray(0, gzip.length >> 1)],
  ])('%s (%s) is refused, and what of it went out is taken back, however often it comes', async (_, coding, body) => {
    const upstream = await startCounting();
    const { port } = await startGateway(upstream.url, { enricher: engine(), gateway: { maxConnections: 2 } });
    // More than there are connections: the last ones only get through when those before have let go.
    for (let n = 0; n < 6; n++) expect(await statusOf(port, { headers: { ...NDJSON, 'content-encoding': coding } }, body)).toBe(400);
    await upstream.until(({ open }) => open === 0);
    expect(await statusOf(port, { headers: NDJSON }, documents(5))).toBe(200);
  });
});

describe('a caller that goes away in the middle', () => {
  it.each<[string, object, Buffer]>([
    ['plain', {}, documents(1500)],
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(documents(1500))],
  ])('of a body that is %s leaves nothing open at the engine', async (_, coding, body) => {
    const upstream = await startCounting();
    const { port } = await startGateway(upstream.url, { enricher: engine(), gateway: { maxConnections: 2 } });
    for (let n = 0; n < 6; n++) {
      const out = request({
        host: '127.0.0.1',
        port,
        path: '/_bulk',
        method: 'POST',
        agent: false,
        headers: { ...NDJSON, ...coding, 'content-length': body.length + 1 },
      });
      out.on('error', () => undefined);
      out.write(body.subarray(0, body.length - 5));
      await upstream.until(({ begun }) => begun === n + 1);
      out.destroy();
      await upstream.until(({ open }) => open === 0);
    }
    expect(await statusOf(port, { headers: NDJSON }, documents(5))).toBe(200);
  });
});

/** An engine that answers once it has read so much of a body, and closes at once: what it has not read makes that a reset. */
async function startEarly(status: string, reads: number): Promise<{ readonly url: string; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    let left = reads;
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      left -= part.length;
      if (left > 0) return;
      socket.pause();
      socket.write(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"some":"why"}`.slice(0, -1), () =>
        socket.resetAndDestroy(),
      );
    });
  });
  return { url: await listen(server), connections: () => connections };
}

/** The same over TLS, by a certificate of its own; `null` where nobody can make one. */
async function startEarlyTls(): Promise<{ readonly url: string; readonly caFile: string } | null> {
  if (spawnSync('openssl', ['version']).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'early-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [keyFile, caFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...kind, '-keyout', keyFile, '-out', caFile, ...names], { stdio: 'ignore' });
  const server = createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(caFile) }, (socket) => {
    let left = 1024 * 1024;
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      left -= part.length;
      if (left > 0) return;
      socket.pause();
      socket.write('HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\n{}', () => socket.destroy());
    });
  });
  return { url: (await listen(server)).replace('http:', 'https:'), caFile };
}

describe('an engine that answers a long body early, and closes', () => {
  it('reaches the caller by TLS too', async () => {
    const early = await startEarlyTls();
    if (early === null) return;
    const { port } = await startGateway(early.url, { enricher: engine(), gateway: { caFile: early.caFile } });
    const body = Buffer.concat(Array.from({ length: 24 }, () => documents(1500)));
    for (let n = 0; n < 4; n++) expect(await statusOf(port, { headers: NDJSON }, body)).toBe(413);
  });

  it.each([
    ['413 Payload Too Large', 413, '/_bulk', {}],
    ['429 Too Many Requests', 429, '/_bulk', {}],
    ['413 Payload Too Large', 413, '/_bulk', { 'content-encoding': 'snappy' }],
    ['413 Payload Too Large', 413, '/a/_doc/1', {}],
  ])('%s reaches the caller as %i (%s, %j)', async (line, status, path, more) => {
    const early = await startEarly(line, 1024 * 1024);
    const { port } = await startGateway(early.url, { enricher: engine() });
    const body = Buffer.concat(Array.from({ length: 24 }, () => documents(1500)));
    for (let n = 0; n < 4; n++) expect(await statusOf(port, { path, headers: { ...NDJSON, ...more } }, body)).toBe(status);
    // None of those connections is used again.
    expect(early.connections()).toBe(4);
  });

  it('is told from one that closes without an answer: that is 502', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.destroy()));
    const { port } = await startGateway(await listen(server), { enricher: engine() });
    const body = Buffer.concat(Array.from({ length: 8 }, () => documents(1500)));
    for (let n = 0; n < 4; n++) expect(await statusOf(port, { headers: NDJSON }, body)).toBe(502);
  });

  it('makes /v1/ingest send the batch on in halves, where a whole one is too long', async () => {
    const server = createHttpServer((req, res) => {
      if (Number(req.headers['content-length']) > 2_000_000) {
        res.writeHead(413, { connection: 'close' }).end('{}');
        return res.once('finish', () => req.socket.resetAndDestroy());
      }
      const parts: Buffer[] = [];
      req.on('data', (part: Buffer) => parts.push(part));
      return req.on('end', () => {
        const actions = Buffer.concat(parts).toString().trimEnd().split('\n').length / 2;
        res.end(JSON.stringify({ items: Array.from({ length: actions }, () => ({ create: { status: 201 } })) }));
      });
    });
    const { call } = await startGateway(await listen(server), { enricher: engine() });
    const body = Array.from({ length: 60 }, (_, n) => ({ n, pad: 'x'.repeat(100_000) }));
    expect(await call('/v1/ingest/a', { body })).toMatchObject({ status: 200, json: { events: 60, indexed: 60 } });
  });
});

/** An engine that answers once on each connection and then lets whoever uses it again find it closed, without having said so. */
async function startForgetful(answer: (req: IncomingMessage, res: ServerResponse) => void = (_, res) => res.end('{}')) {
  const seen: string[] = [];
  const used = new WeakSet<Socket>();
  const server = createHttpServer((req, res) => {
    if (used.has(req.socket)) return req.socket.resetAndDestroy();
    used.add(req.socket);
    seen.push(`${req.method} ${req.url}`);
    return answer(req, res);
  });
  return { url: await listen(server), seen };
}

describe('a kept connection that was closed meanwhile', () => {
  it.each([
    ['GET', '/_cluster/health', undefined],
    ['HEAD', '/index', undefined],
    ['OPTIONS', '/', undefined],
    ['GET', '/_search', '{"query":{"match_all":{}}}'],
  ])('%s %s is made again, and its answer is the caller’s', async (method, path, body) => {
    const bodies: string[] = [];
    const upstream = await startForgetful((req, res) => {
      const parts: Buffer[] = [];
      req.on('data', (part: Buffer) => parts.push(part));
      req.on('end', () => {
        bodies.push(Buffer.concat(parts).toString());
        res.end('{}');
      });
    });
    const { port } = await startGateway(upstream.url, { enricher: engine() });
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
    for (let n = 0; n < 10; n++) expect(await statusOf(port, { method, path, headers }, Buffer.from(body ?? ''))).toBe(200);
    expect(bodies).toEqual(Array.from({ length: 10 }, () => body ?? ''));
  });

  it.each([
    ['POST', '/_bulk'],
    ['POST', '/_search'],
    ['PUT', '/index/_doc/1'],
    ['DELETE', '/index/_doc/1'],
  ])('%s %s is never made twice: 502 says to send it again', async (method, path) => {
    const upstream = await startForgetful((req, res) => void req.resume().once('end', () => res.end('{}')));
    const { port } = await startGateway(upstream.url, { enricher: engine() });
    const send = () => statusOf(port, { method, path, headers: NDJSON }, Buffer.from(method === 'DELETE' ? '' : '{"delete":{}}\n'));
    expect(await send()).toBe(200);
    expect(await send()).toBe(502);
    expect(upstream.seen).toHaveLength(1);
  });

  it('ends with an answer where nobody answers at all', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.destroy()));
    const { port } = await startGateway(await listen(server), { enricher: engine() });
    expect(await statusOf(port, { method: 'GET', path: '/_cat' }, Buffer.alloc(0))).toBe(502);
  });
});

it('an engine that takes a body slowly gets all of it, and holds nobody else up', async () => {
  let received = 0;
  const server = createHttpServer((req, res) => {
    if (req.method === 'GET') return res.end('{}');
    const sip = async () => {
      for await (const part of req as AsyncIterable<Buffer>) {
        received += part.length;
        if (received < 4_000_000) await delay(1);
      }
      res.end('{}');
    };
    return void sip();
  });
  const { port } = await startGateway(await listen(server), { enricher: engine(), gateway: { upstreamTimeoutMs: 5000 } });
  const body = Buffer.concat(Array.from({ length: 4 }, () => documents(1500)));
  const slow = statusOf(port, { headers: NDJSON }, body);
  expect(await statusOf(port, { method: 'GET', path: '/_cat' }, Buffer.alloc(0))).toBe(200);
  expect(await slow).toBe(200);
  expect(received).toBeGreaterThan(body.length);
});

it('a caller that is gone before its body was sent on has no request made for it', async () => {
  const upstream = await startCounting();
  const { port } = await startGateway(upstream.url, { enricher: createFakeEnricher({ cold: true, delayMs: 60_000 }) });
  const socket = connect(port, '127.0.0.1');
  const body = '{"index":{}}\n{"source":{"ip":"8.8.8.8"}}\n';
  socket.write(
    `POST /_bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  // An answer of the sidecar's own, which it gives behind what came before it.
  expect(await statusOf(port, { method: 'GET', path: '/healthz' }, Buffer.alloc(0))).toBe(200);
  await new Promise((resolve) => socket.once('close', resolve).destroy());
  expect(await statusOf(port, { method: 'GET', path: '/_cat' }, Buffer.alloc(0))).toBe(200);
  expect(upstream.begun()).toBe(1);
});
