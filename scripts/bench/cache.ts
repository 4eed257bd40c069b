import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSqlite } from '../../src/engine/cache/load-sqlite.ts';
import { SqliteVerdictStore } from '../../src/engine/cache/sqlite-verdict-store.ts';
import { openVerdictDatabase } from '../../src/engine/cache/verdict-database.ts';
import type { StoredVerdict } from '../../src/engine/cache/verdict-store.ts';
import type { Print } from './figure.ts';
import { quantile } from './median.ts';

const ROWS = Number(process.env.BENCH_CACHE_ROWS ?? 1_000_000);
const TRIES = 100_000;
const NOW_S = 1_795_000_000;
const PROVIDER = 'ismalicious';
const BATCH = 500;

/** The verdict cache on disk, full: how long a look-up and a note take, how large its file is, and how soon it opens after its process was killed. */
export async function run(print: Print): Promise<void> {
  const sqlite = await loadSqlite();
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-bench-cache-'));
  const path = join(folder, 'cache.sqlite');
  const open = (file: string) => new SqliteVerdictStore(openVerdictDatabase(sqlite, file), file, () => 1000);
  try {
    const store = open(path);
    for (let n = 0; n < ROWS; n++) {
      store.put(PROVIDER, valueAt(n), answerAt(n));
      if (n % BATCH === 0) store.flush();
    }
    store.flush();
    print({ name: `cache of ${ROWS} answers, file`, value: Math.round(statSync(path).size / 2 ** 20), unit: 'MiB' });
    percentiles(print, 'get', (n) => {
      if (store.getMany(PROVIDER, [valueAt((n * 7919) % ROWS)]).size !== 1) throw new Error('an answer is missing');
    });
    percentiles(print, 'set', (n) => store.put(PROVIDER, valueAt((n * 104_729) % ROWS), answerAt(n + 1)));
    // As a killed process leaves it: with its journal, and nothing closed.
    const killed = mkdtempSync(join(tmpdir(), 'ismalicious-bench-cache-'));
    cpSync(folder, killed, { recursive: true });
    const beganMs = performance.now();
    const again = open(join(killed, 'cache.sqlite'));
    const found = again.getMany(PROVIDER, [valueAt(0)]).size;
    const tookMs = performance.now() - beganMs;
    if (found !== 1) throw new Error('an answer is missing after the kill');
    again.close();
    rmSync(killed, { recursive: true });
    print({ name: 'cache opens after a kill', value: Math.round(tookMs), unit: 'ms' });
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function percentiles(print: Print, name: string, work: (n: number) => void): void {
  const times = new Float64Array(TRIES);
  for (let n = 0; n < TRIES; n++) {
    const beganMs = performance.now();
    work(n);
    times[n] = (performance.now() - beganMs) * 1000;
  }
  times.sort();
  const at = (share: number) => Number(quantile(times, share).toFixed(1));
  print({ name: `cache ${name}, median`, value: at(0.5), unit: 'µs' });
  print({ name: `cache ${name}, p99`, value: at(0.99), unit: 'µs' });
}

function valueAt(n: number): string {
  return `ipv4-addr ${20 + ((n >>> 24) & 15)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}

/** Of two values one is not listed, the other is as long as most verdicts are. */
function answerAt(n: number): StoredVerdict {
  const listed = {
    score: n % 100,
    confidence: 80,
    categories: ['malware', 'c2'],
    sightings: n,
    lastSeen: null,
    tlp: 'CLEAR',
    reference: null,
  };
  return { answer: JSON.stringify(n % 2 === 0 ? null : listed), checkedAtS: NOW_S, expiresAtS: NOW_S + 86_400 };
}
