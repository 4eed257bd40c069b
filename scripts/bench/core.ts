import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Indicator } from '../../src/model/indicator.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { buildPrefixTree } from '../../src/model/tables/prefix-tree.ts';
import type { Print } from './figure.ts';

/** Work on `count` values; the sum it gives keeps the work from being optimised away. */
interface Case {
  readonly name: string;
  readonly count: number;
  readonly run: () => number;
}

const ROUNDS = 7;
const VALUES = 20_000;
const LIST_NAMES = 2_000_000;
const LIST_NETWORKS = 500_000;

/**
 * CPU time of what happens to every value of every event: classify, normalise, look into the memory cache; and a look-up in lists of
 * 2,000,000 names and 500,000 networks. Medians of seven interleaved rounds.
 */
export async function run(print: Print): Promise<void> {
  const mixes = { ipv4: asRead(ipv4Mix()), ipv6: asRead(ipv6Mix()), domain: asRead(domainMix()), url: asRead(urlMix()) };
  const ours = Object.entries(mixes).map(([name, values]) => ourCase(name, values));
  // The peers cannot read defanged values: they get plain ones.
  const plain = { ipv4: asRead(mixes.ipv4.map(undotted)), domain: asRead(mixes.domain.map(undotted)) };
  const costs = measure([
    ...ours,
    { name: 'ipv4-peer', count: VALUES, run: blockListCase(plain.ipv4) },
    { name: 'ipv6-peer', count: VALUES, run: () => sumOf(mixes.ipv6, (value) => new URL(`http://[${value}]`).hostname.length) },
    { name: 'domain-peer', count: VALUES, run: () => sumOf(plain.domain, (value) => new URL(`http://${value}`).hostname.length) },
    { name: 'url-peer', count: VALUES, run: () => sumOf(mixes.url, (value) => new URL(value).href.length) },
  ]);
  const peers = {
    ipv4: 'net.isIP + net.BlockList.check',
    ipv6: 'new URL("http://[x]").hostname',
    domain: 'new URL("http://x").hostname',
    url: 'new URL(x).href',
  };
  for (const [name, peer] of Object.entries(peers)) {
    const value = costs.get(name) ?? Number.NaN;
    print({
      name: `core ${name}: classify + normalise + cache get`,
      value: rounded(value),
      unit: 'ns CPU',
      peer: `${peer}, no cache`,
      ratio: rounded(value / (costs.get(`${name}-peer`) ?? Number.NaN), 2),
    });
  }
  measureLists(print);
}

function measureLists(print: Print): void {
  const random = randomFrom(7);
  const before = memory();
  const started = process.cpuUsage();
  const built = buildPrefixTree(listEntries(random));
  const buildMs = cpuMicros(started) / 1000;
  const heldBytes = memory() - before;
  const { tree } = built;
  const indicators = [...ipv4Mix(), ...ipv6Mix(), ...domainMix(), ...urlMix()].flatMap((value): Indicator[] => {
    const parsed = parseIndicator(value);
    return parsed.kind === 'invalid' ? [] : [parsed.indicator];
  });
  const costs = measure([
    { name: 'match', count: indicators.length, run: () => sumOf(indicators, (indicator) => tree.match(indicator) ?? 0) },
  ]);
  print({
    name: 'lists: look-up among 2,000,000 names and 500,000 networks',
    value: rounded(costs.get('match') ?? Number.NaN),
    unit: 'ns CPU',
  });
  print({ name: 'lists: memory held', value: rounded(heldBytes / 1_048_576), unit: 'MiB' });
  print({ name: 'lists: build', value: rounded(buildMs), unit: 'ms CPU' });
}

function* listEntries(random: () => number): Generator<{ pattern: string; value: number }> {
  for (let n = 0; n < LIST_NAMES; n += 1)
    yield { pattern: `site${Math.floor(random() * 1e9).toString(36)}.${n % 3 === 0 ? 'co.uk' : 'com'}`, value: n % 100 };
  for (let n = 0; n < LIST_NETWORKS; n += 1) {
    const address = Math.floor(random() * 2 ** 24);
    const text = `${address >>> 16}.${(address >>> 8) & 255}.${address & 255}.0/24`;
    yield { pattern: n % 10 === 0 ? `2a00:${(address >>> 12).toString(16)}:${(address & 0xfff).toString(16)}::/48` : text, value: n % 100 };
  }
}

