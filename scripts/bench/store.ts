import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Observation } from '../../src/model/observation.ts';
import { openStoreCore } from '../../src/store/store.ts';
import { openStore } from '../../src/store/store-client.ts';
import type { Answer, Enrichment } from '../../src/model/enrichment.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import type { Print } from './figure.ts';
import { quantile } from './median.ts';

const TOTAL = Number(process.env.BENCH_STORE_ROWS ?? 1_000_000);
const BATCH = 5000;
const LOOKUPS = 100_000;

/** A million indicators in the store: insert rate from another thread, look-up time, size of the file, stalls of this thread. */
export async function run(print: Print): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-bench-store-'));
  const path = join(folder, 'store.db');
  try {
    const store = await openStore(path);
    await store.observe(batchAt(TOTAL, 1), 1_795_000_000);
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const insertMs = await timed(async () => {
      for (let at = 0; at < TOTAL; at += BATCH) await store.observe(batchAt(at, BATCH), 1_795_000_000);
    });
    delay.disable();
    print({ name: 'store insert, batches of 5000', value: Math.round(TOTAL / (insertMs / 1000)), unit: 'indicators/s' });
    print({ name: 'store insert, event loop delay p99', value: Number((delay.percentile(99) / 1e6).toFixed(1)), unit: 'ms' });
    const againMs = await timed(async () => {
      for (let at = 0; at < TOTAL / 5; at += BATCH) await store.observe(batchAt(at, BATCH), 1_795_100_000);
    });
    print({ name: 'store update of known indicators', value: Math.round(TOTAL / 5 / (againMs / 1000)), unit: 'indicators/s' });
    await store.close();
    print({ name: `store file, ${TOTAL} indicators`, value: Number((statSync(path).size / 2 ** 20).toFixed(1)), unit: 'MiB' });
    lookUps(path, print);
    await enrichAll(path, print);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function lookUps(path: string, print: Print): void {
  const reader = openStoreCore(path, { readOnly: true });
  const times = new Float64Array(LOOKUPS);
  for (let n = 0; n < LOOKUPS; n++) {
    const { value } = indicatorAt((n * 7919) % TOTAL);
    const start = performance.now();
    const found = reader.get(value, 1_795_100_000);
    times[n] = (performance.now() - start) * 1000;
    if (found === null) throw new Error(`${value} is missing`);
  }
  reader.close();
  times.sort();
  print({ name: 'store look-up, median', value: Number(quantile(times, 0.5).toFixed(1)), unit: 'µs' });
  print({ name: 'store look-up, p99', value: Number(quantile(times, 0.99).toFixed(1)), unit: 'µs' });
}

async function enrichAll(path: string, print: Print): Promise<void> {
  const store = await openStore(path);
  const ms = await timed(async () => {
    for (let at = 0; at < TOTAL; at += BATCH) {
      await store.record(
        Array.from({ length: BATCH }, (_, n) => [indicatorAt(at + n).value, enrichmentAt(at + n)] as const),
        1_795_200_000,
      );
    }
  });
  await store.close();
  print({ name: 'store answers recorded', value: Math.round(TOTAL / (ms / 1000)), unit: 'indicators/s' });
  print({
    name: `store file, ${TOTAL} indicators with answers and history`,
    value: Number((statSync(path).size / 2 ** 20).toFixed(1)),
    unit: 'MiB',
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function batchAt(start: number, length: number): Observation[] {
  return Array.from({ length }, (_, n) => observationAt(start + n));
}

function observationAt(n: number): Observation {
  return {
    indicator: indicatorAt(n),
    source: n % 3 === 0 ? 'misp' : 'urlhaus',
    tags: ['malware_download', `family-${n % 200}`],
    tlp: 'CLEAR',
    confidence: n % 101,
    firstSeen: '2026-11-01T10:00:00.000Z',
    lastSeen: '2026-11-20T10:00:00.000Z',
    validUntil: null,
    reference: n % 4 === 0 ? `https://urlhaus.abuse.ch/url/${n}/` : null,
    isRevoked: false,
    judged: null,
  };
}

/** The mix of a real feed set: addresses, names, URLs, SHA-256 hashes; spread over the key space. */
function indicatorAt(n: number): Indicator {
  const spread = Math.imul(n, 2_654_435_761) >>> 0;
  switch (n % 4) {
    case 0:
      return { type: 'url', value: `http://host-${spread.toString(36)}.com/path/${n}/payload.exe` };
    case 1:
      return {
        type: 'ipv4-addr',
        value: `${1 + ((spread >>> 24) % 222)}.${(spread >>> 16) & 255}.${(spread >>> 8) & 255}.${spread & 255}-${n}`,
      };
    case 2:
      return { type: 'domain-name', value: `c2-${spread.toString(36)}-${n}.net` };
    default:
      return { type: 'file:sha256', value: spread.toString(16).padStart(8, '0').repeat(7) + n.toString(16).padStart(8, '0') };
  }
}

function enrichmentAt(n: number): Enrichment {
  const score = n % 101;
  const answer: Answer = {
    verdict: score >= 70 ? 'malicious' : 'suspicious',
    status: 'ok',
    score,
    confidence: 90,
    tier: score >= 80 ? 'p1' : 'log',
    autoResolve: false,
    categories: ['c2'],
    attributes: [],
    sightings: 12,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message: null,
    providers: [
      {
        provider: 'ismalicious',
        status: 'ok',
        verdict: 'malicious',
        score,
        confidence: 90,
        categories: ['c2'],
        attributes: [],
        sightings: 12,
        firstSeen: null,
        lastSeen: null,
        reference: null,
        contribution: score,
        message: null,
      },
    ],
  };
  return { input: '', indicator: null, answer, source: 'live', checkedAtS: 1_795_200_000, expiresAtS: 1_795_286_400 };
}

if (import.meta.main) await run((figure) => process.stdout.write(`${JSON.stringify(figure)}\n`));
