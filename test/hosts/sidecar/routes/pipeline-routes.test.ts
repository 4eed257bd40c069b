import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFeedbackStore } from '../../../../src/engine/feedback/feedback-store.ts';
import { openStore } from '../../../../src/store/store-client.ts';
import type { Feed } from '../../../../src/feeds/feed.ts';
import { FEEDS } from '../../../../src/feeds/registry.ts';
import { loadPipelineConfig } from '../../../../src/pipeline/open-pipeline.ts';
import { readFeed } from '../../../../src/pipeline/read-feed.ts';
import { openPipelinePart, type StoreUse } from '../../../../src/pipeline/pipeline-part.ts';
import { DEFAULT_FIELDS } from '../../../../src/events/wanted-fields.ts';
import { enrichmentOf, observationOf } from '../../../store/samples.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { hasPeers, peerPython } from '../../../support/python-peers.ts';
import { fetchTransport } from '../../../pipeline/stand-in.ts';
import { startGateway, startSidecar } from '../support/start-sidecar.ts';
import { startUpstream } from '../support/upstream-stand-in.ts';

const BAD = '45.9.148.114';
const MEDIUM = '45.9.148.115';
const TOKEN = 'a-token-of-the-house';
const NOW = Math.floor(Date.now() / 1000);
const enricher = createFakeEnricher({
  sayings: { [BAD]: { verdict: 'malicious', score: 90 }, [MEDIUM]: { verdict: 'suspicious', score: 45 } },
});

/** The sidecar's part of the pipeline, on a state folder of its own. */
async function part(values: Record<string, unknown> = {}, { use = 'always' as StoreUse, folder = newStateFolder() } = {}) {
  const feedback = await openFeedbackStore({ path: join(folder, 'feedback.sqlite'), watches: false, nowS: () => NOW });
  const path = join(folder, 'pipeline.sqlite');
  const config = loadPipelineConfig({ env: {}, file: { name: 'y', values } });
  const pipeline = openPipelinePart(config, { path, use, fields: DEFAULT_FIELDS, feedback });
  onTestFinished(() => pipeline.close());
  return { pipeline, path };
}

describe('without a pipeline store', () => {
  it.each([
    ['GET', '/v1/watchlist', undefined],
    ['POST', '/v1/watchlist', { indicators: [BAD] }],
    ['DELETE', '/v1/watchlist', { indicators: [BAD] }],
    ['GET', '/v1/quarantine', undefined],
    ['POST', '/v1/triage?tell=true', { id: '1', dest_ip: BAD }],
    ['GET', '/taxii2/', undefined],
    ['GET', '/taxii2/api/collections/', undefined],
  ])('%s %s says what is missing, and makes nothing', async (method, path, body) => {
    const { pipeline, path: file } = await part({}, { use: 'auto' });
    const { call } = await startSidecar({}, { enricher, pipeline });
    const { status, json } = await call(path, { method, body });
    expect([status, json.error.code, json.error.message]).toEqual([409, 'no_store', expect.stringContaining('sidecar.pipeline_store')]);
    expect(existsSync(file)).toBe(false);
  });
  it('a sidecar that has no part of the pipeline says the same', async () => {
    const { call } = await startSidecar({}, { enricher });
    expect((await call('/v1/watchlist')).status).toBe(409);
    expect((await call('/taxii2/')).json.error.code).toBe('no_store');
  });
  it('alerts are decided about all the same', async () => {
    const { call } = await startSidecar({}, { enricher });
    expect((await call('/v1/triage', { body: { id: '1', dest_ip: BAD } })).json.decisions).toMatchObject([
      { alert_id: '1', tier: 'p1', score: 90 },
    ]);
  });
  it('one that comes later is found', async () => {
    const { pipeline, path } = await part({}, { use: 'auto' });
    const { call } = await startSidecar({}, { enricher, pipeline });
    expect((await call('/v1/watchlist')).status).toBe(409);
    await (await openStore(path)).close();
    expect((await call('/v1/watchlist')).json).toEqual({ total: 0, watchlist: [] });
  });
  it('one that is there is left alone by `never`', async () => {
    const { pipeline, path } = await part({}, { use: 'never' });
    await (await openStore(path)).close();
    const { call } = await startSidecar({}, { enricher, pipeline });
    expect((await call('/v1/watchlist')).status).toBe(409);
  });
});

