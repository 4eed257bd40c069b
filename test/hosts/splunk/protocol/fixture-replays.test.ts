import { describe, expect, it } from 'vitest';
import { outputFields } from '../../../../src/rows/row-enricher.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { hasFixtures, readFixture, readJsonFixture } from '../../../support/fixtures.ts';
import { frameOf, getinfoOf, readFrames, replay } from '../../../support/splunk-streams.ts';

interface WireMeaning {
  readonly args: readonly string[];
  readonly replies_expected: number;
  readonly executes: readonly {
    finished: boolean;
    fields: readonly string[];
    rows: readonly Readonly<Record<string, string | string[]>>[];
  }[];
}

const OUTPUTS = outputFields({ fields: [], prefix: 'im_', details: false });

/** The bytes of a body's rows, taken apart by the oracle's rules. */
function keptCells(body: string, header: readonly string[]): string[][] {
  const table = readCsv(body);
  return header.map((name) => columnOf(table, name));
}

describe.skipIf(!hasFixtures)('made-up streams', () => {
  const names = ['01_two_chunks', '02_multivalue', '03_text', '04_selected_fields', '05_header_only_first', '07_preview_and_unknown_keys'];

  it.each(names)('%s: a reply for each request, every row in place and untouched', async (name) => {
    const meaning = readJsonFixture(`splunk/wire/${name}.json`) as WireMeaning;
    const requests = readFrames(readFixture(`splunk/wire/${name}.input`));
    const { status, replies, tables, complaints } = await replay(readFixture(`splunk/wire/${name}.input`), new FakeEnricher());
    expect({ status, complaints }).toEqual({ status: 0, complaints: [] });
    expect(replies.length).toBe(meaning.replies_expected);
    for (const [n, execute] of meaning.executes.entries()) {
      const input = readCsv(requests[n + 1]!.body);
      const reply = tables[n]!;
      expect(replies[n + 1]!.metadata.finished).toBe(execute.finished);
      expect(reply.header).toEqual([...input.header, ...OUTPUTS]);
      expect(reply.rows.length).toBe(execute.rows.length);
      expect(keptCells(replies[n + 1]!.body, input.header)).toEqual(keptCells(requests[n + 1]!.body, input.header));
      const asked = execute.rows.map((row) => row.dest_ip).map((value) => (Array.isArray(value) ? value : [value]));
      for (const [row, indicator] of columnOf(reply, 'im_indicator').entries())
        expect(asked[row]!.map((value) => value!.trim())).toContain(indicator);
    }
  });

  it('06_options: an option that is not ours is one clear error', async () => {
    const { status, messages, replies } = await replay(readFixture('splunk/wire/06_options.input'), new FakeEnricher());
    expect({ status, replies: replies.length, messages: messages.length }).toEqual({ status: 1, replies: 1, messages: 1 });
    expect(messages[0]![1]).toContain('"min_score"');
    expect(messages[0]![1]).toContain('"note"');
  });
});

describe.skipIf(!hasFixtures)('recordings of a real Splunk', () => {
  /** The recorded search asked another command: only the words after the command's name are replaced by ours. */
  function retarget(path: string, field: string): Buffer {
    const [, ...executes] = readFrames(readFixture(path));
    return Buffer.concat([getinfoOf([field]), ...executes.map((frame) => frameOf(frame.metadata, frame.body))]);
  }

  it.each([
    ['countmatches.input', 'text'],
    ['countmatches.input', '_serial'],
    ['sum.map.input', 'host'],
    ['sum.map.input', '_raw'],
    ['sum.reduce.input', 'total'],
  ])('%s, looking up %s: rows byte for byte, our cells behind them', async (name, field) => {
    const path = `splunk/recordings/${name}`;
    const { status, replies, tables } = await replay(retarget(path, field), new FakeEnricher());
    expect(status).toBe(0);
    const body = readFrames(readFixture(path))[1]!.body;
    const input = readCsv(body);
    const [table] = tables;
    expect(table!.header).toEqual([...input.header, ...OUTPUTS]);
    expect(table!.rows.map((row) => row.slice(0, input.header.length))).toEqual(input.rows);
    // Taking our cells away leaves the input: text by text, not only value by value.
    let rest = replies[1]!.body;
    for (const row of table!.rows) {
      const added = row.slice(input.header.length).map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
      const at = rest.indexOf(`,${added.join(',')}`);
      expect(at).toBeGreaterThan(-1);
      rest = rest.slice(0, at) + rest.slice(at + added.join(',').length + 1);
    }
    expect(rest.replace(`,${OUTPUTS.join(',')}`, '')).toBe(body);
  });

  it('accepts metadata that counts a line break at its end, and an execute without a body', async () => {
    const { status, replies } = await replay(
      Buffer.concat([getinfoOf(['host']), rawFrames('splunk/recordings/generatehello.input').at(-1)!]),
      new FakeEnricher(),
    );
    expect(status).toBe(0);
    expect(replies[1]).toEqual({ metadata: { finished: false }, body: '' });
  });

  function rawFrames(path: string): Buffer[] {
    const stream = readFixture(path);
    const starts = [0, stream.indexOf('chunked 1.0', 1)];
    return starts.map((start, n) => stream.subarray(start, starts[n + 1] ?? stream.length));
  }
});
