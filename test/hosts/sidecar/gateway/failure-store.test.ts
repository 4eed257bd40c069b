import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createFailureStoreCounter } from '../../../../src/hosts/sidecar/gateway/failure-store.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
/** As Elasticsearch 9.5.3 answers: 201 for all, of which the second was refused and set aside. */
const ITEMS = [
  { create: { _index: '.ds-logs-a-1', _id: '1', status: 201, failure_store: 'not_applicable_or_unknown' } },
  { create: { _index: '.fs-logs-a-1', _id: '2', status: 201, failure_store: 'used' } },
  { create: { _index: '.ds-logs-a-1', _id: '3', status: 201 } },
  { create: { _index: '.ds-logs-a-1', _id: '4', status: 400, failure_store: 'not_enabled', error: { type: 'x', reason: 'y' } } },
];
const ANSWER = JSON.stringify({ errors: true, items: ITEMS });
const COUNTED = 'ismalicious_sidecar_gateway_failure_store_total 1';

describe('what the engine set aside in a failure store', () => {
  it.each<[string, string, string | undefined]>([
    ['plain', ANSWER, undefined],
    ['printed for people', JSON.stringify(JSON.parse(ANSWER), null, 2), undefined],
    ['gzip', ANSWER, 'gzip'],
  ])('is counted by the gateway beside what it took, the answer (%s) stays as it is', async (_, text, coding) => {
    const upstream = await startUpstream((_request, res) => {
      res.writeHead(200, { 'content-type': 'application/json', ...(coding !== undefined && { 'content-encoding': coding }) });
      res.end(coding === undefined ? text : gzipSync(text));
    });
    const { call } = await startGateway(upstream.url, { enricher: createFakeEnricher() });
    const body = ITEMS.map((_item, n) => `{"create":{}}\n{"n":${n}}\n`).join('');
    const answer = await call('/logs-a/_bulk', { method: 'POST', headers: NDJSON, body });
    expect(answer.text).toBe(text);
    await expect.poll(async () => (await call('/metrics')).text).toContain(COUNTED);
  });

  it('is a number of its own in the answer of /v1/ingest, neither indexed nor in the index for refused ones', async () => {
    const upstream = await startUpstream((request, res) => {
      const isRefused = request.url.includes('refused');
      const items = isRefused ? [{ create: { status: 201 } }] : ITEMS;
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: false, items }));
    });
    const { call } = await startGateway(upstream.url, { enricher: createFakeEnricher() });
    const { status, json } = await call('/v1/ingest/logs-a', { body: ITEMS.map((_, n) => ({ n })) });
    expect([status, json]).toEqual([200, { events: 4, indexed: 2, already: 0, refused: 1, failure_store: 1 }]);
    const { text } = await call('/metrics');
    expect(text).toContain('ismalicious_sidecar_ingest_failure_store_total 1');
    expect(text).toContain('ismalicious_sidecar_ingest_refused_total 1');
    // The event itself is not sent to the index for refused ones: the engine keeps it.
    expect(upstream.seen.filter(({ url }) => url.includes('refused')).map(({ body }) => body.includes('"n\\":3'))).toEqual([true]);
  });

  it('is found wherever the parts of an answer are cut', () => {
    const bytes = Buffer.from(ANSWER.repeat(3));
    for (const size of [1, 7, 64, 65, 100, bytes.length]) {
      const counter = createFailureStoreCounter();
      for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size));
      expect([size, counter.count()]).toEqual([size, 3]);
    }
  });
});
