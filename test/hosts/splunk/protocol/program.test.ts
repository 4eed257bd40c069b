import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { fixturesFolder, projectRoot } from '../../../support/fixtures.ts';
import { executeOf, getinfoOf, readFrames, replay } from '../../../support/splunk-streams.ts';

const PROGRAM = join(projectRoot, 'test/support/splunk-program.ts');
const DRIVER = join(fixturesFolder, '../tools/bench/chunked_driver.py');
const folder = mkdtempSync(join(tmpdir(), 'splunk-program-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 'n,dest_ip\n1,203.0.113.5\n2,203.0.113.7\n';

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: Buffer;
  readonly log: string;
}

function start(way = 'plain'): { child: ChildProcessWithoutNullStreams; ended: Promise<Ended>; logged: (text: string) => Promise<void> } {
  const child = spawn(process.execPath, [PROGRAM, way]);
  const output: Buffer[] = [];
  let log = '';
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([status, signal]) => ({
    status: status as number | null,
    signal: signal as NodeJS.Signals | null,
    output: Buffer.concat(output),
    log,
  }));
  const logged = async (text: string) => {
    while (!log.includes(text)) await once(child.stderr, 'data');
  };
  return { child, ended, logged };
}

describe('the program on real pipes', () => {
  it('answers getinfo, sees the end and goes: no engine was opened, nothing was logged', async () => {
    const { child, ended } = start('tell');
    child.stdin.end(getinfoOf(['dest_ip']));
    const { status, log, output } = await ended;
    expect({ status, log }).toEqual({ status: 0, log: '' });
    expect(readFrames(output).length).toBe(1);
  });

  it('answers in lock step, and opens the engine at the first row', async () => {
    const { child, ended, logged } = start('tell');
    for (const request of [getinfoOf(['dest_ip']), executeOf('n,dest_ip\n', false), executeOf(ROWS, false)]) {
      child.stdin.write(request);
      await once(child.stdout, 'data');
    }
    await logged('opened');
    child.stdin.end(executeOf(ROWS));
    const { status, log, output } = await ended;
    expect({ status, log }).toEqual({ status: 0, log: 'opened\n' });
    expect(readFrames(output).map((frame) => readCsv(frame.body).rows.length)).toEqual([0, 0, 2, 2]);
  });

  it('gives the same bytes for a stream from a file as for one from memory', async () => {
    const big = `n,dest_ip\n${Array.from({ length: 30_000 }, (_, n) => `${n},198.51.${n % 200}.${n % 250}\n`).join('')}`;
    const input = Buffer.concat([getinfoOf(['dest_ip']), executeOf(big, false), executeOf(ROWS)]);
    const file = join(folder, 'stream.input');
    writeFileSync(file, input);
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], {
      stdio: [openSync(file, 'r'), 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
    });
    expect({ status, log: stderr.toString() }).toEqual({ status: 0, log: '' });
    expect(stdout.equals((await replay(input, new FakeEnricher())).output)).toBe(true);
  });

  it('answers a whole stream that lies ready in a pipe which is closed at once, slow look-ups or not', async () => {
    const big = `n,dest_ip\n${Array.from({ length: 20_000 }, (_, n) => `${n},198.51.${n % 200}.${n % 250}\n`).join('')}`;
    const input = Buffer.concat([getinfoOf(['dest_ip']), executeOf(ROWS, false), executeOf(big, false), executeOf(ROWS)]);
    const { child, ended } = start('slow');
    child.stdin.end(input);
    const { status, log, output } = await ended;
    expect({ status, log }).toEqual({ status: 0, log: '' });
    expect(output.equals((await replay(input, new FakeEnricher())).output)).toBe(true);
  });

  it.each([true, false])(
    'a search that is cancelled during look-ups gives them up and ends without a reply (last chunk: %j)',
    async (finished) => {
      const { child, ended, logged } = start('wait');
      child.stdin.write(Buffer.concat([getinfoOf(['dest_ip']), executeOf(ROWS, finished)]));
      await logged('asked 2');
      child.stdin.end();
      const { status, log, output } = await ended;
      expect({ status, log }).toEqual({ status: 0, log: 'asked 2\naborted\n' });
      expect(readFrames(output).length).toBe(1);
    },
  );

  it('ends at once on SIGTERM, also during look-ups', async () => {
    const { child, ended, logged } = start('wait');
    child.stdin.write(Buffer.concat([getinfoOf(['dest_ip']), executeOf(ROWS)]));
    await logged('asked');
    child.kill('SIGTERM');
    expect((await ended).signal).toBe('SIGTERM');
  });

  it('ends by itself after an error, though its input stays open', async () => {
    const { child, ended } = start();
    child.stdin.write(getinfoOf(['nonsense=1', 'dest_ip']));
    const { status, output } = await ended;
    expect(status).toBe(1);
    expect(JSON.stringify(readFrames(output)[0]!.metadata)).toContain('nonsense');
  });

  it('ends quietly when nobody reads its replies any more', async () => {
    const { child, ended } = start();
    child.stdin.write(getinfoOf(['dest_ip']));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end(executeOf(`n,dest_ip\n${'1,203.0.113.5\n'.repeat(50_000)}`));
    const { status, log } = await ended;
    expect({ status, log }).toEqual({ status: 0, log: '' });
  });

  it('tells a cut stream on both channels', async () => {
    const { child, ended } = start();
    child.stdin.end(Buffer.concat([getinfoOf(['dest_ip']), executeOf(ROWS).subarray(0, -4)]));
    const { status, log, output } = await ended;
    expect(status).toBe(1);
    expect(log).toContain('broken input');
    expect(readFrames(output).at(-1)!.metadata.finished).toBe(true);
  });
});

describe('the program under a stand-in for splunkd', () => {
  const python = spawnSync('python3', ['--version']).status === 0;
  const canDrive = python && existsSync(DRIVER);
  if (!canDrive) process.stderr.write('python3 or the chunked driver is not here: the test with a stand-in for splunkd is skipped\n');

  it.skipIf(!canDrive)('sends only the columns it asks for, and can be joined back', () => {
    const events = join(folder, 'events.csv');
    const shown = join(folder, 'shown.csv');
    const rows = Array.from({ length: 5000 }, (_, n) => `${n},"raw, ""${n}""",203.0.113.${5 + (n % 8)},x`);
    writeFileSync(events, `_time,_raw,dest_ip,user\n${rows.join('\n')}\n`);
    const { stdout } = spawnSync('python3', [
      DRIVER,
      '--csv-in',
      events,
      '--csv-out',
      shown,
      '--ramp',
      '--arg',
      'dest_ip',
      '--',
      process.execPath,
      PROGRAM,
    ]);
    const report = JSON.parse(stdout.toString()) as {
      ok: boolean;
      problems: string[];
      rows_out: number;
      selected_fields: string[];
      stderr_tail?: string;
    };
    expect(report).toMatchObject({ ok: true, problems: [], rows_out: 5000, selected_fields: ['dest_ip'] });
    expect(report.stderr_tail).toBeUndefined();
    const before = readCsv(readFileSync(events, 'utf8'));
    const after = readCsv(readFileSync(shown, 'utf8'));
    for (const name of before.header) expect(columnOf(after, name)).toEqual(columnOf(before, name));
    expect(columnOf(after, 'im_verdict').slice(0, 3)).toEqual(['malicious', 'suspicious', 'clean']);
  });
});
