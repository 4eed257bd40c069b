import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPipelineConfig, openPipeline, type OpenedPipeline } from '../../src/pipeline/open-pipeline.ts';
import { exitCodeOf, toContractReport, toReportText } from '../../src/pipeline/run-report.ts';
import { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import { fakeEnricher, judged } from './fake-enricher.ts';
import { fakeClock, fetchTransport, type SeenCall, startStandIn } from './stand-in.ts';

const TOTAL = 10_000;
const PAGE = 1000;

/** 10,000 attributes: 5 % junk, 30 % of them repeats of an earlier good one. */
function feedRows() {
  const good: string[] = [];
  return Array.from({ length: TOTAL }, (_, n) => {
    if (n % 20 === 7) return { type: 'domain', value: n % 40 === 7 ? `not a domain ${n}` : `10.0.${n % 256}.${n >> 8}` };
    if (n % 10 >= 3 || good.length === 0) {
      good.push(`c2-${n}.evil-host.net`);
      return { type: 'domain', value: good.at(-1), Tag: [{ name: 'tlp:green' }] };
    }
    return { type: 'domain', value: good[(n * 31) % good.length] };
  });
}
const rows = feedRows();
const junk = rows.filter(({ value }) => !value!.startsWith('c2-')).length;
const distinct = new Set(rows.map(({ value }) => value).filter((value) => value!.startsWith('c2-'))).size;
const scoreOf = (value: string) => Number(/\d+/.exec(value.slice(3))?.[0]) % 101;
const threats = [...new Set(rows.map(({ value }) => value!).filter((value) => value.startsWith('c2-')))].filter(
  (value) => scoreOf(value) >= 70,
).length;

let misp: Awaited<ReturnType<typeof startStandIn>>;
let hec: Awaited<ReturnType<typeof startStandIn>>;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-e2e-'));
beforeAll(async () => {
  misp = await startStandIn(({ text }) => {
    const { page, limit } = JSON.parse(text) as { page: number; limit: number };
    return { body: { response: { Attribute: rows.slice((page - 1) * limit, page * limit) } } };
  });
  hec = await startStandIn(() => ({ body: { text: 'Success', code: 0 } }));
});
afterAll(async () => {
  await Promise.all([misp.close(), hec.close()]);
  rmSync(folder, { recursive: true });
});

const enricher = fakeEnricher((value) => judged(scoreOf(value)));
const open = (state: string): Promise<OpenedPipeline> => {
  const values = {
    feeds: { misp: { enabled: true, base_url: misp.url, api_key: 'k', page_size: PAGE } },
    outputs: {
      splunk_hec: { enabled: true, base_url: hec.url, token: 't' },
      file: { enabled: true, path: join(folder, state, 'all.ndjson') },
    },
  };
  const config = loadPipelineConfig({ env: {}, file: { name: 'test.yaml', values } });
  return openPipeline(config, { stateFolder: join(folder, state), enricher, transportTo: () => fetchTransport, clock: fakeClock() });
};
const eventsOf = (calls: readonly SeenCall[]) =>
  calls.flatMap(({ text }) =>
    text.split('\n').map((line) => (JSON.parse(line) as { event: { ioc_value: string; score: number; event_id: string } }).event),
  );

describe('10,000 items, 30 % repeats, 5 % junk', () => {
  it('reconcile exactly at every stage, and a second run costs and sends nothing', { timeout: 60_000 }, async () => {
    const signal = new AbortController().signal;
    const pipeline = await open('a');
    const report = await runPipeline(pipeline, { signal, isDry: false });
    expect(toContractReport(report)).toEqual({
      feeds: { misp: { items: TOTAL, accepted: TOTAL - junk, quarantined: junk } },
      store: { new: distinct, updated: TOTAL - junk - distinct },
      enriched: distinct,
      outputs: {
        splunk_hec: { accepted: threats, delivered: threats, pending: 0, quarantined: 0 },
        file: { accepted: distinct, delivered: distinct, pending: 0, quarantined: 0 },
      },
    });
    expect(junk).toBe(TOTAL / 20);
    expect([report.failures, exitCodeOf(report)]).toEqual([[], 0]);
    expect(enricher.asked).toHaveLength(distinct);
    const events = eventsOf(hec.calls);
    expect([events.length, new Set(events.map(({ event_id }) => event_id)).size, Math.min(...events.map(({ score }) => score))]).toEqual([
      threats,
      threats,
      70,
    ]);
    expect(
      readFileSync(join(folder, 'a', 'all.ndjson'), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(distinct);
    expect(await pipeline.store.quarantinedItems('misp', TOTAL)).toHaveLength(junk);
    expect(toReportText(report)).toContain(`store: ${distinct} new`);

    const calls = hec.calls.length;
    const again = await runPipeline(pipeline, { signal, isDry: false });
    expect([enricher.asked.length, hec.calls.length]).toEqual([distinct, calls]);
    expect(again.store).toEqual({ new: 0, updated: TOTAL - junk });
    expect(toContractReport(again)).toMatchObject({ enriched: 0, outputs: { splunk_hec: { accepted: threats, pending: 0 } } });
    expect(JSON.parse(misp.calls.at(-1)!.text)).toMatchObject({ publish_timestamp: String(1_795_000_000 - 600) });
    await pipeline.close();
  });

  it('a dry run counts and keeps, asks and sends nothing', { timeout: 60_000 }, async () => {
    const pipeline = await open('dry');
    const [asked, told] = [enricher.asked.length, hec.calls.length];
    const report = await runPipeline(pipeline, { signal: new AbortController().signal, isDry: true });
    expect(report.feeds.misp).toMatchObject({ items: TOTAL, quarantined: junk });
    expect(report.enrichment.due).toBeGreaterThanOrEqual(distinct);
    expect([enricher.asked.length, hec.calls.length, (await pipeline.store.stats()).indicators, await pipeline.store.runs(1)]).toEqual([
      asked,
      told,
      0,
      [],
    ]);
    await pipeline.close();
  });
});

describe('a run', () => {
  it('lets one leader through', async () => {
    const pipeline = await open('lease');
    await pipeline.store.takeLease('pipeline', 'other', { nowMs: 1_795_000_000_000, untilMs: 1_795_000_060_000 });
    await expect(runPipeline(pipeline, { signal: new AbortController().signal, isDry: false })).rejects.toThrow(/another process/);
    await pipeline.close();
  });
  it('keeps what a broken feed gave around the page that broke, says so, and reads that page again', async () => {
    let isBroken = true;
    const flaky = await startStandIn(({ text }) => {
      const { page } = JSON.parse(text) as { page: number };
      return isBroken && page === 3
        ? { status: 500 }
        : { body: { response: { Attribute: rows.slice((page - 1) * 10, page === 4 ? 35 : page * 10) } } };
    });
    const config = loadPipelineConfig({
      env: {},
      file: { name: 'y', values: { feeds: { misp: { enabled: true, base_url: flaky.url, api_key: 'k', page_size: 10 } } } },
    });
    const pipeline = await openPipeline(config, {
      stateFolder: join(folder, 'flaky'),
      enricher,
      transportTo: () => fetchTransport,
      clock: fakeClock(),
    });
    const signal = new AbortController().signal;
    const first = await runPipeline(pipeline, { signal, isDry: false });
    expect(first.feeds.misp).toMatchObject({ items: 26, quarantined: 2, pages: 3, faults: [expect.stringMatching(/page 3 .*500/)] });
    expect([exitCodeOf(first), await pipeline.store.cursor('misp')]).toEqual([3, '30d tries=1']);
    isBroken = false;
    const second = await runPipeline(pipeline, { signal, isDry: false });
    expect(second.feeds.misp).toMatchObject({ items: 35, failure: null });
    expect(exitCodeOf(second)).toBe(0);
    await pipeline.close();
    await flaky.close();
  });
  it('never looks up what is marked too strictly', async () => {
    const marked = await startStandIn(() => ({
      body: {
        response: {
          Attribute: [
            { type: 'domain', value: 'secret.evil-host.net', Tag: [{ name: 'tlp:red' }] },
            { type: 'domain', value: 'open.evil-host.net' },
          ],
        },
      },
    }));
    const asked = fakeEnricher(() => judged(90));
    const config = loadPipelineConfig({
      env: {},
      file: { name: 'y', values: { feeds: { misp: { enabled: true, base_url: marked.url, api_key: 'k' } } } },
    });
    const pipeline = await openPipeline(config, {
      stateFolder: join(folder, 'tlp'),
      enricher: asked,
      transportTo: () => fetchTransport,
      clock: fakeClock(),
    });
    const report = await runPipeline(pipeline, { signal: new AbortController().signal, isDry: false });
    expect([asked.asked, report.enrichment.skipped, report.enrichment.byStatus]).toEqual([
      ['open.evil-host.net'],
      1,
      { ok: 1, skipped_tlp: 1 },
    ]);
    await pipeline.close();
    await marked.close();
  });
});

describe('configuration', () => {
  it('names every fault at once, and none of a feed that is off', () => {
    const values = {
      feeds: { misp: { enabled: true, base_url: 'http://misp.corp-net.com' }, otx: { enabled: false }, csv: { enabled: true } },
      outputs: { pagerduty: { enabled: true, routing_key: 'k3y-of-ours' }, file: { enabled: true, pth: 'x' } },
      pipeline: { max_tries: 0 },
    };
    expect(() => loadPipelineConfig({ env: {}, file: { name: 'f.yaml', values } })).toThrow(
      /feeds\.misp\.base_url[^]*feeds\.misp\.api_key[^]*outputs\.pagerduty\.routing_key/,
    );
    const faults = (() => {
      try {
        loadPipelineConfig({ env: {}, file: { name: 'f.yaml', values } });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(faults).toContain('outputs.file.pth');
    expect(faults).toContain('pipeline.max_tries');
    expect(faults).not.toContain('otx');
    expect(faults).not.toContain('k3y-of-ours');
  });
  it('takes environment variables, secrets included', () => {
    const config = loadPipelineConfig({ env: { ISMALICIOUS_FEEDS_OTX_ENABLED: 'true', ISMALICIOUS_FEEDS_OTX_API_KEY: 'k' } });
    expect(config.feeds.otx).toMatchObject({ enabled: true, apiKey: 'k', baseUrl: 'https://otx.alienvault.com' });
  });
});
