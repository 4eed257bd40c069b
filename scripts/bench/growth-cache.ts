import { statSync } from 'node:fs';
import { openSqliteVerdictStore } from '../../src/engine/cache/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../src/engine/cache/verdict-store.ts';
import type { Print } from './figure.ts';
import { type Point, printCurve } from './growth-curve.ts';
import { median } from './median.ts';

const PROVIDER = 'ismalicious';
const NOW_S = 1_795_000_000;
const OPENINGS = 9;
const WARM_UP = 3;
const LOOKUPS = 20_000;
const LOOKUP_ROUNDS = 5;
/** What the cache keeps of one verdict in twenty, and of the others. */
const BAD = '{"verdict":"malicious","score":88,"confidence":91,"categories":["c2"],"attributes":[],"sightings":null,"firstSeen":null}';
const CLEAN = '{"verdict":"clean","score":4,"confidence":77}';

/** One file of the verdict cache that grows: writing, size, opening, and looking a value up that is in it. */
export async function growCache(path: string, sizes: readonly number[], print: Print): Promise<void> {
  const curves = { write: [] as Point[], bytes: [] as Point[], open: [] as Point[], median: [] as Point[], p99: [] as Point[] };
  let held = 0;
  for (const size of sizes) {
    const started = process.cpuUsage();
    await write(path, held, size);
    const { user, system } = process.cpuUsage(started);
    curves.write.push({ size, cost: (user + system) / (size - held) });
    held = size;
    curves.bytes.push({ size, cost: statSync(path).size / size });
    curves.open.push({ size, cost: await openingMs(path) });
    const times = await lookUp(path, size);
    curves.median.push({ size, cost: times.median });
    curves.p99.push({ size, cost: times.p99 });
  }
  printCurve(print, 'cache file, a verdict written', 'µs CPU', curves.write);
  printCurve(print, 'cache file, size', 'B a verdict', curves.bytes);
  printCurve(print, 'cache file, opened and asked once', 'ms', curves.open);
  printCurve(print, 'cache file, one value looked up, median', 'µs', curves.median);
  printCurve(print, 'cache file, one value looked up, p99', 'µs', curves.p99);
}

async function write(path: string, from: number, to: number): Promise<void> {
  const store = await openSqliteVerdictStore(path);
  for (let n = from; n < to; n += 1) {
    store.put(PROVIDER, addressOf(n), { answer: n % 20 === 0 ? BAD : CLEAN, checkedAtS: NOW_S, expiresAtS: NOW_S + 86_400 });
  }
  store.close();
}

async function openingMs(path: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < OPENINGS + WARM_UP; n += 1) {
    const start = performance.now();
    const store = await openSqliteVerdictStore(path);
    ask(store, addressOf(n));
    if (n >= WARM_UP) times.push(performance.now() - start);
    store.close();
  }
  return median(times);
}

/** Values from everywhere in the file, one a call; of several rounds the median. */
async function lookUp(path: string, size: number): Promise<{ median: number; p99: number }> {
  const store = await openSqliteVerdictStore(path);
  const medians: number[] = [];
  const slowest: number[] = [];
  for (let round = -1; round < LOOKUP_ROUNDS; round += 1) {
    const times = new Float64Array(LOOKUPS);
    for (let n = 0; n < LOOKUPS; n += 1) {
      const value = addressOf((n * 7919 + round + 1) % size);
      const start = performance.now();
      ask(store, value);
      times[n] = (performance.now() - start) * 1000;
    }
    if (round < 0) continue;
    times.sort();
    medians.push(times[LOOKUPS / 2] ?? Number.NaN);
    slowest.push(times[LOOKUPS * 0.99] ?? Number.NaN);
  }
  store.close();
  return { median: median(medians), p99: median(slowest) };
}

function ask(store: VerdictStore, value: string): void {
  let isFound = false;
  store.readMany(PROVIDER, [value], () => (isFound = true));
  if (!isFound) throw new Error(`${value} is not in the file`);
}

/** Spread over the key space, as hashes and addresses are: no two alike below 2^32. */
function addressOf(n: number): string {
  const spread = Math.imul(n + 1, 2_654_435_761) >>> 0;
  return `${spread >>> 24}.${(spread >>> 16) & 255}.${(spread >>> 8) & 255}.${spread & 255}`;
}
