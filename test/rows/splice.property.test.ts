import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toSplunkCells } from '../../src/mapping/splunk.ts';
import { outputFields } from '../../src/rows/row-enricher.ts';
import { FakeEnricher } from '../support/fake-enricher.ts';
import { readCsv } from '../support/csv-oracle.ts';
import { MemoryInput, executeOf, getinfoOf, readFrames, replay } from '../support/splunk-streams.ts';

/** A table whose every cell is kept as the text it was written as, so that the reply can be foretold to the byte. */
interface WrittenTable {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The value looked up in each row. */
  readonly values: readonly string[];
  readonly lineEnd: string;
  readonly hasLastLineEnd: boolean;
  readonly hasBom: boolean;
}

const OUTPUTS = outputFields({ fields: ['dest_ip'], prefix: 'im_', details: false });
const FIELD = 'dest_ip';

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function write(text: string, isQuoted: boolean): string {
  return isQuoted || /[",\r\n]/.test(text) ? quote(text) : text;
}

const cellText = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '\r\n', 'a', '$', ';', ' ', 'é', '🚀'), maxLength: 8 }),
);

const indicator = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 5, max: 11 }).map((n) => `203.0.113.${n}`) },
  { weight: 2, arbitrary: fc.ipV4() },
  { weight: 1, arbitrary: fc.constant('10.0.0.1') },
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constant('not an indicator') },
);

const name = fc
  .string({ unit: fc.constantFrom('a', 'b', '_', '"', ',', ' ', 'ü', '\n'), minLength: 1, maxLength: 6 })
  .filter((text) => !text.startsWith('im_') && text !== FIELD);

const table: fc.Arbitrary<WrittenTable> = fc
  .record({
    others: fc.uniqueArray(fc.oneof(name, fc.constantFrom('im_verdict', '__mv_im_verdict', 'im_score', '_chunked_idx')), { maxLength: 6 }),
    at: fc.nat(),
    rows: fc.array(fc.record({ value: indicator, cells: fc.array(cellText, { minLength: 8, maxLength: 8 }), isQuoted: fc.boolean() }), {
      maxLength: 12,
    }),
    isHeaderQuoted: fc.boolean(),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    hasLastLineEnd: fc.boolean(),
    hasBom: fc.boolean(),
  })
  .map(({ others, at, rows, isHeaderQuoted, ...rest }) => {
    const place = at % (others.length + 1);
    const names = [...others.slice(0, place), FIELD, ...others.slice(place)];
    return {
      ...rest,
      names: names.map((text) => write(text, isHeaderQuoted)),
      // A single empty cell without quotes would be a line without anything.
      rows: rows.map((row) =>
        names.map((text, n) => write(text === FIELD ? row.value : row.cells[n]!, row.isQuoted || names.length === 1)),
      ),
      values: rows.map((row) => row.value),
    };
  });

function textOf(written: WrittenTable): string {
  const lines = [written.names.join(','), ...written.rows.map((row) => row.join(','))];
  return (written.hasBom ? '\uFEFF' : '') + lines.join(written.lineEnd) + (written.hasLastLineEnd ? written.lineEnd : '');
}

