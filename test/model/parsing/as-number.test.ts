import { describe, expect, it } from 'vitest';
import { openLocalLists } from '../../../src/compose/lists/local-lists.ts';
import { collectPage } from '../../../src/feeds/reading/collect-page.ts';
import { isAsNumber } from '../../../src/model/parsing/as-number.ts';
import { buildPrefixTree } from '../../../src/model/tables/prefix-tree.ts';
import { parseList } from '../../../src/providers/local/local-list.ts';

it.each([
  ['AS64500', true],
  ['as64500', true],
  ['ASN 64500', true],
  ['ASN:701', true],
  ['AS400', false],
  ['as400-test', false],
  ['64500', false],
  ['AS', false],
  ['AS64500.example.com', false],
])('%j is the number of an autonomous system: %s', (text, is) => {
  expect(isAsNumber(text)).toBe(is);
});

describe('autonomous systems in lists are said to match nothing, with count and reason', () => {
  it('in a list of our own, beside what it matches', () => {
    const text = '203.0.112.0/20\nAS64500 ; BAD-NET\nAS64501\nASN 64502\nevil-host.net\n';
    const { entries, faults } = parseList('ours', text);
    expect(entries.map(({ value }) => value)).toEqual(['203.0.112.0/20', 'evil-host.net']);
    expect(faults).toEqual([expect.stringMatching(/^ours: AS64500 is an autonomous system.*CIDR form, and 2 more like it$/)]);
  });

  it('in a column of their own', () => {
    expect(parseList('ours', 'asn,note\nAS64500,x\n').faults).toEqual([expect.stringMatching(/AS64500 is an autonomous system/)]);
  });

  it('in a page of a feed and among networks of our own', () => {
    const page = collectPage('csv');
    page.add('AS64500', {});
    expect(page.page(null, null).rejected).toEqual([{ raw: 'AS64500', reason: expect.stringContaining('autonomous system') }]);
    expect(buildPrefixTree([{ pattern: 'AS64500', value: 1 }]).faults).toEqual([{ index: 0, reason: expect.stringContaining('CIDR') }]);
  });
});

it('an address is found by the network that a list names, the smallest one first', () => {
  const lists = openLocalLists({
    lists: [],
    allowLists: [],
    sample: 'value,verdict\n203.0.112.0/20,suspicious\n203.0.114.0/24,malicious\n',
    watches: false,
  });
  const verdictOf = (value: string) => lists.lookup({ type: 'ipv4-addr', value })?.verdict;
  expect([verdictOf('203.0.114.7'), verdictOf('203.0.112.1'), verdictOf('203.0.128.1')]).toEqual(['malicious', 'suspicious', undefined]);
  lists.close();
});
