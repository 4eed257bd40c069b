import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { jsonArrayBlocks } from '../../src/batch/input/json-array-blocks.ts';
import { lineBatches } from '../../src/batch/input/line-batches.ts';
import { lineBlocks } from '../../src/batch/input/line-blocks.ts';
import { projectRoot } from '../support/fixtures.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { healthy, startStandIn } from '../support/stand-in-api.ts';
import type { StandInApi } from '../support/stand-in-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-resume-'));
const addressOf = (n: number) => `${11 + (n % 80)}.${n >>> 8}.${n & 255}.9`;
const VALUES = Array.from({ length: 3000 }, (_, n) => addressOf(n));
const PAD = 'x'.repeat(1000);
const events = VALUES.map((ip, n) => `{"n":1${n}00000000000000001,"pad":"${PAD}, \\"] [","destination":{"ip":"${ip}"}}`);
const INPUTS = {
  ndjson: `${events.join('\n')}\n`,
  json: ` [\n${events.join(' ,\n')} ]\n`,
  csv: `dest_ip,"the\nrest"\r\n${VALUES.map((ip, n) => `${ip},"${PAD.repeat(4)}\n""${n}"""`).join('\r\n')}\r\n`,
  list: `${VALUES.join('\n\n')}`,
  playbook: `${VALUES.join('\r\n')}\r\n`,
} as const;
/** When and from where an answer came is another matter in every run. */
const lasting = (text: string) =>
  text
    .replaceAll(/"(occurred|checked_at|expires_at)":"[^"]*"/g, '')
    .replaceAll(/"source":"(live|cache)"/g, '')
    .replaceAll(/,(live|cache),/g, ',,');

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

/** Runs the program; `killAt`: the API's n-th call kills it in place of an answer, as soon as it has noted how far it came. */
async function enrich(
  api: StandInApi,
  args: readonly string[],
  { state, killAt, answered = [] }: { state: string; killAt?: number; answered?: string[] },
): Promise<Ended> {
  const env = {
    ...process.env,
    ISMALICIOUS_STATE_DIR: state,
    ISMALICIOUS_BASE_URL: api.url,
    // One call at a time: what was answered has been kept before the next one comes.
    ISMALICIOUS_CONCURRENCY: '1',
    // What the killed process had in hand is given up at once, since that process is gone; a slow machine fails no call.
    ISMALICIOUS_TIMEOUT_MS: '60000',
    ISMALICIOUS_X_API_KEY: Buffer.from('a:b').toString('base64'),
  };
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'enrich', ...args], { env });
  let stderr = '';
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  let calls = 0;
  api.reply = (call, response, attempt) => {
    calls++;
    if (calls === killAt) void noted(args).then(() => child.kill('SIGKILL'));
    else if (killAt === undefined || calls < killAt) answered.push(...call.values);
    if (killAt === undefined || calls < killAt) healthy(call, response, attempt);
  };
  return await new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stderr })));
}

/** When the run has noted what it wrote: what comes before may still be on its way to the file when later values are asked for. */
async function noted(args: readonly string[]): Promise<void> {
  const journal = `${args[args.indexOf('--out') + 1]}.journal`;
  await vi.waitFor(() => expect(existsSync(journal)).toBe(true), { timeout: 60_000, interval: 20 });
}