function ourCase(name: string, values: readonly string[]): Case {
  const cache = new LRUCache<string, { score: number }>({ max: 100_000 });
  for (const value of values) {
    const parsed = parseIndicator(value);
    if (parsed.kind === 'public') cache.set(parsed.indicator.value, { score: 1 });
  }
  return {
    name,
    count: values.length,
    run: () =>
      sumOf(values, (value) => {
        const parsed = parseIndicator(value);
        return parsed.kind === 'public' ? (cache.get(parsed.indicator.value)?.score ?? 0) : 0;
      }),
  };
}

function blockListCase(values: readonly string[]): () => number {
  const list = new BlockList();
  const blocks: [string, number][] = [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.168.0.0', 16], ['224.0.0.0', 3]]; // prettier-ignore
  for (const [address, length] of blocks) list.addSubnet(address, length, 'ipv4');
  return () => sumOf(values, (value) => (isIP(value) === 4 && list.check(value, 'ipv4') ? 1 : 0));
}

/** Median CPU nanoseconds per value and case, all cases taking turns. */
function measure(cases: readonly Case[]): Map<string, number> {
  const times = new Map(cases.map(({ name }): [string, number[]] => [name, []]));
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const { name, count, run: work } of cases) {
      const started = process.cpuUsage();
      for (let turn = 0; turn < 5; turn += 1) if (Number.isNaN(work())) throw new Error(`${name}: no sum`);
      if (round >= 0) times.get(name)?.push((cpuMicros(started) * 1000) / count / 5);
    }
  }
  return new Map([...times].map(([name, each]) => [name, each.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN]));
}

function cpuMicros(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function sumOf<T>(values: readonly T[], work: (value: T) => number): number {
  let sum = 0;
  for (const value of values) sum += work(value);
  return sum;
}

/** As hosts get them: made from bytes, in one piece. */
function asRead(values: readonly string[]): string[] {
  return values.map((value) => Buffer.from(value).toString('latin1'));
}

function undotted(value: string): string {
  return value.replaceAll('[.]', '.');
}

function rounded(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/** Nine in ten public, one private; two in a hundred written in another form. */
function ipv4Mix(): string[] {
  const random = randomFrom(1);
  return Array.from({ length: VALUES }, (_, n) => {
    const address =
      n % 10 === 0
        ? `10.${n & 255}.${(n >> 8) & 255}.7`
        : `${11 + Math.floor(random() * 88)}.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`;
    return n % 50 === 3 ? address.replaceAll('.', '[.]') : address;
  });
}

function ipv6Mix(): string[] {
  const random = randomFrom(2);
  return Array.from({ length: VALUES }, (_, n) => {
    const groups = Array.from({ length: 7 }, () => Math.floor(random() * 65_536).toString(16));
    const address = `2a00:${groups.join(':')}`;
    return n % 50 === 3 ? address.toUpperCase() : address;
  });
}

function domainMix(): string[] {
  const random = randomFrom(3);
  const words = ['update', 'secure', 'login', 'cdn', 'mail', 'img', 'static', 'files'];
  const word = (): string => words[Math.floor(random() * words.length)] ?? 'a';
  return Array.from({ length: VALUES }, (_, n) => {
    const name = `${word()}${n.toString(16)}.${word()}-${word()}.${n % 3 === 0 ? 'co.uk' : 'com'}`;
    return n % 50 === 3 ? name.toUpperCase() : n % 50 === 4 ? name.replaceAll('.', '[.]') : name;
  });
}

function urlMix(): string[] {
  return domainMix().map((name, n) => `http${n % 5 === 0 ? '' : 's'}://${undotted(name)}/files/${(n * 7919).toString(16)}?id=${n}&q=a%20b`);
}

/** Small deterministic generator (mulberry32), 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
