import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeedbackStore } from '../../../src/engine/feedback/feedback-store.ts';
import { openStore } from '../../../src/store/store-client.ts';
import { loadPipelineConfig, openPipeline } from '../../../src/pipeline/open-pipeline.ts';
import { runPipeline } from '../../../src/pipeline/run-pipeline.ts';
import { openPipelinePart, type StoreUse } from '../../../src/pipeline/pipeline-part.ts';
import { addToWatchlist } from '../../../src/pipeline/watchlist/edit-watchlist.ts';
import { DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { createFakeEnricher } from '../../support/fake-sidecar-enricher.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { fakeEnricher, judged } from '../../pipeline/fake-enricher.ts';
import { fakeClock, fetchTransport } from '../../pipeline/stand-in.ts';
import { startGateway, startSidecar } from './support/start-sidecar.ts';
import { startUpstream } from './support/upstream-stand-in.ts';

const C2 = '45.9.148.114';
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
const at = (agoS: number) => new Date((NOW - agoS) * 1000).toISOString();
const signal = new AbortController().signal;

async function part(values: Record<string, unknown> = {}, use: StoreUse = 'always') {
  const folder = newStateFolder();
  const feedback = await openFeedbackStore({ path: join(folder, 'feedback.sqlite'), watches: false, nowS: () => NOW });
  const path = join(folder, 'pipeline.sqlite');
  const config = loadPipelineConfig({ env: {}, file: { name: 'y', values } });
  return { folder, path, config, pipeline: openPipelinePart(config, { path, use, fields: DEFAULT_FIELDS, feedback }) };
}

/** Who was seen with a value, once everything that was taken is on disk. */
async function whoSaw({ path, pipeline }: Awaited<ReturnType<typeof part>>, value = C2): Promise<[string, number][]> {
  await pipeline.close();
  const store = await openStore(path);
  const seen = await store.whoSaw(value, 0, 99);
  await store.close();
  return seen.map(({ asset, times }) => [asset, times]);
}

describe('a sidecar with a store notes who was seen with what', () => {
  it('in events of /v1/enrich, whatever the verdict was, by value, asset and day', async () => {
    const house = await part();
    const { call } = await startSidecar({}, { pipeline: house.pipeline });
    await call('/v1/enrich', {
      body: [
        { '@timestamp': at(60), host: { name: 'pc-7' }, destination: { ip: C2 }, url: { full: 'http://evil-host.net/a' } },
        { '@timestamp': at(30), host: { name: 'pc-7' }, destination: { ip: '45[.]9.148.114' } },
        { '@timestamp': at(40 * DAY), 'host.name': 'pc-8', 'destination.ip': C2 },
        {
          '@timestamp': at(20),
          observer: { type: 'firewall' },
          host: { name: 'fw-1' },
          source: { ip: '10.1.2.3' },
          destination: { ip: C2 },
        },
        { destination: { ip: '10.0.0.9' }, host: { name: 'inside' } },
      ],
    });
    await call('/v1/enrich', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: `{"destination":{"ip":"${C2}"},"user":{"name":"ann"}}\nno event\n{"destination":{"ip":"${C2}"}}\n`,
    });
    const seen = await whoSaw(house);
    expect(seen.toSorted()).toEqual([
      ['-', 1],
      ['10.1.2.3', 1],
      ['ann', 1],
      ['pc-7', 2],
      ['pc-8', 1],
    ]);
    expect(await whoSaw(house, 'http://evil-host.net/a')).toEqual([['pc-7', 1]]);
    expect(await whoSaw(house, '10.0.0.9')).toEqual([]);
  });
  it('in what Logstash sends, and in bulk bodies through the gateway', async () => {
    const house = await part();
    const upstream = await startUpstream();
    const { call } = await startGateway(upstream.url, { pipeline: house.pipeline });
    await call('/v1/logstash', { body: { source: '10.1.2.4', 'host.name': 'ls-1', any: `8.8.8.8,${C2}` } });
    await call('/v1/logstash', { body: { '@timestamp': at(9), host: { name: 'ls-2' }, destination: { ip: C2 } } });
    const bulk = [
      `{"index":{"_index":"logs"}}`,
      `{"host":{"name":"bulk-1"},"destination":{"ip":"${C2}"}}`,
      `{"update":{"_id":"1","_index":"logs"}}`,
      `{"doc":{"host":{"name":"bulk-2"},"destination":{"ip":"${C2}"}}}`,
    ];
    await call('/_bulk', { headers: { 'content-type': 'application/x-ndjson' }, body: `${bulk.join('\n')}\n` });
    expect((await whoSaw(house)).toSorted()).toEqual([
      ['bulk-1', 1],
      ['bulk-2', 1],
      ['ls-1', 1],
      ['ls-2', 1],
    ]);
  });
  it('and counts it for Prometheus', async () => {
    const house = await part();
    for (let n = 0; n < 3; n++) house.pipeline.sightings?.offer(Buffer.from(`{"destination":{"ip":"${C2}"},"host":"h${n}"}`), 'json');
    expect(house.pipeline.sightings?.counts()).toMatchObject({ droppedBytes: 0, fault: null });
    expect(await whoSaw(house)).toHaveLength(3);
    expect(house.pipeline.sightings?.counts()).toMatchObject({ rows: 3, failedRows: 0 });
  });
  it('what comes faster than it can be read goes by, counted', async () => {
    const house = await part();
    const block = Buffer.alloc(8 * 1024 * 1024, 0x20);
    for (let n = 0; n < 6; n++) house.pipeline.sightings?.offer(block, 'json');
    expect(house.pipeline.sightings?.counts()?.droppedBytes).toBe(2 * block.length);
    await house.pipeline.close();
  });
  it.each([
    ['it is switched off', { watchlist: { record_sightings: false } }, 'always'],
    ['the store is not used', {}, 'never'],
  ] as const)('not when %s', async (_, values, use) => {
    const house = await part(values, use);
    expect(house.pipeline.sightings).toBeUndefined();
    await house.pipeline.close();
  });
  it('not before there is a store', async () => {
    const house = await part({}, 'auto');
    house.pipeline.sightings?.offer(Buffer.from('{}'), 'json');
    expect(house.pipeline.sightings?.counts()).toBeNull();
    await house.pipeline.close();
  });
});

