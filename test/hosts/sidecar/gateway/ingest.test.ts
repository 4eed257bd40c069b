import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginEvents, eventAt, nextEvent } from '../../../../src/events/bulk/ingest-events.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { startGateway, startSidecar } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';
import type { SeenRequest } from '../support/upstream-stand-in.ts';

const BAD = '45.9.148.114';
const enricher = () => createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' } } });
const batch = [{ n: 1, destination: { ip: BAD } }, { n: 2, destination: { ip: '8.8.8.8' } }, { n: 3 }];

/** An engine that remembers ids, and says `statusOf` of a document that is new to it. */
function engineThat(statusOf: (document: { n?: number }, index: string) => number) {
  const taken = new Map<string, string>();
  const answer = ({ body, url }: SeenRequest, res: ServerResponse): void => {
    const lines = body.trimEnd().split('\n');
    const items = lines.flatMap((line, n) => {
      if (n % 2 === 1) return [];
      const id = `${url} ${(JSON.parse(line) as { create: { _id: string } }).create._id}`;
      const document = lines[n + 1]!;
      const status = taken.has(id) ? 409 : statusOf(JSON.parse(document) as { n?: number }, url);
      if (status === 201) taken.set(id, document);
      const error = { type: 'some_exception', reason: 'because\nauthorization: Basic abc' };
      return [{ create: { status, ...(status === 201 ? {} : { error }) } }];
    });
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: false, items }));
  };
  return { taken, answer };
}

