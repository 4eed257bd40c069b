// Worlds that the pages are run in: nothing at all, as right after installation, and a network that met something bad.
import { CHECK_FIELDS } from '../../src/hosts/splunk/commands/check-command.ts';
import { appWorld, NOW_S } from '../support/spl/app-world.ts';
import { runSpl } from '../support/spl/run-spl.ts';
import type { SplWorld } from '../support/spl/spl-world.ts';
import { type Row, textOf } from '../support/spl/values.ts';
import type { Table } from './mock-splunkd.ts';
import { definitionOf } from './views.ts';

const SEARCHES = '/servicesNS/-/ismalicious/saved/searches';
const RANGE = { minS: NOW_S - 7 * 86_400, maxS: NOW_S };
const ago = (seconds: number) => NOW_S - seconds;

const BAD = {
  im_verdict: 'malicious',
  im_score: 97,
  im_tier: 'p1',
  im_providers: 'ismalicious, local',
  im_status: 'ok',
  im_type: 'ipv4-addr',
};
const EVENT = { tag: ['network', 'communicate'] };

const TARGETS = { success_target: 0.99, latency_target_ms: 30_000 };
/** As `| ismaliciousquota kind=report` gives it: a week without a look-up, one below its target, one that met both. */
const REPORT: Row[] = [
  { kind: 'week', from: '2026-11-01', ...TARGETS, calls: 0, credits: 0 },
  {
    kind: 'week',
    from: '2026-11-08',
    ...TARGETS,
    success_rate: 0.9742,
    success_met: 'false',
    latency_p95_ms: 514,
    latency_met: 'true',
    true_positive_rate: 0.8,
    calls: 80,
    credits: 400,
    money: 4,
  },
  {
    kind: 'week',
    from: '2026-11-15',
    ...TARGETS,
    success_rate: 1,
    success_met: 'true',
    latency_p95_ms: 642,
    latency_met: 'true',
    calls: 9,
    credits: 12,
  },
  {
    kind: 'source',
    provider: 'virustotal',
    ...TARGETS,
    success_rate: 0.5,
    latency_p50_ms: 264,
    latency_p95_ms: 1253,
    calls: 9,
    credits: 12,
    money: 3,
    spent_this_month: 12,
    budget_per_month: 500,
  },
];

/** Right after installation: the app runs, nobody has a key, every scheduled search is off, and no event fits a macro. */
export function emptyWorld(): SplWorld {
  return appWorld({
    range: RANGE,
    commands: {
      ismaliciousquota: (_rows, args) =>
        args.includes('report')
          ? [{ kind: 'week', from: '2026-11-15', calls: 0, credits: 0 }]
          : [{ kind: 'cache', state: 'ok', cache_rows: 0 }],
      ismaliciouscheck: () => [],
      ismaliciousrecords: () => [],
    },
    rest: {
      [SEARCHES]: [{ title: 'isMalicious - Enrich notables', disabled: '1', is_scheduled: '0' }, { title: 'Errors in the last hour' }],
    },
  });
}

