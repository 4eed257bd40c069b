import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway, startSidecar } from '../support/start-sidecar.ts';
import { answerBulk, startUpstream } from '../support/upstream-stand-in.ts';

/** So long may headers take, and a body pause. */
const settings = { requestTimeoutMs: 200 };
const PIECE = '{"index":{}}\n{"destination":{"ip":"8.8.8.8"}}\n';
const HEAD = 'host: localhost\r\ncontent-type: application/x-ndjson\r\n';

/** A connection, and all that came back by its end. */
async function dial(port: number): Promise<{ socket: Socket; ended: Promise<string>; received: () => string }> {
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => undefined);
  const received = () => Buffer.concat(parts).toString();
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(received())));
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, ended, received };
}

/** Writes pieces, one every `everyMs`, for as long as the connection stands. */
function drip(socket: Socket, piece: (n: number) => string | null, everyMs: number): void {
  let n = 0;
  const timer = setInterval(() => {
    const text = socket.writable ? piece(n++) : null;
    if (text === null) clearInterval(timer);
    else socket.write(text);
  }, everyMs);
  onTestFinished(() => clearInterval(timer));
}

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

describe('a body that keeps moving', () => {
  it.each(['/_bulk', '/anything/_search'])('to %s is never cut, however long it takes in all', async (path) => {
    const upstream = await startUpstream((request, res) =>
      path === '/_bulk' ? answerBulk(request, res) : void res.end(String(request.body.length)),
    );
    const { port } = await startGateway(upstream.url, { settings });
    const { socket, ended } = await dial(port);
    socket.write(`POST ${path} HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n`);
    // Three times the limit in all.
    drip(socket, (n) => (n < 20 ? chunk(PIECE) : n === 20 ? '0\r\n\r\n' : null), 30);
    expect(await ended).toMatch(/^HTTP\/1.1 200 /);
    expect(upstream.seen[0]?.body.match(/8\.8\.8\.8/g)?.length).toBeGreaterThanOrEqual(20);
  });

  it('of the sidecar’s own calls neither, and look-ups have all their time behind it', async () => {
    const enricher = createFakeEnricher({ cold: true, delayMs: 5 });
    const { port } = await startSidecar({ ...settings, timeoutMs: 150 }, { enricher });
    const { socket, ended } = await dial(port);
    const body = `{"destination":{"ip":"8.8.8.8"}}`;
    socket.write(`POST /v1/enrich HTTP/1.1\r\n${HEAD}content-length: ${body.length}\r\nconnection: close\r\n\r\n`);
    drip(socket, (n) => body[n] ?? null, 30);
    expect(await ended).toMatch(/^HTTP\/1.1 200 [^]*"verdict":"clean"/);
  });

  it('is not held against the upstream, which hears nothing for as long as the next window is being gathered', async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url, { settings, gateway: { upstreamTimeoutMs: 1000 } });
    const { socket, ended } = await dial(port);
    socket.write(`POST /_bulk HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunk(PIECE.repeat(20_000))}`);
    drip(socket, (n) => (n < 50 ? chunk(PIECE) : n === 50 ? '0\r\n\r\n' : null), 30);
    expect(await ended).toMatch(/^HTTP\/1.1 200 /);
  });

  it('leaves look-ups all the time that they have', async () => {
    const upstream = await startUpstream();
    const enricher = createFakeEnricher({ cold: true, delayMs: 5 });
    const { port } = await startGateway(upstream.url, { settings, enricher, gateway: { timeoutMs: 150 } });
    const { socket, ended } = await dial(port);
    socket.write(`POST /_bulk HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n`);
    drip(socket, (n) => (n < 12 ? chunk(PIECE) : n === 12 ? '0\r\n\r\n' : null), 30);
    expect(await ended).toMatch(/^HTTP\/1.1 200 /);
    expect(upstream.seen[0]?.body).not.toContain('_ismalicious_failure');
  });

  it('is told when the upstream takes nothing of it any more', async () => {
    const upstream = createServer({ pauseOnConnect: true }, (socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void upstream.close());
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const { port } = await startGateway(url, { settings, gateway: { upstreamTimeoutMs: 1000 } });
    // Made before the connection: its headers have to arrive in time.
    const request = Buffer.from(`POST /_bulk HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(PIECE.repeat(400_000))}`);
    const { socket, received } = await dial(port);
    socket.write(request);
    await expect.poll(received, { timeout: 20_000 }).toMatch(/^HTTP\/1.1 504 [^]*"code":"upstream_timeout"/);
  });

  it('is not cut for the slowness of the upstream: neither while that takes the body, nor until it answers', async () => {
    // Caller, sidecar and upstream are one process here: on a busy machine it stands still for longer than callers have elsewhere in these tests.
    const patient = { ...settings, requestTimeoutMs: 2000 };
    const slowMs = 1.5 * patient.requestTimeoutMs;
    const server = createHttpServer((req, res) => {
      const parts: Buffer[] = [];
      req.once('end', () => setTimeout(() => answerBulk({ body: Buffer.concat(parts).toString() }, res), slowMs));
      setTimeout(() => req.on('data', (part: Buffer) => parts.push(part)), slowMs);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { call } = await startGateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { settings: patient });
    const body = `{"index":{}}\n{"pad":"${'x'.repeat(60_000)}"}\n`.repeat(400);
    const answer = await call('/_bulk', { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
    expect([answer.status, answer.json.items.length]).toEqual([200, 400]);
  });
});

describe('a caller that is not heard of any more', () => {
  it.each(['/_bulk', '/anything/_search', '/v1/enrich', '/v1/lookup'])('with half a body to %s is told so and cut off', async (path) => {
    const upstream = createServer((socket) => void socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void upstream.close());
    const { port, call, log } = await startGateway(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, { settings });
    const { socket, ended } = await dial(port);
    socket.write(`POST ${path} HTTP/1.1\r\n${HEAD.replace('x-ndjson', 'json')}content-length: 999\r\n\r\n{"indicators":`);
    expect(await ended).toMatch(/^HTTP\/1.1 408 [^]*connection: close[^]*"code":"request_timeout"/);
    expect(log.filter((line) => !line.includes('aborted'))).toEqual([]);
    await expect.poll(async () => (await call('/metrics')).text).toMatch(/requests_in_flight 1\n/);
  });

  it('takes its request to the upstream along', async () => {
    const upstream = createServer((socket) => void socket.on('error', () => undefined).resume());
    const gone = once(upstream, 'connection').then(([socket]) => once(socket as Socket, 'close'));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void upstream.close());
    const { port } = await startGateway(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, { settings });
    const { socket, ended } = await dial(port);
    socket.write(`POST /_bulk HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(PIECE.repeat(20_000))}`);
    expect(await ended).toMatch(/^HTTP\/1.1 408 /);
    await gone;
  });

  it('in the middle of its headers is, too, even one that sends a byte now and then', async () => {
    const { port } = await startSidecar(settings);
    const { socket, ended } = await dial(port);
    socket.write('POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\n');
    drip(socket, (n) => (n % 8 === 0 ? 'x: ' : n % 8 === 7 ? '\r\n' : 'y'), 20);
    expect(await ended).toMatch(/^HTTP\/1.1 408 /);
  });

  it('after its answer is cut off as well', async () => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url, { settings: { ...settings, token: 'a-token-of-the-house' } });
    const { socket, ended } = await dial(port);
    socket.write(`POST /_bulk HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n`);
    drip(socket, () => chunk(PIECE), 20);
    expect(await ended).toMatch(/^HTTP\/1.1 401 /);
  });

  it('between two calls keeps its connection', async () => {
    const { port } = await startSidecar(settings);
    const { socket, ended, received } = await dial(port);
    const ask = (end: string) => socket.write(`GET /healthz HTTP/1.1\r\nhost: localhost\r\n${end}\r\n`);
    ask('');
    await once(socket, 'data');
    await new Promise((resolve) => setTimeout(resolve, 3 * settings.requestTimeoutMs));
    expect(received().match(/200 OK/g)).toHaveLength(1);
    ask('connection: close\r\n');
    expect((await ended).match(/200 OK/g)).toHaveLength(2);
  });
});
