import { describe, expect, it } from 'vitest';
import { fillLookupTable } from '../../../../src/rows/lookup-table.ts';
import { SearchNotes } from '../../../../src/rows/search-notes.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { frameOf, getinfoOf, MemoryOutput, readFrames, replay } from '../../../support/splunk-streams.ts';

/** Values that differ in bytes, are no UTF-8, and read the same once decoded. */
const TWINS = [Buffer.from([0x6e, 0xe6]), Buffer.from([0x6e, 0xe7]), Buffer.from([0x6e, 0xff])];
const tableOf = (header: string, rest: string) =>
  Buffer.concat([Buffer.from(header), ...TWINS.flatMap((value) => [value, Buffer.from(rest)]), Buffer.from(`203.0.113.5${rest}`)]);

describe('bytes that are no UTF-8', () => {
  it('are values like any other to a search: each row is answered, and comes back as it was', async () => {
    const body = tableOf('ip\n', '\n');
    const { status, output } = await replay(
      Buffer.concat([getinfoOf(['ip']), frameOf({ action: 'execute', finished: true }, body)]),
      new FakeEnricher(),
    );
    expect(status).toBe(0);
    for (const value of TWINS) expect(output.includes(Buffer.concat([Buffer.from('\n'), value, Buffer.from(',')]))).toBe(true);
    const verdicts = readFrames(output)
      .at(-1)!
      .body.split('\n')
      .slice(1, -1)
      .map((row) => row.split(',')[1]);
    expect([verdicts.length, new Set(verdicts.slice(0, 3)).size, verdicts[3]]).toEqual([4, 1, 'malicious']);
  });

  it('are keys like any other to the lookup', async () => {
    const table = tableOf('query,im_verdict\n', ',\n');
    const output = new MemoryOutput();
    const bytes = Buffer.concat([table, Buffer.from('\n')]);
    const open = () => Promise.resolve(new FakeEnricher());
    await fillLookupTable(bytes, table.length, { args: [], output, notes: new SearchNotes(), nowS: 1_700_000_000, open });
    const rows = output.bytes.toString('latin1').split('\n').slice(1, -1);
    expect(rows.map((row) => row.split(',')[0])).toEqual([...TWINS.map((value) => value.toString('latin1')), '203.0.113.5']);
    expect(rows[3]).toBe('203.0.113.5,malicious');
    expect(new Set(rows.slice(0, 3).map((row) => row.split(',')[1])).size).toBe(1);
  });
});
