import { describe, expect, it } from 'vitest';
import { answerCheck } from '../../../../src/hosts/splunk/commands/check-command.ts';
import { CsvError } from '../../../../src/rows/csv-cells.ts';
import { answerExtract } from '../../../../src/hosts/splunk/commands/extract-command.ts';
import { fillLookupTable } from '../../../../src/rows/lookup-table.ts';
import { SearchNotes } from '../../../../src/rows/search-notes.ts';
import { extractFromText } from '../../../../src/extract/extract.ts';
import { type OracleTable, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { mutate, randomOf } from '../../../support/mutations.ts';
import { executeOf, getinfoOf, MemoryInput, MemoryOutput, readFrames, replay, type WireFrame } from '../../../support/splunk-streams.ts';

/** Mutated streams of each kind in a run; `ISMALICIOUS_FUZZ=100000` for a long one, which tells its slowest stream. */
const COUNT = Number(process.env.ISMALICIOUS_FUZZ ?? 2500);
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_121);
const IS_LONG = process.env.ISMALICIOUS_FUZZ !== undefined;
const TIMEOUT_MS = 600_000;

const SEARCHES: readonly Buffer[] = [
  Buffer.concat([
    getinfoOf(['dest_ip']),
    executeOf('_time,dest_ip,__mv__time,__mv_dest_ip\n1,203.0.113.5,,\n2,"203.0.113.6\n203.0.113.7",,$203.0.113.6$;$203.0.113.7$\n', false),
    executeOf('_time,dest_ip\n'),
  ]),
  Buffer.concat([
    getinfoOf(['dest_ip', 'src', 'details=t']),
    executeOf('"a ""b""","src",im_verdict,dest_ip\r\n"x,\r\ny",10.0.0.1,old,203.0.113.9\r\n,,,\r\n'),
  ]),
  Buffer.concat([
    getinfoOf(['dest_ip', 'only=malicious']),
    executeOf('\uFEFFdest_ip,_chunked_idx\n203.0.113.5,0\n203.0.113.7,1\nnaïve 日本語,2\n'),
  ]),
  Buffer.concat([getinfoOf(['dest_ip', 'mode=plan']), executeOf('dest_ip\n203.0.113.5\n\n')]),
];
const EXTRACTIONS: readonly Buffer[] = [
  Buffer.concat([
    getinfoOf([]),
    executeOf('_time,_raw,__mv__raw\n1,"hxxp://evil[.]com/a, 8.8.8.8",\n2,"a@b-c.com\n9.9.9.9",$a@b-c.com$;$9.9.9.9$\n', false),
    executeOf('_raw\n'),
  ]),
  Buffer.concat([getinfoOf(['body']), executeOf('im_extracted,body,__mv_im_extracted\r\nold,naïve 8.8.8.8 日本語.jp,$o$\r\n,,\r\n')]),
];
const CHECKS: readonly Buffer[] = [Buffer.concat([getinfoOf(['value=203.0.113.5,203.0.113.9']), executeOf('', false), executeOf('')])];
const TABLES: readonly Buffer[] = [
  'query,im_malicious,im_score,im_category,im_verdict\n203.0.113.5,,,,\n"203.0.113.6\n203.0.113.7",,,,\n,,,,\n',
  '\uFEFFim_score,query,im_score,keep\r\n,203.0.113.9,,"k, ""1"""\r\n7,naïve 日本語,,\r\n',
].map((text) => Buffer.from(text));

