import { randomOf } from '../random.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../src/compose/open-engine.ts';
import { startApi } from '../bench/gateway-processes.ts';
import type { Bucket } from './popularity.ts';

/** A load that is really looked up. */
export interface RealLoad {
  readonly buckets: readonly Bucket[];
  readonly lookups: number;
  readonly memoryEntries: number;
  /** Of the generator of random numbers. */
  readonly seed: number;
}

/** What was counted. */
export interface RealRun {
  readonly lookups: number;
  /** Different values that were drawn. */
  readonly unique: number;
  /** Values the provider was asked for. */
  readonly calls: number;
  /** Share of look-ups that memory answered at once. */
  readonly memory: number;
  readonly seconds: number;
  readonly cpuS: number;
}

/** Look-ups that are made together: few, since memory is as much smaller as the run is. */
const BATCH = 50;

/** Draws values by their shares, and looks them up with the engine as it is, against an API on this machine. Nothing runs out meanwhile. */
export async function runReally({ buckets, lookups, memoryEntries, seed }: RealLoad): Promise<RealRun> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-sizing-'));
  const api = await startApi(0);
  const env = {
    ISMALICIOUS_STATE_DIR: folder,
    ISMALICIOUS_X_API_KEY: Buffer.from('sizing:sizing').toString('base64'),
    ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`,
    ISMALICIOUS_CACHE_MEMORY_ENTRIES: String(memoryEntries),
  };
  const { engine } = await openEngine({ env, stays: true });
  try {
    const draw = drawerOf(buckets, seed);
    const drawn = new Set<number>();
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
    let inMemory = 0;
    for (let done = 0; done < lookups; done += BATCH) {
      const missing = new Set<string>();
      for (let n = done; n < Math.min(lookups, done + BATCH); n++) {
        const rank = draw();
        drawn.add(rank);
        const value = addressOf(rank);
        // What is in the same batch twice is asked for once: the second one is answered by the first.
        if (missing.has(value) || engine.peek(value) !== undefined) inMemory++;
        else missing.add(value);
      }
      if (missing.size > 0) await engine.enrichMany(missing, { timeoutMs: 0 });
    }
    const cpu = process.cpuUsage(startCpu);
    return {
      lookups,
      unique: drawn.size,
      calls: api.asked(),
      memory: inMemory / lookups,
      seconds: (performance.now() - startMs) / 1000,
      cpuS: (cpu.user + cpu.system) / 1e6,
    };
  } finally {
    await engine.close();
    api.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Draws ranks, from 0, by their shares. */
function drawerOf(buckets: readonly Bucket[], seed: number): () => number {
  const random = randomOf(seed);
  const ends: number[] = [];
  const starts: number[] = [];
  let [sum, count] = [0, 0];
  for (const { values, share } of buckets) {
    starts.push(count);
    ends.push((sum += values * share));
    count += values;
  }
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) <= wanted) low = middle + 1;
      else high = middle;
    }
    return (starts[low] ?? 0) + Math.floor(random() * (buckets[low]?.values ?? 1));
  };
}

/** A public address for each rank below 2^24 · 80; no two share one. */
function addressOf(rank: number): string {
  return `${11 + (rank >> 24)}.${(rank >> 16) & 255}.${(rank >> 8) & 255}.${rank & 255}`;
}
