import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asset, readAssets } from '../../src/search-engine/assets/asset.ts';
import { projectRoot } from '../support/fixtures.ts';
import { engineAbsence, leaseEngine, type LeasedEngine } from '../support/search-engine.ts';

interface Golden {
  readonly name: string;
  readonly in: Record<string, unknown>;
  readonly out: Record<string, unknown>;
}

const folder = join(projectRoot, 'test', 'elastic', 'golden');
const goldens = readdirSync(folder).map((file) => ({
  pipeline: file.replace(/\.json$/, ''),
  rows: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden[],
}));

describe.each([
  { kind: 'elasticsearch', target: 'elasticsearch-oss-7.10' },
  { kind: 'opensearch', target: 'opensearch' },
] as const)('ingest pipelines in a real $kind', ({ kind, target }) => {
  describe.skipIf(engineAbsence(kind) !== null)(target, () => {
    let engine: LeasedEngine;

    beforeAll(async () => {
      engine = await leaseEngine(kind);
      // The pure half of Elasticsearch's enrich pipeline runs on every engine; its enrich processors do not.
      const merge = readAssets(join(projectRoot, 'elastic'), 'elasticsearch').filter(({ name }) => name === 'ismalicious@enrich-merge');
      const pipelines: Asset[] = [
        ...readAssets(join(projectRoot, 'elastic'), target).filter((asset) => asset.kind === 'ingest_pipeline'),
        ...merge,
      ];
      for (const { name, body } of pipelines)
        expect((await engine.call('PUT', `/_ingest/pipeline/${name}`, body)).body).toEqual({ acknowledged: true });
    }, 300_000);

    afterAll(() => engine?.release());

    describe.each(goldens)('$pipeline', ({ pipeline, rows }) => {
      it.each(rows)('$name', async (row) => {
        const { status, body } = await engine.call('POST', `/_ingest/pipeline/${pipeline}/_simulate`, { docs: [{ _source: row.in }] });
        expect(status, JSON.stringify(body)).toBe(200);
        const [result] = body.docs;
        expect(result.error, JSON.stringify(result.error)).toBeUndefined();
        const time = result.doc._ingest.timestamp as string;
        expect(withNow(result.doc._source, time)).toEqual(row.out);
      });
    });

    it('a document whose processor fails is kept and says which one it was', async () => {
      await engine.call('PUT', '/_ingest/pipeline/logs-ti_ismalicious@custom', {
        processors: [{ rename: { tag: 'mine', field: 'missing', target_field: 'x' } }],
      });
      const { body } = await engine.call('POST', '/_ingest/pipeline/logs-ti_ismalicious@default/_simulate', {
        docs: [{ _source: { threat: { indicator: { name: 'a' } } } }],
      });
      const source = body.docs[0].doc._source;
      expect(source.event.kind).toBe('pipeline_error');
      expect(source.tags).toEqual(['_ismalicious_pipeline_failure']);
      expect(source.error.message[0]).toContain("field [missing] doesn't exist");
    });
  });
});

/** Times of this run become `<now>`; times of the input stay. */
function withNow(value: unknown, now: string): unknown {
  const minute = now.slice(0, 16);
  return JSON.parse(JSON.stringify(value), (_, one: unknown) => (typeof one === 'string' && one.startsWith(minute) ? '<now>' : one));
}