/** Runs `one` for each mutated stream: whole, or in pieces of one to 64 bytes. A long run tells how long the slowest took. */
async function fuzz(seeds: readonly Buffer[], one: (input: Buffer, piece: number) => Promise<void>): Promise<void> {
  const random = randomOf(SEED);
  let slowestMs = 0;
  for (let n = 0; n < COUNT; n++) {
    const input = mutate(seeds[n % seeds.length]!, random);
    const startMs = performance.now();
    await one(input, n % 2 === 0 ? Infinity : 1 + random(64));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  if (IS_LONG) process.stdout.write(`${COUNT} streams, the slowest ${slowestMs.toFixed(1)} ms\n`);
}

const shown = (input: Buffer) => JSON.stringify(input.toString('latin1'));
const lineEndsOf = (input: Buffer) => input.filter((byte) => byte === 10).length;

/** What holds for every answer: whole replies, an error where one is due, no secret, no ragged row. */
function holdWhole(input: Buffer, { status, replies }: { status: number; replies: readonly WireFrame[] }): OracleTable[] {
  const messages = replies.flatMap(({ metadata }) => (metadata.inspector as { messages: [string, string][] } | undefined)?.messages ?? []);
  expect([0, 1], shown(input)).toContain(status);
  if (status === 1) expect(messages.at(-1)?.[0], shown(input)).toBe('ERROR');
  // Every reply is an introduction or says whether more is to come.
  for (const { metadata } of replies) expect('type' in metadata || typeof metadata.finished === 'boolean', shown(input)).toBe(true);
  for (const [, text] of messages) expect(text, shown(input)).not.toContain('secret-session-key');
  const tables = replies.map(({ body }) => readCsv(body));
  for (const table of tables) for (const row of table.rows) expect(row.length, shown(input)).toBe(table.header.length);
  return tables;
}

describe(`${COUNT} mutated streams of each kind (seed ${SEED}) end with whole replies, an error where one is due, and no invented row`, () => {
  it('| ismalicious', { timeout: TIMEOUT_MS }, () =>
    fuzz(SEARCHES, async (input, piece) => {
      const tables = holdWhole(input, await replay(new MemoryInput(input, piece), new FakeEnricher()));
      const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
      expect(rows, shown(input)).toBeLessThanOrEqual(lineEndsOf(input));
    }),
  );

  it('| ismaliciousextract', { timeout: TIMEOUT_MS }, () =>
    fuzz(EXTRACTIONS, async (input, piece) => {
      const output = new MemoryOutput();
      const find = (text: string, withHosts: boolean) => extractFromText(text, { isUnique: true, withHosts });
      const world = { input: new MemoryInput(input, piece), output, complain: () => undefined };
      const status = await answerExtract(world, () => Promise.resolve(find));
      const tables = holdWhole(input, { status, replies: readFrames(output.bytes) });
      const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
      expect(rows, shown(input)).toBeLessThanOrEqual(lineEndsOf(input));
    }),
  );

  it('| ismaliciouscheck', { timeout: TIMEOUT_MS }, () =>
    fuzz(CHECKS, async (input, piece) => {
      const output = new MemoryOutput();
      const fake = new FakeEnricher();
      const engine = { enrichMany: fake.enrichMany.bind(fake), close: fake.close.bind(fake), explain: () => [] };
      const world = { input: new MemoryInput(input, piece), output, complain: () => undefined };
      const status = await answerCheck(world, () => Promise.resolve({ engine, warnings: [] }));
      const tables = holdWhole(input, { status, replies: readFrames(output.bytes) });
      expect(tables.filter(({ rows }) => rows.length > 0).length, shown(input)).toBeLessThanOrEqual(1);
    }),
  );

  it('the external lookup: every row comes back, and no cell changes but those it fills', { timeout: TIMEOUT_MS }, () =>
    fuzz(TABLES, async (input) => {
      const output = new MemoryOutput();
      const bytes = Buffer.concat([input, Buffer.from('\n')]);
      const context = {
        args: ['query'],
        output,
        notes: new SearchNotes(),
        nowS: 1_700_000_000,
        open: () => Promise.resolve(new FakeEnricher()),
      };
      try {
        await fillLookupTable(bytes, input.length, context);
      } catch (error) {
        expect(error, shown(input)).toBeInstanceOf(CsvError);
        expect(output.bytes.length, shown(input)).toBe(0);
        return;
      }
      const [before, after] = [readCsv(input.toString()), readCsv(output.bytes.toString())];
      expect(after.header, shown(input)).toEqual(before.header);
      expect(after.rows.length, shown(input)).toBe(before.rows.length);
      for (const [n, row] of before.rows.entries())
        for (const [column, name] of before.header.entries())
          if (!name.startsWith('im_') && row[column] !== undefined) expect(after.rows[n]?.[column], shown(input)).toBe(row[column]);
    }),
  );
});