/** The reply, put together from the written cells and the mapping: no byte of it is read from the program. */
function foretell(written: WrittenTable, enricher: FakeEnricher): string {
  const isKept = written.names.map((text) => !/^"?(__mv_)?im_/.test(text));
  const cleared = written.names.some((text) => /^"?__mv_im_verdict"?$/.test(text)) ? ['__mv_im_verdict'] : [];
  const kept = (cells: readonly string[]) => cells.filter((_, n) => isKept[n]);
  const shown = new Set<string>();
  const lines = written.rows.map((row, n) => {
    const value = written.values[n]!;
    const cells = value === '' ? emptyCells() : cellsOf(value, enricher, shown);
    return [...kept(row), ...cells.map((cell) => write(cell, false)), ...cleared.map(() => '')].join(',');
  });
  const hasKeptBom = written.hasBom && isKept[0];
  const head = [...kept(written.names), ...OUTPUTS, ...cleared].join(',');
  return (hasKeptBom ? '\uFEFF' : '') + [head, ...lines].join(written.lineEnd) + (written.hasLastLineEnd ? written.lineEnd : '');
}

function cellsOf(value: string, enricher: FakeEnricher, shown: Set<string>): string[] {
  const enrichment = enricher.peek(value) ?? enricher.answers.get(value)!;
  const wasPaid = enricher.paid.includes(value) && enrichment.source !== 'none';
  const source = wasPaid ? (shown.has(value) ? 'coalesced' : 'live') : enrichment.source;
  shown.add(value);
  return toSplunkCells({ ...enrichment, source }, FIELD);
}

function emptyCells(): string[] {
  return [
    'unknown',
    '',
    '',
    '',
    '',
    'skipped_empty',
    'log',
    'False',
    'none',
    '',
    '',
    FIELD,
    '',
    '',
    '',
    '',
    `the field ${FIELD} is empty here: nothing was looked up`,
  ];
}

describe('splicing', () => {
  it('copies every byte of a row that is not replaced, in order, and adds the mapping’s cells', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 64 }), async (written, piece) => {
        const enricher = new FakeEnricher();
        const input = new MemoryInput(Buffer.concat([getinfoOf([FIELD]), executeOf(textOf(written))]), piece);
        const { status, replies } = await replay(input, enricher);
        expect(status).toBe(0);
        expect(replies[1]!.body).toBe(foretell(written, enricher));
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same rows however the values of a multivalue field are spread', async () => {
    const values = fc.uniqueArray(
      fc.integer({ min: 5, max: 11 }).map((n) => `203.0.113.${n}`),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 6 }), async (groups) => {
        const plain = groups.map((group) => write(group.join('\n'), false));
        const multivalue = groups.map((group) => (group.length === 1 ? '' : write(group.map((value) => `$${value}$`).join(';'), false)));
        const withColumn = `dest_ip,__mv_dest_ip\n${plain.map((cell, n) => `${cell},${multivalue[n]}`).join('\n')}\n`;
        const without = `dest_ip,other\n${plain.map((cell) => `${cell},`).join('\n')}\n`;
        const bodies = await Promise.all(
          [withColumn, without].map(
            async (body) => (await replay(Buffer.concat([getinfoOf([FIELD]), executeOf(body)]), new FakeEnricher())).tables[0]!,
          ),
        );
        const added = bodies.map((body) => body.rows.map((row) => row.slice(2)));
        expect(added[0]).toEqual(added[1]);
        for (const [n, group] of groups.entries()) expect(group).toContain(added[0]![n]![OUTPUTS.indexOf('im_indicator')]);
      }),
      { numRuns: 100 },
    );
  });

  it('completes rows that are too short and cuts rows that are too long, so that no cell slips into another column', async () => {
    const ragged = fc.array(fc.array(fc.constantFrom('', 'x', '"y,1"', '203.0.113.5'), { minLength: 1, maxLength: 7 }), { maxLength: 8 });
    const tables = fc.constantFrom(
      ['a', 'im_verdict', 'dest_ip', '__mv_dest_ip', 'im_score', 'b'],
      ['im_verdict', '__mv_im_verdict', 'dest_ip', 'a', 'b'],
      ['im_verdict', 'im_score', 'im_tier', 'dest_ip'],
    );
    await fc.assert(
      fc.asyncProperty(tables, ragged, fc.constantFrom('\n', '\r\n'), async (names, rows, lineEnd) => {
        const body = [names.join(','), ...rows.map((row) => row.join(','))].join(lineEnd) + lineEnd;
        const { replies } = await replay(Buffer.concat([getinfoOf([FIELD]), executeOf(body)]), new FakeEnricher());
        const reply = readCsv(replies[1]!.body);
        const input = readCsv(body);
        expect(reply.rows.length).toBe(input.rows.length);
        for (const [n, row] of reply.rows.entries()) {
          expect(row.length).toBe(reply.header.length);
          for (const column of names.filter((text) => !/^(__mv_)?im_/.test(text))) {
            expect(row[reply.header.indexOf(column)]).toBe(input.rows[n]![(names as readonly string[]).indexOf(column)] ?? '');
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('reading', () => {
  const input = Buffer.concat([
    getinfoOf(['dest_ip']),
    executeOf('_time,dest_ip,__mv_dest_ip\n1,203.0.113.5,\n2,"203.0.113.6\n203.0.113.7",$203.0.113.6$;$203.0.113.7$\n', false),
    executeOf('_time,dest_ip,__mv_dest_ip\n', false),
    executeOf('dest_ip\r\n"203.0.113.7"\r\n'),
  ]);

  it.each([1, 2, 3, 7, 64, 1000])('gives the same replies when the input comes %i bytes at a time', async (piece) => {
    const whole = await replay(input, new FakeEnricher());
    const pieces = await replay(new MemoryInput(input, piece), new FakeEnricher());
    expect(pieces.output.equals(whole.output)).toBe(true);
    expect(whole.replies.length).toBe(4);
  });

  it('answers a stream cut at any byte with the replies to the whole frames before, and then one error', async () => {
    const whole = await replay(input, new FakeEnricher());
    const ends = [0];
    let size = 0;
    for (const frame of readFrames(input)) {
      size += Buffer.byteLength(`chunked 1.0,${JSON.stringify(frame.metadata).length},${Buffer.byteLength(frame.body)}\n`);
      size += JSON.stringify(frame.metadata).length + Buffer.byteLength(frame.body);
      ends.push(size);
    }
    expect(size).toBe(input.length);
    for (let cut = 0; cut <= input.length; cut++) {
      const { status, replies, messages } = await replay(input.subarray(0, cut), new FakeEnricher());
      const complete = ends.filter((end) => end > 0 && end <= cut).length;
      const isWhole = ends.includes(cut);
      expect({ cut, status, replies: replies.length }).toEqual({ cut, status: isWhole ? 0 : 1, replies: complete + (isWhole ? 0 : 1) });
      expect(replies.slice(0, complete)).toEqual(whole.replies.slice(0, complete));
      if (!isWhole) expect(messages.at(-1)![0]).toBe('ERROR');
    }
  });
});
