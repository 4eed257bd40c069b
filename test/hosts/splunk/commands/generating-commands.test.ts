import { describe, expect, it } from 'vitest';
import type { EngineStats } from '../../../../src/engine/engine.ts';
import { answerCheck, CHECK_FIELDS, readCheckOptions } from '../../../../src/hosts/splunk/commands/check-command.ts';
import type { WholeReport } from '../../../../src/engine/feedback/report-text.ts';
import { answerQuota, type QuotaFacts } from '../../../../src/hosts/splunk/commands/quota-command.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { hasFixtures, readFixture } from '../../../support/fixtures.ts';
import { executeOf, frameOf, getinfoOf, MemoryInput, readFrames } from '../../../support/splunk-streams.ts';

function worldOf(requests: readonly Buffer[]) {
  const parts: Buffer[] = [];
  const log: string[] = [];
  const input = new MemoryInput(Buffer.concat(requests));
  const world = {
    input,
    output: { write: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)) },
    complain: (line: string) => void log.push(line),
  };
  return { world, log, frames: () => readFrames(Buffer.concat(parts)) };
}

async function check(args: readonly string[], requests = [executeOf('', false)]) {
  const fake = new FakeEnricher();
  const engine = { enrichMany: fake.enrichMany.bind(fake), close: fake.close.bind(fake), explain: () => ['one reason', 'another'] };
  const { world, log, frames } = worldOf([getinfoOf(args), ...requests]);
  const status = await answerCheck(world, () => Promise.resolve({ engine, warnings: ['the disk is full'] }));
  return { status, log, frames: frames() };
}

describe('| ismaliciouscheck', () => {
  it('generates: the introduction says so, and all rows come with the first execute', async () => {
    const { status, frames } = await check(['value=203.0.113.5 203.0.113.7'], [executeOf('', false), executeOf('', true)]);
    expect([status, frames.length]).toEqual([0, 3]);
    expect(frames[0]).toEqual({ metadata: { type: 'stateful', generating: true }, body: '' });
    expect(frames[1]?.metadata).toEqual({ finished: true, inspector: { messages: [['WARN', 'isMalicious: the disk is full']] } });
    const table = readCsv(frames[1]?.body ?? '');
    expect(table.header).toEqual([...CHECK_FIELDS]);
    expect(columnOf(table, 'value').filter((_value, n) => columnOf(table, 'provider')[n] === 'merged')).toEqual([
      '203.0.113.5',
      '203.0.113.7',
    ]);
    expect(frames[2]).toEqual({ metadata: { finished: true }, body: '' });
  });

  it('asks nobody about an empty value, as a page does whose input is empty, and says so', async () => {
    const { status, frames } = await check(['value=']);
    expect(status).toBe(0);
    expect(readCsv(frames[1]?.body ?? '').rows).toEqual([]);
    expect(JSON.stringify(frames[1]?.metadata)).toContain('no value was given');
  });

  it.each([
    [
      ['value=a,b', 'value=c a'],
      ['a', 'b', 'c'],
    ],
    [['VALUE=hxxps://evil[.]example/x=1'], ['hxxps://evil[.]example/x=1']],
  ])('%j are the values %j', (args, values) => {
    expect(readCheckOptions(args).values).toEqual(values);
  });

  it.each([
    [[], /no value given/],
    [['198.51.100.7'], /not understood; it takes value=/],
    [['value=a', 'prefix=x'], /not understood/],
    [['value=a', 'mode=plan'], /enrich or cache/],
    [['value=a', 'timeout=never'], /is not valid; it takes seconds/],
  ])('%j is told in the search UI', async (args, words) => {
    const { status, log, frames } = await check(args);
    expect(status).toBe(1);
    const { inspector, ...rest } = frames[0]?.metadata ?? {};
    expect(rest).toEqual({ type: 'stateful', generating: true, finished: true });
    expect(JSON.stringify(inspector)).toMatch(words);
    expect(log[0]).toMatch(words);
  });

  it.each([
    ['an execute before getinfo', [executeOf('')]],
    ['another action', [frameOf({ action: 'dance' })]],
    ['no protocol', [Buffer.from('GET / HTTP/1.1\r\n')]],
    ['half a frame', [getinfoOf(['value=a']).subarray(0, 30)]],
  ])('%s ends with a message', async (_case, requests) => {
    const { world, frames } = worldOf(requests);
    expect(await answerCheck(world, () => Promise.reject(new Error('never opened')))).toBe(1);
    expect(JSON.stringify(frames().at(-1)?.metadata.inspector)).toMatch(/broken input/);
  });

  it.skipIf(!hasFixtures)('speaks as the recorded generating command does', async () => {
    const recorded = readFrames(readFixture('splunk/recordings/generatehello.output'));
    const { frames } = await check(['value=203.0.113.5']);
    expect(frames[0]?.metadata).toEqual(recorded[0]?.metadata);
    expect(frames[1]?.metadata).toMatchObject(recorded[1]?.metadata ?? {});
  });
});

const client = {
  calls: 3,
  lookups: 3,
  answered: 3,
  retries: 0,
  failures: {},
  queued: 0,
  inFlight: 0,
  breaker: 'closed',
  blockedUntilMs: null,
  spentToday: 40,
  budgetPerDay: null,
  notices: [],
} as const;

