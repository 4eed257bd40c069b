import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';
import { type Asset, type Target, readAssets } from '../../../src/search-engine/assets/asset.ts';
import { type AssetsCommand, type ExitCode, runAssets } from '../../../src/search-engine/assets/run-assets.ts';
import { createEngineClient, type EngineClient } from '../../../src/search-engine/engine-client.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { type EngineAnswer, engineAbsence, leaseEngine, type LeasedEngine } from '../../support/search-engine.ts';

const ENGINES = [
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10', wrong: 'elasticsearch' },
  { kind: 'opensearch', target: 'opensearch', wrong: 'elasticsearch-oss-7.10' },
] as const;

describe.each(ENGINES)('elastic install on a real $kind', ({ kind, target, wrong }) => {
  describe.skipIf(engineAbsence(kind) !== null)(target, () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 4, proxy: null, ca: null });
    const assets = readAssets(join(projectRoot, 'elastic'), target);
    let leased: LeasedEngine;
    let engine: EngineClient;

    beforeAll(async () => {
      leased = await leaseEngine(kind);
      engine = createEngineClient(leased.url, { kind: 'none' }, transport);
    }, 300_000);

    afterAll(async () => {
      leased?.release();
      await transport.close();
    });

    async function run(action: AssetsCommand['action'], options: { isDryRun?: boolean; target?: Target; assets?: readonly Asset[] } = {}) {
      const lines: string[] = [];
      const command = { action, target: options.target ?? target, isDryRun: options.isDryRun ?? false, withHooks: false };
      const surroundings = { engine, assets: options.assets ?? assets, say: (line: string) => lines.push(line) };
      const code: ExitCode = await runAssets(command, surroundings);
      return { code, lines, text: lines.join('\n') };
    }

    it('refuses a target that does not fit the engine', async () => {
      const { code, lines } = await run('install', { target: wrong });
      expect(code).toBe(2);
      expect(lines).toEqual([expect.stringContaining(`use --target ${target}`)]);
    });

    it('changes nothing in a dry run', async () => {
      const dry = await run('install', { isDryRun: true });
      expect(dry.code).toBe(0);
      expect(dry.lines.filter((line) => line.startsWith('would create'))).toHaveLength(assets.length);
      expect(dry.lines.at(-1)).toBe('nothing was changed: this was a dry run');
      expect((await run('diff')).lines.at(-1)).toBe(`${assets.length} of ${assets.length} differ`);
    });

    it('puts every asset, and finds nothing to do the second time', async () => {
      const first = await run('install');
      expect(first.text).not.toContain('failed');
      expect(first.code).toBe(0);
      expect(await run('diff')).toMatchObject({ code: 0, lines: [expect.any(String), 'no differences'] });
      const again = await run('install');
      expect(again.lines.filter((line) => /^(create|update)/.test(line))).toEqual([]);
      expect(again.code).toBe(0);
    });

    it('names what somebody changed by hand, and puts it right', async () => {
      const path = '/_ingest/pipeline/ismalicious@normalise';
      const before = (await leased.call('GET', path)).body['ismalicious@normalise'];
      await leased.call('PUT', path, { ...before, processors: [...before.processors, { set: { field: 'a', value: 'b' } }] });
      const diff = await run('diff');
      expect(diff.code).toBe(1);
      expect(diff.text).toContain('different ingest pipeline ismalicious@normalise');
      expect((await run('install')).text).toContain('update   ingest pipeline ismalicious@normalise');
      expect((await leased.call('GET', path)).body['ismalicious@normalise']).toEqual(before);
    });

    it('names a changed setting and a field added to the mapping', async () => {
      const changed = structuredClone(assets.find(({ name }) => name === 'logs-ismalicious')!.body) as Record<string, EngineAnswer>;
      changed.template.settings.index.default_pipeline = '_none';
      await leased.call('PUT', '/_index_template/logs-ismalicious', changed);
      const mappings = structuredClone(assets.find(({ name }) => name === 'ismalicious@mappings')!.body) as Record<string, EngineAnswer>;
      mappings.template.mappings.properties.ismalicious.properties.stray = { type: 'keyword' };
      await leased.call('PUT', '/_component_template/ismalicious@mappings', mappings);
      const { text } = await run('diff');
      expect(text).toContain('template.settings.index.default_pipeline');
      expect(text).toContain('template.mappings.properties.ismalicious.properties.stray');
      expect((await run('install')).code).toBe(0);
      expect((await run('diff')).code).toBe(0);
    });

    it("leaves alone what is not ours and what is the user's", async () => {
      const foreign = { description: 'of somebody else', processors: [] };
      await leased.call('PUT', '/_ingest/pipeline/ismalicious@normalise', foreign);
      const mine = { description: 'mine', processors: [{ set: { field: 'mine', value: 'yes' } }] };
      await leased.call('PUT', '/_ingest/pipeline/logs-ismalicious@custom', mine);
      const { code, text } = await run('install');
      expect(code).toBe(1);
      expect(text).toContain('leave alone, not ours: ingest pipeline ismalicious@normalise');
      const held = (await leased.call('GET', '/_ingest/pipeline')).body;
      expect(held['ismalicious@normalise'].description).toBe('of somebody else');
      expect(held['logs-ismalicious@custom']).toEqual(mine);
      await leased.call('DELETE', '/_ingest/pipeline/ismalicious@normalise');
      expect((await run('install')).code).toBe(0);
    });

    it('goes on after a refused asset and says which one it was', async () => {
      const broken: Asset = {
        kind: 'ingest_pipeline',
        name: 'ismalicious-broken',
        owner: 'pack',
        body: { description: 'isMalicious: x', processors: [{ nonsense: {} }] },
      };
      const { code, text } = await run('install', { assets: [broken, ...assets] });
      expect(code).toBe(1);
      expect(text).toContain('No processor type exists with name [nonsense]');
      expect(text).toContain('not done: ismalicious-broken');
    });

    it('removes what it put, twice without complaint, and keeps data, @custom assets, and what data cannot do without', async () => {
      await leased.call('PUT', '/logs-ti_ismalicious.indicator-default/_doc/1?refresh=true', {
        threat: { indicator: { name: 'a.example' } },
      });
      const dry = await run('uninstall', { isDryRun: true });
      expect(dry.text).toContain('would remove index template logs-ismalicious');
      expect((await run('diff')).code).toBe(0);
      const index = '/logs-ti_ismalicious.indicator-default';
      const first = await run('uninstall');
      expect(first.code).toBe(1);
      expect(first.text).toContain(
        'keep     ingest pipeline logs-ti_ismalicious@default, which logs-ti_ismalicious.indicator-default cannot do',
      );
      expect(first.text).toContain('remove ingest pipeline logs-ismalicious@default');
      expect((await leased.call('PUT', `${index}/_doc/1?refresh=true`, { threat: { indicator: { name: 'b.example' } } })).status).toBe(200);
      await leased.call('PUT', `${index}/_settings`, { 'index.default_pipeline': '_none' });
      expect((await run('uninstall')).code).toBe(0);
      expect((await run('uninstall')).lines.filter((line) => line.startsWith('remove'))).toEqual([]);
      const left = (await leased.call('GET', '/_ingest/pipeline')).body;
      expect(Object.keys(left).toSorted()).toEqual(['logs-ismalicious@custom', 'logs-ti_ismalicious@custom']);
      const count = await leased.call('GET', '/logs-ti_ismalicious.indicator-default/_count');
      expect(count.body.count).toBe(1);
    });
  });
});
