import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CsvError,
  decodeCell,
  encodeCell,
  endOfCell,
  endOfLongQuotes,
  endOfQuotes,
  readHeader,
  wordsOf,
} from '../../src/rows/csv-cells.ts';
import { readMultivalue } from '../../src/rows/multivalue.ts';
import { ValueTable } from '../../src/rows/value-table.ts';

/** Text with the LF behind its end that the scanner relies on. */
function bytesOf(text: string): { bytes: Buffer; end: number } {
  const bytes = Buffer.from(`${text}\n`);
  return { bytes, end: bytes.length - 1 };
}

describe('a cell', () => {
  it.each([
    ['plain', 'plain'],
    ['"quoted"', 'quoted'],
    ['"a ""b"" c"', 'a "b" c'],
    ['""', ''],
    ['""""', '"'],
    ['a"b', 'a"b'],
    ['"a"b', 'ab'],
    ['"a"b"c"', 'ab"c"'],
    ['"line\r\nbreak"', 'line\r\nbreak'],
  ])('%j reads %j', (raw, text) => {
    expect(decodeCell(raw)).toBe(text);
  });

  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
    ['a\rb', '"a\rb"'],
    [' padded ', ' padded '],
  ])('%j is written %j', (text, raw) => {
    expect(encodeCell(text)).toBe(raw);
  });

  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'x', 'é') }), (text) => decodeCell(encodeCell(text)) === text),
    );
  });

  it.each([
    ['abc,d', 3],
    ['abc\nd', 3],
    ['abc', 3],
    ['', 0],
    ['"a,b",c', 5],
    ['"a""b",c', 6],
    ['"a\nb"\n', 5],
    ['"a"junk,', 7],
  ])('%j ends at %i', (text, at) => {
    const { bytes, end } = bytesOf(text);
    expect(endOfCell(bytes, 0, end)).toBe(at);
  });

  it.each(['"', '"abc', '"ab""', '"ab,\n'])('%j is never closed', (text) => {
    const { bytes, end } = bytesOf(text);
    expect(() => endOfCell(bytes, 0, end)).toThrow(CsvError);
  });
});

describe('a header', () => {
  it.each<[string, string[], number, number]>([
    ['', [''], 0, 0],
    ['a', ['a'], 1, 1],
    [',a,', ['', 'a', ''], 3, 3],
    ['"a","b,c",d\n1', ['a', 'b,c', 'd'], 11, 12],
    ['a,b\r\nx', ['a', 'b'], 3, 5],
    ['\uFEFFa,"b"\nx', ['a', 'b'], 8, 9],
    ['"a\n""b""",c\n', ['a\n"b"', 'c'], 11, 12],
  ])('%j names %j', (text, names, contentEnd, rowsFrom) => {
    const { bytes, end } = bytesOf(text);
    const header = readHeader(bytes, 0, end);
    expect(header.cells.map((cell) => cell.name)).toEqual(names);
    expect(header.cells.map((cell) => cell.raw).join(',')).toBe(bytes.toString('utf8', 0, contentEnd));
    expect(header).toMatchObject({ contentEnd, rowsFrom });
  });
});

describe('a multivalue', () => {
  it.each<[string, string[]]>([
    ['$a$;$b$', ['a', 'b']],
    ['$a;b$;$c$$d$;$e$', ['a;b', 'c$d', 'e']],
    ['$$', ['']],
    ['$$$$', ['$']],
    ['$a\nb$;$$', ['a\nb', '']],
    ['plain', []],
    ['', []],
  ])('%j holds %j', (text, values) => {
    expect(readMultivalue(text)).toEqual(values);
  });
});

describe('numbers of values', () => {
  it('are the same for the same bytes only, beyond every growth, and give the text back', () => {
    const table = new ValueTable();
    const texts = Array.from({ length: 60_000 }, (_, n) => `${(n * 2_654_435_761) % 1_000_003}.example${n % 7 === 0 ? 'é' : ''}`);
    const ids = new Map<string, number>();
    for (const text of texts) {
      const id = table.idOfText(text);
      expect(ids.get(text) ?? id).toBe(id);
      ids.set(text, id);
    }
    expect(new Set(ids.values()).size).toBe(ids.size);
    for (const [text, id] of ids) expect(table.textOf(id)).toBe(text);
    const source = Buffer.from(`x,${texts[5]!},y`);
    expect(table.idOf(source, 2, source.length - 2)).toBe(ids.get(texts[5]!));
    table.clear();
    expect(table.textOf(table.idOfText('after'))).toBe('after');
  });

  it('tell values apart that only differ in length or in their last byte', () => {
    const table = new ValueTable();
    expect(new Set(['a', 'aa', 'ab', 'b', 'a\0', '\0'].map((text) => table.idOfText(text))).size).toBe(6);
  });
});

describe('a long quoted cell', () => {
  const bytes = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(33, 34, 35, 162, 98, 10, 44) }, fc.integer({ min: 0, max: 255 })),
    {
      maxLength: 40,
    },
  );
  const ending = (find: () => number) => {
    try {
      return find();
    } catch (error) {
      return error instanceof CsvError ? error.message : error;
    }
  };

  it('ends, read by words, where it ends read by bytes', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 7 }), (inside, before) => {
        const end = before + 1 + inside.length;
        const text = Buffer.concat([Buffer.alloc(before, 97), Buffer.from([34, ...inside, 10, 34, 34, 34])]);
        const whole = Buffer.from(new Uint8Array(text).buffer);
        expect(ending(() => endOfLongQuotes(whole, wordsOf(whole)!, before, end))).toEqual(ending(() => endOfQuotes(whole, before, end)));
      }),
      { numRuns: 5000 },
    );
  });

  it('is read by bytes where words do not begin', () => {
    expect(wordsOf(Buffer.from(new ArrayBuffer(16), 1, 8))).toBeNull();
  });
});
