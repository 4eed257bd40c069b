import { describe, expect, it } from 'vitest';
import { readCsvRows, RFC_4180 } from '../../../src/model/formats/csv-rows.ts';

const LIST = { delimiter: ',', mayBreak: (cell: number) => cell > 0 };

describe('what programs write', () => {
  it.each([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['a\r\n"x, ""y""\nz"\r\n', [['a'], ['x, "y"\nz']]],
    ['\uFEFFa\n\n\nb', [['a'], ['b']]],
    [
      'a,\n,b',
      [
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['#1,a\n', [['#1', 'a']]],
    [`"${'x\n'.repeat(200)}"\n`, [['x\n'.repeat(200)]]],
    ['', []],
  ])('%j is %j', (text, rows) => {
    expect(readCsvRows(text, RFC_4180)).toEqual({ rows, broken: [], comments: [] });
  });

  it('a quote that is never closed costs its own line', () => {
    expect(readCsvRows('a\n"b\nc\n', RFC_4180)).toMatchObject({ rows: [['a'], ['c']], broken: ['"b'] });
  });
});

describe('a list that people keep', () => {
  it.each([
    ['# note\na,b\n', { rows: [['a', 'b']], comments: [' note'] }],
    ['a,"b\nc"\n', { rows: [['a', 'b\nc']], broken: [] }],
    ['"a\nb",c\n', { rows: [['b"', 'c']], broken: ['"a'] }],
    ['a, "b"\n', { rows: [['a', 'b']], broken: [] }],
    ['a,"b"c\nd\n', { rows: [['d']], broken: ['a,"b"c'] }],
    ['a\rb\r', { rows: [['a'], ['b']], broken: [] }],
  ])('%j gives %j', (text, found) => {
    expect(readCsvRows(text, LIST)).toMatchObject(found);
  });

  it('a cell of more than fifty lines is a quote that was opened by mistake', () => {
    expect(readCsvRows(`a,"${'x\n'.repeat(51)}"\n`, LIST).broken[0]).toBe('a,"x');
  });
});
