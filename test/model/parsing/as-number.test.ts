import { expect, it } from 'vitest';
import { readListCell } from '../../../src/model/formats/list-cell.ts';
import { cellOfColumn, isAsNumber, readAsNumber, spellAsNumber } from '../../../src/model/parsing/as-number.ts';
import { buildPrefixTree } from '../../../src/model/tables/prefix-tree.ts';

it.each([
  ['AS64500', 64_500],
  ['as64500', 64_500],
  [' ASN 64500 ', 64_500],
  ['ASN:701', 701],
  ['ASN701', 701],
  ['AS4294967295', 4_294_967_295],
  ['AS4294967296', null],
  ['ASN0', null],
  ['AS400', null],
  ['as400-test', null],
  ['64500', null],
  ['AS', null],
  ['AS64500.example.com', null],
])('%j is the number of an autonomous system: %s', (text, number) => {
  expect([readAsNumber(text), isAsNumber(text)]).toEqual([number, number !== null]);
});

it.each([
  ['asn', '64500', 64_500],
  ['ASN', ' AS701 ', 701],
  ['autonomous_system_number', '1', 1],
  ['asn', '64500, 64501', null],
  ['asn', 'none', null],
  ['ip', '64500', null],
])('in a column %s, %j is read as %s', (column, cell, number) => {
  expect(readAsNumber(cellOfColumn(column, cell))).toBe(number);
});

it('one that is known to be one keeps no spelling in which it could be something else', () => {
  expect(['7', 'AS400', 'as 64500', 'x'].map(spellAsNumber)).toEqual(['ASN7', 'ASN400', 'ASN64500', 'x']);
});

it.each([
  ['AS64500 ; BAD-NET', ['AS64500']],
  ['AS64500 # spam', ['AS64500']],
  ['AS64500  EVIL-CORP, RU', ['AS64500']],
  ['AS64500, AS64501', ['AS64500', 'AS64501']],
  ['ASN 64502', ['ASN 64502']],
])('the line %j of a list names %j', (line, values) => {
  expect(readListCell(line)).toEqual(values);
});

it('among networks of our own it is a fault, with what to list instead', () => {
  expect(buildPrefixTree([{ pattern: 'AS64500', value: 1 }]).faults).toEqual([{ index: 0, reason: expect.stringContaining('CIDR') }]);
});
