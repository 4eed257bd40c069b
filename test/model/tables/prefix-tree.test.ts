import { BlockList } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIndicator } from '../../../src/model/parse-indicator.ts';
import { buildPrefixTree } from '../../../src/model/tables/prefix-tree.ts';
import type { PrefixTree } from '../../../src/model/tables/prefix-tree.ts';

function treeOf(patterns: string[]): PrefixTree<string> {
  const { tree, faults } = buildPrefixTree(patterns.map((pattern) => ({ pattern, value: pattern })));
  expect(faults).toEqual([]);
  return tree;
}

function match(tree: PrefixTree<string>, raw: string): string | undefined {
  const parsed = parseIndicator(raw);
  if (parsed.kind === 'invalid') throw new Error(`${raw}: ${parsed.reason}`);
  return tree.match(parsed.indicator);
}

describe('networks', () => {
  const tree = treeOf([
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '0.0.0.0/1',
    '255.255.255.255/32',
    '198.51.100.0/24',
    '2001:db8::/32',
    '2001:db8:1::/48',
    '2001:db8::1',
    'ff00::/8',
  ]);
  it.each([
    ['9.255.255.255', '0.0.0.0/1'], ['10.0.0.0', '10.0.0.0/8'], ['10.0.255.255', '10.0.0.0/8'], ['10.1.0.0', '10.1.0.0/16'], ['10.1.2.2', '10.1.0.0/16'], ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.4', '10.1.0.0/16'], ['10.1.255.255', '10.1.0.0/16'], ['10.2.0.0', '10.0.0.0/8'], ['10.255.255.255', '10.0.0.0/8'], ['11.0.0.0', '0.0.0.0/1'], ['127.255.255.255', '0.0.0.0/1'],
    ['128.0.0.0', undefined], ['198.51.99.255', undefined], ['198.51.100.0', '198.51.100.0/24'], ['198.51.100.255', '198.51.100.0/24'], ['198.51.101.0', undefined],
    ['255.255.255.254', undefined], ['255.255.255.255', '255.255.255.255/32'],
    ['2001:db7:ffff::', undefined], ['2001:db8::', '2001:db8::/32'], ['2001:db8::1', '2001:db8::1'], ['2001:db8::2', '2001:db8::/32'], ['2001:db8:1::5', '2001:db8:1::/48'],
    ['2001:db8:1:ffff:ffff:ffff:ffff:ffff', '2001:db8:1::/48'], ['2001:db8:2::', '2001:db8::/32'], ['2001:db9::', undefined], ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ff00::/8'],
    ['http://10.1.2.3:8080/a', '10.1.2.3'], ['http://[2001:db8::1]/', '2001:db8::1'], ['a@[10.2.0.1]', '10.0.0.0/8'], ['::ffff:10.2.0.1', '10.0.0.0/8'],
  ])('%s falls under %s', (address, pattern) => expect(match(tree, address)).toBe(pattern)); // prettier-ignore

  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'], ['10.0.0.0/7', '0.0.0.0/1'], ['10.1.0.0/16', '10.1.0.0/16'], ['10.1.0.0/15', undefined], ['10.0.0.0/15', '10.0.0.0/8'], ['10.1.2.3/32', '10.1.2.3'],
    ['10.1.2.0/24', '10.1.0.0/16'], ['128.0.0.0/1', undefined], ['0.0.0.0/0', undefined], ['2001:db8::/32', '2001:db8::/32'], ['2001:db8::/31', undefined],
    ['2001:db8:1::/47', undefined], ['2001:db8:1:8000::/49', '2001:db8:1::/48'], ['10.1.2.3/8', undefined], ['junk', undefined],
  ])('the network %s lies wholly in %s', (network, pattern) => expect(tree.matchNetwork(network)).toBe(pattern)); // prettier-ignore

  it('says the same as a walk over all networks', () => {
    const octet = fc.constantFrom(0, 1, 10, 127, 128, 255);
    const network = fc.tuple(octet, octet, octet, octet, fc.integer({ min: 0, max: 32 })).map(([a, b, c, d, length]) => {
      const address = (((a << 24) | (b << 16) | (c << 8) | d) & (length === 0 ? 0 : -1 << (32 - length))) >>> 0;
      return { text: `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`, length };
    });
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 12 }),
        fc.array(fc.tuple(octet, octet, octet, octet), { minLength: 20, maxLength: 20 }),
        (networks, addresses) => {
          const { tree: built } = buildPrefixTree(
            networks.map(({ text, length }) => ({ pattern: `${text}/${length}`, value: `${text}/${length}` })),
          );
          const lists = networks.map(({ text, length }) => {
            const list = new BlockList();
            list.addSubnet(text, length, 'ipv4');
            return { list, length, name: `${text}/${length}` };
          });
          for (const parts of addresses) {
            const value = parts.join('.');
            const around = lists.filter(({ list }) => list.check(value, 'ipv4')).sort((a, b) => b.length - a.length);
            expect(built.match({ type: 'ipv4-addr', value })).toBe(around[0]?.name);
            const mapped = built.match({ type: 'ipv6-addr', value: `2001::${value}` });
            expect(mapped).toBeUndefined();
          }
        },
      ),
      { numRuns: 1_500, seed: 36 },
    );
  });
});

