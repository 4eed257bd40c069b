import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadPipelineConfig, openPipeline } from '../../../src/pipeline/open-pipeline.ts';
import { runPipeline } from '../../../src/pipeline/run-pipeline.ts';
import { addToWatchlist, listWatchlist, removeFromWatchlist } from '../../../src/pipeline/watchlist/edit-watchlist.ts';
import { fakeEnricher, judged } from '../fake-enricher.ts';
import { fakeClock, fetchTransport } from '../stand-in.ts';

const DAY_MS = 86_400_000;
const NOW = 1_795_000_000;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

async function open(name: string, scores: Record<string, number | null>) {
  const clock = fakeClock(NOW);
  const enricher = fakeEnricher(
    (value) =>
      scores[value] === null ? { status: 'timeout', verdict: 'unknown', score: null, tier: 'review' } : judged(scores[value] ?? 5),
    () => Math.floor(clock.nowMs() / 1000),
  );
  const path = join(folder, name, 'out.ndjson');
  const config = loadPipelineConfig({
    env: {},
    file: { name: 'y', values: { outputs: { file: { enabled: true, path, min_score: 70 } } } },
  });
  const pipeline = await openPipeline(config, { stateFolder: join(folder, name), enricher, transportTo: () => fetchTransport, clock });
  const told = () =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; note: string | null; before: unknown; enrichment: { indicator: string } });
  return { clock, enricher, pipeline, scores, told, context: { store: pipeline.store, nowS: NOW, maxWatched: 3, everyHours: 24 } };
}

describe('a watched indicator', () => {
  it('whose verdict turns is told as verdict_changed, with who was seen with it', async () => {
    const { pipeline, clock, scores, told, context } = await open('turn', { 'quiet.evil-host.net': 5 });
    await addToWatchlist({ indicators: ['quiet.evil-host[.]net'], reason: 'supplier' }, context);
    await pipeline.store.recordSightings([
      { value: 'quiet.evil-host.net', asset: 'pc-7', times: 1, firstS: NOW + 3600, lastS: NOW + 3600 },
    ]);
    expect((await runPipeline(pipeline, { signal, isDry: false })).watches).toEqual({ checked: 1, changed: 0, failed: 0 });
    scores['quiet.evil-host.net'] = 90;
    await clock.wait(DAY_MS / 2);
    expect((await runPipeline(pipeline, { signal, isDry: false })).watches.checked).toBe(0);
    await clock.wait(DAY_MS / 2);
    expect((await runPipeline(pipeline, { signal, isDry: false })).watches).toEqual({ checked: 1, changed: 1, failed: 0 });
    expect(told()).toEqual([
      expect.objectContaining({
        event: 'verdict_changed',
        before: expect.objectContaining({ verdict: 'clean' }),
        note: expect.stringMatching(/seen here in the last 30 days by pc-7 \(1×/),
      }),
    ]);
    scores['quiet.evil-host.net'] = 5;
    await clock.wait(DAY_MS);
    await runPipeline(pipeline, { signal, isDry: false });
    expect(told().map(({ event }) => event)).toEqual(['verdict_changed', 'verdict_changed']);
    await pipeline.close();
  });
  it('that cannot be checked is tried again, and its last verdict stands', async () => {
    const { pipeline, scores, context } = await open('fail', { 'x.evil-host.net': 90 });
    await addToWatchlist({ indicators: ['x.evil-host.net'] }, context);
    await runPipeline(pipeline, { signal, isDry: false });
    scores['x.evil-host.net'] = null;
    await pipeline.clock.wait(DAY_MS);
    const report = await runPipeline(pipeline, { signal, isDry: false });
    expect([report.watches, report.failures.length]).toEqual([{ checked: 0, changed: 0, failed: 1 }, 1]);
    expect(await pipeline.store.watched(1)).toMatchObject([{ verdict: 'malicious', score: 90 }]);
    await pipeline.close();
  });
});

describe('the routes', () => {
  it('answer each value for itself and keep the list within its bound', async () => {
    const { pipeline, context } = await open('routes', {});
    const added = await addToWatchlist(
      { indicators: ['a.evil-host.net', '10.0.0.1', 'not a name', 'b.evil-host.net', 'c.evil-host.net', 'd.evil-host.net'], days: 5 },
      context,
    );
    expect((added.body as { results: { added: boolean }[] }).results.map((result) => result.added)).toEqual([
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(await addToWatchlist({ indicators: [] }, context)).toMatchObject({ isRefused: true });
    expect(await removeFromWatchlist(['A.evil-host.net', 'zzz'], context)).toMatchObject({
      body: { results: [{ removed: true }, { removed: false }] },
    });
    expect((await listWatchlist(context)).body).toMatchObject({ total: 2, watchlist: [{ every_hours: 24 }, {}] });
    await pipeline.close();
  });
});
