import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCsvBlocks } from '../../../src/batch/input/csv-blocks.ts';
import { runProgram } from '../../../src/hosts/cli/program.ts';
import { readCsvRows, RFC_4180 } from '../../../src/model/formats/csv-rows.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../../support/stand-in-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-cli-'));

async function run(args: readonly string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stdout = new PassThrough().on('data', (part: Buffer) => out.push(part));
  const stderr = new PassThrough().on('data', (part: Buffer) => err.push(part));
  const stdin = Readable.from([Buffer.from(options.stdin ?? '')]);
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ...options.env };
  const code = await runProgram(args, { stdin, stdout, stderr, env, hasColor: false, hasProgress: false });
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('check', () => {
  it('prints the contract as one JSON object a line', async () => {
    const { code, stdout } = await run(['check', '198.51.100[.]7', '10.0.0.1', '--json']);
    const [first, second] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(first).toMatchObject({
      indicator: '198.51.100.7',
      input: '198.51.100[.]7',
      type: 'ipv4-addr',
      verdict: 'malicious',
      status: 'ok',
      tier: 'p1',
      source: 'local',
      message: null,
    });
    expect(Object.keys(first ?? {})).toEqual([
      'indicator',
      'input',
      'type',
      'verdict',
      'status',
      'score',
      'confidence',
      'categories',
      'attributes',
      'tier',
      'auto_resolve',
      'source',
      'checked_at',
      'expires_at',
      'message',
      'providers',
    ]);
    expect(second).toMatchObject({
      indicator: '10.0.0.1',
      verdict: 'unknown',
      status: 'skipped_private',
      score: null,
      tier: 'log',
      source: 'none',
    });
  });

  it('shows a table with defanged indicators and explains the score exactly', async () => {
    const { stdout } = await run(['check', '198.51.100.7', '--explain']);
    expect(stdout).toContain('198[.]51[.]100[.]7');
    expect(stdout).toMatch(/local +score (\d+) → \1 points/);
  });

  it.each([
    [['check', '198.51.100.7'], 0],
    [['check', '198.51.100.7', '--exit-code'], 10],
    [['check', 'not an indicator'], 1],
    [['check', 'not an indicator', '198.51.100.7'], 3],
    [['check'], 2],
    [['check', '1.2.3.4', '--providers', 'nobody'], 2],
    [['check', '1.2.3.4', '--timeout', 'soon'], 2],
    [['check', '1.2.3.4', '--max-age', 'old'], 2],
    [['check', '--wrong'], 2],
    [['frobnicate'], 2],
    [['help'], 0],
    [['help', 'enrich'], 0],
    [['--version'], 0],
    [['config', 'check', '--config', '/nowhere.yaml'], 2],
  ])('%j exits with %i', async (args, code) => {
    const result = await run(args);
    expect(result.code).toBe(code);
    if (code === 2) expect(result.stderr).toMatch(/^ismalicious: /);
    if (code === 2) expect(result.stdout).toBe('');
  });

  it('exits with 3 when some look-ups failed, and 1 when all did', async () => {
    let isDown = false;
    await using api = await startStandIn((call, response, attempt) =>
      isDown ? sendJson(response, 401, {}) : healthy(call, response, attempt),
    );
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==', ISMALICIOUS_STATE_DIR: newStateFolder() };
    expect((await run(['check', '9.9.9.1'], { env })).code).toBe(0);
    isDown = true;
    expect((await run(['check', '9.9.9.1', '9.9.9.2'], { env })).code).toBe(3);
    expect((await run(['check', '9.9.9.2'], { env })).code).toBe(1);
  });
});

