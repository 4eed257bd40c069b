import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAlertPayload, readAlertResults } from '../../src/splunkd/alert/alert-payload.ts';
import { readCsvRows, RFC_4180 } from '../../src/model/formats/csv-rows.ts';
import { decodeCell, encodeCell, readHeader } from '../../src/rows/csv-cells.ts';
import { readMultivalue, writeMultivalue } from '../../src/rows/multivalue.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-huge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Beyond what V8's regular expressions can walk with a group that repeats: 12 million characters, quotes and line ends among them. */
const HUGE = '198.51.100.7 said "no"\n'.repeat(12_000_000 / 23);
const isHuge = (text: string | undefined) => text === HUGE;

describe('a cell of 12 MB with quotes and line ends', () => {
  it('is decoded', () => expect(isHuge(decodeCell(encodeCell(HUGE)))).toBe(true));

  it('is a header name like any other', () => {
    const bytes = Buffer.from(`a,${encodeCell(HUGE)},b\n`);
    expect(isHuge(readHeader(bytes, 0, bytes.length - 1).cells[1]?.name)).toBe(true);
  });

  it('is one of the values of a __mv_ cell', () => {
    const values = readMultivalue(writeMultivalue([HUGE, '45.155.205.9', 'a$b']));
    expect(isHuge(values[0])).toBe(true);
    expect(values.slice(1)).toEqual(['45.155.205.9', 'a$b']);
  });

  it('is read from a CSV text', () => {
    const [header, row] = readCsvRows(`a,b\r\n${encodeCell(HUGE)},1\r\n`, RFC_4180).rows;
    expect(header).toEqual(['a', 'b']);
    expect(isHuge(row?.[0])).toBe(true);
    expect(row?.[1]).toBe('1');
  });

  it("is read from an alert's results, as a plain cell and as several values", () => {
    const path = join(folder, 'results.csv');
    const several = encodeCell(writeMultivalue([HUGE, '198.51.100.9']));
    writeFileSync(path, `note,dest,__mv_dest\n${encodeCell(HUGE)},198.51.100.9,${several}\n`);
    const payload = readAlertPayload(JSON.stringify({ sid: '1', search_name: 'x', owner: 'x', results_file: path, configuration: {} }));
    const [result] = readAlertResults(payload).results;
    expect(isHuge(result?.note as string)).toBe(true);
    const values = result?.dest as string[];
    expect(isHuge(values[0])).toBe(true);
    expect(values[1]).toBe('198.51.100.9');
  });
});
