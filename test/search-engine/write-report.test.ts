import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WEEKLY } from '../../scripts/generate/elastic-weekly.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { weeklyDocuments } from '../../src/compose/figures/report-documents.ts';
import { createUndiciTransport } from '../../src/engine/calls/http/undici-transport.ts';
import { readAssets } from '../../src/search-engine/assets/asset.ts';
import { runAssets } from '../../src/search-engine/assets/run-assets.ts';
import { createEngineClient } from '../../src/search-engine/engine-client.ts';
import { REPORT_INDEX, writeReport } from '../../src/search-engine/write-report.ts';
import { runCli } from '../hosts/cli/run-cli.ts';
import { projectRoot } from '../support/fixtures.ts';
import { kqlToDsl } from '../support/kql.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { type EngineAnswer, engineAbsence, leaseEngine, type LeasedEngine } from '../support/search-engine.ts';

const DAY_MS = 86_400_000;
const dayAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** A state folder in which one source was asked in three of the last weeks: well, badly, and not at all in the others. */
async function startFigures() {
  const folder = newStateFolder();
  const env = { ISMALICIOUS_STATE_DIR: folder, VIRUSTOTAL_API_KEY: 'k-test', VIRUSTOTAL_CREDIT_PRICE: '0.5' };
  const opened = await openEngine({ env });
  const { store } = opened.engine;
  const weekOf = (days: number, answered: number, failed: number) => {
    store.addFigures(
      dayAgo(days),
      new Map([
        ['virustotal calls', 100],
        ['virustotal lookups', 100],
        ['virustotal answered', answered],
        ['virustotal failed.timeout', failed],
        ['virustotal ms.20', 100],
        ['* ms.30', 100],
      ]),
    );
    store.spend('virustotal', dayAgo(days), 10, null);
  };
  weekOf(14, 100, 0);
  weekOf(28, 90, 10);
  const sent = {
    time: `${dayAgo(14)}T09:00:00.000Z`,
    provider: 'virustotal',
    indicators: ['a', 'b'],
    program: 'splunk',
    user: 'alice',
    search: 's.1',
  };
  writeFileSync(
    join(folder, 'egress.ndjson'),
    `${JSON.stringify(sent)}\n${JSON.stringify({ ...sent, time: `${dayAgo(0)}T09:00:00.000Z`, user: 'bob' })}\n`,
  );
  return { env, opened };
}

describe('the documents of eight weeks', () => {
  it('are those of whole weeks, the same whenever they are made, and say nothing of what was not measured', async () => {
    const { opened } = await startFigures();
    const monday = Date.UTC(2026, 10, 23, 0, 0, 1);
    const made = await weeklyDocuments(opened, { nowMs: monday, host: 'sh-1' });
    const again = await weeklyDocuments(opened, { nowMs: monday + 6 * DAY_MS, host: 'sh-1' });
    const other = await weeklyDocuments(opened, { nowMs: monday, host: 'sh-2' });
    const later = await weeklyDocuments(opened, { nowMs: monday + 7 * DAY_MS, host: 'sh-1' });
    await opened.engine.close();
    const ids = (documents: typeof made) => documents.map(({ id }) => id);
    expect(ids(again)).toEqual(ids(made));
    expect(new Set([...ids(made), ...ids(other)]).size).toBe(ids(made).length * 2);
    const weeks = (documents: typeof made) =>
      documents.flatMap(({ document }) => {
        const { report } = document['ismalicious'] as { report: Record<string, unknown> };
        return report['kind'] === 'week' ? [report] : [];
      });
    expect(weeks(made).map(({ week }) => week)).toEqual([
      '2026-09-28',
      '2026-10-05',
      '2026-10-12',
      '2026-10-19',
      '2026-10-26',
      '2026-11-02',
      '2026-11-09',
      '2026-11-16',
    ]);
    expect(weeks(later).at(-1)?.['week']).toBe('2026-11-23');
    const silent = weeks(made).filter(({ calls }) => calls === 0);
    expect(silent.length).toBeGreaterThan(0);
    for (const week of silent) {
      expect(week['target']).toBe('not known');
      for (const name of ['success_rate', 'latency_p95_ms', 'true_positive_rate']) expect(week).not.toHaveProperty(name);
    }
  });
});