describe('enrich', () => {
  const CSV = '\uFEFFid,"the ip",note\r\n1,198.51.100.7,"a ""b"",\r\nc"\r\n2,,x\r\n3,10.0.0.1,"é中"\r\n';

  it('gives events out whole, however many blocks they are and however late they are taken', async () => {
    const pad = 'x'.repeat(2000);
    const events = Array.from({ length: 1800 }, (_, n) => `{"n":1${n}.10,"pad":"${pad}","destination":{"ip":"198.51.100.${n % 250}"}}`);
    for (const [name, text] of [
      ['blocks.ndjson', `${events.join('\n')}\n`],
      ['blocks.json', `[${events.join(',\n')}]\n`],
    ] as const) {
      const { code, stdout } = await run(['enrich', file(name, text)]);
      expect(code).toBe(0);
      const lines = stdout.split('\n');
      expect(lines).toHaveLength(events.length + 1);
      // What is added stands behind what was there.
      for (const [n, event] of events.entries()) expect(lines[n]?.includes(event.slice(0, -1)), `${name}, line ${n}`).toBe(true);
    }
  });

  it('adds columns to CSV and leaves every other byte as it was', async () => {
    const { code, stdout } = await run(['enrich', file('a.csv', CSV), '--field', 'the ip']);
    const [header, ...rows] = readCsvRows(stdout, RFC_4180).rows;
    const at = (name: string) => header!.indexOf(name);
    expect(code).toBe(0);
    expect(rows.map((row) => [row[at('im_verdict')], row[at('im_status')]])).toEqual([
      ['malicious', 'ok'],
      ['unknown', 'skipped_empty'],
      ['unknown', 'skipped_private'],
    ]);
    expect(readCsvRows(stdout, RFC_4180).rows.map((row) => row.slice(0, 3))).toEqual(readCsvRows(CSV, RFC_4180).rows);
    expect(stdout).toContain('1,198.51.100.7,"a ""b"",\r\nc",malicious,True,');
  });

  it('names the columns when one is wrong', async () => {
    const { code, stderr } = await run(['enrich', file('b.csv', CSV), '--field', 'dest']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('the columns are id, the ip, note')]);
  });

  it('keeps numbers, order and odd lines of NDJSON', async () => {
    const text = '{"n":12345678901234567890,"destination":{"ip":"198.51.100.7"},"f":1.10}\nnot json\n{"destination.ip":"10.0.0.1"}\n';
    const { stdout } = await run(['enrich', '-'], { stdin: text });
    const lines = stdout.split('\n');
    expect(lines[0]).toContain('{"n":12345678901234567890,"destination":{"ip":"198.51.100.7"},"f":1.10,');
    expect(lines[1]).toBe('not json');
    expect(JSON.parse(lines[2]!)).toMatchObject({ ismalicious: { status: 'skipped_private', verdict: 'unknown' } });
    expect(lines).toHaveLength(4);
  });

  it('takes a JSON array, a list, and writes the shape of the playbook’s batch script', async () => {
    const events = await run(['enrich', file('c.json', '[{"source":{"ip":"198.51.100.7"}}, {"x":1}]'), '--out', join(folder, 'c.out')]);
    expect(events.stdout).toBe('');
    expect(JSON.parse(readFileSync(join(folder, 'c.out'), 'utf8'))).toMatchObject([{ ismalicious: { verdict: 'malicious' } }, { x: 1 }]);
    const list = await run(['enrich', file('d.txt', '198.51.100.7\n\n8.8.8.8\n')]);
    expect(
      list.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { verdict: string }).verdict),
    ).toEqual(['malicious', 'unknown']);
    const playbook = await run(['enrich', '--format', 'playbook', '-'], { stdin: '198.51.100.7\njunk here\n8.8.8.8\n' });
    expect(JSON.parse(playbook.stdout)).toEqual([
      { entity: '198.51.100.7', malicious: true, score: 87, categories: ['c2'], confidence: 90 },
      { entity: 'junk here', error: expect.stringMatching(/^invalid: /) as string },
      { entity: '8.8.8.8', malicious: null, score: null, categories: [], confidence: null },
    ]);
  });
});

it('plan tells the price without paying it', async () => {
  await using api = await startStandIn();
  const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==' };
  const { stdout } = await run(['plan', '--json', '-'], { stdin: '9.9.9.1\n9.9.9.1\n9.9.9.2\n10.0.0.1\n', env });
  expect(JSON.parse(stdout)).toMatchObject({ values: 4, unique: 3, refused: 1, toPay: 2 });
  expect(api.calls).toHaveLength(0);
});

it('extract prints type, value, original and offset', async () => {
  const { stdout } = await run(['extract', '--json', '-'], { stdin: 'seen\n8.8.8[.]8 there\n' });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toEqual([{ type: 'ipv4-addr', value: '8.8.8.8', original: '8.8.8[.]8', offset: 5 }]);
});

it('a table cut into parts is the same table, wherever it is cut', async () => {
  const cell = fc.constantFrom('', 'a', '"b,c"', '"d\ne"', '"f""g"', '"h\r\ni"');
  const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 30 }),
      async (cells, end, block, piece) => {
        const text = `${cells.map((row) => row.join(',')).join(end)}${end}`;
        const pieces = Array.from({ length: Math.ceil(text.length / piece) }, (_, n) =>
          Buffer.from(text.slice(n * piece, (n + 1) * piece)),
        );
        let whole = '';
        for await (const { bytes, headerLine, inputBytes } of createCsvBlocks(Readable.from(pieces), block, Buffer.from(`x,y${end}`))) {
          const part = bytes.toString('utf8', headerLine, bytes.length - 1);
          expect(Buffer.byteLength(part)).toBe(inputBytes);
          whole += part;
        }
        expect(whole).toBe(text);
      },
    ),
    { numRuns: 300 },
  );
});
