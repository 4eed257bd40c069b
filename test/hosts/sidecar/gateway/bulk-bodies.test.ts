import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { createServer, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readCall } from '../../../../src/hosts/sidecar/gateway/bulk-path.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway } from '../support/start-sidecar.ts';
import { answerBulk, startUpstream } from '../support/upstream-stand-in.ts';

const BAD = '45.9.148.114';
const engine = () => createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' } } });
const NDJSON = { 'content-type': 'application/x-ndjson' };
const bad = `{"n":1,"destination":{"ip":"${BAD}"}}`;
const MARK = '\uFEFF';
/** Brackets around a value. */
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const ES_PLAIN = /"ismalicious":\{[^}]*"verdict":"malicious"/;

/** Lets lines through a gateway; what came of them, and which reasons were counted for those that are as they were. */
async function through(lines: readonly string[], path = '/_bulk', gateway: object = {}) {
  const upstream = await startUpstream((_, res) => res.end('{}'));
  const { call } = await startGateway(upstream.url, { enricher: engine(), gateway });
  await call(path, { method: 'POST', headers: NDJSON, body: `${lines.join('\n')}\n` });
  const metrics = (await call('/metrics')).text;
  const counted = [...metrics.matchAll(/gateway_unenriched_total\{reason="(\w+)"\} (\d+)/g)].filter(([, , count]) => count !== '0');
  const documents = Number(/gateway_documents_total (\d+)/.exec(metrics)?.[1]);
  const reasons = Object.fromEntries(counted.map(([, reason = '', count]) => [reason, Number(count)]));
  return { after: upstream.seen.at(-1)!.body.split('\n').slice(0, -1), documents, reasons };
}

describe('a line that the engine reads', () => {
  it.each<[string, string[], number[]]>([
    ['behind a byte order mark', [`${MARK}{"create":{}}`, bad, '{"create":{}}', bad], [1, 3]],
    ['behind one in the middle, as of files joined', ['{"create":{}}', bad, `${MARK}{"create":{}}`, `${MARK}${bad}`], [1, 3]],
    ['with the action spelled by escapes', [String.raw`{"ind\u0065x":{}}`, bad, '{"index":{}}', bad], [1, 3]],
    ['as deep as is followed', ['{"index":{}}', `{"destination":{"ip":"${BAD}"},"a":${deep(900)}}`], [1]],
    ['as the upsert of a script', ['{"update":{}}', `{"script":{"source":"x"},"upsert":${bad}}`], [1]],
    ['as the upsert of a scripted one', ['{"update":{}}', `{"scripted_upsert":true,"script":{"id":"x"},"upsert":${bad}}`], [1]],
    ['as doc and upsert', ['{"update":{}}', `{"doc":${bad},"upsert":${bad}}`], [1]],
    ['as upsert and doc', ['{"update":{}}', `{"upsert":${bad},"detect_noop":false,"doc":${bad}}`], [1]],
    ['as upsert by a name with escapes', ['{"update":{}}', String.raw`{"script":"x","ups\u0065rt":` + `${bad}}`], [1]],
    ['as doc_as_upsert', ['{"update":{}}', `{"doc":${bad},"doc_as_upsert":true}`], [1]],
  ])('%s is enriched, each document in it, and stays JSON', async (_, lines, documents) => {
    const { after, reasons } = await through(lines);
    expect(reasons).toEqual({});
    for (const [n, line] of after.entries()) {
      if (!documents.includes(n)) expect(line).toBe(lines[n]);
      else {
        const before = lines[n]!.split(BAD).length - 1;
        expect(line.match(new RegExp(ES_PLAIN, 'g'))).toHaveLength(before);
        expect(() => JSON.parse(line.replace(MARK, ''))).not.toThrow();
      }
    }
  });

  it('keeps doc and upsert apart when only one of them is malicious', async () => {
    const { after } = await through(['{"update":{}}', `{"upsert":{"source":{"ip":"8.8.8.8"}},"doc":${bad}}`]);
    expect(JSON.parse(after[1]!)).toMatchObject({
      doc: { ismalicious: { verdict: 'malicious' } },
      upsert: { ismalicious: { verdict: 'clean' } },
    });
  });
});

