import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Enricher } from '../../../../src/engine/enricher.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { rawCall, startSidecar } from '../support/start-sidecar.ts';

const post = (path: string, body: string, headers = '') =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;

/** Its look-ups wait until `release` is called. */
function held(): { enricher: Enricher; release: () => void; waiting: Promise<void> } {
  const inner = createFakeEnricher({ cold: true });
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  let arrived = () => {};
  const waiting = new Promise<void>((resolve) => (arrived = resolve));
  const enricher: Enricher = {
    ...inner,
    async enrichMany(values, options) {
      arrived();
      await gate;
      return inner.enrichMany(values, options);
    },
  };
  return { enricher, release: () => release(), waiting };
}

describe('too many calls at once', () => {
  it('are told to come again, but for probes; Logstash gets an answer all the same', async () => {
    const { enricher, release, waiting } = held();
    const { call } = await startSidecar({ maxConcurrent: 1 }, { enricher });
    const first = call('/check?query=8.8.8.8');
    await waiting;
    const busy = await call('/v1/enrich', { body: {} });
    expect([busy.status, busy.json.error.code, busy.headers.get('retry-after')]).toEqual([503, 'busy', '1']);
    const logstash = await call('/v1/logstash', { body: { ip: '8.8.8.8' } });
    expect([logstash.status, logstash.json.verdict, logstash.json.status]).toEqual([200, 'unknown', 'unavailable']);
    expect((await call('/healthz')).status).toBe(200);
    expect((await call('/metrics')).text).toContain('requests_in_flight 2');
    release();
    expect((await first).status).toBe(200);
    expect((await call('/v1/enrich', { body: {} })).status).toBe(200);
  });
});

describe('requests that are no proper ones', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['huge headers', `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    [
      'a bad chunk size',
      'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['two lengths', 'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}', 400],
    ['length and chunks', 'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}', 400],
  ])('%s', async (_, text, status) => {
    const { port, call } = await startSidecar();
    expect(await rawCall(port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await call('/healthz')).status).toBe(200);
  });

  it('takes chunks, pipelined calls, HTTP/1.0 and Expect', async () => {
    const { port } = await startSidecar();
    const chunked =
      'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n';
    expect(await rawCall(port, chunked)).toMatch(/200 OK[^]*\{\}$/);
    expect(
      (await rawCall(port, post('/v1/enrich', '{"a":1}') + post('/v1/enrich', '{"b":2}', 'connection: close\r\n'))).match(/200 OK/g),
    ).toHaveLength(2);
    expect(await rawCall(port, 'GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 200/);
    expect(await rawCall(port, post('/v1/enrich', '{}', 'expect: 100-continue\r\nconnection: close\r\n'))).toMatch(
      /100 Continue[^]*200 OK/,
    );
  });

  it('cuts off what is announced too long before it is sent', async () => {
    const { port } = await startSidecar({ maxBodyBytes: 2048 });
    const head = 'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n';
    expect(await rawCall(port, head)).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i);
  });

  it('cuts off what turns out too long without having been announced', async () => {
    const { port } = await startSidecar({ maxBodyBytes: 2048 });
    const head = 'POST /v1/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(await rawCall(port, head, `a00\r\n${' '.repeat(0xa00)}\r\n`)).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('faults of our own', () => {
  it('are told to the log, and to the caller no more than that there was one', async () => {
    const enricher: Enricher = {
      ...createFakeEnricher(),
      peek: () => undefined,
      enrichMany: () => Promise.reject(new Error('disk full at /secret/path')),
      plan: () => Promise.reject(new Error('no')),
    };
    const { call, log } = await startSidecar({}, { enricher });
    for (const [path, init] of [
      ['/v1/enrich', { body: { destination: { ip: '8.8.8.8' } } }],
      ['/check?query=8.8.8.8&key=abc', {}],
      ['/v1/lookup', { body: { indicators: ['8.8.8.8'] } }],
    ] as const) {
      const { status, text, json } = await call(path, init).catch((error: Error) => ({
        status: 500,
        text: error.message,
        json: { error: { code: 'internal' } },
      }));
      expect([path, status, json.error.code]).toEqual([path, 500, 'internal']);
      expect(text).not.toMatch(/secret|disk full|at .*\.ts/);
    }
    expect(log.map((line) => line.replace(/^fault [\da-f]{8}: /, '').replace(/ \(at .*/, ''))).toEqual([
      'POST /v1/enrich: Error: disk full at /secret/path',
      'GET /check: Error: disk full at /secret/path',
      'POST /v1/lookup: Error: disk full at /secret/path',
    ]);
    const logstash = await call('/v1/logstash', { body: { ip: '8.8.8.8' } });
    expect([logstash.status, logstash.json.status]).toEqual([200, 'unavailable']);
  });

  it('are not made of callers that go away', async () => {
    let seen: AbortSignal | undefined;
    let arrived = () => {};
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    const enricher: Enricher = {
      ...createFakeEnricher({ cold: true }),
      enrichMany: (_, options) =>
        new Promise((_resolve, reject) => {
          seen = options?.signal;
          seen?.addEventListener('abort', () => reject(seen?.reason as Error));
          arrived();
        }),
    };
    const { port, log } = await startSidecar({}, { enricher });
    const socket = connect(port, '127.0.0.1');
    socket.write(post('/v1/enrich', '{"destination":{"ip":"8.8.8.8"}}'));
    await waiting;
    const aborted = new Promise((resolve) => seen?.addEventListener('abort', resolve));
    socket.destroy();
    await aborted;
    expect(log).toEqual([]);
  });
});

describe('stopping', () => {
  it('finishes what is in progress, answers no more, and frees the port', async () => {
    const { enricher, release, waiting } = held();
    const { sidecar, call, url, port } = await startSidecar({ drainMs: 10_000 }, { enricher });
    const inProgress = call('/v1/enrich', { body: { destination: { ip: '8.8.8.8' } } });
    await waiting;
    const closed = sidecar.close();
    await expect(fetch(`${url}/readyz`)).rejects.toThrow();
    release();
    const answer = await inProgress;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    await closed;
    const again = await startSidecar({ port });
    expect((await again.call('/healthz')).status).toBe(200);
  });

  it('does not wait for ever', async () => {
    const { enricher, waiting } = held();
    const { sidecar, call } = await startSidecar({ drainMs: 1 }, { enricher });
    const inProgress = call('/check?query=8.8.8.8');
    await waiting;
    await Promise.all([sidecar.close(), expect(inProgress).rejects.toThrow()]);
  });
});
