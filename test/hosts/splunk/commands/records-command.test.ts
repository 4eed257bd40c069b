import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAuditLog } from '../../../../src/engine/privacy/read-audit-log.ts';
import { findTraced, sumByCaller } from '../../../../src/engine/privacy/search-audit-log.ts';
import { digestOfSent } from '../../../../src/model/formats/request-id.ts';
import {
  answerRecords,
  readRecordWishes,
  SENT_FIELDS,
  SPENT_FIELDS,
  type RecordFacts,
} from '../../../../src/hosts/splunk/commands/records-command.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { executeOf, getinfoOf, MemoryInput, readFrames } from '../../../support/splunk-streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-records-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Overrides = ReturnType<RecordFacts['feedback']['list']>;

const override = (value: string, untilS: number | null) => ({
  value,
  type: 'ipv4-addr' as const,
  verdict: 'clean' as const,
  score: 0,
  author: 'alice',
  reason: 'our own scanner',
  atS: 1_700_000_000,
  untilS,
  saidVerdict: 'malicious' as const,
  saidScore: 90,
  endedAtS: null,
  endedBy: null,
});

async function records(args: readonly string[], path = join(folder, 'none')) {
  const parts: Buffer[] = [];
  const world = {
    input: new MemoryInput(Buffer.concat([getinfoOf(args), executeOf('', true)])),
    output: { write: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)) },
    complain: () => undefined,
  };
  const asked: unknown[] = [];
  const feedback = {
    list: (options?: object) => {
      asked.push(options);
      return [override('198.51.100.7', null), override('203.0.113.9', 1_700_000_500)] as unknown as Overrides;
    },
  };
  const open = async () => ({
    feedback,
    sent: (most: number) => readAuditLog(path, most),
    traced: (trace: string) => findTraced(path, trace),
    spent: () => sumByCaller(path, { most: 20, costs: new Map([['virustotal', 5]]) }),
    warnings: [],
    close: async () => undefined,
  });
  const status = await answerRecords(world, open, () => 1_700_000_600);
  const [, reply] = readFrames(Buffer.concat(parts));
  return { status, asked, table: readCsv(reply?.body ?? '') };
}

describe('| ismaliciousrecords', () => {
  it('shows overrides with who, why and what was said before; ended ones where they are asked for', async () => {
    const { status, asked, table } = await records(['all=t']);
    expect([status, asked]).toEqual([0, [{}]]);
    expect(columnOf(table, 'state')).toEqual(['in force', 'ended']);
    expect([columnOf(table, 'author')[0], columnOf(table, 'reason')[0], columnOf(table, 'said_verdict')[0]]).toEqual([
      'alice',
      'our own scanner',
      'malicious',
    ]);
    expect((await records([])).asked).toEqual([{ inForceAtS: 1_700_000_600 }]);
  });

  it('shows what was sent, the youngest first, and no line that was never finished', async () => {
    const path = join(folder, 'egress.ndjson');
    const line = (second: number, ...indicators: string[]) =>
      JSON.stringify({ time: `2026-11-21T09:00:0${second}.000Z`, provider: 'virustotal', indicators });
    writeFileSync(path, `${line(1, '198.51.100.7')}\nno json\n${line(2, 'a.example', 'b.example')}\n${line(3, 'c.example').slice(0, 30)}`);
    const { table } = await records(['kind=sent'], path);
    expect(table.header).toEqual([...SENT_FIELDS]);
    expect(columnOf(table, 'im_indicator')).toEqual(['a.example, b.example', '198.51.100.7']);
    expect(columnOf((await records(['kind=sent', 'max=1'], path)).table, 'im_indicator')).toEqual(['a.example, b.example']);
  });

  it('shows the call that brought an answer, with the search that made it', async () => {
    const path = join(folder, 'traced.ndjson');
    const line = (search: string, value: string) =>
      JSON.stringify({ time: '2026-11-21T09:00:00.000Z', provider: 'otx', indicators: [value], program: 'splunk', user: 'alice', search });
    writeFileSync(path, `${line('1.1', 'a.example')}\n${line('2.2', 'b.example')}\n`);
    const { table } = await records([`trace=otx@2026-11-21T09:00:00Z#${digestOfSent('otx', 'a.example')} settings=0f3a9c21b7de`], path);
    expect([columnOf(table, 'im_indicator'), columnOf(table, 'user'), columnOf(table, 'search_id')]).toEqual([
      ['a.example'],
      ['alice'],
      ['1.1'],
    ]);
  });

  it('shows who spent most, by program, user and search, those with most credits first', async () => {
    const path = join(folder, 'spent.ndjson');
    const line = (provider: string, user: string, ...indicators: string[]) =>
      `${JSON.stringify({ time: '2026-11-21T09:00:00.000Z', provider, indicators, program: 'splunk', user, search: '1795000000.42' })}\n`;
    writeFileSync(path, line('otx', 'free', 'a', 'b', 'c') + line('virustotal', 'alice', 'a', 'b') + line('virustotal', 'alice', 'c'));
    const { table } = await records(['kind=spent'], path);
    expect(table.header).toEqual([...SPENT_FIELDS]);
    expect(table.rows).toEqual([
      ['splunk', 'alice', '1795000000.42', '15', '3', '2'],
      ['splunk', 'free', '1795000000.42', '0', '3', '1'],
    ]);
    expect((await records(['kind=spent', 'max=1'], path)).table.rows).toHaveLength(1);
  });

  it('reads the end of a long log only, and whole lines of it', () => {
    const path = join(folder, 'long.ndjson');
    const line = `${JSON.stringify({ time: '2026-11-21T09:00:00.000Z', provider: 'p', indicators: ['x'.repeat(1000)] })}\n`;
    writeFileSync(path, line.repeat(6000));
    const found = readAuditLog(path, 10_000);
    expect(found.length).toBeGreaterThan(3500);
    expect(found.length).toBeLessThan(4200);
  });

  it('has no rows where nothing was sent yet', async () => {
    expect((await records(['kind=sent'])).table.rows).toEqual([]);
  });

  it.each([
    [['kind=all'], /kind="all" is not valid; it takes overrides, sent or spent/],
    [['max=0'], /max="0" is not valid/],
    [['max=10001'], /max="10001" is not valid/],
    [['trace=yesterday'], /trace="yesterday" is not valid; it takes what im_trace says/],
    [['198.51.100.7'], /"198\.51\.100\.7" is not understood/],
    [['action=remove'], /unknown option "action"/],
  ])('%j is refused with what it takes', (args, words) => {
    expect(() => readRecordWishes(args)).toThrow(words);
  });
});