it('/v1/quarantine tells what feeds sent that could not be taken, and why', async () => {
  const { pipeline, path } = await part();
  const store = await openStore(path);
  await store.quarantineItems('csv', [{ raw: '10.0.0.1', reason: 'private' }], NOW - 60);
  await store.quarantineItems('stix', [{ raw: '[a]', reason: 'no pattern' }], NOW);
  await store.close();
  const { call } = await startSidecar({}, { enricher, pipeline });
  const whole = (await call('/v1/quarantine')).json;
  expect([whole.total, whole.items.map((item: { feed: string }) => item.feed)]).toEqual([2, ['stix', 'csv']]);
  expect((await call('/v1/quarantine?feed=csv&limit=5')).json).toEqual({
    total: 1,
    items: [{ feed: 'csv', raw: '10.0.0.1', reason: 'private', times: 1, last_at: new Date((NOW - 60) * 1000).toISOString() }],
  });
  expect((await call('/v1/quarantine?limit=0')).status).toBe(400);
});

describe('/v1/watchlist', () => {
  it('takes values, lists them, and lets them go', async () => {
    const { pipeline } = await part({ watchlist: { max_watched: 2, every_hours: 12 } });
    const { call } = await startSidecar({}, { enricher, pipeline });
    const body = {
      indicators: ['hxxp://a.evil-host[.]net/x', '10.0.0.1', 'b.evil-host.net', 'c.evil-host.net'],
      reason: 'supplier',
      by: 'ann',
      days: 9,
    };
    const { status, json } = await call('/v1/watchlist', { body });
    expect([status, json.results]).toEqual([
      200,
      [
        { input: body.indicators[0], indicator: 'http://a.evil-host.net/x', type: 'url', added: true },
        { input: '10.0.0.1', added: false, message: expect.any(String) },
        { input: 'b.evil-host.net', indicator: 'b.evil-host.net', type: 'domain-name', added: true },
        { input: 'c.evil-host.net', added: false, message: expect.stringContaining('full') },
      ],
    ]);
    const listed = (await call('/v1/watchlist')).json;
    expect([listed.total, listed.watchlist[0]]).toEqual([
      2,
      expect.objectContaining({ reason: 'supplier', by: 'ann', every_hours: 12, verdict: null }),
    ]);
    const removed = await call('/v1/watchlist', { method: 'DELETE', body: { indicators: ['B.evil-host.net', 'c.evil-host.net'] } });
    expect(removed.json.results.map((result: { removed: boolean }) => result.removed)).toEqual([true, false]);
    expect((await call('/v1/watchlist')).json.total).toBe(1);
  });
  it.each([
    ['POST', {}, 400],
    ['POST', { indicators: [] }, 400],
    ['POST', { indicators: ['a.net'], every_hours: 0 }, 400],
    ['POST', { indicators: ['a.net'], more: true }, 400],
    ['DELETE', { indicators: 'a.net' }, 400],
    ['PUT', { indicators: ['a.net'] }, 405],
  ])('%s %j is refused in the words of the API', async (method, body, expected) => {
    const { pipeline } = await part();
    const { call } = await startSidecar({}, { enricher, pipeline });
    const { status, json } = await call('/v1/watchlist', { method, body });
    expect([status, typeof json.error.code, typeof json.error.message]).toEqual([expected, 'string', 'string']);
  });
  it('wants the token, and keeps its limits', async () => {
    const { pipeline } = await part();
    const { call } = await startSidecar({ token: TOKEN, maxSmallBodyBytes: 1024 }, { enricher, pipeline });
    expect((await call('/v1/watchlist')).status).toBe(401);
    const headers = { 'x-api-key': TOKEN };
    expect((await call('/v1/watchlist', { headers })).status).toBe(200);
    expect((await call('/v1/watchlist', { headers, body: { indicators: ['x'.repeat(2000)] } })).status).toBe(413);
  });
});