describe('a verdict that turns', () => {
  it('names who was seen with it: events are enriched, the value is checked again, the outputs hear of the machines', async () => {
    const house = await part();
    const clean = createFakeEnricher({ sayings: { '*': { verdict: 'clean' } } });
    const { call, sidecar } = await startSidecar({}, { enricher: clean, pipeline: house.pipeline });
    const events = ['pc-7', 'pc-7', 'pc-9'].map((name, n) => ({ '@timestamp': at(3600 - n), host: { name }, destination: { ip: C2 } }));
    const answered = await call('/v1/enrich', { body: events });
    expect(answered.json.map((event: { ismalicious: { verdict: string } }) => event.ismalicious.verdict)).toEqual([
      'clean',
      'clean',
      'clean',
    ]);
    await call('/v1/watchlist', { body: { indicators: [C2], every_hours: 1 } });
    await sidecar.close();
    await house.pipeline.close();

    const scores: Record<string, number> = { [C2]: 5 };
    const clock = fakeClock(NOW + 600);
    const out = join(house.folder, 'told.ndjson');
    const config = loadPipelineConfig({
      env: {},
      file: { name: 'y', values: { outputs: { file: { enabled: true, path: out, min_score: 70 } } } },
    });
    const engine = fakeEnricher(
      (value) => judged(scores[value] ?? 5),
      () => Math.floor(clock.nowMs() / 1000),
    );
    const pipeline = await openPipeline(config, { stateFolder: house.folder, enricher: engine, transportTo: () => fetchTransport, clock });
    expect((await runPipeline(pipeline, { signal, isDry: false })).watches.checked).toBe(1);
    scores[C2] = 92;
    await clock.wait(3_600_000);
    expect((await runPipeline(pipeline, { signal, isDry: false, only: 'watchlist' })).watches).toEqual({
      checked: 1,
      changed: 1,
      failed: 0,
    });
    const told = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; note: string });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      event: 'verdict_changed',
      note: expect.stringMatching(/^seen here in the last 30 days by pc-9 \(1×, .*\), pc-7 \(2×, /),
    });
    expect(await addToWatchlist({ indicators: [] }, { store: pipeline.store, nowS: NOW, maxWatched: 1, everyHours: 1 })).toMatchObject({
      isRefused: true,
    });
    await pipeline.close();
  });
});
