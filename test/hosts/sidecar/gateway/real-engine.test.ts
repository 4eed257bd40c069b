import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUndiciTransport } from '../../../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../../../src/search-engine/assets/run-assets.ts';
import { createEngineClient } from '../../../../src/search-engine/engine-client.ts';
import { EVENT_VALUES, ecsEvents } from '../../../support/ecs-events.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../../../support/fixtures.ts';
import { engineAbsence, leaseEngine, type EngineAnswer, type LeasedEngine } from '../../../support/search-engine.ts';
import { startGateway } from '../support/start-sidecar.ts';

const STREAM = 'logs-ismalicious.events-default';
const BAD = '45.155.205.9';
const sayings = {
  [BAD]: { verdict: 'malicious', score: 87, confidence: 95, categories: ['c2'] },
  '185.220.101.1': { verdict: 'suspicious', score: 55, confidence: 40 },
  [EVENT_VALUES.sha256[1]]: { verdict: 'malicious', score: 100 },
  '94.102.61.5': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
} as const;
const events = ecsEvents(400);
/** A number that JavaScript cannot hold: it has to reach the engine as it is. */
const BIG = '9007199254740993';

describe.each([
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10' },
  { kind: 'opensearch', target: 'opensearch' },
] as const)('the gateway in front of a real $kind', ({ kind, target }) => {
  describe.skipIf(engineAbsence(kind) !== null)(target, () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 2, proxy: null, ca: null });
    let engine: LeasedEngine;

    beforeAll(async () => {
      engine = await leaseEngine(kind);
      const client = createEngineClient(engine.url, { kind: 'none' }, transport);
      const say = () => undefined;
      const command = { action: 'install', target, isDryRun: false, withHooks: false } as const;
      expect(await runAssets(command, { engine: client, assets: readAssets(join(projectRoot, 'elastic'), target), say })).toBe(0);
    }, 300_000);

    afterAll(async () => {
      engine?.release();
      await transport.close();
    });

    it('indexes 400 events as gzip, none refused, each enriched, numbers as they were', async () => {
      const { call, url } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), gateway: { timeoutMs: 60_000 } });
      const lines = events.flatMap((event, n) => [
        JSON.stringify({ create: { _id: `g${n}` } }),
        `{"big_counter":${BIG},${JSON.stringify(event).slice(1)}`,
      ]);
      const zipped = await new Response(
        new Blob([`${lines.join('\n')}\n`]).stream().pipeThrough(new CompressionStream('gzip')),
      ).arrayBuffer();
      const answer = await call(`/${STREAM}/_bulk?refresh=true`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
        body: Buffer.from(zipped),
      });
      expect(answer.json.items.filter((item: EngineAnswer) => item.create.error).map((item: EngineAnswer) => item.create.error)).toEqual(
        [],
      );
      expect(answer.json).toMatchObject({ errors: false, items: { length: 400 } });

      const found = await engine.call('POST', `/${STREAM}/_search`, {
        size: 1000,
        query: { nested: { path: 'threat.enrichments', query: { term: { 'threat.enrichments.indicator.ip': BAD } } } },
      });
      const wanted = events.flatMap((event, n) =>
        JSON.stringify({ ...event, message: '', host: null, observer: null }).includes(`"${BAD}"`) ? [`g${n}`] : [],
      );
      const hits = found.body.hits.hits.map(({ _id }: EngineAnswer) => _id as string);
      expect(hits.length).toBeGreaterThan(5);
      for (const id of hits) expect(wanted).toContain(id);

      const { body } = await engine.call('POST', `/${STREAM}/_search`, {
        size: 0,
        aggs: { verdicts: { terms: { field: 'ismalicious.verdict' } }, statuses: { terms: { field: 'ismalicious.status' } } },
      });
      const verdicts = Object.fromEntries(
        body.aggregations.verdicts.buckets.map(({ key, doc_count: count }: EngineAnswer) => [key, count]),
      );
      expect(verdicts.malicious).toBeGreaterThanOrEqual(hits.length);
      expect(body.aggregations.statuses.buckets.map(({ key }: EngineAnswer) => key)).toContain('timeout');

      // Past the gateway the raw text of a document is what was sent, but for what was added.
      const source = await (await fetch(`${url}/${STREAM}/_search?q=_id:g1`)).text();
      expect(source).toContain(`"big_counter":${BIG}`);
    });

    it('enriches the doc of an update, and passes errors of single items through', async () => {
      const { call } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), gateway: { timeoutMs: 60_000 } });
      const lines = [
        '{"index":{"_index":"plain","_id":"1"}}',
        '{"a":1}',
        '{"update":{"_index":"plain","_id":"1"}}',
        `{"doc":{"destination":{"ip":"${BAD}"}}}`,
        '{"update":{"_index":"plain","_id":"none"}}',
        '{"doc":{"a":2}}',
        '{"index":{"_index":"plain","_id":"2"}}',
        '{"a":{"b":"not a number"}}',
        '{"delete":{"_index":"plain","_id":"2"}}',
      ];
      const answer = await call('/_bulk?refresh=true', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: `${lines.join('\n')}\n`,
      });
      const statuses = answer.json.items.map((item: EngineAnswer) => (Object.values(item)[0] as { status: number }).status);
      expect([answer.json.errors, statuses]).toEqual([true, [201, 200, 404, 400, 404]]);
      const { body } = await engine.call('GET', '/plain/_doc/1');
      expect(body._source).toMatchObject({ a: 1, destination: { ip: BAD }, ismalicious: { verdict: 'malicious', score: 87 } });
    });

    it('hands on item by item what the engine has no room for; who sends those again ends up with each once', async () => {
      const { call } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), gateway: { timeoutMs: 60_000 } });
      const lock = (isLocked: boolean | null) =>
        engine.call('PUT', '/room-none/_settings', { 'index.blocks.read_only_allow_delete': isLocked });
      await engine.call('PUT', '/room-none', { settings: { number_of_replicas: 0 } });
      await lock(true);
      const all = events.slice(0, 90).map((event, n) => ({ id: `r${n}`, index: n % 3 === 1 ? 'room-none' : 'room', event }));
      const send = async (documents: typeof all) => {
        const lines = documents.flatMap(({ id, index, event }) => [
          JSON.stringify({ create: { _index: index, _id: id } }),
          JSON.stringify(event),
        ]);
        const headers = { 'content-type': 'application/x-ndjson' };
        const { status, json } = await call('/_bulk?refresh=true', { method: 'POST', headers, body: `${lines.join('\n')}\n` });
        expect(status).toBe(200);
        return json.items.map((item: EngineAnswer) => [item.create._id, item.create.status, item.create.error?.type]) as unknown[];
      };
      expect(await send(all)).toEqual(
        all.map(({ id, index }) => [id, index === 'room' ? 201 : 429, index === 'room' ? undefined : 'cluster_block_exception']),
      );
      const batch = all.map(({ event }) => event);
      expect(await call('/v1/ingest/room-none', { body: batch })).toMatchObject({ status: 429, json: { error: { code: 'engine_busy' } } });
      await lock(null);
      const refused = all.filter(({ index }) => index === 'room-none');
      expect(await send(refused)).toEqual(refused.map(({ id }) => [id, 201, undefined]));
      expect((await engine.call('GET', '/room,room-none/_count')).body.count).toBe(all.length);
      expect((await call('/v1/ingest/room-none', { body: batch })).json).toEqual({ events: 90, indexed: 90, already: 0, refused: 0 });
    });

    it('enriches every document that the engine takes, in whatever form of a bulk request it takes it', async () => {
      const { call } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), gateway: { timeoutMs: 60_000 } });
      const doc = `{"source":{"ip":"${BAD}"}}`;
      const plain = `{"index":{}}\n${doc}\n`;
      const upsert = (n: number, text: string) => `{"update":{"_id":"u${n}"}}\n${text}\n`;
      const forms: readonly (readonly [path: string, body: string | Buffer, coding?: string])[] = [
        ['/forms/_bulk', `\uFEFF${plain}${plain}`],
        ['/forms/_bulk', `${plain}\uFEFF{"index":{}}\n\uFEFF${doc}\n`],
        ['/forms/_bulk', String.raw`{"ind\u0065x":{}}` + `\n${doc}\n`],
        ['//forms/_bulk', plain],
        ['/forms//_bulk//', plain],
        ['/forms/_bulk', gzipSync(plain), 'x-gzip'],
        ['/forms/_bulk', gzipSync(plain), 'GZIP'],
        ['/forms/_bulk', deflateSync(plain), 'deflate'],
        ['/forms/_bulk', deflateRawSync(plain), 'deflate'],
        ['/forms/_bulk', upsert(1, `{"script":{"source":"ctx._source.n = 1"},"upsert":${doc}}`)],
        ['/forms/_bulk', upsert(2, `{"doc":{"n":1},"upsert":${doc}}`)],
        ['/forms/_bulk', upsert(3, `{"doc":${doc},"doc_as_upsert":true}`)],
        ['/forms/_bulk', upsert(4, `{"scripted_upsert":true,"script":{"source":"ctx._source.n = 1"},"upsert":${doc}}`)],
      ];
      const taken: string[] = [];
      for (const [path, body, coding] of forms) {
        const headers = { 'content-type': 'application/x-ndjson', ...(coding !== undefined && { 'content-encoding': coding }) };
        const { status, json } = await call(path, { method: 'POST', headers, body });
        if (status === 200 && json.errors === false) taken.push(`${path} ${coding ?? String(body)}`);
      }
      await engine.call('POST', '/forms/_refresh');
      // Counted, not read: a document that came with a mark has it in its `_source` for ever.
      const count = async (query: object) => (await engine.call('POST', '/forms/_count', { query })).body.count as number;
      const all = await count({ match_all: {} });
      expect(all, taken.join('\n')).toBeGreaterThan(11);
      expect(await count({ match: { 'ismalicious.verdict': 'malicious' } })).toBe(all);
    });

    it('takes batches as Logstash sends them; one that comes again to another process doubles nothing, what is refused is kept', async () => {
      const start = () => startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), gateway: { timeoutMs: 60_000 } });
      const batch = [...events, { '@timestamp': '2026-11-21T10:00:00Z', destination: 'a text where the mapping has an object' }];
      const send = async () => (await start()).call('/v1/ingest/logs-ismalicious.ingest-default', { body: batch });
      expect(await send()).toMatchObject({ status: 200, json: { events: 401, indexed: 400, already: 0, refused: 1 } });
      expect(await send()).toMatchObject({ status: 200, json: { events: 401, indexed: 0, already: 400, refused: 1 } });
      await engine.call('POST', '/logs-ismalicious.*/_refresh');
      const count = async (index: string, query: object) => (await engine.call('POST', `/${index}/_count`, { query })).body.count as number;
      expect(await count('logs-ismalicious.ingest-default', { exists: { field: '@timestamp' } })).toBe(400);
      expect(await count('logs-ismalicious.ingest-default', { term: { 'ismalicious.verdict': 'malicious' } })).toBeGreaterThan(5);
      expect(await count('logs-ismalicious.refused-default', { term: { tags: '_ismalicious_refused' } })).toBe(1);
    });

    it('is the engine to whoever asks what it is', async () => {
      const { call } = await startGateway(engine.url);
      const [direct, through] = [await engine.call('GET', '/'), await call('/')];
      expect(through.json).toEqual(direct.body);
      expect((await call('/no-such-index/_search')).status).toBe(404);
    });
  });
});
