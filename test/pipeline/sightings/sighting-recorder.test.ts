import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openSightingRecorder } from '../../../src/pipeline/sightings/sighting-recorder.ts';
import { openStoreCore } from '../../../src/store/store.ts';

const EVENT = Buffer.from('{"@timestamp":"2026-11-30T10:00:00Z","host":{"name":"pc-7"},"destination":{"ip":"45.33.32.2"}}');

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sightings-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it('a store that cannot be opened is said, what is offered meanwhile is counted, and recording goes on once it can', async () => {
  const path = join(folder(), 'pipeline.sqlite');
  writeFileSync(path, 'this is no database, '.repeat(500));
  const recorder = openSightingRecorder({ path, fields: ['destination.ip'], keepDays: 90, maxRows: 1000 }, 50);
  await vi.waitFor(() => expect(recorder.counts().fault).not.toBeNull(), 15_000);
  await vi.waitFor(() => {
    recorder.offer(EVENT, 'json');
    expect(recorder.counts().droppedBytes).toBeGreaterThan(0);
  }, 15_000);
  rmSync(path);
  const before = () => recorder.counts().droppedBytes;
  await vi.waitFor(() => {
    const dropped = before();
    recorder.offer(EVENT, 'json');
    expect(before()).toBe(dropped);
  }, 15_000);
  await recorder.close();
  expect(recorder.counts().rows).toBeGreaterThan(0);
  const store = openStoreCore(path);
  expect(store.whoSaw('45.33.32.2', 0, 10).map(({ asset }) => asset)).toEqual(['pc-7']);
  store.close();
});