describe.concurrent('a run from file to file that is killed and started again', () => {
  it.each(Object.keys(INPUTS) as (keyof typeof INPUTS)[])(
    '%s: gives what an undisturbed one gives, and pays for nothing twice',
    async (format) => {
      await using api = await startStandIn();
      api.bulkCap = 500;
      const input = join(folder, `${format}.input`);
      writeFileSync(input, INPUTS[format]);
      const args = [input, '--format', format, ...(format === 'csv' ? ['--field', 'dest_ip'] : [])];
      const whole = join(folder, `${format}.whole`);
      expect(await enrich(api, [...args, '--out', whole], { state: newStateFolder() })).toMatchObject({ code: 0 });
      expect(existsSync(`${whole}.journal`)).toBe(false);

      const answered: string[] = [];
      const out = join(folder, `${format}.out`);
      const state = newStateFolder();
      const first = await enrich(api, [...args, '--out', out], { state, killAt: 4, answered });
      expect(first.signal).toBe('SIGKILL');
      expect(existsSync(`${out}.journal`)).toBe(true);
      // What was written behind the noted place is not whole, and goes.
      writeFileSync(out, 'torn', { flag: 'a' });
      const second = await enrich(api, [...args, '--out', out], { state, answered });
      expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining('going on at byte') });
      expect(existsSync(`${out}.journal`)).toBe(false);
      expect(lasting(readFileSync(out, 'utf8'))).toBe(lasting(readFileSync(whole, 'utf8')));
      expect([new Set(answered).size, answered.length]).toEqual([VALUES.length, VALUES.length]);
    },
    120_000,
  );

  it('is not mixed with a run of another input or other options; --restart begins anew', async () => {
    await using api = await startStandIn();
    const input = join(folder, 'other.input');
    writeFileSync(input, INPUTS.list);
    const out = join(folder, 'other.out');
    const state = newStateFolder();
    api.bulkCap = 500;
    expect(await enrich(api, [input, '--format', 'list', '--out', out], { state, killAt: 4 })).toMatchObject({ signal: 'SIGKILL' });
    const size = statSync(out).size;
    const other = await enrich(api, [input, '--format', 'playbook', '--out', out], { state });
    expect([other.code, statSync(out).size]).toEqual([2, size]);
    expect(other.stderr).toContain('--restart');
    expect(await enrich(api, [input, '--format', 'playbook', '--out', out, '--restart'], { state })).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toHaveLength(VALUES.length);
  }, 120_000);

  it('never overwrites its own input', async () => {
    await using api = await startStandIn();
    const input = join(folder, 'same.ndjson');
    writeFileSync(input, INPUTS.ndjson);
    expect(await enrich(api, [input, '--out', input], { state: newStateFolder() })).toMatchObject({ code: 2 });
    expect(readFileSync(input, 'utf8')).toBe(INPUTS.ndjson);
  });

  it.each([
    ['[{"a":1},]', 'no JSON'],
    ['[,{"a":1}]', 'no JSON'],
    ['[{"a":1}', 'ends within'],
    ['[{"a":1}] x', 'follows'],
    ['', 'is not JSON'],
    ['[1]', 'no JSON'],
  ])('%s is refused', async (text, words) => {
    await using api = await startStandIn();
    const input = join(folder, `${Buffer.from(text).toString('hex')}.json`);
    writeFileSync(input, text);
    expect(await enrich(api, [input], { state: newStateFolder() })).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
  });
});

describe('parts of an input', () => {
  const cut = (text: string, size: number) =>
    Readable.from(Array.from({ length: Math.ceil(text.length / size) }, (_, n) => Buffer.from(text.slice(n * size, (n + 1) * size))));

  it('a JSON array cut into parts is the same text, and its items parse', async () => {
    const shape = fc.tuple(fc.array(fc.jsonValue(), { maxLength: 12 }), fc.constantFrom('', ' ', '\n'), fc.nat(40), fc.nat(9));
    await fc.assert(
      fc.asyncProperty(shape, async ([items, space, blockBytes, piece]) => {
        const texts = items.map((item) => JSON.stringify(item).replaceAll(/[^ -~]/g, '?'));
        const text = `${space}[${space}${texts.join(`${space},${space}`)}${space}]${space}`;
        let whole = '';
        const parsed: unknown[] = [];
        for await (const { kind, bytes } of jsonArrayBlocks(cut(text, piece + 1), { blockBytes, isInside: false })) {
          whole += bytes.toString();
          if (kind === 'items') parsed.push(...(JSON.parse(`[${bytes.toString()}]`) as unknown[]));
        }
        expect(whole).toBe(text);
        expect(parsed).toEqual(texts.map((one) => JSON.parse(one) as unknown));
      }),
      { numRuns: 500 },
    );
  });

  it('blocks of lines are the same text, and each ends at a line end, wherever they are cut', async () => {
    const shape = fc.tuple(
      fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 })),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 50 }),
    );
    await fc.assert(
      fc.asyncProperty(shape, async ([lines, blockBytes, piece]) => {
        const text = lines.join('\n');
        const blocks: string[] = [];
        for await (const block of lineBlocks(cut(text, piece), blockBytes)) blocks.push(block.toString());
        expect(blocks.join('')).toBe(text);
        for (const block of blocks.slice(0, -1)) expect(block.endsWith('\n')).toBe(true);
        for (const block of blocks.slice(0, -1))
          expect(block.length).toBeLessThan(Math.max(blockBytes, ...lines.map((line) => line.length + 1)) + piece);
      }),
    );
  });

  it('lines are the same, and their bytes add up, wherever they are cut', async () => {
    const shape = fc.tuple(
      fc.array(fc.constantFrom('a', 'b c', '', ' ', 'd\r', '\r')),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
    );
    await fc.assert(
      fc.asyncProperty(shape, async ([lines, size, piece]) => {
        const text = lines.join('\n');
        const found: string[] = [];
        let bytes = 0;
        for await (const batch of lineBatches(cut(text, piece), size)) {
          found.push(...batch.lines);
          bytes += batch.bytes;
        }
        expect(found).toEqual(lines.map((line) => line.replace(/\r$/, '')).filter((line) => line.trim() !== ''));
        expect(bytes).toBe(text.length);
      }),
    );
  });
});