describe('what goes through as it is', () => {
  it.each<[string, string[], number, object]>([
    ['a document with a comment', ['{"index":{}}', `{/* odd */"destination":{"ip":"${BAD}"}}`, '{"index":{}}', bad], 1, { not_json: 1 }],
    ['a document that is a list', ['{"index":{}}', `[${bad}]`], 0, { not_json: 1 }],
    ['a doc that is a list', ['{"update":{}}', `{"doc":[${bad}]}`], 1, {}],
    ['deeper than is followed', ['{"index":{}}', `{"b":${deep(1100)},"destination":{"ip":"${BAD}"}}`], 0, { too_deep: 1 }],
    ['an update by script alone', ['{"update":{}}', `{"script":{"source":"x","params":{"event":${bad}}}}`], 0, { script: 1 }],
    ['a script with an empty upsert', ['{"update":{}}', `{"scripted_upsert":true,"script":{"source":"x"},"upsert":{}}`], 0, { script: 1 }],
    ['lines behind a broken action', ['{"index":{}}', bad, '{"broken', bad, '{"index":{}}', bad], 1, { broken_action: 3 }],
    ['lines behind a comment', ['// odd', '{"index":{}}', bad], 0, { broken_action: 2 }],
    ['UTF-16', Buffer.from(`{"index":{}}\n${bad}`, 'utf16le').toString('latin1').split('\n'), 0, { broken_action: 2 }],
  ])('%s is counted, by the reason', async (_, lines, documents, reasons) => {
    const sent = await through(lines);
    expect([sent.documents, sent.reasons]).toEqual([documents, reasons]);
    const isKept = lines.map((line, n) => sent.after.join('\n').split('\n')[n] === line);
    const isEnriched = lines.map((line, n) => line === bad && !isKept[n]);
    expect(isKept.filter((kept, n) => !kept && !isEnriched[n])).toEqual([]);
    expect(sent.after.join('').match(new RegExp(ES_PLAIN, 'g')) ?? []).toHaveLength(isEnriched.filter(Boolean).length);
  });

  it('counts once a line that is too long, be it a document or an action', async () => {
    const long = `"pad":"${'x'.repeat(900_000)}"`;
    const document = await through(['{"index":{}}', `{${long}}`, '{"index":{}}', bad], '/_bulk', { maxDocumentBytes: 300_000 });
    expect([document.documents, document.reasons]).toEqual([1, { too_long: 1 }]);
    const action = await through([`{"index":{${long}}}`, bad, '{"index":{}}', bad], '/_bulk', { maxDocumentBytes: 300_000 });
    expect([action.documents, action.reasons]).toEqual([0, { broken_action: 3 }]);
  });

  it('counts a call for a single document, and a body of a coding that is not known', async () => {
    const upstream = await startUpstream((_, res) => res.end('{}'));
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    for (const path of ['/a/_doc', '/a/_doc/1', '/a/_create/1', '/a/_update/1', '/_search', '/a/_search'])
      await call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: bad });
    await call('/_bulk', { method: 'POST', headers: { ...NDJSON, 'content-encoding': 'snappy' }, body: 'whatever' });
    const { text } = await call('/metrics');
    expect(text).toContain('gateway_unenriched_total{reason="single_document"} 4');
    expect(text).toContain('gateway_unenriched_total{reason="unknown_coding"} 1');
  });
});

