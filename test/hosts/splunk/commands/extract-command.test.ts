import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { extractFromFile } from '../../../../src/extract/extract.ts';
import { answerExtract } from '../../../../src/hosts/splunk/commands/extract-command.ts';
import { EXTRACT_FIELDS } from '../../../../src/hosts/splunk/commands/extract-chunk.ts';
import { readExtractOptions } from '../../../../src/hosts/splunk/commands/extract-options.ts';
import { readMultivalue } from '../../../../src/rows/multivalue.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { fixturesFolder, projectRoot } from '../../../support/fixtures.ts';
import { executeOf, frameOf, getinfoOf, MemoryInput, MemoryOutput, readFrames } from '../../../support/splunk-streams.ts';

const PROGRAM = join(projectRoot, 'src/hosts/splunk/programs/extract.ts');
const DRIVER = join(fixturesFolder, '../tools/bench/chunked_driver.py');
const folder = mkdtempSync(join(tmpdir(), 'splunk-extract-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OUTPUTS = EXTRACT_FIELDS.map((name) => `im_${name}`);

async function extract(args: readonly string[], requests: readonly Buffer[], piece = Infinity) {
  const output = new MemoryOutput();
  const log: string[] = [];
  let loads = 0;
  const load = () => {
    loads++;
    return Promise.resolve((text: string, withHosts: boolean) => extractFromFile(Buffer.from(text), { isUnique: true, withHosts }));
  };
  const input = new MemoryInput(Buffer.concat([getinfoOf(args), ...requests]), piece);
  const status = await answerExtract({ input, output, complain: (line) => log.push(line) }, load);
  const frames = readFrames(output.bytes);
  const messages = frames.flatMap(({ metadata }) => (metadata.inspector as { messages: [string, string][] } | undefined)?.messages ?? []);
  return { status, log, frames, messages, loads, tables: frames.slice(1).map(({ body }) => readCsv(body)) };
}

async function table(args: readonly string[], body: string) {
  const { status, tables } = await extract(args, [executeOf(body)]);
  expect(status).toBe(0);
  return tables[0]!;
}

describe('| ismaliciousextract', () => {
  it('asks for its fields, adds what it finds as multivalues that belong together, and keeps every other cell', async () => {
    const body =
      'n,_raw,__mv_n,__mv__raw\n1,"get hxxps://evil[.]example[.]com/a, then 8.8.8[.]8",,\n2,"plain, 1.2.3",$a$;$b$,\n3,9.9.9.9 costs $5,,\n';
    const { frames, tables, messages, loads } = await extract([], [executeOf('n,_raw\n', false), executeOf(body)]);
    expect(frames[0]?.metadata).toEqual({ type: 'stateful', required_fields: ['_raw', ...OUTPUTS] });
    expect(tables[1]!.header).toEqual(['n', '_raw', '__mv_n', '__mv__raw', ...OUTPUTS, ...OUTPUTS.map((name) => `__mv_${name}`)]);
    for (const name of ['n', '_raw', '__mv_n']) expect(columnOf(tables[1]!, name)).toEqual(columnOf(readCsv(body), name));
    expect(columnOf(tables[1]!, 'im_extracted')).toEqual(['https://evil.example.com/a\nevil.example.com\n8.8.8.8', '', '9.9.9.9']);
    expect(columnOf(tables[1]!, '__mv_im_extracted').map(readMultivalue)).toEqual([
      ['https://evil.example.com/a', 'evil.example.com', '8.8.8.8'],
      [],
      [],
    ]);
    expect(readMultivalue(columnOf(tables[1]!, '__mv_im_extracted_type')[0]!)).toEqual(['url', 'domain-name', 'ipv4-addr']);
    expect(readMultivalue(columnOf(tables[1]!, '__mv_im_extracted_original')[0]!)[2]).toBe('8.8.8[.]8');
    expect(columnOf(tables[1]!, 'im_extracted_count')).toEqual(['3', '0', '1']);
    expect(columnOf(tables[1]!, 'im_extracted_field')[2]).toBe('_raw');
    expect([messages, loads]).toEqual([[], 1]);
  });

  it.each<[string, string[], string[]]>([
    ['types', ['types=ip'], ['8.8.8.8']],
    ['types by their own names', ['types=domain-name, cve'], ['evil.example.com', 'CVE-2024-12345']],
    ['hosts=f', ['hosts=f'], ['https://evil.example.com/a', '8.8.8.8', 'CVE-2024-12345']],
    ['defang=t', ['defang=t', 'types=url,ip'], ['hxxps[:]//evil[.]example[.]com/a', '8[.]8[.]8[.]8']],
    ['max', ['max=1'], ['https://evil.example.com/a']],
  ])('%s', async (_option, args, wanted) => {
    const found = await table(args, '_raw\nhxxps://evil[.]example[.]com/a 8.8.8.8 CVE-2024-12345 8.8.8.8\n');
    expect(columnOf(found, 'im_extracted')[0]?.split('\n')).toEqual(wanted);
  });

  it('says once that more was found than is shown; the count has all', async () => {
    const { messages, tables } = await extract(['max=2'], [executeOf('_raw\n8.8.8.8 9.9.9.9 1.1.1.1\n8.8.4.4 9.9.9.9 1.1.1.1\n')]);
    expect(messages).toEqual([['WARN', expect.stringContaining('raise max=')]]);
    expect(columnOf(tables[0]!, 'im_extracted_count')).toEqual(['3', '3']);
  });

  it('makes a row of each indicator with expand=t; a row without any stays', async () => {
    const { frames, tables } = await extract(
      ['expand=t', 'body', 'subject'],
      [executeOf('subject,n,body\r\nsee 8.8.8.8,1,"9.9.9.9, 8.8.8.8"\r\nhi,2,none\r\n,3\r\n')],
    );
    expect(frames[0]?.metadata).toEqual({ type: 'stateful' });
    expect(columnOf(tables[0]!, 'n')).toEqual(['1', '1', '2', '3']);
    expect(columnOf(tables[0]!, 'body')).toEqual(['9.9.9.9, 8.8.8.8', '9.9.9.9, 8.8.8.8', 'none', '']);
    expect(columnOf(tables[0]!, 'im_extracted')).toEqual(['9.9.9.9', '8.8.8.8', '', '']);
    expect(columnOf(tables[0]!, 'im_extracted_field')).toEqual(['body', 'body', '', '']);
    expect(columnOf(tables[0]!, '__mv_im_extracted')).toEqual(['', '', '', '']);
    expect(columnOf(tables[0]!, 'im_extracted_count')).toEqual(['2', '2', '0', '0']);
  });

  it('reads a mail in a cell as a mail', async () => {
    const mail = 'From: a@bad-sender.com\nTo: victim@our-house.com\nSubject: x\nMIME-Version: 1.0\n\nhttps://evil.example.net/a\n';
    const found = await table(['body', 'types=email,domain'], `body\n"${mail}"\n`);
    expect(columnOf(found, 'im_extracted')[0]?.split('\n')).toEqual(['a@bad-sender.com', 'bad-sender.com', 'evil.example.net']);
  });

  it('replaces columns that it made before, with their values', async () => {
    const found = await table(
      [],
      'im_extracted,_raw,__mv_im_extracted,im_extracted_count,__mv_im_extracted_count\nold,8.8.8.8,$o$;$p$,7,$7$;$8$\n',
    );
    expect(found.header.filter((name, n) => found.header.indexOf(name) !== n)).toEqual([]);
    expect(columnOf(found, 'im_extracted')).toEqual(['8.8.8.8']);
    expect(columnOf(found, '__mv_im_extracted')).toEqual(['']);
    expect(columnOf(found, '__mv_im_extracted_count')).toEqual(['']);
    expect((await table(['im_extracted'], 'im_extracted\n8.8.8.8\n')).rows[0]?.slice(0, 2)).toEqual(['8.8.8.8', 'ipv4-addr']);
  });

  it('tells a field that is not there, once', async () => {
    const { messages } = await extract(['boddy'], [executeOf('body\n8.8.8.8\n', false), executeOf('body\n8.8.8.8\n')]);
    expect(messages).toEqual([['WARN', expect.stringContaining('no field "boddy"')]]);
  });

  it('copies every cell of any table, and loses no row', async () => {
    const cell = fc.stringMatching(/^["\n\r,$ a8.é]{0,9}$/);
    const rows = fc.array(fc.tuple(cell, cell), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 40 }), async (written, piece) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const body = `a,_raw\n${written.map((cells) => `${cells.map(quote).join(',')}\n`).join('')}`;
        const { tables, status } = await extract([], [executeOf(body)], piece);
        expect(status).toBe(0);
        expect(tables[0]!.rows.map((row) => row.slice(0, 2))).toEqual(written);
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string[], RegExp]>([
    [['types=pi'], /types="pi" is not valid; it takes ip, ipv4, .*, for example types=ip,domain/],
    [['max=0'], /1 to 100000/],
    [['expand=maybe'], /true or false/],
    [['nonsense=1'], /the options are types, prefix, defang, expand, hosts, max/],
  ])('%j is told in the search UI', async (args, words) => {
    const { status, frames, log } = await extract(args, [executeOf('_raw\nx\n')]);
    expect([status, frames.length, frames[0]?.metadata.type, frames[0]?.metadata.finished]).toEqual([1, 1, 'stateful', true]);
    expect((frames[0]!.metadata.inspector as { messages: string[][] }).messages[0]?.[1]).toMatch(words);
    expect(log[0]).toMatch(words);
  });

  it.each([
    ['an unclosed quote', executeOf('_raw\n"8.8.8.8\n')],
    ['another action', frameOf({ action: 'dance' })],
    ['half a frame', executeOf('_raw\n8.8.8.8\n').subarray(0, -3)],
  ])('%s ends with a message', async (_case, request) => {
    const { status, messages } = await extract([], [request]);
    expect([status, messages.at(-1)]).toEqual([1, ['ERROR', expect.stringContaining('broken input')]]);
  });

  it('loads nothing for a search without rows', async () => {
    expect(await extract([], [executeOf('', false), executeOf('_raw\n')])).toMatchObject({ status: 0, loads: 0 });
  });

  it('reads _raw when no field is named, and fields with commas when they are quoted', () => {
    expect(readExtractOptions({ args: [], rawArgs: [] }).fields).toEqual(['_raw']);
    expect(readExtractOptions({ args: ['a, b', 'c'], rawArgs: ['"a, b"', 'c'] }).fields).toEqual(['a, b', 'c']);
  });
});

describe('the program under a stand-in for splunkd', () => {
  const canDrive = spawnSync('python3', ['--version']).status === 0 && existsSync(DRIVER);

  it.skipIf(!canDrive)('sends only the columns it asks for, and can be joined back [needs python, and the chunked driver]', () => {
    const events = join(folder, 'events.csv');
    const shown = join(folder, 'shown.csv');
    const rows = Array.from({ length: 5000 }, (_, n) => `${n},"hit ""${n}"" 9.9.${n % 200}.9, hxxp://evil${n}[.]com/x",u`);
    writeFileSync(events, `_time,_raw,user\n${rows.join('\n')}\n`);
    const args = ['--csv-in', events, '--csv-out', shown, '--ramp', '--arg', 'types=ip,url', '--', process.execPath, PROGRAM];
    const report = JSON.parse(spawnSync('python3', [DRIVER, ...args]).stdout.toString()) as Record<string, unknown>;
    expect(report).toMatchObject({ ok: true, problems: [], rows_out: 5000, selected_fields: ['_raw'], messages: [] });
    expect(report.stderr_tail).toBeUndefined();
    const before = readCsv(readFileSync(events, 'utf8'));
    const after = readCsv(readFileSync(shown, 'utf8'));
    for (const name of before.header) expect(columnOf(after, name)).toEqual(columnOf(before, name));
    expect(columnOf(after, 'im_extracted')[7]).toBe('9.9.7.9\nhttp://evil7.com/x');
  });
});
