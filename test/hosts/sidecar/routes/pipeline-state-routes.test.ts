import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFeedbackStore } from '../../../../src/engine/feedback/feedback-store.ts';
import { DEFAULT_FIELDS } from '../../../../src/events/wanted-fields.ts';
import { loadPipelineConfig } from '../../../../src/pipeline/open-pipeline.ts';
import { openPipelinePart } from '../../../../src/pipeline/pipeline-part.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startSidecar } from '../support/start-sidecar.ts';

const NOW = Math.floor(Date.now() / 1000);

async function start(use: 'always' | 'auto' = 'always') {
  const folder = newStateFolder();
  const feedback = await openFeedbackStore({ path: join(folder, 'feedback.sqlite'), watches: false, nowS: () => NOW });
  const config = loadPipelineConfig({ env: {}, file: { name: 'y', values: {} } });
  const pipeline = openPipelinePart(config, { path: join(folder, 'pipeline.sqlite'), use, fields: DEFAULT_FIELDS, feedback });
  onTestFinished(() => pipeline.close());
  return { pipeline, ...(await startSidecar({}, { pipeline })) };
}

describe('GET /v1/history', () => {
  it('gives who was seen with a value, however the value is spelt', async () => {
    const { pipeline, call } = await start();
    const store = (await pipeline.store())!;
    await store.recordSightings([{ value: 'evil.com', asset: 'ws-17', times: 2, firstS: NOW - 100, lastS: NOW - 10 }]);
    const { status, json } = await call(`/v1/history?indicator=${encodeURIComponent('EVIL[.]com')}`);
    expect([status, json]).toEqual([
      200,
      {
        indicator: 'evil.com',
        listed_by: [],
        verdicts: [],
        sightings: [
          {
            asset: 'ws-17',
            times: 2,
            first_at: new Date((NOW - 100) * 1000).toISOString(),
            last_at: new Date((NOW - 10) * 1000).toISOString(),
          },
        ],
      },
    ]);
  });

  it.each(['/v1/history', '/v1/history?indicator=', '/v1/history?indicator=no%20indicator'])('%s is refused with 400', async (path) => {
    const { call } = await start();
    expect((await call(path)).status).toBe(400);
  });
});

describe('GET /v1/pipeline', () => {
  it('gives the last runs with their failures, and what no output took', async () => {
    const { pipeline, call } = await start();
    const store = (await pipeline.store())!;
    const feed = { items: 3, accepted: 2, quarantined: 1, pages: 1, failure: null };
    const enrichment = { due: 2, enriched: 2, skipped: 0, failed: 0, left: 0, byStatus: {}, live: 0 };
    const run = {
      startedAt: 'x',
      finishedAt: '2026-11-30T00:00:00.000Z',
      isDryRun: false,
      feeds: { csv: feed },
      store: { new: 2, updated: 0 },
    };
    await store.saveRun(JSON.stringify({ ...run, enrichment, watches: {}, outputs: {}, failures: ['slack: refused'] }), NOW);
    const delivery = { key: 'k', subject: 's', payload: '{}', isUrgent: false };
    await store.route([{ routed: null, deliveries: [{ output: 'slack', ...delivery }] }], NOW, 10);
    const [pending] = await store.next('slack', 1, NOW * 1000);
    await store.settle([{ id: pending!.id, to: 'quarantined', reason: 'HTTP 410' }], NOW);
    const { json } = await call('/v1/pipeline');
    expect(json).toMatchObject({
      runs: [
        {
          finished_at: '2026-11-30T00:00:00.000Z',
          feeds: { csv: { items: 3, accepted: 2, quarantined: 1 } },
          enriched: 2,
          failures: ['slack: refused'],
        },
      ],
      given_up: [{ output: 'slack', total: 1, reasons: ['HTTP 410'] }],
      quarantined_items: 0,
    });
  });
});

it.each(['/v1/pipeline', '/v1/history?indicator=9.9.9.9'])('without a store %s says what is missing', async (path) => {
  const { call } = await start('auto');
  const { status, json } = await call(path);
  expect([status, json.error.code]).toEqual([409, 'no_store']);
});
