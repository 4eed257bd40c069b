import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFeedbackStore } from '../../src/engine/feedback/feedback-store.ts';
import { MIGRATIONS } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store-client.ts';
import { moveFeedback } from '../../src/pipeline/move-feedback.ts';
import { loadPipelineConfig, openPipeline } from '../../src/pipeline/open-pipeline.ts';
import { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import { observationOf } from '../store/samples.ts';
import { fakeEnricher, judged } from './fake-enricher.ts';
import { fakeClock, fetchTransport } from './stand-in.ts';

const NOW = 1_795_000_000;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-feedback-'));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

/** A store as the first version wrote it. */
function oldStore(path: string, rows: readonly (readonly [value: string, verdict: number, note: string, by: string, at: number])[]): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA application_id = ${0x49534d31}; ${MIGRATIONS[0]}; PRAGMA user_version = 1`);
  const insert = db.prepare('INSERT INTO feedback VALUES (?, ?, ?, ?, ?)');
  for (const row of rows) insert.run(...row);
  db.close();
}

describe('words that the store kept itself', () => {
  it('move to the file of overrides once, and what was decided there since stands', async () => {
    const path = join(folder, 'old.sqlite');
    oldStore(path, [
      ['cdn.evil-host.net', 1, 'our CDN', 'ann', NOW - 900],
      ['c2.evil-host.net', 3, '', 'bob', NOW - 800],
      ['back.evil-host.net', 0, 'taken back', 'ann', NOW - 700],
      ['both.evil-host.net', 1, 'old word', 'ann', NOW - 600],
    ]);
    const feedback = await openFeedbackStore({ path: join(folder, 'feedback.sqlite'), watches: false, nowS: () => NOW });
    const said = { saidVerdict: null, saidScore: null, untilS: null, type: 'domain-name' } as const;
    feedback.add({ ...said, value: 'both.evil-host.net', verdict: 'malicious', score: 95, author: 'eve', reason: 'newer', atS: NOW - 5 });
    const store = await openStore(path);
    expect([await moveFeedback(store, feedback), await moveFeedback(store, feedback)]).toEqual([2, 0]);
    expect(
      feedback.list({ inForceAtS: NOW }).map(({ value, verdict, author, reason, atS }) => [value, verdict, author, reason, atS]),
    ).toEqual([
      ['c2.evil-host.net', 'malicious', 'bob', 'entered in the pipeline', NOW - 800],
      ['cdn.evil-host.net', 'clean', 'ann', 'our CDN', NOW - 900],
      ['both.evil-host.net', 'malicious', 'eve', 'newer', NOW - 5],
    ]);
    await store.close();
    feedback.close();
  });
});

describe('an override', () => {
  it('reaches the outputs with the next run, and so does its end', async () => {
    const out = join(folder, 'out.ndjson');
    const feedback = await openFeedbackStore({ path: join(folder, 'run.sqlite'), watches: false, nowS: () => NOW });
    const config = loadPipelineConfig({ env: {}, file: { name: 'y', values: { outputs: { file: { enabled: true, path: out } } } } });
    const enricher = fakeEnricher((value) =>
      judged(feedback.lookup({ type: 'domain-name', value }, Math.floor(clock.nowMs() / 1000))?.score ?? 90),
    );
    const clock = fakeClock(NOW);
    const pipeline = await openPipeline(config, {
      stateFolder: join(folder, 'run'),
      enricher,
      feedback,
      clock,
      transportTo: () => fetchTransport,
    });
    await pipeline.store.observe([observationOf('cdn.evil-host.net')], NOW);
    const run = () => runPipeline(pipeline, { signal, isDry: false });
    await run();
    await clock.wait(1000);
    const given = { value: 'cdn.evil-host.net', type: 'domain-name', verdict: 'clean', score: 0, author: 'ann', reason: 'ours' } as const;
    feedback.add({ ...given, atS: NOW, untilS: null, saidVerdict: null, saidScore: null });
    expect([(await run()).enrichment.due, (await run()).enrichment.due]).toEqual([1, 0]);
    feedback.remove('cdn.evil-host.net', 'ann', NOW + 1);
    await clock.wait(1000);
    await run();
    const told = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; is_revoked: boolean; enrichment: { verdict: string } });
    expect(told.map(({ event, enrichment }) => [event, enrichment.verdict])).toEqual([
      ['enriched', 'malicious'],
      ['verdict_changed', 'clean'],
      ['verdict_changed', 'malicious'],
    ]);
    await pipeline.close();
    feedback.close();
  });
});
