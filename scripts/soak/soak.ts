import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startGateway, startProgram, withServers } from '../bench/gateway-processes.ts';
import { quantile } from '../bench/median.ts';
import { NEW_SHARE, startLoad } from './soak-load.ts';
import { fifthsOf, floorsOf, medianOf, type Point, trendOf } from './slopes.ts';

const SAMPLE_MS = 5000;
const WARM_UP_SHARE = 1 / 3;
/** More than the values that are asked again and again. */
const LEAST_ENTRIES = 4000;
const MOST_ENTRIES = 20_000;
/** So many samples give one floor: between two collections the heap only grows. */
const FLOOR_SAMPLES = 4;
const MIB = 1024 * 1024;

/** Bars. */
const MOST_MIB_PER_MINUTE = 1;
const MOST_NEW_FILES = 8;
const LEAST_RATE = 0.8;
/** Of the median, over the whole time. */
const MOST_SLOWER = 0.25;

/** One look at the sidecar. */
interface Sample {
  readonly minute: number;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly files: number;
  readonly perS: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One bar: what was measured, and whether it is met. */
export interface SoakFinding {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bar: string;
  readonly isMet: boolean;
}

/** How a sidecar is soaked. */
export interface SoakOptions {
  readonly minutes: number;
  /** Calls a second; three of ten ask for a new value, and one of twenty of the provider's answers is a failure. */
  readonly perS: number;
  /** Told of each sample. */
  readonly onSample: (sample: Sample) => void;
}

/** Runs a sidecar under steady load and judges the slopes of its memory, heap, open files, latency and rate after the first third. */
export async function soak(options: SoakOptions): Promise<SoakFinding[]> {
  const { minutes, perS, onSample } = options;
  const samples: Sample[] = [];
  await withServers(async (folder, keep) => {
    const api = keep(await startProgram('../soak/soak-api.ts'));
    const env = { ...cachesFor(options), ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`, ISMALICIOUS_BULK: 'false' };
    const sidecar = keep(await startGateway(join(folder, 'state'), env));
    const load = startLoad(sidecar.port, { perS });
    const beganMs = performance.now();
    let lastMs = beganMs;
    while (performance.now() - beganMs < minutes * 60_000) {
      await wait(SAMPLE_MS);
      const nowMs = performance.now();
      const { answered, failed, latenciesMs } = load.take();
      const sorted = latenciesMs.toSorted((a, b) => a - b);
      const sample = {
        minute: (nowMs - beganMs) / 60_000,
        rssMib: sidecar.rssMib(),
        heapMib: await heapMibOf(sidecar.port),
        files: readdirSync(`/proc/${sidecar.pid}/fd`).length,
        perS: answered / ((nowMs - lastMs) / 1000),
        failed,
        p50Ms: medianOf(sorted),
        p99Ms: quantile(sorted, 0.99),
      };
      lastMs = nowMs;
      samples.push(sample);
      onSample(sample);
    }
    load.stop();
  });
  return findingsOf(samples);
}

/** Caches so small that new values have filled them halfway to where the slopes begin: what grows after that grows without bound. */
function cachesFor({ minutes, perS }: SoakOptions): Record<string, string> {
  const filled = perS * NEW_SHARE * minutes * 60 * WARM_UP_SHARE * 0.5;
  const entries = String(Math.round(Math.min(MOST_ENTRIES, Math.max(LEAST_ENTRIES, filled))));
  return { ISMALICIOUS_CACHE_MEMORY_ENTRIES: entries, ISMALICIOUS_SIDECAR_FRONT_CACHE_ENTRIES: entries };
}

async function heapMibOf(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^nodejs_heap_size_used_bytes (\d+)/m.exec(text)?.[1]) / MIB;
}

function findingsOf(all: readonly Sample[]): SoakFinding[] {
  const samples = all.slice(Math.floor(all.length * WARM_UP_SHARE));
  const series = (figure: Exclude<keyof Sample, 'minute'>): Point[] =>
    samples.map((sample) => ({ minute: sample.minute, value: sample[figure] }));
  const rate = fifthsOf(series('perS'));
  const files = series('files').map(({ value }) => value);
  const failed = all.reduce((sum, sample) => sum + sample.failed, 0);
  const newFiles = Math.max(...files) - (files[0] ?? 0);
  return [
    growth('memory', floorsOf(series('rssMib'), FLOOR_SAMPLES)),
    growth('heap', floorsOf(series('heapMib'), FLOOR_SAMPLES)),
    {
      name: 'open files, more than at first',
      value: newFiles,
      unit: 'files',
      bar: `${MOST_NEW_FILES} at most`,
      isMet: newFiles <= MOST_NEW_FILES,
    },
    slowdown(series('p50Ms')),
    {
      name: 'rate, last fifth of the first',
      value: rate.last / rate.first,
      unit: 'times',
      bar: `${LEAST_RATE} at least`,
      isMet: rate.last / rate.first >= LEAST_RATE,
    },
    { name: 'calls without an answer', value: failed, unit: 'calls', bar: 'none', isMet: failed === 0 },
  ];
}

function growth(name: string, points: readonly Point[]): SoakFinding {
  const { perMinute, rises } = trendOf(points);
  const bar = `${MOST_MIB_PER_MINUTE} at most, or no more than chance`;
  return { name: `${name}, slope`, value: perMinute, unit: 'MiB/min', bar, isMet: !rises || perMinute <= MOST_MIB_PER_MINUTE };
}

function slowdown(points: readonly Point[]): SoakFinding {
  const { perMinute, rises } = trendOf(points);
  const minutes = (points.at(-1)?.minute ?? 0) - (points[0]?.minute ?? 0);
  const share = (perMinute * minutes) / medianOf(points.map(({ value }) => value));
  const bar = `${MOST_SLOWER} at most, or no more than chance`;
  return { name: 'latency, slope over the whole time', value: share, unit: 'of the median', bar, isMet: !rises || share <= MOST_SLOWER };
}
