import { expect, it } from 'vitest';
import { wildcard } from '../../../src/model/tables/wildcard.ts';

it.each([
  ['destination.ip', 'destination.ip', true],
  ['destination.ip', 'destination.ipx', false],
  ['file.hash.*', 'file.hash.sha256', true],
  ['file.hash.*', 'file.hash.', true],
  ['file.hash.*', 'file.hash', false],
  ['*.ip', 'destination.ip', true],
  ['*.ip', '.ip', true],
  ['*.ip', 'ip', false],
  ['*', '', true],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'acb', false],
  ['ab*ba', 'aba', false],
  ['a*a', 'a', false],
  ['file.hash', 'fileXhash', false],
])('%s fits %s: %j', (pattern, text, fits) => {
  expect(wildcard(pattern)(text)).toBe(fits);
});
