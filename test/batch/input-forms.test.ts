import { newRunCounts } from '../../src/batch/run-counts.ts';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-forms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BAD = '203.0.114.7';
const own = join(folder, 'own.csv');
writeFileSync(own, `value,score\n${BAD},90\nqz-phish-one.com,90\n`);
const config = join(folder, 'config.yaml');
writeFileSync(config, JSON.stringify({ local: { sample: false, lists: [own] } }));

async function run(args: readonly string[], stdin: Buffer | string = '') {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stdout = new PassThrough().on('data', (part: Buffer) => out.push(part));
  const stderr = new PassThrough().on('data', (part: Buffer) => err.push(part));
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONFIG: config };
  const code = await runProgram(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout,
    stderr,
    env,
    hasColor: false,
    hasProgress: false,
  });
  return { code, bytes: Buffer.concat(out), stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}

let number = 0;
function file(name: string, content: Buffer | string): string {
  const place = join(folder, `f${number++}`);
  mkdirSync(place);
  writeFileSync(join(place, name), content);
  return join(place, name);
}

/** A text in an encoding, with its mark or without. */
const ENCODED: readonly (readonly [string, (text: string) => Buffer])[] = [
  ['UTF-8 with a mark', (text) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16LE', (text) => Buffer.from(text, 'utf16le')],
  ['UTF-16LE with a mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16BE', (text) => Buffer.from(text, 'utf16le').swap16()],
  ['UTF-16BE with a mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  [
    'UTF-32LE with a mark',
    (text) => Buffer.concat([...`\uFEFF${text}`].map((char) => Buffer.from(Uint32Array.of(char.codePointAt(0) ?? 0).buffer))),
  ],
];
const malicious = (text: string) => (text.match(/malicious/g) ?? []).length;

describe.each(ENCODED)('%s', (name, encode) => {
  const event = `{"source":{"ip":"${BAD}"}}`;
  const mark = name.startsWith('UTF-8') ? '\uFEFF' : '';

  it('as NDJSON, JSON and lists is read, and written in UTF-8', async () => {
    const lines = await run(['enrich', file('a.ndjson', encode(`${event}\n${event}\n`))]);
    expect(lines).toMatchObject({ code: 0, stderr: expect.stringMatching(/\n1 value: 1 malicious\n$/) });
    expect(lines.stdout.match(/"verdict":"malicious"/g)).toHaveLength(2);
    expect(lines.stdout.startsWith(`${mark}{"source"`)).toBe(true);
    const array = await run(['enrich', file('a.json', encode(`[${event},${event}]`))]);
    expect(array.stdout.match(/"verdict":"malicious"/g)).toHaveLength(2);
    const list = await run(['enrich', file('a.txt', encode(`${BAD}\r\n8.8.8.8\r\n`))]);
    expect(list.stdout.match(new RegExp(`"indicator":"${BAD}"`, 'g'))).toHaveLength(1);
  });

  it('as CSV is read; a mark stays one, for Excel', async () => {
    const { code, stdout } = await run(['enrich', file('a.csv', encode(`ip,n\r\n${BAD},é\r\n`)), '--field', 'ip']);
    expect(code).toBe(0);
    expect(stdout).toContain(`\r\n${BAD},é,malicious,`);
    expect(stdout.startsWith('\uFEFF')).toBe(name.includes('mark'));
  });

  it('on standard input is read', async () => {
    const checked = await run(['check', '-', '--json'], encode(`${BAD}\n`));
    expect(checked.stdout).toContain(`"indicator":"${BAD}"`);
    const planned = await run(['plan', '-', '--json'], encode(`${BAD}\n`));
    expect(JSON.parse(planned.stdout)).toMatchObject({ values: 1, invalid: 0 });
    const found = await run(['extract', '-', '--json'], encode(`deny ${BAD} x\n`));
    expect(found.stdout).toContain(`"value":"${BAD}"`);
  });
});

it('own lists in UTF-16 are read', async () => {
  const list = file('own.csv', Buffer.from('\uFEFFvalue,score\r\n203.0.114.9,90\r\n', 'utf16le'));
  const settings = file('config.yaml', Buffer.from(`\uFEFF${JSON.stringify({ local: { sample: false, lists: [list] } })}`, 'utf16le'));
  const { stdout } = await run(['check', '203.0.114.9', '--json', '--config', settings]);
  expect(stdout).toContain('"verdict":"malicious"');
});

describe('what is no event', () => {
  const event = `{"source":{"ip":"${BAD}"}}`;
  it.each<[string, string, number, number, number]>([
    ['no JSON', `${event}\nnot json\n${event}\n`, 2, 1, 3],
    ['a last line that is cut off', `${event}\n{"source":{"ip":"203.0`, 1, 1, 3],
    ['NaN', `{"n":NaN,"source":{"ip":"${BAD}"}}\n${event}\n`, 1, 1, 3],
    ['a raw tab', `{"n":"\t","source":{"ip":"${BAD}"}}\n`, 0, 1, 3],
    ['events over several lines', `{\n "source": {\n  "ip": "${BAD}"\n }\n}\n${event}\n`, 2, 0, 0],
    ['separators of records', `\u001e{\n"source":{"ip":"${BAD}"}}\n\u001e${event}\n`, 2, 0, 0],
    ['returns for line ends', `${event}\r${event}\r`, 2, 0, 0],
    ['two events a line', `${event} ${event}\n`, 2, 0, 0],
    ['a comma behind each event', `${event},\n${event},\n`, 2, 0, 0],
    ['CloudTrail', `{"Records":[${event},${event}]}\n`, 2, 0, 0],
  ])('%s: what is read is enriched, the rest is counted', async (_, text, found, unread, code) => {
    const out = await run(['enrich', file('a.ndjson', text)]);
    expect(out.code).toBe(code);
    expect(out.stdout.match(/"ismalicious":\{/g) ?? []).toHaveLength(found);
    if (unread > 0) expect(out.stderr).toContain(`${unread} lines not read`);
    else expect(out.stderr).not.toContain('not read');
  });

  it('in a spool is put aside; a mark before its first event is none of the event', async () => {
    const spool = file('spool', `\uFEFF{"source":{"ip":"${BAD}"}}\n{"source":{"ip":"203\n`);
    // Nobody has written to it for long: there is nothing to wait for.
    utimesSync(spool, 1_700_000_000, 1_700_000_000);
    const { code, stderr } = await run(['replay', spool]);
    expect(code).toBe(3);
    expect(stderr).toContain('1 events enriched, 0 kept');
    expect(readFileSync(`${spool}.unreadable`, 'utf8')).toBe('{"source":{"ip":"203\n');
  });

  it('events none of which has a wanted field are named', async () => {
    const trail = file('trail.json', `{"Records":[{"sourceIPAddress":"${BAD}"},{"sourceIPAddress":"8.8.8.8"}]}`);
    expect((await run(['enrich', trail])).stderr).toContain('none of the 2 events has a value in destination.ip');
    const { stdout, stderr } = await run(['enrich', trail, '--field', 'sourceIPAddress']);
    expect(stdout.match(/"ismalicious":\{/g)).toHaveLength(2);
    expect(stderr).toContain('2 values: 1 malicious');
  });
});

describe('CSV of other programs', () => {
  it.each<[string, string, string]>([
    ['semicolons', `ip;n\r\n${BAD};a,b\r\n`, `\r\n${BAD};a,b;malicious;`],
    ['tabs', `n\tip\n"a\tb"\t${BAD}\n`, `\n"a\tb"\t${BAD}\tmalicious\t`],
    ['bars', `ip|n\n${BAD}|a\n`, `\n${BAD}|a|malicious|`],
    ['a sep= line', `sep=;\r\nip;n\r\n${BAD};a\r\n`, `sep=;\r\nip;n;im_verdict;`],
    ['a #TYPE line', `#TYPE System.Object\r\n"ip","n"\r\n"${BAD}","a"\r\n`, `#TYPE System.Object\r\n"ip","n",im_verdict,`],
    ['returns for line ends', `ip,n\r${BAD},a\r`, `\r${BAD},a,malicious,`],
    ['guards of Excel', `ip,n\n="${BAD}",a\n`, `\n="${BAD}",a,malicious,`],
    ['guards in quotes', `ip,n\n"=""${BAD}""",a\n`, `\n"=""${BAD}""",a,malicious,`],
    ['several values a cell', `ip,n\n"8.8.8.8, ${BAD}",a\n10.0.0.1 ${BAD},b\n`, `\n10.0.0.1 ${BAD},b,malicious,`],
    ['short rows', `ip,n,m\n${BAD}\n`, `\n${BAD},,,malicious,`],
    ['rows longer than the header', `ip,n\n${BAD},x, /a.js,y\n8.8.8.8,z\n`, `ip,n,extra_1,extra_2,im_verdict`],
  ])('%s', async (_, text, part) => {
    const { code, stdout } = await run(['enrich', file('a.csv', text), '--field', 'ip']);
    expect(code).toBe(0);
    expect(stdout).toContain(part);
    expect(malicious(stdout)).toBeGreaterThan(1);
  });

  it('rows longer than the header keep their cells, and ours stay in their columns', async () => {
    const { stdout } = await run(['enrich', file('a.csv', `ip,n\n${BAD},x, /a.js,y\n10.0.0.1,z\n`), '--field', 'ip']);
    const [header, bad, good] = stdout.split('\n').map((line) => line.split(','));
    const verdict = header?.indexOf('im_verdict') ?? -1;
    expect(bad?.slice(0, 4)).toEqual([BAD, 'x', ' /a.js', 'y']);
    expect(bad?.[verdict]).toBe('malicious');
    expect(good?.slice(0, 4)).toEqual(['10.0.0.1', 'z', '', '']);
    expect(good?.[verdict]).toBe('unknown');
  });

  it('a row that is longer than all of the first megabytes keeps its cells, and it is said', async () => {
    const text = `ip,n\n${'10.0.0.1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n'.repeat(60_000)}${BAD},x,y,z\n`;
    const { stdout, stderr } = await run(['enrich', file('a.csv', text), '--field', 'ip']);
    expect(stdout).toMatch(/\n203\.0\.114\.7,x,malicious,.*,y,z\n$/);
    expect(stderr).toContain('1 rows have more cells than the header');
  });

  it('--delimiter takes any other one', async () => {
    const { stdout } = await run(['enrich', file('a.csv', `ip~n\n${BAD}~a\n`), '--field', 'ip', '--delimiter', '~']);
    expect(stdout).toContain(`\n${BAD}~a~malicious~`);
    expect((await run(['enrich', file('b.csv', 'ip\n'), '--field', 'ip', '--delimiter', 'ab'])).code).toBe(2);
  });

  it('a header without rows gets its columns', async () => {
    expect((await run(['enrich', file('a.csv', 'ip,n\n'), '--field', 'ip'])).stdout).toMatch(/^ip,n,im_verdict,.*\n$/);
    expect((await run(['enrich', file('b.csv', 'ip,n'), '--field', 'ip'])).stdout).toMatch(/^ip,n,im_verdict,[^\n]*$/);
    expect((await run(['enrich', file('c.csv', ''), '--field', 'ip'])).stdout).toBe('');
  });
});

describe('a log', () => {
  const LOG = [
    `${BAD} - - [29/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 1\r`,
    'nothing in here',
    '',
    '10.0.0.1 - - "GET / HTTP/1.1" 200',
    `blocked hxxp://qz-phish-one[.]com/login from 10.0.0.2 \tx`,
    'last',
  ].join('\n');

  it('comes out line by line, with what its worst indicator is behind each', async () => {
    const { code, stdout } = await run(['enrich', file('access.log', LOG)]);
    expect(code).toBe(0);
    const lines = LOG.split('\n');
    expect(stdout.split('\n')).toEqual([
      `${lines[0]?.slice(0, -1)}\tmalicious\tok\t90\t${BAD}\r`,
      'nothing in here\t-\t-\t-\t-',
      '',
      `${lines[3]}\tunknown\tskipped_private\t-\t10.0.0.1`,
      expect.stringMatching(/\tx\tmalicious\tok\t90\t.*qz-phish-one\.com/),
      'last\t-\t-\t-\t-',
    ]);
  });

  it('keeps bytes that are no UTF-8', async () => {
    const line = Buffer.concat([Buffer.from(`k\xf6ln ${BAD}`, 'latin1'), Buffer.from('\n')]);
    const { bytes } = await run(['enrich', '-', '--format', 'log'], line);
    expect(bytes.subarray(0, line.length - 1).equals(line.subarray(0, -1))).toBe(true);
    expect(bytes.toString('latin1')).toContain('\tmalicious\t');
  });
});

describe('packed files', () => {
  const event = `{"source":{"ip":"${BAD}"}}\n`;
  it.each<[string, (text: string) => Buffer]>([
    ['gz', (text) => gzipSync(text)],
    ['gz', (text) => Buffer.concat([gzipSync(text.slice(0, 20)), gzipSync(text.slice(20))])],
    ['zst', (text) => zstdCompressSync(text)],
    ['zst', (text) => Buffer.concat([zstdCompressSync(text.slice(0, 20)), zstdCompressSync(text.slice(20))])],
  ])('%s are read, and written again as what their name says', async (ending, pack) => {
    const input = file(`a.ndjson.${ending}`, pack(event + event));
    expect((await run(['enrich', input])).stdout.match(/"ismalicious":\{/g)).toHaveLength(2);
    const out = `${input}.out.${ending}`;
    expect((await run(['enrich', input, '--out', out])).code).toBe(0);
    const written = readFileSync(out);
    const text = (ending === 'gz' ? gunzipSync(written) : zstdDecompressSync(written)).toString();
    expect(text.match(/"ismalicious":\{/g)).toHaveLength(2);
  });

  it('are known by their bytes, on standard input too', async () => {
    expect((await run(['enrich', '-'], gzipSync(event))).stdout).toContain('"ismalicious":{');
    expect((await run(['plan', '-', '--json'], gzipSync(`${BAD}\n`))).stdout).toContain('"values":1');
  });

  it.each<[string, Buffer]>([
    ['gzip', gzipSync(event.repeat(1000)).subarray(0, -9)],
    ['zstd', zstdCompressSync(event.repeat(1000)).subarray(0, -3)],
    ['zstd', Buffer.concat([zstdCompressSync(event), zstdCompressSync(event).subarray(0, -3)])],
    ['zstd', Buffer.concat([zstdCompressSync(event), Buffer.from('no frame')])],
  ])('that are cut short or damaged fail, and are named: %s', async (name, packed) => {
    const { code, stderr } = await run(['enrich', file('a.ndjson', packed)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`a.ndjson is damaged or cut short (${name})`);
  });

  it.each([
    ['bz2', 'BZh91AY&SY', 'bzip2 -dc'],
    ['xz', '\xfd7zXZ\0', 'xz -dc'],
    ['zip', 'PK\x03\x04', 'unzip -p'],
  ])('%s are refused with what unpacks them', async (ending, head, program) => {
    const { code, stderr } = await run(['enrich', file(`a.log.${ending}`, Buffer.from(head, 'latin1')), '--format', 'log']);
    expect(code).toBe(2);
    expect(stderr).toContain(program);
    expect((await run(['check', '-'], Buffer.from(head, 'latin1'))).stderr).toContain(program);
    expect((await run(['enrich', file('a.ndjson', event), '--out', join(folder, `o.${ending}`)])).code).toBe(2);
  });
});

describe('several files', () => {
  const event = `{"source":{"ip":"${BAD}"}}\n`;
  it('go to standard output one after another, or into a folder under their names', async () => {
    const place = join(folder, 'several');
    mkdirSync(place);
    for (const name of ['a.ndjson', 'b.ndjson']) writeFileSync(join(place, name), event);
    writeFileSync(join(place, 'c.csv'), `ip\n${BAD}\n`);
    const all = await run(['enrich', join(place, '*.ndjson')]);
    expect(all.stdout.match(/"ismalicious":\{/g)).toHaveLength(2);
    const target = join(place, 'out');
    const { code, stderr } = await run([
      'enrich',
      join(place, '*.ndjson'),
      join(place, 'c.csv'),
      '--field',
      'ip,source.ip',
      '--out-dir',
      target,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no column source.ip')]);
    expect((await run(['enrich', join(place, '*.ndjson'), '--out-dir', target])).code).toBe(0);
    for (const name of ['a.ndjson', 'b.ndjson']) expect(readFileSync(join(target, name), 'utf8')).toContain('"ismalicious":{');
  });

  it.each<[readonly string[], string]>([
    [['a.csv', 'b.csv', '--field', 'ip'], 'name a folder with --out-dir'],
    [['a.ndjson', 'b.ndjson', '--out', 'c'], 'name a folder with --out-dir'],
    [['a/x.ndjson', 'b/x.ndjson', '--out-dir', join(folder, 'twice')], 'two files are called x.ndjson'],
    [['nothing-*.here'], 'no file matches'],
    [['a.csv', '--follow', '--field', 'ip'], '--follow reads lines'],
    [['a.log', 'b.log', '--follow'], '--follow reads one file'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await run(['enrich', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

it('a run that broke off in the middle of a packed file in UTF-16 goes on there', async () => {
  const text = Buffer.from(`\uFEFF${`${BAD}\r\n`.repeat(5000)}`, 'utf16le');
  const input = file('a.txt.gz', gzipSync(text));
  const out = `${input}.ndjson`;
  const whole = await run(['enrich', input, '--out', out]);
  expect(whole.code).toBe(0);
  const complete = readFileSync(out);
  // As a killed run leaves it: 3,000 lines done, something half written behind them.
  const lines = complete.toString('utf8').split('\n');
  const kept = `${lines.slice(0, 3000).join('\n')}\n`;
  const stats = execFileSync(process.execPath, [
    '-p',
    `const s=require('fs').statSync(${JSON.stringify(input)});JSON.stringify([s.size,s.mtimeMs])`,
  ]);
  const [inputSize, inputChangedMs] = JSON.parse(stats.toString()) as [number, number];
  const identity = { input, inputSize, inputChangedMs, options: JSON.stringify(['list', [], null, null, null]) };
  const place = {
    inputBytes: 3000 * (BAD.length + 2),
    outputBytes: kept.length,
    tally: { ...newRunCounts(), total: 3000, malicious: 3000 },
    budget: null,
  };
  writeFileSync(`${out}.journal`, JSON.stringify({ version: 1, identity, place }));
  writeFileSync(out, `${kept}{"half`);
  expect((await run(['enrich', input, '--out', out])).stderr).toContain('5000 values: ');
  const lasting = (bytes: Buffer) => bytes.toString('utf8').replaceAll(/"(?:checked|expires)_at":"[^"]*"/g, '');
  expect(lasting(readFileSync(out)) === lasting(complete)).toBe(true);
});