describe('/v1/triage', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('a key %s in one alert is a key like any other', async (key) => {
    const { call } = await startSidecar({}, { enricher });
    const odd = JSON.parse(`{"id":"1","dest_ip":"${BAD}","${key}":{"prototype":{"x":1}},"host":{"${key}":"x"}}`) as object;
    const { status, json } = await call('/v1/triage', { body: [odd, { id: '2', dest_ip: BAD }] });
    expect([status, json.decisions.map(({ tier }: { tier: string }) => tier)]).toEqual([200, ['p1', 'p1']]);
  });
  const alerts = [
    { id: '1', dest_ip: BAD, action: 'allowed', host: { name: 'pc-7' } },
    { id: '2', dest_ip: MEDIUM, src_ip: '10.1.2.3' },
    { id: '3', dest_ip: '10.0.0.1' },
  ];
  it.each([
    ['an alert', alerts[0], ['p1']],
    ['an array', alerts, ['p1', 'watch', 'log']],
    ['a webhook body', { status: 'firing', alerts }, ['p1', 'watch', 'log']],
  ])('takes %s and decides in order', async (_, body, tiers) => {
    const { pipeline } = await part();
    const { call } = await startSidecar({}, { enricher, pipeline });
    const { json } = await call('/v1/triage', { body });
    expect(json.decisions.map(({ tier }: { tier: string }) => tier)).toEqual(tiers);
    const store = await pipeline.store();
    expect([await store!.countWatched(), await store!.countSightings(), await store!.outputs()]).toEqual([0, 0, []]);
  });
  it('with tell=true journals for the outputs, watches and notes who was seen', async () => {
    const { pipeline } = await part({
      outputs: { file: { enabled: true, path: '/dev/null', events: ['triage'] }, jira: { enabled: false } },
    });
    const { call } = await startSidecar({}, { enricher, pipeline });
    for (let n = 0; n < 2; n++) expect((await call('/v1/triage?tell=true', { body: alerts })).status).toBe(200);
    const store = (await pipeline.store())!;
    expect(await store.counts('file')).toMatchObject({ accepted: 2, pending: 2 });
    expect((await store.watched(9)).map(({ indicator }) => indicator.value)).toEqual([MEDIUM]);
    expect((await store.whoSaw(BAD, 0, 9)).map(({ asset }) => asset)).toEqual(['pc-7']);
    expect((await store.whoSaw(MEDIUM, 0, 9)).map(({ asset, times }) => [asset, times])).toEqual([['10.1.2.3', 2]]);
  });
  it.each([
    ['"x"', '', 400],
    ['[1]', '', 400],
    ['{"alerts":[null]}', '', 400],
    ['{}', '?tell=yes', 400],
    ['{}', '?timeout_ms=0', 400],
    ['not json', '', 400],
    [`[${'{},'.repeat(1000)}{}]`, '', 413],
  ])('%.20s %s is refused', async (body, query, expected) => {
    const { call } = await startSidecar({}, { enricher });
    const { status, json } = await call(`/v1/triage${query}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect([status, typeof json.error.code]).toEqual([expected, 'string']);
  });
  it('answers in time what nobody could look up, and resolves none of it', async () => {
    const slow = createFakeEnricher({ cold: true, delayMs: 60_000 });
    const { call } = await startSidecar({}, { enricher: slow });
    const { json } = await call('/v1/triage?timeout_ms=30', { body: { id: '1', dest_ip: '8.8.8.8' } });
    expect(json.decisions).toMatchObject([{ tier: 'review', status: 'timeout', auto_resolve: false }]);
  });
});

/** A sidecar whose store has judged 25 threats, a harmless name and one that is TLP:RED. */
async function withThreats(settings: object = {}) {
  const { pipeline, path } = await part();
  const store = (await pipeline.store())!;
  const threats = Array.from({ length: 25 }, (_, n) => `h${n}.evil-host.net`);
  await store.observe(
    [...threats, 'ok.good-host.net'].map((value) => observationOf(value, { tlp: 'GREEN' })),
    NOW - 60,
  );
  await store.observe([observationOf('red.evil-host.net', { tlp: 'RED' })], NOW - 60);
  await store.record(
    [
      ...[...threats, 'red.evil-host.net'].map((value) => [value, enrichmentOf({})] as const),
      ['ok.good-host.net', enrichmentOf({ verdict: 'clean', score: 0 })],
    ],
    NOW - 60,
  );
  return { store, path, sidecar: await startSidecar(settings, { enricher, pipeline }) };
}

describe('/taxii2', () => {
  it('is read to its end by our own feed, with the token as password', async () => {
    const { sidecar } = await withThreats({ token: TOKEN });
    const taxii = FEEDS.find(({ id }) => id === 'taxii') as Feed;
    const reader = await openStore(join(newStateFolder(), 'reader.sqlite'));
    const read = (apiKey: string) =>
      readFeed(
        {
          feed: taxii,
          settings: taxii.settings.parse({ baseUrl: `${sidecar.url}/taxii2`, username: 'api', apiKey, pageSize: 10 }),
          transport: fetchTransport,
          timeoutMs: 10_000,
        },
        {
          store: reader,
          clock: { nowMs: () => Date.now(), wait: () => Promise.resolve() },
          signal: new AbortController().signal,
          isDry: false,
        },
      );
    expect((await read('wrong')).failure).toMatch(/401/);
    expect(await read(TOKEN)).toMatchObject({ failure: null, items: 25, new: 25 });
    await reader.close();
  });
  it('tells what it is, counts its calls under one name, and is not written to', async () => {
    const { sidecar } = await withThreats({ taxiiMaxTlp: 'CLEAR' });
    const accept = 'application/taxii+json;version=2.1';
    const found = await sidecar.call('/taxii2/', { headers: { accept } });
    expect([found.headers.get('content-type'), found.json.api_roots]).toEqual([accept, [`${sidecar.url}/taxii2/api/`]]);
    const [collection] = (await sidecar.call('/taxii2/api/collections/', { headers: { accept } })).json.collections;
    expect(collection).toMatchObject({ can_read: true, can_write: false });
    const objects = `/taxii2/api/collections/${collection.id}/objects/`;
    expect((await sidecar.call(objects, { headers: { accept } })).json.objects).toEqual([]);
    expect((await sidecar.call(objects, { headers: { accept: 'text/html' } })).status).toBe(406);
    expect((await sidecar.call(`${objects}?limit=0`, { headers: { accept } })).json).toMatchObject({ http_status: '400' });
    expect((await sidecar.call(objects, { method: 'POST', body: { objects: [] } })).status).toBe(405);
    expect((await sidecar.call('/metrics')).text).toContain('route="/taxii2/",code="200"');
  });
  it('is the sidecar’s own, not what the gateway sends on', async () => {
    const upstream = await startUpstream();
    const { pipeline } = await part();
    const { call } = await startGateway(upstream.url, { enricher, pipeline });
    expect((await call('/taxii2/api/', { headers: { accept: '*/*' } })).json.title).toBe('Indicators');
    expect(upstream.seen).toEqual([]);
  });
  it.skipIf(!hasPeers)('is read by taxii2-client 2.3.0 and parsed by stix2 [needs python]', async () => {
    const { sidecar } = await withThreats({ token: TOKEN });
    const program = `
import sys, json, stix2
from taxii2client.v21 import Server, as_pages
server = Server(sys.argv[1], user='api', password=sys.argv[2])
collection = server.api_roots[0].collections[0]
objects = [o for page in as_pages(collection.get_objects, per_request=7) for o in page.get('objects', [])]
names = [stix2.parse(o, version='2.1').pattern for o in objects]
print(json.dumps({'title': server.title, 'write': collection.can_write, 'objects': len(names), 'unique': len(set(names)), 'manifest': len(collection.get_manifest()['objects'])}))`;
    const { stdout } = await promisify(execFile)(peerPython, ['-c', program, `${sidecar.url}/taxii2/`, TOKEN]);
    expect(JSON.parse(stdout)).toEqual({ title: 'isMalicious integration pack', write: false, objects: 25, unique: 25, manifest: 25 });
  });
});
