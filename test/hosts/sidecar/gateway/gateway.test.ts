import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Enricher } from '../../../../src/engine/enricher.ts';
import { GatewaySettings } from '../../../../src/compose/gateway-settings.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarConfigError } from '../../../../src/hosts/sidecar/way-in.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { rawCall, startGateway } from '../support/start-sidecar.ts';
import { eventTrees, SAYINGS } from '../../../events/support/event-arbitrary.ts';
import { printLossless } from '../../../events/support/lossless-json.ts';
import { enriched, textEnricherOn } from '../../../events/support/text-enricher.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const BAD = '45.9.148.114';
const sayings = { [BAD]: { verdict: 'malicious' } } as const;
const engine = () => createFakeEnricher({ sayings });
const NDJSON = { 'content-type': 'application/x-ndjson' };
const timeless = (text: string) => text.replaceAll(/"occurred":"[^"]*"/g, '');

const bad = `{"n":12345678901234567890,"destination":{"ip":"${BAD}"}}`;
const badDone = timeless(enriched(textEnricherOn(engine(), { detail: 'lean' }), bad));
/** In an update: the engine merges it into what is there. */
const badDoneInFull = timeless(enriched(textEnricherOn(engine()), bad));

describe('a bulk body', () => {
  it.each<[string, string[], string[]]>([
    ['index', ['{"index":{"_index":"a"}}', bad], ['{"index":{"_index":"a"}}', badDone]],
    ['create', ['{ "create" : {} }', bad], ['{ "create" : {} }', badDone]],
    ['delete has no document', ['{"delete":{"_id":"1"}}', '{"index":{}}', bad], ['{"delete":{"_id":"1"}}', '{"index":{}}', badDone]],
    [
      'the doc of an update',
      ['{"update":{"_id":"1"}}', `{"doc":${bad},"doc_as_upsert":true}`],
      ['{"update":{"_id":"1"}}', `{"doc":${badDoneInFull},"doc_as_upsert":true}`],
    ],
    [
      'an update by script',
      ['{"update":{"_id":"1"}}', `{"script":{"source":"x"},"upsert":${bad}}`],
      ['{"update":{"_id":"1"}}', `{"script":{"source":"x"},"upsert":${badDone}}`],
    ],
    [
      'blank lines between',
      ['{"index":{}}', bad, '', ' ', '{"index":{}}', bad],
      ['{"index":{}}', badDone, '', ' ', '{"index":{}}', badDone],
    ],
    ['white space and line ends', ['{"index":{}}\r', ` ${bad} \r`], ['{"index":{}}\r', ` ${badDone} \r`]],
    [
      'a document that is no JSON',
      ['{"index":{}}', '{"destination":', '{"index":{}}', bad],
      ['{"index":{}}', '{"destination":', '{"index":{}}', badDone],
    ],
    [
      'a document that looks like an action',
      ['{"index":{}}', '{"delete":{}}', '{"index":{}}', bad],
      ['{"index":{}}', '{"delete":{}}', '{"index":{}}', badDone],
    ],
    ['nothing to look up', ['{"index":{}}', '{"n":1.10}'], ['{"index":{}}', '{"n":1.10}']],
    [
      'an unknown action: nobody knows what follows',
      ['{"upsert":{}}', bad, '{"index":{}}', bad],
      ['{"upsert":{}}', bad, '{"index":{}}', bad],
    ],
  ])('%s', async (_, before, after) => {
    const upstream = await startUpstream((_request, res) => res.end('{}'));
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    await call('/_bulk', { method: 'POST', headers: NDJSON, body: `${before.join('\n')}\n` });
    expect(timeless(upstream.seen.at(-1)!.body)).toBe(`${after.join('\n')}\n`);
  });

  it('keeps every line but for what /v1/enrich would add to it, whatever the windows', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: createFakeEnricher({ sayings: SAYINGS }) });
    const texts = textEnricherOn(createFakeEnricher({ sayings: SAYINGS }), { maxDepth: 1000, detail: 'lean' });
    const events = fc.sample(eventTrees, 3000).map(printLossless);
    const long = events.map((event, n) =>
      n % 100 === 0
        ? `{"pad":"${'x'.repeat(20_000 + n)}",${event.replace(/^\{\s*/, '') === '}' ? '"a":1}' : event.replace(/^\{/, '')}`
        : event,
    );
    const body = long.map((event, n) => `{"index":{"_id":"${n}"}}\n${event}\n`).join('');
    const answer = await call('/_bulk', { method: 'POST', headers: NDJSON, body });
    expect(answer.json.items).toHaveLength(3000);
    const lines = upstream.seen.at(-1)!.body.split('\n');
    long.forEach((event, n) => {
      expect(lines[n * 2]).toBe(`{"index":{"_id":"${n}"}}`);
      expect(timeless(lines[n * 2 + 1]!)).toBe(timeless(enriched(texts, event)));
    });
  });

  it.each([
    ['/_bulk', null],
    ['/logs-a/_bulk?filter_path=errors', 'logs-a'],
    ['/logs-a/_doc/_bulk', 'logs-a'],
    ['/logs%2Da/_bulk/', 'logs-a'],
  ])('%s is one, of %j', async (path, index) => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine(), gateway: { fieldsByIndex: { 'logs-a': [] } } });
    await call(path, { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n` });
    const [request] = upstream.seen.slice(-1);
    expect(request!.url).toBe(path);
    expect(timeless(request!.body)).toBe(`{"index":{}}\n${index === null ? badDone : bad}\n`);
  });

  it('is looked at as the settings of its index say', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, {
      enricher: engine(),
      gateway: { fieldsByIndex: { 'logs-quiet-*': [], 'logs-own*': ['my.ip'] } },
    });
    const doc = `{"my":{"ip":"${BAD}"},"destination":{"ip":"8.8.8.8"}}`;
    const lines = [
      '{"index":{"_index":"logs-quiet-1"}}',
      doc,
      '{"create":{"_index":"logs-own"}}',
      doc,
      '{"index":{"_index":"other"}}',
      doc,
      '{"update":{"_id":"1","_index":"logs-own"}}',
      `{"doc":${doc}}`,
    ];
    await call('/_bulk', { method: 'POST', headers: NDJSON, body: `${lines.join('\n')}\n` });
    const after = upstream.seen
      .at(-1)!
      .body.split('\n')
      .map((line) => (line === '' ? null : (JSON.parse(line) as any)));
    expect(after[1]).not.toHaveProperty('ismalicious');
    expect(after[3].ismalicious).toMatchObject({ field: 'my.ip', verdict: 'malicious' });
    expect(after[3].threat.enrichments[0].matched.field).toBe('my.ip');
    expect(after[5].ismalicious).toEqual({ verdict: 'clean', status: 'ok', checked_at: expect.any(String) });
    expect(after[7].doc.ismalicious).toMatchObject({ field: 'my.ip' });
  });
});

describe('compression', () => {
  it.each([
    ['auto', true, false],
    ['never', true, false],
    ['always', true, true],
    ['always', false, true],
    ['auto', false, false],
  ] as const)('%s, came as gzip %s: goes on as gzip %s', async (compress, came, goes) => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine(), gateway: { compress } });
    const body = `{"index":{}}\n${bad}\n`;
    const answer = await call('/_bulk', {
      method: 'POST',
      headers: came ? { ...NDJSON, 'content-encoding': 'gzip' } : NDJSON,
      body: came ? gzipSync(body) : body,
    });
    expect(answer.status).toBe(200);
    const request = upstream.seen.at(-1)!;
    expect(request.headers['content-encoding']).toBe(goes ? 'gzip' : undefined);
    expect(timeless(request.body)).toBe(`{"index":{}}\n${badDone}\n`);
  });

  it('that is none is refused before anything is indexed', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    const answer = await call('/_bulk', { method: 'POST', headers: { ...NDJSON, 'content-encoding': 'gzip' }, body: 'no gzip' });
    expect([answer.status, answer.json.error.code, upstream.seen.length]).toEqual([400, 'invalid_gzip', 0]);
  });

  it('of a kind that is not known goes through as it is', async () => {
    const upstream = await startUpstream((_, res) => res.writeHead(406).end('{"error":"br"}'));
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    const answer = await call('/_bulk', { method: 'POST', headers: { ...NDJSON, 'content-encoding': 'snappy' }, body: 'whatever' });
    expect([answer.status, upstream.seen[0]!.body, upstream.seen[0]!.headers['content-encoding']]).toEqual([406, 'whatever', 'snappy']);
  });
});

describe('everything else', () => {
  it.each([
    ['GET', '/', undefined],
    ['HEAD', '/', undefined],
    ['GET', '/_license?human=true&a=%20b', undefined],
    ['PUT', '/_index_template/x', '{"a":1.0}'],
    ['DELETE', '/index/_doc/a%2Fb', undefined],
    ['POST', '/index/_search', '{"query":{"match_all":{}}}'],
    ['POST', '/index/_doc', '{"destination":{"ip":"45.9.148.114"}}'],
    ['GET', '/_bulk', undefined],
  ])('%s %s goes through as it is, there and back', async (method, path, body) => {
    const upstream = await startUpstream((_, res) => {
      res.writeHead(429, 'Slow Down', {
        'X-Elastic-Product': 'Elasticsearch',
        'Retry-After': '7',
        'set-cookie': ['a=1', 'b=2'],
        'content-type': 'application/vnd.elasticsearch+json',
      });
      res.end('{"n":1.10}');
    });
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    const answer = await call(path, {
      method,
      ...(body !== undefined && { body }),
      headers: { authorization: 'ApiKey abc', 'X-Opaque-Id': 'me', 'content-type': 'application/json' },
    });
    const request = upstream.seen.at(-1)!;
    expect([request.method, request.url, request.body]).toEqual([method, path, body ?? '']);
    expect(request.headers).toMatchObject({ authorization: 'ApiKey abc', 'x-opaque-id': 'me', host: new URL(upstream.url).host });
    expect(request.headers['content-length'] ?? '0').toBe(String(Buffer.byteLength(body ?? '')));
    expect([answer.status, answer.text]).toEqual([429, method === 'HEAD' ? '' : '{"n":1.10}']);
    expect([answer.headers.get('x-elastic-product'), answer.headers.get('retry-after'), answer.headers.getSetCookie()]).toEqual([
      'Elasticsearch',
      '7',
      ['a=1', 'b=2'],
    ]);
  });

  it('the sidecar’s own calls stay its own; a browser sees its page', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    expect((await call('/healthz')).json).toEqual({ status: 'ok' });
    expect((await call('/v1/lookup', { body: { indicators: [] } })).json).toEqual({ enrichments: [] });
    expect((await call('/', { headers: { accept: 'text/html,*/*' } })).text).toContain('isMalicious console');
    expect(upstream.seen.map(({ url }) => url)).toEqual([]);
  });

  it('keeps the token to itself and the engine’s credentials going', async () => {
    const upstream = await startUpstream();
    const token = 'a-token-of-the-house';
    const { call } = await startGateway(upstream.url, { enricher: engine(), settings: { token } });
    expect(
      (await call('/_bulk', { method: 'POST', headers: { ...NDJSON, authorization: 'Basic abc' }, body: '{"delete":{}}\n' })).status,
    ).toBe(401);
    await call('/_bulk', {
      method: 'POST',
      headers: { ...NDJSON, 'x-api-key': token, authorization: 'Basic abc' },
      body: '{"delete":{}}\n',
    });
    await call('/_cat', { headers: { authorization: `Bearer ${token}` } });
    expect(upstream.seen.map(({ headers }) => [headers.authorization, headers['x-api-key']])).toEqual([
      ['Basic abc', undefined],
      [undefined, undefined],
    ]);
    expect(JSON.stringify(upstream.seen)).not.toContain(token);
  });
});

describe('the upstream', () => {
  it.each([
    ['http://127.0.0.1:9200', {}, true],
    ['http://[::1]:9200', {}, true],
    ['https://es.corp:9200/prefix', {}, true],
    ['http://es.corp:9200', {}, false],
    ['http://es.corp:9200', { plainHttp: true }, true],
  ])('%s with %j may be one: %s', async (upstream, gateway, isFine) => {
    const settings = SidecarSettings.parse({ port: 0 });
    const made = createSidecar({ enricher: engine(), settings, gateway: GatewaySettings.parse({ upstream, ...gateway }) });
    await (isFine ? made.then((sidecar) => sidecar.close()) : expect(made).rejects.toThrow(SidecarConfigError));
  });

  it.each(['ftp://x', 'es.corp:9200', 'https://me:secret@es.corp', ''])('%j is no setting for it', (upstream) => {
    expect(GatewaySettings.safeParse({ upstream }).success).toBe(false);
  });

  it('may have a prefix', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(`${upstream.url}/es/`, { enricher: engine() });
    await call('/_bulk?a=1', { method: 'POST', headers: NDJSON, body: '{"delete":{}}\n' });
    await call('/_cat/indices');
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/es/_bulk?a=1', '/es/_cat/indices']);
  });
});

describe('faults', () => {
  it('look-ups that take too long: the documents go on, marked', async () => {
    const upstream = await startUpstream();
    const slow = createFakeEnricher({ sayings, cold: new Set(['8.8.8.8']), delayMs: 60_000 });
    const { call } = await startGateway(upstream.url, { enricher: slow, gateway: { timeoutMs: 20 } });
    await call('/_bulk', {
      method: 'POST',
      headers: NDJSON,
      body: `{"index":{}}\n{"destination":{"ip":"8.8.8.8"}}\n{"index":{}}\n${bad}\n`,
    });
    const lines = upstream.seen.at(-1)!.body.split('\n');
    expect(JSON.parse(lines[1]!)).toMatchObject({ ismalicious: { verdict: 'unknown', status: 'timeout' }, tags: ['_ismalicious_failure'] });
    expect(timeless(lines[3]!)).toBe(badDone);
  });

  it('look-ups that break: the documents go on, marked, and the log says so', async () => {
    const upstream = await startUpstream();
    const broken: Enricher = { ...createFakeEnricher({ cold: true }), enrichMany: () => Promise.reject(new Error('no disk')) };
    const { call, log } = await startGateway(upstream.url, { enricher: broken });
    const answer = await call('/_bulk', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n` });
    expect(answer.status).toBe(200);
    expect(JSON.parse(upstream.seen.at(-1)!.body.split('\n')[1]!)).toMatchObject({
      ismalicious: { verdict: 'unknown', status: 'unavailable' },
      tags: ['_ismalicious_failure'],
    });
    expect(log).toEqual([expect.stringMatching(/^fault [\da-f]{8}: gateway: Error: no disk/)]);
  });

  it('an upstream that is not there: 502, to be sent again', async () => {
    const { call } = await startGateway('http://127.0.0.1:9', { enricher: engine() });
    for (const [path, init] of [
      ['/_bulk', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n` }],
      ['/_cat', {}],
    ] as const) {
      const answer = await call(path, init);
      expect([answer.status, answer.json.error.code]).toEqual([502, 'upstream_unavailable']);
    }
  });

  it('an upstream that hangs: 504', async () => {
    const upstream = await startUpstream(() => undefined);
    const { call } = await startGateway(upstream.url, { enricher: engine(), gateway: { upstreamTimeoutMs: 1000 } });
    const answer = await call('/_bulk', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n` });
    expect([answer.status, answer.json.error.code]).toEqual([504, 'upstream_timeout']);
  });

  it('an upstream that breaks off its answer: so does ours', async () => {
    const upstream = await startUpstream((_, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('{"errors":');
      setImmediate(() => res.destroy());
    });
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    await expect(call('/_bulk', { method: 'POST', headers: NDJSON, body: '{"delete":{}}\n' })).rejects.toThrow();
  });

  it('an upstream that refuses a body before it is all there: its answer comes through', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{"status":413}'.replace(
            '13\r',
            '14\r',
          ),
        ),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = await startGateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { enricher: engine() });
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    socket.on('error', () => undefined);
    socket.write('POST /_bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n');
    const line = `{"index":{}}\n{"pad":"${'x'.repeat(100_000)}"}\n`;
    const chunk = `${line.length.toString(16)}\r\n${line}\r\n`;
    let isOpen = true;
    const ended = new Promise<void>((resolve) =>
      socket.once('close', () => {
        isOpen = false;
        resolve();
      }),
    );
    for (let n = 0; n < 200 && isOpen && !Buffer.concat(received).includes('413'); n++) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'data'), ended]).catch(() => undefined);
    }
    socket.end();
    await ended;
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1.1 413 /);
  });

  it('a caller that goes away takes its request to the upstream along', async () => {
    let aborted = () => {};
    const gone = new Promise<void>((resolve) => (aborted = resolve));
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .on('close', () => aborted())
        .resume(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port, log } = await startGateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { enricher: engine() });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /_bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: 99999999\r\n\r\n{"index":{}}\n{"pad":"${'x'.repeat(900_000)}"}\n{"index":{}}\n`,
    );
    await once(server, 'connection');
    socket.destroy();
    await gone;
    expect(log.filter((line) => !line.includes('caller'))).toEqual([]);
  });

  it('a document longer than what is held goes through untouched, and the next one is enriched', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine(), gateway: { maxDocumentBytes: 300_000 } });
    const huge = `{"destination":{"ip":"${BAD}"},"pad":"${'x'.repeat(2_000_000)}"}`;
    await call('/_bulk', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n{"index":{}}\n${huge}\n{"index":{}}\n${bad}\n` });
    const lines = upstream.seen.at(-1)!.body.split('\n');
    expect([timeless(lines[1]!), lines[3], timeless(lines[5]!)]).toEqual([badDone, huge, badDone]);
    expect((await call('/metrics')).text).toContain('ismalicious_sidecar_gateway_unenriched_total{reason="too_long"} 1');
  });

  it('a body without a final line feed stays without: the engine says what is wrong', async () => {
    const upstream = await startUpstream((_, res) => res.writeHead(400).end('{}'));
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    expect((await call('/_bulk', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}` })).status).toBe(400);
    expect(timeless(upstream.seen[0]!.body)).toBe(`{"index":{}}\n${badDone}`);
  });

  it('an empty body goes on empty', async () => {
    const upstream = await startUpstream((_, res) => res.writeHead(400).end('{}'));
    const { port } = await startGateway(upstream.url, { enricher: engine() });
    await rawCall(
      port,
      'POST /_bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    );
    expect([upstream.seen[0]!.body, upstream.seen[0]!.headers['content-length']]).toEqual(['', '0']);
  });
});