describe('a path', () => {
  it.each([
    ['//_bulk', null],
    ['/_bulk//', null],
    ['///_bulk/', null],
    ['//logs-a/_bulk', 'logs-a'],
    ['/logs-a//_bulk//?refresh=true', 'logs-a'],
    ['/Logs/_bulk', 'Logs'],
    ['/%3Clogs-%7Bnow%2Fd%7D%3E/_bulk', '<logs-{now/d}>'],
  ])('%s is a bulk request, of %j, and goes on as it was called', async (path, index) => {
    expect(readCall({ method: 'POST', url: path })).toEqual({ kind: 'bulk', index, isLive: false });
    const upstream = await startUpstream();
    const { call, port } = await startGateway(upstream.url, { enricher: engine() });
    const status = await new Promise<number | undefined>((resolve) => {
      request({ port, host: '127.0.0.1', path, method: 'POST', headers: NDJSON }, (res) => resolve(res.resume().statusCode)).end(
        `{"index":{}}\n${bad}\n`,
      );
    });
    expect([status, upstream.seen[0]!.url]).toEqual([200, path]);
    expect(upstream.seen[0]!.body).toMatch(ES_PLAIN);
    expect((await call('/metrics')).text).toContain('gateway_documents_total 1');
  });

  it.each([
    ['POST', '//v1/ingest/logs-a', { kind: 'ingest', index: 'logs-a' }],
    ['PUT', '/v1//ingest/logs-a/', { kind: 'ingest', index: 'logs-a' }],
    ['POST', '/a/_bulk/stream', { kind: 'bulk', index: 'a', isLive: true }],
    ['GET', '/_bulk', { kind: 'other' }],
    ['POST', '/_bulk/other', { kind: 'other' }],
    ['POST', '/a/b/c/_bulk', { kind: 'other' }],
  ])('%s %s is %j', (method, url, call) => {
    expect(readCall({ method, url })).toEqual(call);
  });

  it.each(['/a/../_bulk', '/_bulk;x', '/%2e%2e/_bulk', '/_bulk\\', '/a%2F_bulk', '/%5Fbulk'])('%s stays closed', async (path) => {
    const upstream = await startUpstream();
    const { port } = await startGateway(upstream.url, { enricher: engine() });
    const status = await new Promise<number | undefined>((resolve) => {
      request({ port, host: '127.0.0.1', path, method: 'POST', headers: NDJSON }, (res) => resolve(res.resume().statusCode)).end('{}\n');
    });
    expect([status, upstream.seen]).toEqual([400, []]);
  });
});

describe('a body packed as', () => {
  const body = `{"index":{}}\n${bad}\n`;
  const zstd = zlib.zstdCompressSync as typeof zlib.zstdCompressSync | undefined;
  it.each<[string, Buffer | undefined]>([
    ['GZIP', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['X-Gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['Deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
    ['ZSTD', zstd?.(body)],
    ['identity', Buffer.from(body)],
  ])('%s is enriched', async (coding, packed) => {
    if (packed === undefined) return;
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    const answer = await call('/_bulk', { method: 'POST', headers: { ...NDJSON, 'content-encoding': coding }, body: packed });
    expect([answer.status, upstream.seen[0]!.headers['content-encoding']]).toEqual([200, undefined]);
    expect(upstream.seen[0]!.body).toMatch(ES_PLAIN);
  });

  it.each(['gzip', 'deflate', 'br', ...(zstd === undefined ? [] : ['zstd'])])(
    '%s and none is refused before anything is indexed',
    async (coding) => {
      const upstream = await startUpstream();
      const { call } = await startGateway(upstream.url, { enricher: engine() });
      const answer = await call('/_bulk', {
        method: 'POST',
        headers: { ...NDJSON, 'content-encoding': coding },
        body: 'no such thing at all',
      });
      expect([answer.status, answer.json.error.code, upstream.seen.length]).toEqual([400, `invalid_${coding}`, 0]);
    },
  );
});

describe('the streaming form', () => {
  it('is enriched line by line, and answered while the caller still sends', async () => {
    const answers: string[] = [];
    let said: (() => void) | undefined;
    const upstream = createServer((req, res) => {
      res.writeHead(200);
      req.on('data', (part: Buffer) => res.write(part));
      req.on('end', () => res.end());
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = await startGateway(`http://127.0.0.1:${(upstream.address() as { port: number }).port}`, { enricher: engine() });
    const out = request({ port, host: '127.0.0.1', path: '/_bulk/stream', method: 'POST', headers: NDJSON });
    const ended = new Promise<void>((resolve) =>
      out.on('response', (res) => {
        res.on('data', (part: Buffer) => {
          answers.push(part.toString());
          said?.();
        });
        res.on('end', resolve);
      }),
    );
    for (let n = 0; n < 3; n++) {
      const heard = new Promise<void>((resolve) => (said = resolve));
      out.write(`{"index":{}}\n${bad}\n`);
      await heard;
    }
    out.end();
    await ended;
    upstream.close();
    expect(answers.join('').match(new RegExp(ES_PLAIN, 'g'))).toHaveLength(3);
  });

  it('without a pause in between is one body as any other', async () => {
    const upstream = await startUpstream(answerBulk);
    const { call } = await startGateway(upstream.url, { enricher: engine() });
    const answer = await call('/_bulk/stream', { method: 'POST', headers: NDJSON, body: `{"index":{}}\n${bad}\n` });
    expect(answer.json.items).toHaveLength(1);
    expect(upstream.seen[0]!.body).toMatch(ES_PLAIN);
  });
});