describe.each([
  ['elasticsearch', 'elasticsearch-oss-7.10'],
  ['opensearch', 'opensearch'],
] as const)('in a real %s', (kind, target) => {
  describe.skipIf(engineAbsence(kind) !== null)(target, { timeout: 120_000 }, () => {
    const transport = createUndiciTransport({ provider: 'test', connections: 2, proxy: null, ca: null });
    let engine: LeasedEngine;

    beforeAll(async () => {
      engine = await leaseEngine(kind);
      const client = createEngineClient(engine.url, { kind: 'none' }, transport);
      const command = { action: 'install', target, isDryRun: false, withHooks: false } as const;
      expect(await runAssets(command, { engine: client, assets: readAssets(join(projectRoot, 'elastic'), target), say: () => {} })).toBe(0);
    }, 300_000);
    afterAll(async () => {
      engine?.release();
      await transport.close();
    });

    it('each week is written once, and the panels of the dashboard count it', async () => {
      const { env, opened } = await startFigures();
      await opened.engine.close();
      const run = () => runCli(['report', '--index', '--url', engine.url], { env });
      const first = await run();
      expect([first.code, first.stderr]).toEqual([0, '']);
      // Eight weeks, the source in each, and the one who spent in a week that is over; who spends now comes later.
      expect(first.stdout).toContain(`17 documents written into ${REPORT_INDEX}`);
      expect((await run()).stdout).toContain('0 documents written');
      await engine.call('POST', `/${REPORT_INDEX}/_refresh`);
      const found = async (title: string) => {
        const panel = WEEKLY.panels.find((one) => one.title === title)!;
        const aggs = {
          ...Object.fromEntries(panel.by.map((field) => [field, { terms: { field } }])),
          ...(panel.value ? { value: { [panel.value.op]: { field: panel.value.field } } } : {}),
        };
        const query = kqlToDsl(panel.query ?? '');
        const { body } = await engine.call('POST', `/${REPORT_INDEX}/_search`, { size: 0, track_total_hits: true, query, aggs });
        const keys = Object.fromEntries(
          panel.by.map((field) => [field.split('.').at(-1), body.aggregations[field].buckets.map((one: EngineAnswer) => one.key)]),
        );
        return { count: body.hits.total.value, value: body.aggregations?.value?.value, ...keys };
      };
      expect(await found('Weeks on target')).toMatchObject({ count: 1 });
      expect(await found('Weeks below target')).toMatchObject({ count: 1 });
      expect(await found('Weeks without a look-up')).toMatchObject({ count: 6 });
      expect(await found('Share answered')).toMatchObject({ count: 8, value: 1 });
      expect(await found('95 % of answers within (ms)')).toMatchObject({ value: 808 });
      expect(await found('Credits by source')).toMatchObject({ value: 20, provider: ['virustotal'] });
      expect(await found('Cost by source')).toMatchObject({ value: 10 });
      expect(await found('Who spent most')).toMatchObject({ count: 1, program: ['splunk'], user: ['alice'], search: ['s.1'] });
      const { body } = await engine.call('POST', `/${REPORT_INDEX}/_search`, { size: 1 });
      expect(body.hits.hits[0]._source.host.name).toBe(hostname());
    });

    it('what the engine does not take is said in its words', async () => {
      const client = createEngineClient(engine.url, { kind: 'none' }, transport);
      const document = { '@timestamp': 'no time', ismalicious: 'no object' };
      await expect(writeReport(client, [{ id: 'bad', document }])).rejects.toThrow(/logs-ismalicious\.report-default: HTTP 400/);
    });
  });
});