describe('names and other values', () => {
  const tree = treeOf([
    'corp.com', '.sub.corp.com', '*.star.com', '=www.exact.com', 'exact.org', '=exact.org', 'MÜNCHEN.de', 'local', 'http://evil.com/a', 'boss@evil.com', 'd41d8cd98f00b204e9800998ecf8427e',
  ]); // prettier-ignore
  it.each([
    ['corp.com', 'corp.com'], ['a.corp.com', 'corp.com'], ['a.b.corp.com', 'corp.com'], ['xcorp.com', undefined], ['corp.com.evil.net', undefined], ['com', undefined],
    ['sub.corp.com', '.sub.corp.com'], ['a.sub.corp.com', '.sub.corp.com'], ['xsub.corp.com', 'corp.com'], ['a.star.com', '*.star.com'],
    ['www.exact.com', '=www.exact.com'], ['a.www.exact.com', undefined], ['exact.com', undefined], ['exact.org', '=exact.org'], ['a.exact.org', 'exact.org'],
    ['www.münchen.de', 'MÜNCHEN.de'], ['printer.local', 'local'], ['local', 'local'],
    ['https://a.corp.com:8443/x?y', 'corp.com'], ['https://corp.com', 'corp.com'], ['http://evil.com/a', 'http://evil.com/a'], ['http://evil.com/b', undefined], ['http://evil.com/?q=corp.com', undefined],
    ['me@a.corp.com', 'corp.com'], ['boss@evil.com', 'boss@evil.com'], ['big.boss@evil.com', undefined], ['corp.com@evil.net', undefined],
    ['D41D8CD98F00B204E9800998ECF8427E', 'd41d8cd98f00b204e9800998ecf8427e'], ['e41d8cd98f00b204e9800998ecf8427e', undefined],
  ])('%s falls under %s', (raw, pattern) => expect(match(tree, raw)).toBe(pattern)); // prettier-ignore

  it('says what could not be read, by its place', () => {
    const { tree: built, faults } = buildPrefixTree(
      ['corp.com', '10.0.0.1/8', 'two words', '1.2.3', '10.0.0.0/33', ''].map((pattern) => ({ pattern, value: true })),
    );
    expect(built.size).toBe(1);
    expect(faults.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
    expect(faults[0]?.reason).toMatch(/bits set/);
  });

  it('lets the later of two equal patterns win', () => {
    const entries = ['corp.com', '10.0.0.0/8', '=a.com', '2001:db8::/32'].flatMap((pattern) => [
      { pattern, value: 1 },
      { pattern, value: 2 },
    ]);
    const { tree: built } = buildPrefixTree(entries);
    for (const raw of ['x.corp.com', '10.1.1.1', 'a.com', '2001:db8::1']) {
      const parsed = parseIndicator(raw);
      expect(parsed.kind !== 'invalid' && built.match(parsed.indicator)).toBe(2);
    }
  });

  it('finds each of 60,000 names and no other', () => {
    const name = (n: number): string => `h${(n * 2654435761) % 4294967296}.n${n % 977}.com`;
    const { tree: built } = buildPrefixTree(Array.from({ length: 60_000 }, (_, n) => ({ pattern: name(n), value: n % 5 })));
    for (let n = 0; n < 60_000; n += 1) {
      expect(built.match({ type: 'domain-name', value: `x.${name(n)}` })).toBe(n % 5);
      expect(built.match({ type: 'domain-name', value: `x${name(n)}` })).toBeUndefined();
    }
  });

  it('holds nothing when it is empty', () => {
    const { tree: built } = buildPrefixTree<string>([]);
    for (const raw of ['8.8.8.8', '2001:db8::1', 'a.com', 'http://a.com/', 'a@b.com']) expect(match(built, raw)).toBeUndefined();
  });
});