/** Two of our hosts met a bad address; one of them was blocked. */
export function filledWorld(): SplWorld {
  const events: Row[] = [
    { ...EVENT, _time: ago(7200), src: '10.0.0.5', user: 'alice', dest_ip: '198.51.100.7', action: 'allowed', bytes_out: 5000 },
    { ...EVENT, _time: ago(3600), src: '10.0.0.5', dest_ip: '198.51.100.7', action: 'Blocked', bytes_out: 0 },
    { ...EVENT, _time: ago(1800), src: '10.0.0.6', user: 'bob', dest_ip: '198.51.100.7', action: 'denied' },
    { ...EVENT, _time: ago(1800), src: '10.0.0.7', dest_ip: '203.0.113.9', action: 'allowed', bytes_out: 70 },
    { ...EVENT, _time: ago(900), user: 'carol', dest_ip: '198.51.100.8', action: 'not blocked' },
    {
      sourcetype: 'ismalicious:triage',
      _time: ago(600),
      im_indicator: '198.51.100.7',
      im_verdict: 'malicious',
      im_score: 97,
      im_tier: 'p1',
      im_status: 'ok',
      tier: 'p1',
      action_status: 'success',
      note: 'malicious by 2 sources',
      search_name: 'Bad destinations',
    },
    { index: 'notable', _time: ago(500), dest: '198.51.100.7' },
    {
      index: 'summary',
      source: 'isMalicious - Quota report',
      _time: ago(3600),
      kind: 'provider',
      provider: 'virustotal',
      credits_left: 400,
      credits_window: 'daily',
    },
  ];
  const row = (value: string, more: Row) => ({
    _key: value,
    im_indicator: value,
    ...BAD,
    checked_at: ago(1000),
    first_event: ago(9000),
    last_event: ago(1800),
    event_count: 3,
    ...more,
  });
  const verdicts = [
    row('198.51.100.7', {}),
    row('198.51.100.8', { im_verdict: 'suspicious', im_score: 55, im_tier: 'watch' }),
    row('203.0.113.9', { im_verdict: 'clean', im_score: 2, im_tier: 'log' }),
  ];
  const watchlist = [
    {
      ...row('198.51.100.8', {}),
      added_at: ago(90_000),
      added_by: 'alice',
      search_name: 'Bad destinations',
      checked_at: ago(4000),
      turned_at: ago(4000),
      verdict_before: 'clean',
    },
  ];
  const merged = {
    value: '198.51.100.7',
    provider: 'merged',
    im_indicator: '198.51.100.7',
    ...BAD,
    im_confidence: 90,
    im_explain: '97 = ismalicious 60 + local 37',
  };
  return appWorld({
    range: RANGE,
    events,
    lookups: { ismalicious_verdicts: verdicts, ismalicious_watchlist: watchlist },
    commands: {
      ismaliciousquota: (_rows, args) =>
        args.includes('report')
          ? REPORT
          : [
              {
                kind: 'provider',
                provider: 'virustotal',
                state: 'exhausted',
                credits_left: 0,
                credits_window: 'daily',
                credits_limit: 500,
              },
              { kind: 'provider', provider: 'ismalicious', state: 'ok', credits_left: 900, credits_window: 'monthly' },
              { kind: 'cache', state: 'ok', cache_rows: 12 },
            ],
      ismaliciouscheck: (_rows, args) =>
        args.includes('198') ? [merged, { ...merged, provider: 'ismalicious', im_contribution: 60 }] : [],
      ismaliciousrecords: (_rows, args) =>
        args.includes('spent')
          ? [
              { program: 'splunk', user: 'weber', search: 'scheduler__weber__1', credits: 12, values: 12, calls: 9 },
              { program: 'sidecar', credits: 2, values: 2, calls: 1 },
            ]
          : args.includes('sent')
            ? [
                {
                  sent_at: '2026-11-21T09:00:00Z',
                  provider: 'virustotal',
                  im_indicator: '198.51.100.7',
                  program: 'splunk',
                  user: 'alice',
                  search_id: '1795000000.42',
                },
              ]
            : [
                {
                  state: 'in force',
                  im_indicator: '203.0.113.9',
                  im_verdict: 'clean',
                  author: 'alice',
                  reason: 'our own scanner',
                  given_at: '2026-11-20T10:00:00Z',
                },
              ],
    },
    rest: {
      [SEARCHES]: [
        { title: 'isMalicious - Enrich notables', disabled: '0', is_scheduled: '1', next_scheduled_time: '2026-11-21 09:37:00 UTC' },
      ],
    },
  });
}

/** What inputs hold before anybody touches them, with what a test types. */
export function tokensOf(page: string, typed: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const inputs = Object.values(definitionOf(page).inputs).map(({ options }) => [String(options['token']), options['defaultValue'] ?? '']);
  return { ...(Object.fromEntries(inputs) as Record<string, string>), ...typed };
}

/** The SPL of a data source with the searches it extends in front, and its tokens filled in as Splunk does. */
export function wholeQuery(page: string, id: string, tokens: Readonly<Record<string, string>>): string {
  const { dataSources } = definitionOf(page);
  const { query, extend } = dataSources[id]?.options ?? { query: '' };
  const own = query.replaceAll(/\$(\w+)\|s\$/g, (_all, name: string) => `"${(tokens[name] ?? '').replaceAll(/["\\]/g, '\\$&')}"`);
  return extend === undefined ? own : `${wholeQuery(page, extend, tokens)}\n${own}`;
}

/** The rows of a data source. */
export function rowsOf(page: string, id: string, world: SplWorld, typed: Readonly<Record<string, string>> = {}): Row[] {
  return runSpl(wholeQuery(page, id, tokensOf(page, typed)), world);
}

/** What splunkd would answer to a search; a column of time is a date. */
export function answerIn(world: SplWorld, search: string): Table {
  const rows = runSpl(search, world);
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (row: Row, name: string) => {
    const value = row[name] ?? null;
    if (value === null) return null;
    return name === '_time' && typeof value === 'number' ? new Date(value * 1000).toISOString() : textOf(value);
  };
  return { fields: fields.length > 0 ? fields : [CHECK_FIELDS[0]], rows: rows.map((row) => fields.map((name) => cell(row, name))) };
}
