import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ACCESS } from '../../../../src/hosts/sidecar/http/access.ts';
import { startGateway, startSidecar } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const VALUE = '45.9.148.114';

/** A body for each route that takes one, and the status it is answered with when it can be read. */
const BODIES: Readonly<Record<string, readonly [body: unknown, status: number]>> = {
  '/v1/enrich': [[{ destination: { ip: VALUE } }], 200],
  '/v1/lookup': [{ indicators: [VALUE] }, 200],
  '/v1/logstash': [{ ip: VALUE }, 200],
  '/v1/extract': [{ text: `see ${VALUE}` }, 200],
  '/v1/triage': [[{ id: '1', dest_ip: VALUE }], 200],
  '/v1/watchlist': [{ indicators: [VALUE] }, 409],
};
const routes = Object.entries(BODIES).map(([path, [body, status]]) => ({ path, body: JSON.stringify(body), status }));

describe('packed bodies', () => {
  it('are taken by every path that takes a body', () => {
    const posted = ACCESS.filter(({ methods, by }) => methods.includes('POST') && by === 'sidecar').map(({ path }) => path);
    // Feedback has its route where there is a store for it.
    expect(posted.filter((path) => path !== '/v1/feedback').toSorted()).toEqual(Object.keys(BODIES).toSorted());
  });

  const packings = [
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['X-GZip', gzipSync],
    ['deflate', deflateSync],
    ['Deflate', deflateSync],
    // Without the head of zlib, as some senders pack it.
    ['deflate', deflateRawSync],
    ['Identity', (bytes: Buffer) => bytes],
  ] as const;

  it.each(routes)('POST $path reads them in every coding, named in any case', async ({ path, body, status }) => {
    const { call } = await startSidecar();
    for (const [coding, pack] of packings) {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      const answer = await call(path, { method: 'POST', headers, body: pack(Buffer.from(body)) });
      expect([coding, answer.status]).toEqual([coding, status]);
      if (path === '/v1/lookup') expect(answer.json.enrichments).toHaveLength(1);
    }
  });

  it.each(routes.filter(({ path }) => path !== '/v1/logstash'))('POST $path says what is wrong with others', async ({ path, body }) => {
    const { call } = await startSidecar({ maxSmallBodyBytes: 2048, maxBodyBytes: 2048 });
    const send = async (coding: string, bytes: Buffer) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      const { status, json } = await call(path, { method: 'POST', headers, body: bytes });
      return [status, json.error.code];
    };
    expect(await send('br', Buffer.from(body))).toEqual([415, 'unsupported_encoding']);
    expect(await send('gzip, gzip', gzipSync(gzipSync(body)))).toEqual([415, 'unsupported_encoding']);
    expect(await send('__proto__', Buffer.from(body))).toEqual([415, 'unsupported_encoding']);
    expect(await send('gzip', Buffer.from(body))).toEqual([400, 'invalid_gzip']);
    expect(await send('gzip', gzipSync(body).subarray(0, -9))).toEqual([400, 'invalid_gzip']);
    expect(await send('deflate', Buffer.from(body))).toEqual([400, 'invalid_deflate']);
    expect(await send('gzip', gzipSync(Buffer.alloc(1_000_000, 0x20)))).toEqual([413, 'body_too_large']);
  });

  it('of the gateway are enriched when they came as x-gzip', async () => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url);
    const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'X-GZIP' };
    const body = gzipSync(`{"index":{}}\n{"destination":{"ip":"${VALUE}"}}\n`);
    expect((await call('/_bulk', { method: 'POST', headers, body })).status).toBe(200);
    expect(upstream.seen[0]?.body).toContain('ismalicious');
  });
});
