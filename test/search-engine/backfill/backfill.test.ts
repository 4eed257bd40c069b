import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../../src/search-engine/assets/run-assets.ts';
import { type EngineClient, createEngineClient } from '../../../src/search-engine/engine-client.ts';
import {
  type BackfillOptions,
  type BackfillReport,
  type BackfillSurroundings,
  backfill,
} from '../../../src/search-engine/backfill/backfill.ts';
import { createStateFile } from '../../../src/search-engine/backfill/state-file.ts';
import { DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { ecsFaults } from '../../support/ecs-conformance.ts';
import { ecsEvents } from '../../support/ecs-events.ts';
import { FakeEnricher } from '../../support/fake-enricher.ts';
import { hasFixtures, projectRoot } from '../../support/fixtures.ts';
import { valuesAt } from '../../support/reference-enrichment.ts';
import { type EngineAnswer, engineAbsence, leaseEngine, type LeasedEngine } from '../../support/search-engine.ts';

const INDEX = 'logs-ismalicious.events-default';
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-backfill-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OPTIONS: BackfillOptions = {
  query: { index: INDEX, fields: DEFAULT_FIELDS, timeField: '@timestamp', since: null, until: null, filter: null, withFailures: false },
  pageSize: 50,
  parallel: 3,
  budget: null,
  matchedType: 'indicator_match_rule',
};

let states = 0;
const freshState = () => join(folder, `state-${++states}.json`);

describe.each([
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10' },
  { kind: 'opensearch', target: 'opensearch' },
] as const)('backfill of a real $kind', ({ kind, target }) => {
  describe.skipIf(engineAbsence(kind) !== null)(target, () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 4, proxy: null, ca: null });
    let leased: LeasedEngine;
    let engine: EngineClient;

    beforeAll(async () => {
      leased = await leaseEngine(kind);
      engine = createEngineClient(leased.url, { kind: 'none' }, transport);
      const command = { action: 'install', target, isDryRun: false, withHooks: false } as const;
      expect(await runAssets(command, { engine, assets: readAssets(join(projectRoot, 'elastic'), target), say: () => undefined })).toBe(0);
    }, 300_000);

    beforeEach(async () => {
      await leased.call('DELETE', kind === 'opensearch' ? `/_data_stream/${INDEX}` : `/${INDEX}`);
    });

    afterAll(async () => {
      leased?.release();
      await transport.close();
    });

    async function index(events: readonly unknown[]): Promise<void> {
      const lines = events.flatMap((event, n) => [JSON.stringify({ create: { _id: `e${n}` } }), JSON.stringify(event)]);
      const { body } = await leased.call('POST', `/${INDEX}/_bulk?refresh=true`, `${lines.join('\n')}\n`);
      expect(body.errors, JSON.stringify(body.items.find((item: EngineAnswer) => item.create.error))).toBe(false);
    }

    async function documents(): Promise<EngineAnswer[]> {
      await leased.call('POST', `/${INDEX}/_refresh`);
      const { body } = await leased.call('POST', `/${INDEX}/_search`, { size: 2000, version: true, query: { match_all: {} } });
      return body.hits.hits.toSorted((a: EngineAnswer, b: EngineAnswer) => Number(a._id.slice(1)) - Number(b._id.slice(1)));
    }

    function run(over: Partial<BackfillOptions> = {}, around: Partial<BackfillSurroundings> = {}): Promise<BackfillReport> {
      const surroundings = {
        engine,
        enricher: new FakeEnricher(),
        state: createStateFile(freshState()),
        now: Date.now,
        wait: () => Promise.resolve(),
      };
      return backfill({ ...OPTIONS, ...over }, { ...surroundings, ...around });
    }

    const hasValues = (event: unknown) => DEFAULT_FIELDS.some((field) => valuesAt(event, field).length > 0);

    it('waits for an engine that refuses each update with 429, and then writes every one, once', async () => {
      const events = ecsEvents(60);
      await index(events);
      const lock = (isLocked: boolean | null) =>
        leased.call('PUT', `/${INDEX}/_settings`, { 'index.blocks.read_only_allow_delete': isLocked });
      await lock(true);
      let waits = 0;
      const wait = async () => {
        if (++waits === 2) await lock(null);
      };
      const report = await run({ parallel: 1 }, { wait });
      expect(report.end).toBe('done');
      expect(report.tally).toMatchObject({ later: 0, conflicts: 0, refused: 0, gone: 0 });
      expect(waits).toBe(2);
      for (const [n, { _source, _version }] of (await documents()).entries()) {
        expect(_source.ismalicious !== undefined, `e${n}`).toBe(hasValues(events[n]));
        expect(_version).toBe(hasValues(events[n]) ? 2 : 1);
      }
    });

    it('enriches every document that has something to look up, each value paid once, and nothing the second time', async () => {
      const events = ecsEvents(300);
      await index(events);
      const enricher = new FakeEnricher();
      const report = await run({}, { enricher });
      expect(report.end).toBe('done');
      expect(report.tally).toMatchObject({ later: 0, conflicts: 0, refused: 0, gone: 0 });
      expect(report.tally.updated + report.tally.withoutValues).toBe(report.total);
      expect(new Set(enricher.paid).size).toBe(enricher.paid.length);
      expect(report.tally.paid).toBe(enricher.paid.length);
      const found = await documents();
      expect(found).toHaveLength(300);
      for (const [n, { _source, _version }] of found.entries()) {
        expect(_source.ismalicious !== undefined, `e${n}`).toBe(hasValues(events[n]));
        expect(_version).toBe(hasValues(events[n]) ? 2 : 1);
      }
      const again = await run({}, { enricher });
      expect(again.tally.updated).toBe(0);
      expect((await documents()).map(({ _version }) => _version)).toEqual(found.map(({ _version }) => _version));
    });

    it('adds to what is there, and changes nothing else', async () => {
      const events = ecsEvents(120) as EngineAnswer[];
      await index(events);
      await run();
      for (const [n, { _source }] of (await documents()).entries()) {
        const { threat, ismalicious, related, tags, event, ...rest } = _source;
        const { threat: threatIn, related: relatedIn, tags: tagsIn, event: eventIn, ismalicious: _, ...restIn } = events[n];
        expect(rest).toEqual(restIn);
        expect({ ...event, ingested: undefined }).toEqual({ ...eventIn, ingested: undefined });
        expect(tags).toEqual(tagsIn);
        expect([threat?.enrichments ?? []].flat()).toEqual(expect.arrayContaining([threatIn?.enrichments ?? []].flat()));
        expect(threat?.tactic).toEqual(threatIn?.tactic);
        expect([related?.ip ?? []].flat()).toEqual(expect.arrayContaining([relatedIn?.ip ?? []].flat()));
        const ids = [threat?.enrichments ?? []].flat().map((entry: EngineAnswer) => entry.matched.id);
        expect(new Set(ids).size).toBe(ids.length);
        if (hasFixtures && ismalicious) {
          const ours = [threat?.enrichments ?? []].flat().filter((entry: EngineAnswer) => !entry.matched.id.startsWith('other'));
          expect(ecsFaults({ threat: { enrichments: ours }, related, ismalicious })).toEqual([]);
        }
      }
    });

    it('what was found can be searched, nested and flat', async () => {
      await index([{ '@timestamp': '2026-11-21T10:00:00Z', destination: { ip: '203.0.113.5' }, source: { ip: '203.0.113.6' } }]);
      await run();
      await leased.call('POST', `/${INDEX}/_refresh`);
      const nested = (ip: string, field: string) => ({
        nested: {
          path: 'threat.enrichments',
          query: {
            bool: {
              filter: [{ term: { 'threat.enrichments.indicator.ip': ip } }, { term: { 'threat.enrichments.matched.field': field } }],
            },
          },
        },
      });
      const count = async (query: unknown) => (await leased.call('POST', `/${INDEX}/_count`, { query })).body.count;
      expect(await count(nested('203.0.113.5', 'destination.ip'))).toBe(1);
      expect(await count(nested('203.0.113.5', 'source.ip'))).toBe(0);
      expect(await count({ term: { 'ismalicious.indicator': '203.0.113.5' } })).toBe(1);
    });

    it('a look-up that failed leaves the document as it was, for another run', async () => {
      await index([
        { '@timestamp': '2026-11-21T10:00:00Z', destination: { ip: '203.0.113.9' } },
        { '@timestamp': '2026-11-21T10:00:01Z', destination: { ip: '203.0.113.9' }, source: { ip: '203.0.113.5' } },
      ]);
      const report = await run();
      expect(report.tally).toMatchObject({ later: 1, updated: 1 });
      const [failed, known] = await documents();
      expect(failed._source).not.toHaveProperty('ismalicious');
      // What is known to be malicious is written down at once, and that something failed with it.
      expect(known._source).toMatchObject({ ismalicious: { verdict: 'malicious' }, tags: ['_ismalicious_failure'] });
    });

    it('makes up for look-ups that failed on the way in, and takes the failure back', async () => {
      const failed = { verdict: 'unknown', status: 'unavailable', tier: 'review', source: 'none', message: 'the sidecar did not answer' };
      await index([
        {
          '@timestamp': '2026-11-21T10:00:00Z',
          destination: { ip: '203.0.113.7' },
          ismalicious: failed,
          tags: ['forwarded', '_ismalicious_failure', '_ismalicious_unavailable'],
        },
      ]);
      expect((await run()).total).toBe(0);
      const report = await run({ query: { ...OPTIONS.query, withFailures: true } });
      expect(report.tally.updated).toBe(1);
      const [{ _source }] = await documents();
      expect(_source.tags).toEqual(['forwarded']);
      expect(_source.ismalicious).toMatchObject({ verdict: 'clean', status: 'ok', message: null });
    });

    it('spends no more than the budget, says so, and goes on where it stopped', async () => {
      const ips = Array.from({ length: 40 }, (_, n) => `198.18.${n}.1`);
      await index(ips.map((ip, n) => ({ '@timestamp': new Date(Date.UTC(2026, 10, 21, 10, n)).toISOString(), destination: { ip } })));
      const state = createStateFile(freshState());
      const enricher = new FakeEnricher();
      const first = await run({ budget: 15, pageSize: 10, parallel: 1 }, { state, enricher });
      expect([first.end, enricher.paid.length, first.tally.paid]).toEqual(['budget', 15, 15]);
      expect(first.tally.updated).toBe(15);
      const second = await run({ budget: 40, pageSize: 10, parallel: 1 }, { state, enricher });
      expect([second.end, enricher.paid.length, second.tally.paid]).toEqual(['done', 40, 40]);
      expect(second.tally).toMatchObject({ updated: 40, later: 0, scanned: 40 });
    });

    it('does not overwrite what somebody else changed meanwhile: it reads again and adds to that', async () => {
      await index(ecsEvents(30));
      let changed = 0;
      const meddling: EngineClient = {
        name: engine.name,
        async call(method, path, body) {
          if (path.startsWith('/_bulk') && changed === 0) {
            const action = JSON.parse(String(body).split('\n')[0] ?? '').update;
            changed += 1;
            await leased.call('POST', `/${action._index}/_update/${action._id}`, { doc: { note: 'mine', tags: ['hands off'] } });
          }
          return engine.call(method, path, body);
        },
      };
      const report = await run({ parallel: 1 }, { engine: meddling });
      expect(changed).toBe(1);
      expect(report.tally).toMatchObject({ conflicts: 0 });
      const [touched] = (await documents()).filter(({ _source }) => _source.note === 'mine');
      expect(touched._source.tags).toEqual(['hands off']);
      expect(touched._source.ismalicious.verdict).toBeTypeOf('string');
      expect(touched._version).toBe(3);
    });

    it('updates documents that were put with a routing of their own, and after somebody changed them meanwhile too', async () => {
      await leased.call('PUT', '/routed', { settings: { number_of_shards: 5 } });
      try {
        const lines = Array.from({ length: 20 }, (_, n) => [
          JSON.stringify({ index: { _id: `r${n}`, routing: `tenant${n}` } }),
          JSON.stringify({ source: { ip: '203.0.113.7' } }),
        ]);
        await leased.call('POST', '/routed/_bulk?refresh=true', `${lines.flat().join('\n')}\n`);
        let changed = 0;
        const meddling: EngineClient = {
          name: engine.name,
          async call(method, path, body) {
            if (path.startsWith('/_bulk') && changed++ === 0)
              await leased.call('POST', '/routed/_update/r3?routing=tenant3', { doc: { note: 'mine' } });
            return engine.call(method, path, body);
          },
        };
        const report = await run({ parallel: 1, query: { ...OPTIONS.query, index: 'routed' } }, { engine: meddling });
        expect(report.tally).toMatchObject({ scanned: 20, updated: 20, gone: 0, refused: 0, conflicts: 0 });
        await leased.call('POST', '/routed/_refresh');
        const { body } = await leased.call('POST', '/routed/_count', { query: { exists: { field: 'ismalicious.verdict' } } });
        expect(body.count).toBe(20);
      } finally {
        await leased.call('DELETE', '/routed');
      }
    });

    it('names one index without _source among others, and goes on with the rest', async () => {
      await leased.call('PUT', '/bare-a', { mappings: { _source: { enabled: false } } });
      try {
        const doc = JSON.stringify({ source: { ip: '203.0.113.7' } });
        for (const name of ['bare-a', 'bare-b']) await leased.call('POST', `/${name}/_bulk?refresh=true`, `{"index":{}}\n${doc}\n`);
        const report = await run({ query: { ...OPTIONS.query, index: 'bare-*' } });
        expect(report.end).toBe('done');
        expect(report.tally).toMatchObject({ updated: 1, refused: 1 });
        expect(report.refusals).toEqual([{ index: 'bare-a', id: '', reason: expect.stringContaining('keeps no _source') }]);
      } finally {
        await leased.call('DELETE', '/bare-a,bare-b');
      }
    });

    it('waits for a busy engine, and counts what it refuses for good', async () => {
      await index(ecsEvents(12));
      const waits: number[] = [];
      let busy = 2;
      const moody: EngineClient = {
        name: engine.name,
        async call(method, path, body) {
          if (!path.startsWith('/_bulk')) return engine.call(method, path, body);
          if (busy-- > 0) return { status: 429, body: { error: { reason: 'rejected execution' } } };
          const answer = (await engine.call(method, path, body)) as EngineAnswer;
          answer.body.items[0] = { update: { status: 400, error: { type: 'mapper_parsing_exception', reason: 'no' } } };
          return answer;
        },
      };
      const report = await run({ parallel: 1, pageSize: 100 }, { engine: moody, wait: async (ms) => void waits.push(ms) });
      expect(waits).toEqual([1000, 2000]);
      expect(report.tally.refused).toBe(1);
      expect(report.refusals).toEqual([{ index: expect.any(String), id: expect.any(String), reason: 'HTTP 400: no' }]);
      expect(report.tally.updated + report.tally.withoutValues + report.tally.refused).toBe(report.total);
    });

    it('stops at once when it is told to', async () => {
      await index(ecsEvents(60));
      const stop = new AbortController();
      const report = await run({ pageSize: 10, parallel: 1 }, { signal: stop.signal, onProgress: () => stop.abort() });
      expect(report.end).toBe('stopped');
      expect(report.tally.scanned).toBe(10);
    });

    it('reads smaller pages where one does not fit into an answer', async () => {
      const big = 'x'.repeat(40_000);
      await index(
        Array.from({ length: 150 }, (_, n) => ({
          '@timestamp': '2026-11-21T10:00:00Z',
          destination: { ip: `198.18.1.${n}` },
          threat: { big },
        })),
      );
      const report = await run({ pageSize: 150, parallel: 1 });
      expect(report.tally).toMatchObject({ updated: 150, refused: 0 });
      expect((await documents()).every(({ _source }) => _source.ismalicious && _source.threat.big === big)).toBe(true);
    });

    it('killed again and again, it loses nothing and doubles nothing', async () => {
      const events = ecsEvents(400);
      await index(events);
      const [state, journal] = [freshState(), join(folder, `journal-${kind}`)];
      const args = [join(projectRoot, 'test', 'search-engine', 'backfill', 'backfill-child.ts'), leased.url, INDEX, state, journal, '2'];
      const updatedIn = () => (existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')).tally.updated as number) : 0);
      for (const until of [40, 120, 200]) {
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        while (updatedIn() < until && child.exitCode === null) await delay(5);
        expect(child.exitCode, 'it was to be killed in the middle').toBeNull();
        child.kill('SIGKILL');
        await new Promise((gone) => child.once('exit', gone));
      }
      const last = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const parts: Buffer[] = [];
      last.stdout.on('data', (part: Buffer) => parts.push(part));
      expect(await new Promise((gone) => last.once('exit', gone))).toBe(0);
      const report = JSON.parse(Buffer.concat(parts).toString('utf8')) as BackfillReport;
      expect(report.end).toBe('done');
      for (const [n, { _source, _version }] of (await documents()).entries()) {
        expect(_source.ismalicious !== undefined, `e${n}`).toBe(hasValues(events[n]));
        expect(_version, `e${n}`).toBe(hasValues(events[n]) ? 2 : 1);
        const ids = [_source.threat?.enrichments ?? []].flat().map((entry: EngineAnswer) => entry.matched.id);
        expect(new Set(ids).size).toBe(ids.length);
      }
      const paid = readFileSync(journal, 'utf8').trimEnd().split('\n');
      expect(new Set(paid).size).toBe(paid.length);
    }, 120_000);
  });
});
