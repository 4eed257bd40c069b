import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Print } from './figure.ts';
import { growCache } from './growth-cache.ts';
import { growEvents } from './growth-events.ts';

const FIRST = 10_000;
const MOST_EVENTS = Number(process.env.BENCH_GROWTH_EVENTS ?? 1_000_000);
const MOST_VERDICTS = Number(process.env.BENCH_GROWTH_VERDICTS ?? 1_000_000);

/**
 * What ten times as much costs: events through `enrich`, and verdicts in the cache file, from 10,000 to a million; to ten million with
 * `BENCH_GROWTH_EVENTS=10000000 BENCH_GROWTH_VERDICTS=10000000`. Behind each curve stands its slope: the factor of a cost for ten times
 * the size, by least squares; 1 is flat.
 */
export async function run(print: Print): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-growth-'));
  try {
    await growCache(join(folder, 'verdicts.sqlite'), sizesTo(MOST_VERDICTS), print);
    for (const format of ['ndjson', 'csv'] as const) await growEvents(join(folder, format), { format, sizes: sizesTo(MOST_EVENTS) }, print);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sizesTo(most: number): number[] {
  const sizes: number[] = [];
  for (let size = FIRST; size <= most; size *= 10) sizes.push(size);
  return sizes;
}
