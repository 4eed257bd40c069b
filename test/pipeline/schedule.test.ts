import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { importSeedConfig } from '../../src/pipeline/settings/import-seed-config.ts';
import { loadPipelineConfig, openPipeline } from '../../src/pipeline/open-pipeline.ts';
import { toReportPage } from '../../src/pipeline/report-page.ts';
import type { RunReport } from '../../src/pipeline/run-report.ts';
import { nextRunMs, runOnSchedule, scheduleOf } from '../../src/pipeline/schedule.ts';
import { fakeEnricher } from './fake-enricher.ts';
import { fakeClock, fetchTransport } from './stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-schedule-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (time: string) => Date.parse(`2026-11-21T${time}Z`);

it.each([
  ['10:00:00', 240, '2026-11-21T12:00:00.000Z'],
  ['12:00:00', 240, '2026-11-21T16:00:00.000Z'],
  ['23:59:59', 240, '2026-11-22T00:00:00.000Z'],
  ['23:00:00', 420, '2026-11-22T00:00:00.000Z'],
  ['00:00:00', 5, '2026-11-21T00:05:00.000Z'],
])('after %s, every %i minutes, comes %s', (time, every, next) => expect(new Date(nextRunMs(at(time), every)).toISOString()).toBe(next));

describe('the schedule', () => {
  const open = async (name: string, startS: number) => {
    const config = loadPipelineConfig({ env: {} });
    return {
      ...(await openPipeline(config, {
        stateFolder: join(folder, name),
        enricher: fakeEnricher(() => ({})),
        transportTo: () => fetchTransport,
        clock: fakeClock(startS),
      })),
      random: () => 0.5,
    };
  };
  const runs = async (
    pipeline: Awaited<ReturnType<typeof open>>,
    count: number,
    cron: { pipeline?: { schedule: string }; watchlist?: { schedule: string } } = {},
  ) => {
    const stop = new AbortController();
    const times: string[] = [];
    await runOnSchedule(
      pipeline,
      {
        ...scheduleOf({ everyMinutes: 240, jitterSeconds: 60, ...cron.pipeline }, { ...cron.watchlist }),
        onRun: (outcome) => {
          times.push(outcome instanceof Error ? outcome.name : outcome.startedAt.slice(11, 19));
          if (times.length === count) stop.abort();
        },
      },
      stop.signal,
    );
    return times;
  };
  it('runs at once the first time, then at its hours, a little late', async () => {
    const pipeline = await open('first', at('10:00:00') / 1000);
    expect(await runs(pipeline, 3)).toEqual(['10:00:30', '12:00:30', '16:00:30']);
    await pipeline.close();
  });
  it('after a stop waits for its hour, and catches up once when it was missed', async () => {
    const before = await open('again', at('10:00:00') / 1000);
    await before.store.saveRun('{}', at('09:00:00') / 1000);
    expect(await runs(before, 1)).toEqual(['12:00:30']);
    await before.close();
    const late = await open('late', at('21:00:00') / 1000);
    await late.store.saveRun('{}', at('03:00:00') / 1000);
    expect(await runs(late, 2)).toEqual(['21:00:30', '00:00:30']);
    await late.close();
  });
  it('keeps a cron expression, and catches up once what was missed', async () => {
    const pipeline = await open('cron', at('10:00:00') / 1000);
    await pipeline.store.saveRun('{}', at('08:20:00') / 1000);
    // 08:30 was missed; then the half hours of the night shift, in UTC.
    expect(await runs(pipeline, 3, { pipeline: { schedule: '30 8,22-23 * * *' } })).toEqual(['10:00:30', '22:30:30', '23:30:30']);
    await pipeline.close();
  });
  it('checks the watchlist by its own expression between runs; such a check is no run to count from', async () => {
    const pipeline = await open('watches', at('10:00:00') / 1000);
    await pipeline.store.saveRun('{}', at('09:00:00') / 1000);
    expect(await runs(pipeline, 3, { watchlist: { schedule: '0 * * * *' } })).toEqual(['11:00:30', '12:00:30', '13:00:30']);
    expect((await pipeline.store.runs(9)).map(({ atS }) => new Date(atS * 1000).toISOString().slice(11, 19))).toEqual([
      '12:00:30',
      '09:00:00',
    ]);
    await pipeline.close();
  });
  it('goes on when another process leads', async () => {
    const pipeline = await open('other', at('10:00:00') / 1000);
    await pipeline.store.takeLease('pipeline', 'other', { nowMs: at('10:00:00'), untilMs: at('11:00:00') });
    expect(await runs(pipeline, 2)).toEqual(['NotLeaderError', '12:00:30']);
    await pipeline.close();
  });
});

describe("the seed's config.yaml", () => {
  const seed = `
misp: {url: "https://misp.corp-net.com", key: "mk"}
otx: {key: "ok"}
virustotal: {key: "vk"}
shodan: {key: "YOUR_SHODAN_KEY"}
abuseipdb: {key: "ak"}
outputs: {splunk_hec_url: "https://splunk.corp-net.com:8088/services/collector/event", splunk_hec_token: "ht", crowdstrike_client_id: "ci", crowdstrike_client_secret: "cs"}
greeting: hello
`;
  it('becomes ours, and what it becomes is accepted', () => {
    const { config, notes } = importSeedConfig(parse(seed));
    expect(config).toMatchObject({
      providers: { virustotal: { api_key: 'vk' }, abuseipdb: { api_key: 'ak' } },
      feeds: { otx: { api_key: 'ok' } },
      outputs: { splunk_hec: { base_url: 'https://splunk.corp-net.com:8088', token: 'ht', min_score: 70 } },
    });
    expect(config).not.toHaveProperty('providers.shodan');
    expect(notes.join('\n')).toMatch(/not taken over: greeting/);
    const loaded = loadPipelineConfig({ env: {}, file: { name: 'f', values: config } });
    expect([Object.keys(loaded.feeds), Object.keys(loaded.outputs)]).toEqual([
      ['misp', 'otx'],
      ['splunk_hec', 'crowdstrike', 'misp'],
    ]);
  });
  it('is told from any other file', () => expect(() => importSeedConfig(['x'])).toThrow(/not the config.yaml/));
});

it('the report page shows failures, and nothing in it runs', () => {
  const report: RunReport = {
    startedAt: '2026-11-21T10:00:00.000Z',
    finishedAt: '2026-11-21T10:01:00.000Z',
    isDryRun: false,
    feeds: {
      misp: {
        items: 3,
        accepted: 2,
        quarantined: 1,
        ignored: 0,
        pages: 1,
        new: 2,
        updated: 0,
        failure: '<script>alert(1)</script>',
        faults: [],
      },
    },
    store: { new: 2, updated: 0 },
    enrichment: { due: 2, enriched: 1, skipped: 0, failed: 1, left: 0, byStatus: { ok: 1, timeout: 1 }, live: 1 },
    watches: { checked: 0, changed: 0, failed: 0 },
    outputs: {
      splunk_hec: { accepted: 1, delivered: 1, pending: 0, quarantined: 0, new: 1, wouldSend: 0, held: 0, givenUp: 0, halt: null },
    },
    failures: ['feed misp: <script>alert(1)</script>'],
  };
  const page = toReportPage(report);
  expect(page).not.toContain('<script');
  expect(page).toContain('1 failed.');
});
