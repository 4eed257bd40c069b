import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalLists } from '../../src/compose/lists/local-lists.ts';
import { asDatabaseAt } from '../../src/engine/as-numbers/as-database.ts';
import { withAsNumbers } from '../../src/engine/as-numbers/with-as-numbers.ts';
import type { LocalSource } from '../../src/engine/privacy/local-source.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { mmdbFile, type MmdbValue } from '../../test/support/mmdb-file.ts';
import { randomOf } from '../random.ts';
import type { Print } from './figure.ts';
import { median, rounded } from './median.ts';

const ROUNDS = 7;
const IPV4_NETWORKS = 330_000;
const IPV6_NETWORKS = 80_000;
const SYSTEMS = 80_000;
/** Far more than are remembered, so that each is looked up in the file. */
const VALUES = 100_000;
const FEW = 5000;

/** CPU time of a file of AS numbers as large as GeoLite2-ASN: of opening it, and of a look-up in own lists that name 400 of them. */
export function run(print: Print): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-as-numbers-'));
  const [path, list] = [join(folder, 'asn.mmdb'), join(folder, 'list.txt')];
  const random = randomOf(7);
  const bytes = mmdbFile(networks(random));
  writeFileSync(path, bytes);
  writeFileSync(list, Array.from({ length: 400 }, (_, n) => `AS${1000 + n * 150}\n`).join(''));
  const ipv4 = Array.from({ length: VALUES }, (): Indicator => ({ type: 'ipv4-addr', value: `${ipv4Start(random)}.7` }));
  const ipv6 = Array.from({ length: VALUES }, (): Indicator => ({ type: 'ipv6-addr', value: `${ipv6Start(random)}::7` }));
  const few = Array.from({ length: VALUES }, (_, n) => ipv4[n % FEW] as Indicator);
  const costs = new Map<string, number[]>();
  const note = (name: string, cost: number) => costs.set(name, [...(costs.get(name) ?? []), cost]);
  for (let round = 0; round < ROUNDS; round += 1) {
    const asDatabase = asDatabaseAt(path);
    note('open', cpuMicros(() => asDatabase.open()) / 1000);
    const plain = openLocalLists({ lists: [list], allowLists: [], sample: null, asDatabase, watches: false });
    const lists = withAsNumbers(plain, asDatabase);
    note('plain', perValue(plain, ipv4));
    note('ipv4', perValue(lists, ipv4));
    note('ipv6', perValue(lists, ipv6));
    perValue(lists, few);
    note('again', perValue(lists, few));
    plain.close();
  }
  rmSync(folder, { recursive: true });
  const figure = (name: string) => rounded(median(costs.get(name) ?? []));
  print({ name: `open a file of ${rounded(bytes.length / 1e6)} MB`, value: figure('open'), unit: 'ms CPU' });
  const peer = 'the same lists, without AS numbers';
  for (const [name, what] of [
    ['ipv4', 'look-up of an IPv4 address, the first time'],
    ['again', 'the same, of one that was looked up before'],
    ['ipv6', 'look-up of an IPv6 address, the first time'],
  ] as const)
    print({ name: what, value: figure(name), unit: 'µs CPU', peer, ratio: rounded(figure(name) / figure('plain')) });
  return Promise.resolve();
}

function networks(random: () => number): Record<string, MmdbValue> {
  const all: Record<string, MmdbValue> = {};
  const owner = () => {
    const asNumber = 1000 + Math.floor(random() * SYSTEMS);
    return { autonomous_system_number: asNumber, autonomous_system_organization: `Organization of number ${asNumber} Ltd` };
  };
  for (let n = 0; n < IPV4_NETWORKS; n += 1) all[`${ipv4Start(random)}.0/24`] = owner();
  for (let n = 0; n < IPV6_NETWORKS; n += 1) all[`${ipv6Start(random)}::/32`] = owner();
  return all;
}

function ipv4Start(random: () => number): string {
  return `${11 + Math.floor(random() * 80)}.${Math.floor(random() * 256)}.${Math.floor(random() * 64)}`;
}

function ipv6Start(random: () => number): string {
  return `2a0${Math.floor(random() * 8)}:${(0x1000 + Math.floor(random() * 0x3000)).toString(16)}`;
}

function perValue(lists: Pick<LocalSource, 'lookup'>, values: readonly Indicator[]): number {
  return cpuMicros(() => values.forEach((value) => lists.lookup(value))) / values.length;
}

function cpuMicros(work: () => void): number {
  const started = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(started);
  return user + system;
}