describe('a batch', () => {
  it.each([
    ['an array', JSON.stringify(batch), {}],
    ['an array over lines', JSON.stringify(batch, null, 2), {}],
    ['an event a line', batch.map((event) => JSON.stringify(event)).join('\n'), {}],
    ['gzip', gzipSync(JSON.stringify(batch)), { 'content-encoding': 'gzip' }],
  ])('as %s is enriched and indexed, with the credentials of the engine', async (_, body, more) => {
    const { taken, answer } = engineThat(() => 201);
    const upstream = await startUpstream(answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher(), settings: { token: 'a-token-of-the-house' } });
    const headers = { 'content-type': 'application/json', 'x-api-key': 'a-token-of-the-house', authorization: 'Basic abc', ...more };
    const { status, json } = await call('/v1/ingest/logs-a.b-default?x=1', { method: 'POST', headers, body });
    expect([status, json]).toEqual([200, { events: 3, indexed: 3, already: 0, refused: 0 }]);
    expect(upstream.seen.map(({ url, headers: seen }) => [url, seen.authorization, seen['x-api-key']])).toEqual([
      ['/logs-a.b-default/_bulk', 'Basic abc', undefined],
    ]);
    const documents = [...taken.values()].map((text) => JSON.parse(text) as { n: number; ismalicious?: { verdict: string } });
    expect(documents.map(({ n, ismalicious }) => [n, ismalicious?.verdict])).toEqual([
      [1, 'malicious'],
      [2, 'clean'],
      [3, undefined],
    ]);
  });

  it('that is sent again, whole, after a part was taken, doubles nothing', async () => {
    let isBusy = true;
    const { taken, answer } = engineThat(({ n }) => (isBusy && n === 2 ? 429 : 201));
    const upstream = await startUpstream(answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    const send = () => call('/v1/ingest/a', { body: batch });
    expect(await send()).toMatchObject({ status: 429, json: { error: { code: 'engine_busy' } } });
    isBusy = false;
    expect(await send()).toMatchObject({ status: 200, json: { events: 3, indexed: 1, already: 2, refused: 0 } });
    expect(taken.size).toBe(3);
    // The same events in another batch are other events.
    expect(await call('/v1/ingest/a', { body: [...batch, { n: 4 }] })).toMatchObject({ json: { indexed: 4 } });
  });

  it('gets through an engine that takes a little of it at a time: only what is left is sent on', async () => {
    // As an engine whose queue is short: of the documents of a request the first two that it does not have yet, whatever came before.
    let room = 2;
    const { taken, answer } = engineThat(() => (room-- > 0 ? 201 : 429));
    const upstream = await startUpstream((request, res) => {
      room = 2;
      answer(request, res);
    });
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    const body = Array.from({ length: 9 }, (_, n) => ({ n, destination: { ip: BAD } }));
    expect(await call('/v1/ingest/a', { body })).toMatchObject({ status: 200, json: { events: 9, indexed: 9, already: 0, refused: 0 } });
    expect(upstream.seen.map((request) => request.body.trimEnd().split('\n').length / 2)).toEqual([9, 7, 5, 3, 1]);
    expect([...taken.values()].map((text) => (JSON.parse(text) as { n: number }).n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('keeps what the engine will never take, as it came, without what the engine repeats of headers', async () => {
    const { taken, answer } = engineThat(({ n }, url) => (n === 1 && url.startsWith('/a/') ? 400 : 201));
    const upstream = await startUpstream(answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status: 200, json: { events: 3, indexed: 2, refused: 1 } });
    const [kept] = [...taken].filter(([id]) => id.startsWith('/logs-ismalicious.refused-default/'));
    expect(JSON.parse(kept![1])).toMatchObject({
      event: { kind: 'pipeline_error', original: JSON.stringify(batch[0]) },
      error: { type: 'some_exception', message: 'because' },
      labels: { index: 'a' },
      tags: ['_ismalicious_refused'],
    });
    expect((await call('/metrics')).text).toContain('ismalicious_sidecar_ingest_refused_total 1');
  });

  it('is not answered for as long as what was refused is not kept either', async () => {
    const upstream = await startUpstream(engineThat(() => 400).answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status: 503, json: { error: { code: 'refused_not_kept' } } });
  });

  it.each([
    [429, 429, 'engine_busy'],
    [401, 503, 'upstream_refused'],
    [400, 503, 'upstream_refused'],
    [500, 503, 'upstream_refused'],
  ])('that the engine refuses whole with %i is to be sent again: %i', async (said, status, code) => {
    const upstream = await startUpstream((_, res) => res.writeHead(said).end('{}'));
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status, json: { error: { code } } });
  });

  it.each([
    ['nobody there', 'http://127.0.0.1:9', undefined],
    ['no JSON', undefined, '<html>'],
    ['fewer answers than documents', undefined, '{"items":[]}'],
  ])('upstream: %s: to be sent again', async (_, url, text) => {
    const upstream = await startUpstream((_request, res) => res.end(text));
    const { call } = await startGateway(url ?? upstream.url, { enricher: enricher() });
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status: 503, json: { error: { code: 'upstream_unavailable' } } });
  });

  it('that is more than the engine has room for at once goes in parts', async () => {
    const { taken, answer } = engineThat(() => 201);
    const upstream = await startUpstream((request, res) =>
      request.body.split('\n').length > 5 ? res.writeHead(429).end('{}') : answer(request, res),
    );
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    const body = [...batch, { n: 4 }];
    expect(await call('/v1/ingest/a', { body })).toMatchObject({ status: 200, json: { events: 4, indexed: 4, refused: 0 } });
    expect(taken.size).toBe(4);
  });

  it('that is too long for the engine goes in parts; a single event that is, is kept as refused', async () => {
    const { taken, answer } = engineThat(() => 201);
    const upstream = await startUpstream((request, res) =>
      request.body.includes('"n":3') && request.url.startsWith('/a/') ? res.writeHead(413).end() : answer(request, res),
    );
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status: 200, json: { events: 3, indexed: 2, refused: 1 } });
    expect(taken.size).toBe(3);
  });

  it.each(['', 'x', '[1]', '[{"a":1},]', '[{"a":1}', '{"a":1} x'])('%j is none', async (body) => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    const headers = { 'content-type': 'application/json' };
    expect(await call('/v1/ingest/a', { method: 'POST', headers, body })).toMatchObject({ status: 400 });
    expect(upstream.seen).toEqual([]);
  });

  it.each(['', 'A', 'a,b', 'a*', '_all', 'a/b', '%00', '%E0%A4%A'])('goes to no index named %j', async (name) => {
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    expect(await call(`/v1/ingest/${name}`, { body: batch })).toMatchObject({ status: 400, json: { error: { code: 'invalid_index' } } });
    expect(await call('/v1/ingest/a')).toMatchObject({ status: 405 });
    expect(upstream.seen).toEqual([]);
  });

  it('needs an engine to go to', async () => {
    const { call } = await startSidecar();
    expect(await call('/v1/ingest/a', { body: batch })).toMatchObject({ status: 503, json: { error: { code: 'no_gateway' } } });
  });

  it('of any events is cut into just those', () => {
    const events = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 });
    fc.assert(
      fc.property(events, fc.constantFrom(undefined, 2), (all, indent) => {
        const forms = [JSON.stringify(all, null, indent), all.map((event) => JSON.stringify(event)).join('\n')];
        for (const form of forms) {
          const found = eventsOf(form);
          expect(found.map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(all)));
          for (const text of found) expect(text).not.toMatch(/[\r\n]/);
        }
      }),
    );
  });
});

