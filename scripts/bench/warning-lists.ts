// What a look-up in MISP's own warning lists costs: all 119 of them, from a venv with pymispwarninglists under .cache/ (never copied in).
// python3 -m venv .cache/warninglists && .cache/warninglists/bin/pip install --no-deps pymispwarninglists==1.7.0
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWarningLists } from '../../src/compose/infrastructure/warning-lists.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';

const LOOKUPS = 200_000;
const EVERY = 40;

/** Measures loading, memory, and the time of one look-up over members and strangers. */
export async function run(print: (figure: { name: string; value: number; unit: string }) => void): Promise<void> {
  const [folder] = globSync('.cache/warninglists/lib/*/site-packages/pymispwarninglists/data/misp-warninglists/lists');
  if (folder === undefined) {
    process.stderr.write('no warning lists under .cache/warninglists: see the head of scripts/bench/warning-lists.ts\n');
    return;
  }
  globalThis.gc?.();
  const before = process.memoryUsage();
  const startedMs = performance.now();
  const lists = openWarningLists([folder], []);
  const loadedMs = performance.now() - startedMs;
  globalThis.gc?.();
  const after = process.memoryUsage();
  const members = membersOf(folder);
  const strangers = Array.from({ length: LOOKUPS }, (_, n) => indicatorOf(`host-${n}.strange-${n % 977}.example`)).filter(
    (one) => one !== null,
  );
  print({ name: 'entries', value: lists.stats().reduce((sum, { entries }) => sum + entries, 0), unit: '' });
  print({ name: 'loading', value: Math.round(loadedMs), unit: 'ms' });
  print({
    name: 'memory',
    value: Math.round((after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20),
    unit: 'MiB',
  });
  for (const [name, values] of [
    ['members', members],
    ['strangers', strangers],
  ] as const) {
    let hits = 0;
    for (const value of values.slice(0, 20_000)) if (lists.lookup(value)) hits++;
    const fromMs = performance.now();
    hits = 0;
    for (const value of values) if (lists.lookup(value)) hits++;
    const perUs = ((performance.now() - fromMs) * 1000) / values.length;
    print({ name: `look-up, ${name}`, value: Math.round(perUs * 1000) / 1000, unit: 'µs' });
    print({ name: `found, ${name}`, value: Math.round((hits / values.length) * 1000) / 10, unit: '%' });
  }
}

function indicatorOf(value: string): Indicator | null {
  const parsed = parseIndicator(value);
  return parsed.kind === 'invalid' ? null : parsed.indicator;
}

/** Every fortieth entry of every list, in an order that helps no cache. */
function membersOf(folder: string): Indicator[] {
  const all = readdirSync(folder).flatMap((name) => {
    const { list } = JSON.parse(readFileSync(join(folder, name, 'list.json'), 'utf8')) as { list: string[] };
    return list.filter((_, n) => n % EVERY === 0).map((entry) => indicatorOf(entry.replace(/^\./, 'www.').replace(/\/\d+$/, '')));
  });
  const known = all.filter((one) => one !== null);
  return known.map((_, n) => known[(n * 7919) % known.length] as Indicator).slice(0, LOOKUPS);
}