const NO_WEEK = { successRate: null, latencyP95Ms: null, truePositiveRate: null, calls: 0, credits: 0, money: null };
const REPORT: Omit<WholeReport, 'callers'> = {
  from: '2026-11-15',
  to: '2026-11-21',
  latency: { p50: 169, p95: 642, p99: 1003 },
  successRate: 0.97,
  onTarget: { latency: true, successRate: false },
  targets: { latencyP95Ms: 30_000, successRate: 0.99 },
  providers: [
    {
      provider: 'virustotal',
      calls: 9,
      lookups: 12,
      answered: 11,
      failed: { timeout: 1 },
      successRate: 0.97,
      credits: 12,
      latency: { p50: 169, p95: 642, p99: 1003 },
    },
  ],
  costs: [{ provider: 'virustotal', spentThisMonth: 12, budgetPerMonth: 500, money: 3 }],
  feedback: { overrides: 0, truePositives: 0, falsePositives: 0, falseNegatives: 0, truePositiveRate: null },
  trend: [
    { from: '2026-11-08', to: '2026-11-14', ...NO_WEEK },
    { from: '2026-11-15', to: '2026-11-21', ...NO_WEEK, successRate: 0.97, latencyP95Ms: 642, calls: 9, credits: 12, money: 3 },
  ],
};

function factsOf(providers: readonly object[], note: QuotaFacts['store']['note'] = () => null): QuotaFacts {
  const stats = {
    providers,
    store: { kind: 'sqlite', path: '/var/x.sqlite', rows: 12, sizeBytes: 4096, fault: null },
    memoryEntries: 0,
    local: { lists: [{ faults: ['line 3: no indicator'] }] },
  } as unknown as EngineStats;
  return { stats, store: { note }, warnings: [], report: () => Promise.resolve(REPORT), close: () => Promise.resolve() };
}

describe('| ismaliciousquota', () => {
  async function quota(facts: QuotaFacts, args: readonly string[] = []) {
    const { world, frames } = worldOf([getinfoOf(args), executeOf('', false)]);
    const status = await answerQuota(world, () => Promise.resolve(facts));
    return { status, frames: frames() };
  }

  it.each([
    ['all is well', {}, { state: 'ok', spent_today: '40', budget_left: '', credits_left: '' }],
    ['the budget is spent', { budgetPerDay: 40 }, { state: 'over_budget', budget_per_day: '40', budget_left: '0' }],
    ['the breaker is open', { breaker: 'open' }, { state: 'down', breaker: 'open' }],
    ['told to stay away', { blockedUntilMs: 1_790_000_000_000 }, { state: 'blocked', blocked_until: '2026-09-21T14:13:20.000Z' }],
    [
      'no credits left',
      { notices: [{ window: 'monthly', remaining: 0, limit: 1000, resetsAtS: 1_790_000_000 }] },
      {
        state: 'exhausted',
        credits_left: '0',
        credits_limit: '1000',
        credits_window: 'monthly',
        credits_reset_at: '2026-09-21T14:13:20.000Z',
      },
    ],
    [
      'the provider does not count',
      { notices: [{ window: 'daily', remaining: null, limit: null, resetsAtS: null }] },
      { state: 'ok', credits_left: '' },
    ],
  ])('%s', async (_case, facts, cells) => {
    const { frames } = await quota(factsOf([{ provider: 'virustotal', ...client, ...facts }]));
    const table = readCsv(frames[1]?.body ?? '');
    expect(Object.fromEntries(Object.keys(cells).map((name) => [name, columnOf(table, name)[0]]))).toEqual(cells);
    expect(columnOf(table, 'kind')).toEqual(['provider', 'cache', 'list']);
    expect(columnOf(table, 'message')[2]).toBe('line 3: no indicator');
  });

  it('remembers what another process was refused', async () => {
    const note = (name: string) => (name === 'virustotal.quota-exhausted' ? { text: 'monthly quota used up', atS: 1_790_000_000 } : null);
    const { frames } = await quota(factsOf([{ provider: 'virustotal', ...client }], note));
    expect(columnOf(readCsv(frames[1]?.body ?? ''), 'message')[0]).toBe('last refused 2026-09-21T14:13:20.000Z: monthly quota used up');
  });

  it.each([[['x=1']], [['kind=weeks']], [['kind=report', 'x']], [['kind=quota', 'kind=report']]])('%j is wrong use', async (words) => {
    const { status, frames } = await quota(factsOf([]), words);
    expect([status, JSON.stringify(frames[0]?.metadata)]).toEqual([1, expect.stringContaining('kind=quota or kind=report')]);
  });

  it.each([['kind=report'], ['kind="report"']])(
    '%s: the figures of the weeks and of each source; what is not known is empty',
    async (word) => {
      const { status, frames } = await quota(factsOf([]), [word]);
      const table = readCsv(frames[1]?.body ?? '');
      const column = (name: string) => columnOf(table, name);
      expect([status, column('kind')]).toEqual([0, ['week', 'week', 'source']]);
      expect(column('success_rate')).toEqual(['', '0.97', '0.97']);
      expect(column('success_met')).toEqual(['', 'false', 'false']);
      expect(column('latency_met')).toEqual(['', 'true', 'true']);
      expect(column('credits')).toEqual(['0', '12', '12']);
      expect(column('money')).toEqual(['', '3', '3']);
    },
  );
});