function eventsOf(text: string): string[] {
  const cursor = beginEvents(Buffer.from(text))!;
  const events: string[] = [];
  while (nextEvent(cursor) === 'event') events.push(eventAt(cursor).toString());
  return events;
}

describe('equal events', () => {
  const dated = [
    { '@timestamp': '2026-11-21T10:00:00Z', message: 'refused' },
    { '@timestamp': '2026-11-21T10:00:00Z', message: 'refused' },
  ];

  it.each([
    ['with a time', dated],
    ['without one', dated.map(({ message }) => ({ message }))],
  ])('%s are all kept, in one batch and in the next one', async (_, events) => {
    const { taken, answer } = engineThat(() => 201);
    const upstream = await startUpstream(answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    for (const sent of [1, 2, 3]) {
      expect((await call('/v1/ingest/a', { body: events })).json).toEqual({ events: 2, indexed: 2, already: 0, refused: 0 });
      expect(taken.size).toBe(2 * sent);
    }
  });

  it.each([
    ['with a time are those that another process took before', dated, { indexed: 0, already: 2 }],
    ['without one are new to a process that does not know them', dated.map(({ message }) => ({ message })), { indexed: 2, already: 0 }],
  ])('%s', async (_, events, expected) => {
    const { answer } = engineThat(() => 201);
    const upstream = await startUpstream(answer);
    const first = await startGateway(upstream.url, { enricher: enricher() });
    const second = await startGateway(upstream.url, { enricher: enricher() });
    await first.call('/v1/ingest/a', { body: events });
    expect((await second.call('/v1/ingest/a', { body: events })).json).toMatchObject(expected);
  });

  it('in a batch that is sent again since it was refused stay what they are', async () => {
    let isBusy = true;
    const { taken, answer } = engineThat(({ n }) => (isBusy && n === 2 ? 503 : 201));
    const upstream = await startUpstream(answer);
    const { call } = await startGateway(upstream.url, { enricher: enricher() });
    const events = [{ n: 1 }, { n: 1 }, { n: 2 }];
    expect((await call('/v1/ingest/a', { body: events })).status).toBe(429);
    isBusy = false;
    expect((await call('/v1/ingest/a', { body: events })).json).toEqual({ events: 3, indexed: 1, already: 2, refused: 0 });
    expect(taken.size).toBe(3);
  });
});

it('a batch of more events than are sent on together arrives whole, in order', async () => {
  const { taken, answer } = engineThat(() => 201);
  const upstream = await startUpstream(answer);
  const { call } = await startGateway(upstream.url, { enricher: enricher() });
  const events = Array.from({ length: 12_001 }, (_, n) => ({ n }));
  expect((await call('/v1/ingest/a', { body: events })).json).toEqual({ events: 12_001, indexed: 12_001, already: 0, refused: 0 });
  expect([...taken.values()].map((text) => (JSON.parse(text) as { n: number }).n)).toEqual(events.map(({ n }) => n));
});
