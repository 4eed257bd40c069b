import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARDS, SEARCH } from '../../scripts/generate/elastic-panels.ts';
import { monitors } from '../../scripts/generate/elastic-monitors.ts';
import { detectionRules } from '../../scripts/generate/elastic-rules.ts';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import { toIocDocument } from '../../src/mapping/ioc-document.ts';
import type { Enrichment } from '../../src/model/enrichment.ts';
import type { Asset } from '../../src/search-engine/assets/asset.ts';
import { type ElasticAction, runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { backfill } from '../../src/search-engine/backfill/backfill.ts';
import { createStateFile } from '../../src/search-engine/backfill/state-file.ts';
import { type EngineClient, createEngineClient } from '../../src/search-engine/engine-client.ts';
import { startGateway, startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { ecsEvents } from '../support/ecs-events.ts';
import {
  RELEASES,
  releaseAbsence,
  releaseAssets,
  releaseClient,
  type RunningRelease,
  startRelease,
} from '../support/elasticsearch-release.ts';
import { FakeEnricher } from '../support/fake-enricher.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../support/fixtures.ts';
import { kqlToDsl } from '../support/kql.ts';
import type { EngineAnswer } from '../support/search-engine.ts';

const assets = releaseAssets();

const SAYINGS = {
  '45.155.205.9': { verdict: 'malicious', score: 87, confidence: 95, categories: ['c2'], attributes: ['tor-exit'] },
  '185.220.101.1': { verdict: 'suspicious', score: 55, confidence: 40 },
  '94.102.61.5': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
} as const;
const events = ecsEvents(400);
const EVERYTHING = 'logs-*';

describe.each(RELEASES)('a real Elasticsearch %s', { timeout: 120_000 }, (version) => {
  describe.skipIf(releaseAbsence(version) !== null)('with the assets of the target elasticsearch', () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 4, proxy: null, ca: null });
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-release-'));
    let release: RunningRelease;
    let engine: EngineClient;

    beforeAll(async () => {
      release = await startRelease(version);
      engine = releaseClient(createEngineClient(release.url, { kind: 'none' }, transport), version);
    }, 600_000);

    afterAll(async () => {
      await release?.[Symbol.asyncDispose]();
      await transport.close();
      rmSync(folder, { recursive: true, force: true });
    }, 60_000);

    async function run(action: ElasticAction, withHooks: boolean, given: readonly Asset[] = assets) {
      const lines: string[] = [];
      const command = { action, target: 'elasticsearch', isDryRun: false, withHooks } as const;
      const code = await runAssets(command, { engine, assets: given, say: (line) => lines.push(line) });
      return { code, text: lines.join('\n') };
    }

    it.each([[false], [true]])('takes every asset, twice, and gives every one back (hooks: %s)', async (withHooks) => {
      for (const _ of ['first', 'again after the removal']) {
        const first = await run('install', withHooks);
        expect(first.text).not.toContain('failed');
        expect(first.code).toBe(0);
        expect((await run('diff', withHooks)).text).toContain('no differences');
        const second = await run('install', withHooks);
        expect(second.text).not.toMatch(/^(create|update)/m);
        expect(second.code).toBe(0);
        const removed = await run('uninstall', withHooks);
        expect(removed.text).not.toContain('failed');
        expect(removed.code).toBe(0);
        expect((await run('diff', withHooks)).code).toBe(1);
      }
    });

    it('is quoted to the cause when it refuses a template', async () => {
      const broken = structuredClone(assets) as EngineAnswer[];
      const components = broken.filter(({ name }) => name === 'ti_ismalicious@mappings');
      components[0].body.template.mappings.properties['@timestamp'].ignore_malformed = true;
      const { code, text } = await run('install', false, broken);
      expect(code).toBe(1);
      expect(text).toContain('data stream timestamp field [@timestamp] has disallowed [ignore_malformed] attribute specified');
    });

    describe.each(['stored', 'synthetic'])('in logsdb mode with %s _source', (source) => {
      const streams = { gateway: `logs-ismalicious.gateway-${source}`, enrich: `logs-ismalicious.enrich-${source}` };

      beforeAll(async () => {
        const index = { mode: 'logsdb', mapping: { source: { mode: source } } };
        await release.call('PUT', '/_component_template/logs-ismalicious@custom', { template: { settings: { index } } });
        expect((await run('install', false)).code).toBe(0);
      }, 60_000);

      async function search(index: string, query: unknown): Promise<EngineAnswer[]> {
        const { status, body } = await release.call('POST', `/${index}/_search`, { size: 1000, track_total_hits: true, query });
        expect(status, JSON.stringify(body)).toBe(200);
        expect(body._shards.failed).toBe(0);
        return body.hits.hits;
      }
      const nested = (...terms: object[]) => ({
        nested: { path: 'threat.enrichments', query: { bool: { filter: terms.map((term) => ({ term })) } } },
      });

      it('takes 400 events through the gateway and as many through /v1/enrich, none refused', async () => {
        const enricher = createFakeEnricher({ sayings: SAYINGS });
        const gateway = await startGateway(release.url, { enricher, gateway: { timeoutMs: 60_000 } });
        const asBulk = (lines: readonly string[]) => `${lines.map((line) => `{"create":{}}\n${line}\n`).join('')}`;
        const type = { 'content-type': 'application/x-ndjson' };
        const lines = events.map((event) => JSON.stringify(event));
        const sent = await gateway.call(`/${streams.gateway}/_bulk?refresh=true`, { method: 'POST', headers: type, body: asBulk(lines) });
        expect(sent.json.errors, JSON.stringify(sent.json.items?.find((item: EngineAnswer) => item.create.error))).toBe(false);
        const sidecar = await startSidecar({}, { enricher });
        const enriched = await sidecar.call('/v1/enrich', {
          method: 'POST',
          headers: type,
          body: lines.map((line) => `${line}\n`).join(''),
        });
        const { body } = await release.call('POST', `/${streams.enrich}/_bulk?refresh=true`, asBulk(enriched.text.trimEnd().split('\n')));
        expect(body.errors, JSON.stringify(body.items.find((item: EngineAnswer) => item.create.error))).toBe(false);
        const { body: settings } = await release.call('GET', `/${streams.gateway}/_settings?flat_settings=true`);
        const modes = Object.values<EngineAnswer>(settings).map((one) => [
          one.settings['index.mode'],
          one.settings['index.mapping.source.mode'],
        ]);
        expect(modes).toEqual([['logsdb', source]]);
      });

      it.each(Object.values(streams))('finds by nested query what the flat twins say, and mixes no two entries, in %s', async (stream) => {
        const flat = await search(stream, { term: { 'ismalicious.indicator': '45.155.205.9' } });
        const hits = await search(stream, nested({ 'threat.enrichments.indicator.ip': '45.155.205.9' }));
        expect(flat.length).toBeGreaterThan(20);
        expect(hits.map(({ _id }) => _id).toSorted()).toEqual(flat.map(({ _id }) => _id).toSorted());
        const suspicious = { 'threat.enrichments.indicator.ip': '185.220.101.1' };
        expect((await search(stream, nested(suspicious))).length).toBeGreaterThan(5);
        expect(await search(stream, nested(suspicious, { 'threat.enrichments.indicator.confidence': 'High' }))).toEqual([]);
      });

      it('gives a list of one entry back as a list', async () => {
        const hits = await search(streams.gateway, nested({ 'threat.enrichments.indicator.ip': '45.155.205.9' }));
        const lengths = hits.map(({ _source }) =>
          Array.isArray(_source.threat.enrichments) ? _source.threat.enrichments.length : 'no list',
        );
        expect(new Set(lengths)).toContain(1);
        expect(lengths).not.toContain('no list');
      });

      it('is backfilled once, and has nothing left for a second run', async () => {
        const index = `logs-ismalicious.late-${source}`;
        const lines = events.slice(0, 60).map((event) => `{"create":{}}\n${JSON.stringify(event)}\n`);
        expect((await release.call('POST', `/${index}/_bulk?refresh=true`, lines.join(''))).body.errors).toBe(false);
        const filled = async (state: string) => {
          const query = {
            index,
            fields: DEFAULT_FIELDS,
            timeField: '@timestamp',
            since: null,
            until: null,
            filter: null,
            withFailures: false,
          };
          const surroundings = { engine, enricher: new FakeEnricher(), now: Date.now, wait: () => Promise.resolve() };
          const options = { query, pageSize: 50, parallel: 3, budget: null, matchedType: 'indicator_match_rule' };
          return (await backfill(options, { ...surroundings, state: createStateFile(join(folder, `${source}-${state}.json`)) })).tally;
        };
        const first = await filled('first');
        expect(first).toMatchObject({ later: 0, conflicts: 0, refused: 0, gone: 0 });
        expect(first.updated).toBeGreaterThan(40);
        expect((await filled('second')).updated).toBe(0);
      });

      it('counts none of 100 indicator documents as an event, in rules, panels, monitors and recipes over logs-*', async () => {
        const before = await countAll();
        const indicators = await search('logs-ti_*', { match_all: {} });
        const digest = (text: string) => createHash('sha256').update(text).digest('hex');
        const [malicious, suspicious] = ['45.155.205.9', '185.220.101.1'].map(
          (ip) => createFakeEnricher({ sayings: SAYINGS }).peek(ip) as Enrichment,
        );
        const documents = Array.from({ length: 100 }, (_, n) => {
          const one = (n % 2 === 0 ? malicious : suspicious) as Enrichment;
          const indicator = { ...one.indicator!, value: `203.0.113.${n}` };
          return toIocDocument({ ...one, indicator }, { digest, nowMs: Date.now() })!.document;
        });
        // The stream, the transform's copy, and one whose pipeline failed.
        const failed = { ...documents[0]!, event: { ...documents[0]!.event, kind: 'pipeline_error' } };
        const bulk = (list: readonly unknown[]) => list.map((one) => `{"create":{}}\n${JSON.stringify(one)}\n`).join('');
        for (const index of [`logs-ti_ismalicious.indicator-${source}`, 'logs-ti_ismalicious_latest.indicator-1']) {
          const { body } = await release.call('POST', `/${index}/_bulk?refresh=true`, bulk([...documents, failed]));
          expect(body.errors, JSON.stringify(body.items?.[0])).toBe(false);
        }
        expect(await search('logs-ti_*', { match_all: {} })).toHaveLength(indicators.length + 202);
        expect(before.length).toBeGreaterThan(25);
        expect(await countAll()).toEqual(before);
      });

      /** Name of each query, and how many documents it finds. */
      async function countAll(): Promise<[string, number][]> {
        const panels = DASHBOARDS.flatMap((dashboard) => dashboard.panels.filter(({ view }) => view === 'events'));
        const queries: [string, unknown][] = [
          ...detectionRules().map((rule): [string, unknown] => [String(rule.rule_id), kqlToDsl(String(rule.query))]),
          ...panels.map((panel): [string, unknown] => [panel.title, kqlToDsl(panel.query ?? '')]),
          [SEARCH.title, kqlToDsl(SEARCH.query)],
          ...recipes().map((query): [string, unknown] => [query, kqlToDsl(query)]),
          ...(monitors() as EngineAnswer[]).map((monitor): [string, unknown] => [monitor.name, monitorQuery(monitor)]),
        ];
        const counts: [string, number][] = [];
        for (const [name, query] of queries) {
          const { status, body } = await release.call('POST', `/${EVERYTHING}/_count`, { query });
          expect(status, `${name}: ${JSON.stringify(body)}`).toBe(200);
          counts.push([name, body.count]);
        }
        return counts;
      }
    });
  });
});

function monitorQuery(monitor: EngineAnswer): unknown {
  const text = JSON.stringify(monitor.inputs[0].search.query.query);
  return JSON.parse(text.replaceAll('{{period_start}}', '0').replaceAll('{{period_end}}', String(Date.UTC(2100, 0, 1))));
}

/** KQL recipes of docs/elastic.md that are about events. */
function recipes(): string[] {
  const text = readFileSync(join(projectRoot, 'docs', 'elastic.md'), 'utf8');
  const all = [...text.matchAll(/^```kql\n(.*?)^```/gms)].map((match) => match[1] ?? '');
  return all.filter((query) => !query.includes('threat.indicator.'));
}
