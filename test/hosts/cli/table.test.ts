import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../src/hosts/cli/table.ts';
import type { Enrichment } from '../../../src/model/enrichment.ts';
import { runCli } from './run-cli.ts';

const SHA256 = '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f';

function row(value: string, answer: Record<string, unknown> = {}): Enrichment {
  return {
    input: value,
    indicator: null,
    source: 'coalesced',
    answer: {
      verdict: 'suspicious',
      score: 55,
      confidence: 100,
      tier: 'review',
      status: 'skipped_allowlist',
      categories: [],
      attributes: [],
      message: null,
      providers: [{ provider: 'local', status: 'ok' }],
      ...answer,
    },
  } as unknown as Enrichment;
}

const ESCAPE = '\u001B';
const CURSOR_MOVES = new RegExp(`[${ESCAPE}\u202E\r]`);
const ROW_IN_YELLOW = new RegExp(`^${ESCAPE}\\[33m.*${ESCAPE}\\[0m$`);

const plain = (rows: readonly Enrichment[], columns?: number) => formatTable(rows, { hasColor: false, columns });
const joined = (table: string) => table.replace(/\s+/g, '');

describe('a table', () => {
  it.each([60, 72, 80, 100, 120, 200])('fits %i columns, whatever stands in it', async (columns) => {
    const rows = [
      row('198.51.100.7', { categories: ['c2', 'botnet'], message: 'listed in a feed of the house and confirmed by two providers' }),
      row(SHA256, { status: 'ok' }),
      row(`https://${'long-name.'.repeat(9)}example/with/a/path?and=query`),
      row('例え.テスト.パス.名前.例え.テスト.パス.名前.例え.テスト', { message: '理由はここに書いてあります。とても長い説明文です。' }),
      row('👩‍👩‍👧‍👦.example', { message: 'x'.repeat(250) }),
    ];
    for (const line of (await plain(rows, columns)).split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
  });

  it('wraps a long indicator and its reason and loses nothing of them', async () => {
    const table = await plain([row(SHA256, { status: 'ok', message: 'seen by the house' })], 80);
    const cells = table.split('\n').map((line) => line.split(/ {2,}/));
    expect(joined(cells.map((line) => line.find((cell) => /^[0-9a-f]{4,}$/.test(cell)) ?? '').join(''))).toBe(SHA256);
    expect(table).toContain('seen by');
  });

  it('keeps what to do in 80 columns, and drops source and confidence first', async () => {
    const [header] = (await plain([row(SHA256, { status: 'skipped_allowlist', message: 'on the allow list of the house' })], 80)).split(
      '\n',
    );
    expect(header?.split(/ +/)).toEqual(['VERDICT', 'SCORE', 'TIER', 'STATUS', 'INDICATOR', 'WHY']);
    const [wide] = (await plain([row('1.2.3.4', { status: 'ok' })], 80)).split('\n');
    expect(wide?.split(/ +/)).toEqual(['VERDICT', 'SCORE', 'CONF', 'TIER', 'STATUS', 'INDICATOR', 'SOURCE', 'WHY']);
  });

  it('aligns wide characters by what a terminal shows', async () => {
    const lines = (await plain([row('例え.jp', { status: 'ok' }), row('abcdefg', { status: 'ok' })])).split('\n');
    const at = lines.map((line) => stringWidth(line.slice(0, line.search(/SOURCE|coalesced/))));
    expect(new Set(at).size).toBe(1);
  });

  it('has one line a row where nobody says how wide it may be', async () => {
    expect((await plain([row(SHA256, { message: 'y'.repeat(200) })])).split('\n')).toHaveLength(2);
  });

  it('lets no value move the cursor, turn the text round or flood the screen', async () => {
    const table = await plain([row('a\u001B[2Jb\u202Ec\nd', { message: `e\rf${'g'.repeat(5000)}` })]);
    expect(table).not.toMatch(CURSOR_MOVES);
    expect(table.split('\n')).toHaveLength(2);
    expect(table.length).toBeLessThan(1200);
  });

  it('colours every line of a row, and no blank between rows', async () => {
    const [, first, second] = (await formatTable([row(SHA256)], { hasColor: true, columns: 60 })).split('\n');
    for (const line of [first, second]) expect(line).toMatch(ROW_IN_YELLOW);
  });

  it('of many rows takes no more than a moment a row', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => row(`10.0.${n % 256}.${n % 250}`, { message: 'private use (RFC 1918)' }));
    expect((await plain(rows, 80)).split('\n').length).toBeGreaterThan(20_000);
  });
});

it('check fits the terminal it writes to', async () => {
  const { stdout } = await runCli(['check', '198.51.100.7', SHA256, '10.0.0.1'], { columns: 80 });
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(stdout).toContain('198[.]51[.]100[.]7');
});
