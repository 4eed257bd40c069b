import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvError } from '../../../../src/rows/csv-cells.ts';
import { fillLookupTable } from '../../../../src/rows/lookup-table.ts';
import { SearchNotes } from '../../../../src/rows/search-notes.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { hasFixtures, projectRoot, readFixture } from '../../../support/fixtures.ts';
import { MemoryOutput } from '../../../support/splunk-streams.ts';

/** Runs one lookup; `opened` counts how often the engine was asked for. */
async function lookUp(
  table: string | Buffer,
  args: string[] = [],
  enricher = new FakeEnricher(),
  notes = new SearchNotes(),
): Promise<{ text: string; opened: number }> {
  const bytes = Buffer.concat([Buffer.from(table), Buffer.from('\n')]);
  const output = new MemoryOutput();
  let opened = 0;
  await fillLookupTable(bytes, bytes.length - 1, {
    args,
    output,
    notes,
    nowS: 1_700_000_000,
    open: () => {
      opened++;
      return Promise.resolve(enricher);
    },
  });
  return { text: output.bytes.toString(), opened };
}

describe('the playbook’s lookup', () => {
  it('fills its fields in place, for known and unknown, failed, private, invalid and empty values', async () => {
    const values = ['203.0.113.5', '203.0.113.6', '203.0.113.7', '203.0.113.8', '203.0.113.9', '10.0.0.1', 'junk', ''];
    const header = 'query,im_malicious,im_score,im_category,im_confidence,im_verdict,im_status';
    const { text } = await lookUp(`${header}\n${values.map((value) => `${value},,,,,,\n`).join('')}`);
    expect(text.split('\n')).toEqual([
      header,
      '203.0.113.5,True,92,"c2, botnet",90,malicious,ok',
      '203.0.113.6,False,61,scanner,60,suspicious,ok',
      '203.0.113.7,False,3,,95,clean,ok',
      '203.0.113.8,,,,,unknown,ok',
      '203.0.113.9,,,,,unknown,timeout',
      '10.0.0.1,,,,,unknown,skipped_private',
      'junk,,,,,unknown,invalid',
      ',,,,,unknown,skipped_empty',
      '',
    ]);
  });

  it.each<[string, string[], string, string]>([
    ['the key named by an argument', ['ip'], 'x,im_score,ip\na,,203.0.113.5\n', 'x,im_score,ip\na,92,203.0.113.5\n'],
    [
      'the key in the middle, columns of ours on both sides',
      [],
      'im_score,query,keep,im_verdict\n,203.0.113.5,"k,1",\n',
      'im_score,query,keep,im_verdict\n92,203.0.113.5,"k,1",malicious\n',
    ],
    ['no such key: the first column', ['nope'], 'indicator,im_score\n203.0.113.5,\n', 'indicator,im_score\n203.0.113.5,92\n'],
    ['only some of the columns', [], 'query,im_score\n203.0.113.5,\n', 'query,im_score\n203.0.113.5,92\n'],
    [
      'values already there are replaced',
      [],
      'query,im_score,im_verdict\n203.0.113.5,7,"old, one"\n',
      'query,im_score,im_verdict\n203.0.113.5,92,malicious\n',
    ],
    [
      'a column named twice',
      [],
      'query,im_score,im_score,query\n203.0.113.5,,,203.0.113.7\n',
      'query,im_score,im_score,query\n203.0.113.5,92,92,203.0.113.7\n',
    ],
    [
      'CRLF, quotes and no last line end',
      [],
      'query,im_score\r\n"203.0.113.5",""\r\n203.0.113.6,',
      'query,im_score\r\n"203.0.113.5",92\r\n203.0.113.6,61',
    ],
    [
      'rows that are too short',
      [],
      'query,x,im_score\n203.0.113.5\n203.0.113.6,y\n',
      'query,x,im_score\n203.0.113.5,,92\n203.0.113.6,y,61\n',
    ],
    ['rows that are too long', [], 'query,im_score\n203.0.113.5,,z\n203.0.113.6,\n', 'query,im_score\n203.0.113.5,92,z\n203.0.113.6,61\n'],
    ['a byte order mark', [], '\uFEFFquery,im_score\n203.0.113.5,\n', '\uFEFFquery,im_score\n203.0.113.5,92\n'],
    [
      'several values in one key: the worst',
      [],
      'query,im_score\n"203.0.113.7\n203.0.113.5",\n',
      'query,im_score\n"203.0.113.7\n203.0.113.5",92\n',
    ],
  ])('%s', async (_, args, table, wanted) => {
    expect((await lookUp(table, args)).text).toBe(wanted);
  });

  it.each([
    ['a header without rows', 'query,im_score\n'],
    ['nothing', ''],
    ['no column to fill', 'query,host\n203.0.113.5,a\n'],
    ['one column', 'query\n203.0.113.5\n\n203.0.113.6\n'],
    ['empty keys only', 'query,other\n,\n,\n'],
  ])('%s: the table goes back as it came, and nothing is asked', async (_, table) => {
    expect(await lookUp(table)).toEqual({ text: table, opened: 0 });
  });

  it('asks once for each distinct value', async () => {
    const enricher = new FakeEnricher();
    await lookUp(`query,im_score\n${'203.0.113.5,\n203.0.113.6,\n'.repeat(500)}`, [], enricher);
    expect(enricher.calls.map((call) => call.values)).toEqual([['203.0.113.5', '203.0.113.6']]);
  });

  it('counts what failed, by kind', async () => {
    const notes = new SearchNotes();
    await lookUp(`query,im_score\n${'203.0.113.9,\n203.0.113.10,\n'.repeat(20)}`, [], new FakeEnricher(), notes);
    notes.sumUp();
    expect(notes.take().inspector?.messages.map(([level, text]) => `${level} ${text.slice(0, 46)}`)).toEqual([
      'WARN isMalicious: 1 value not looked up: timeout – ',
      'WARN isMalicious: 1 value not looked up: unauthoriz',
    ]);
  });

  it('refuses a table that cannot be read without guessing, before a byte is written', async () => {
    await expect(lookUp('query,im_score\n"203.0.113.5,\n')).rejects.toThrow(CsvError);
  });

  it('keeps the number and the order of 100,000 rows', async () => {
    const keys = Array.from({ length: 100_000 }, (_, n) => (n % 10 === 0 ? '' : `198.${n % 251}.${n % 241}.${n % 239}`));
    const { text } = await lookUp(`query,im_verdict\n${keys.map((key) => `${key},\n`).join('')}`);
    const table = readCsv(text);
    expect(columnOf(table, 'query')).toEqual(keys);
    expect(new Set(columnOf(table, 'im_verdict'))).toEqual(new Set(['clean', 'malicious', 'suspicious', 'unknown']));
  });

  it('keeps row count, order and every other cell of any table', async () => {
    const cell = fc.constantFrom('', 'x', '"y,1"', '"two\nlines"', '203.0.113.5', '203.0.113.7', 'é');
    const names = fc.array(fc.constantFrom('query', 'im_score', 'im_verdict', 'im_status', 'host', 'other'), {
      minLength: 2,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.array(fc.array(cell, { minLength: 2, maxLength: 7 }), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        async (header, rows, lineEnd) => {
          const table = [header.join(','), ...rows.map((row) => row.join(','))].join(lineEnd) + lineEnd;
          const after = readCsv((await lookUp(table)).text);
          const before = readCsv(table);
          expect(after.header).toEqual(before.header);
          expect(after.rows.length).toBe(before.rows.length);
          for (const [n, row] of after.rows.entries()) {
            for (const [column, name] of header.entries()) {
              // Without a column named query the first one is the key, which may be one of ours.
              const isOurs = name.startsWith('im_') && !(column === 0 && !header.includes('query'));
              if (!isOurs) expect(row[column] ?? '').toBe(before.rows[n]![column] ?? '');
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.skipIf(!hasFixtures).each(['forward', 'odd_values'])('recorded shape %s.in.csv: same rows, same header', async (name) => {
    const table = readFixture(`splunk/lookup/${name}.in.csv`);
    const before = readCsv(table.toString());
    const after = readCsv((await lookUp(table, ['indicator'])).text);
    expect(after.header).toEqual(before.header);
    expect(columnOf(after, 'indicator')).toEqual(columnOf(before, 'indicator'));
    expect(columnOf(after, 'im_tier').every((tier) => tier !== '')).toBe(true);
  });
});

describe('the program', () => {
  const program = `${projectRoot}/src/hosts/splunk/programs/lookup.ts`;

  function run(input: string, env: Record<string, string> = {}) {
    const state = mkdtempSync(join(tmpdir(), 'splunk-lookup-'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'query'], {
      input,
      env: { ...env, ISMALICIOUS_STATE_DIR: state },
    });
    rmSync(state, { recursive: true, force: true });
    return { status, output: stdout.toString(), log: stderr.toString() };
  }

  it('answers from the embedded default without key and network, and logs nothing', () => {
    const { status, output, log } = run('query,im_malicious,im_status\n198.51.100.7,,\n10.0.0.1,,\n');
    expect({ status, log }).toEqual({ status: 0, log: '' });
    expect(output).toBe('query,im_malicious,im_status\n198.51.100.7,True,ok\n10.0.0.1,,skipped_private\n');
  });

  it('fails aloud with settings that are wrong: no row goes out', () => {
    const { status, output, log } = run('query,im_malicious\n198.51.100.7,\n', {
      ISMALICIOUS_BASE_URL: 'http://api.example.com',
      ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==',
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(log).toMatch(/^isMalicious: /);
    expect(log).not.toContain('a2V5OnNlY3JldA');
  });
});
