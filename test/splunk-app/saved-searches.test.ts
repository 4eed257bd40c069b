import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { appConf, appWorld, NOW_S, runSaved } from '../support/spl/app-world.ts';
import type { Row } from '../support/spl/values.ts';

const keyOf = (value: string) => createHash('sha256').update(value).digest('hex');
const ago = (seconds: number) => NOW_S - seconds;
const DAY_S = 86_400;

const BAD = { im_verdict: 'malicious', im_malicious: 'True', im_score: 97, im_tier: 'p1', im_status: 'ok', im_category: 'c2' };
const CLEAN = { im_verdict: 'clean', im_malicious: 'False', im_score: 3, im_tier: 'log', im_status: 'ok' };
const FAILED = { im_verdict: 'unknown', im_status: 'timeout', im_tier: 'review' };

/** Rows of a collection without the columns that a test does not speak of. */
const short = (rows: readonly Row[] | undefined, ...names: readonly string[]) => (rows ?? []).map((row) => names.map((name) => row[name]));

describe('Enrich notables', () => {
  const events: Row[] = [
    { index: 'notable', _time: ago(600), src: '10.0.0.5', dest: '198.51.100.7' },
    { index: 'notable', _time: ago(300), dest: ['198.51.100.7', '203.0.113.9'] },
    { index: 'notable', _time: ago(200), file_hash: 'deadbeef' },
    { index: 'notable', _time: ago(100), rule_name: 'no indicator at all' },
    { index: 'main', _time: ago(100), dest: '192.0.2.1' },
  ];
  const answers = { '198.51.100.7': BAD, '203.0.113.9': CLEAN, '10.0.0.5': { ...FAILED, im_status: 'skipped_private' }, deadbeef: FAILED };

  it('keeps one row for each indicator that was answered, with when and how often it was met', () => {
    const world = appWorld({ events, answers });
    runSaved('Enrich notables', world);
    const kept = world.lookups.get('ismalicious_verdicts');
    expect(short(kept, '_key', 'im_indicator', 'im_verdict', 'first_event', 'last_event', 'event_count', 'checked_at')).toEqual([
      [keyOf('198.51.100.7'), '198.51.100.7', 'malicious', ago(600), ago(300), 2, NOW_S],
      [keyOf('203.0.113.9'), '203.0.113.9', 'clean', ago(300), ago(300), 1, NOW_S],
    ]);
  });

  it('adds to what is kept, and leaves the answer that is there when a look-up fails', () => {
    const known = { im_verdict: 'malicious', first_event: ago(9000), last_event: ago(5000), event_count: 40 };
    const lookups = {
      ismalicious_verdicts: [
        { _key: keyOf('198.51.100.7'), im_indicator: '198.51.100.7', ...known },
        { _key: keyOf('deadbeef'), im_indicator: 'deadbeef', ...known },
      ],
    };
    const world = appWorld({ events, answers, lookups });
    runSaved('Enrich notables', world);
    const kept = world.lookups.get('ismalicious_verdicts');
    expect(short(kept, 'im_indicator', 'im_verdict', 'first_event', 'last_event', 'event_count')).toEqual([
      ['198.51.100.7', 'malicious', ago(9000), ago(300), 42],
      ['deadbeef', 'malicious', ago(9000), ago(5000), 40],
      ['203.0.113.9', 'clean', ago(300), ago(300), 1],
    ]);
  });
});

describe('Enrich network traffic', () => {
  it('reads destinations of traffic that was not blocked, each by its best name, and keeps those without a category too', () => {
    const events: Row[] = [
      { tag: ['network', 'communicate'], _time: ago(900), dest_ip: '198.51.100.7', action: 'allowed' },
      { tag: ['network', 'communicate'], _time: ago(800), dest_ip: '198.51.100.7' },
      { tag: ['network', 'communicate'], _time: ago(700), dest_ip: '192.0.2.66', action: 'blocked' },
      { tag: ['web', 'proxy'], _time: ago(600), url_domain: 'login.example', dest: '203.0.113.9', action: 'allowed' },
      { tag: ['web'], _time: ago(500), dest: '192.0.2.67', action: 'allowed' },
    ];
    const { im_category: _gone, ...uncategorised } = BAD;
    const world = appWorld({ events, answers: { '198.51.100.7': uncategorised, 'login.example': CLEAN } });
    runSaved('Enrich network traffic', world);
    const kept = world.lookups.get('ismalicious_verdicts');
    expect(short(kept, 'im_indicator', 'im_verdict', 'first_event', 'last_event', 'event_count')).toEqual([
      ['198.51.100.7', 'malicious', ago(900), ago(800), 2],
      ['login.example', 'clean', ago(600), ago(600), 1],
    ]);
  });
});

describe('the nightly purges', () => {
  const row = (name: string, ageDays: number, seen: string) => ({ _key: name, im_indicator: name, [seen]: ago(ageDays * DAY_S) });

  it.each([
    ['Purge verdicts', 'ismalicious_verdicts', 'last_event'],
    ['Purge watchlist', 'ismalicious_watchlist', 'added_at'],
  ])('%s keeps what is young, the youngest first, under the keys it had', (search, lookup, seen) => {
    const lookups = { [lookup]: [row('old', 61, seen), row('a', 59, seen), row('b', 1, seen)] };
    const world = appWorld({ lookups });
    runSaved(search, world);
    expect(short(world.lookups.get(lookup), '_key', 'im_indicator')).toEqual([
      ['b', 'b'],
      ['a', 'a'],
    ]);
  });

  it.each([
    ['Purge verdicts', 'ismalicious_verdicts', 'last_event'],
    ['Purge watchlist', 'ismalicious_watchlist', 'added_at'],
    ['Purge shared cache', 'ismalicious_cache', 'expires_at'],
  ])('%s keeps no more rows than the macro says, and obeys the macros that an admin has set', (search, lookup, seen) => {
    const lookups = { [lookup]: [1, 2, 3, 4].map((age) => row(`r${age}`, age, seen)) };
    const world = appWorld({ lookups, macros: { ismalicious_max_rows: '2', ismalicious_max_age_days: '30' } });
    runSaved(search, world);
    expect(short(world.lookups.get(lookup), '_key')).toEqual([['r1'], ['r2']]);
  });

  it('Purge shared cache keeps answers that may still be used as stale ones', () => {
    const lookups = { ismalicious_cache: [row('gone', 8, 'expires_at'), row('stale', 6, 'expires_at'), row('fresh', -1, 'expires_at')] };
    const world = appWorld({ lookups });
    runSaved('Purge shared cache', world);
    expect(short(world.lookups.get('ismalicious_cache'), '_key')).toEqual([['fresh'], ['stale']]);
  });

  it.each(['Purge verdicts', 'Purge watchlist', 'Purge shared cache'])(
    '%s never empties a collection because it read nothing',
    (search) => {
      const lookups = { ismalicious_verdicts: [{ _key: 'x' }], ismalicious_watchlist: [{ _key: 'x' }], ismalicious_cache: [{ _key: 'x' }] };
      const world = appWorld({ lookups });
      runSaved(search, world);
      expect([...world.lookups.values()].map((rows) => rows.length)).toEqual(expect.not.arrayContaining([undefined]));
      for (const name of Object.keys(lookups)) expect(world.lookups.get(name)).toEqual([{ _key: 'x' }]);
    },
  );
});

describe('Re-check the watchlist', () => {
  const entry = (value: string, verdict: string, tier: string) => ({
    _key: keyOf(value),
    im_indicator: value,
    im_type: 'ipv4-addr',
    im_verdict: verdict,
    im_score: 50,
    im_tier: tier,
    added_at: ago(DAY_S),
    added_by: 'alice',
    search_name: 'Bad destinations',
  });

  it('shows what turned, and notes for every entry that was answered when it was looked at', () => {
    const lookups = {
      ismalicious_watchlist: [
        entry('198.51.100.7', 'suspicious', 'watch'),
        entry('203.0.113.9', 'clean', 'log'),
        entry('192.0.2.1', 'unknown', 'review'),
      ],
    };
    const world = appWorld({ lookups, answers: { '198.51.100.7': BAD, '203.0.113.9': CLEAN, '192.0.2.1': FAILED } });
    const turned = runSaved('Re-check the watchlist', world);
    expect(short(turned, 'im_indicator', 'verdict_before', 'im_verdict', 'tier_before', 'im_tier', 'added_by')).toEqual([
      ['198.51.100.7', 'suspicious', 'malicious', 'watch', 'p1', 'alice'],
    ]);
    const kept = world.lookups.get('ismalicious_watchlist');
    expect(short(kept, '_key', 'im_verdict', 'checked_at', 'turned_at', 'added_at')).toEqual([
      [keyOf('198.51.100.7'), 'malicious', NOW_S, NOW_S, ago(DAY_S)],
      [keyOf('203.0.113.9'), 'clean', NOW_S, undefined, ago(DAY_S)],
      [keyOf('192.0.2.1'), 'unknown', undefined, undefined, ago(DAY_S)],
    ]);
    expect(runSaved('Re-check the watchlist', { ...world, nowS: NOW_S + 43_200 })).toEqual([]);
  });

  it('writes only columns that the collection has', () => {
    const world = appWorld({
      lookups: { ismalicious_watchlist: [entry('198.51.100.7', 'clean', 'log')] },
      answers: { '198.51.100.7': BAD },
    });
    runSaved('Re-check the watchlist', world);
    const columns = appConf('transforms')['ismalicious_watchlist']?.fields_list?.split(', ') ?? [];
    expect(Object.keys(world.lookups.get('ismalicious_watchlist')?.[0] ?? {}).filter((name) => !columns.includes(name))).toEqual([]);
  });
});

describe('Quota report', () => {
  it('files every row of the quota command under its name in the index of the macro', () => {
    const rows = [
      { kind: 'provider', provider: 'virustotal', state: 'exhausted', credits_left: 0 },
      { kind: 'cache', state: 'ok', cache_rows: 12 },
    ];
    const world = appWorld({ commands: { ismaliciousquota: () => rows }, macros: { ismalicious_summary_index: 'index=soc_summary' } });
    runSaved('Quota report', world);
    expect(world.collected.get('soc_summary')).toEqual(rows.map((row) => ({ ...row, source: 'isMalicious - Quota report' })));
  });
});

describe('Malicious destinations', () => {
  const event = (more: Row) => ({ tag: ['network', 'communicate'], _time: ago(600), ...more });
  const { im_category: _gone, ...uncategorised } = BAD;
  const lookups = {
    ismalicious_verdicts: [
      { im_indicator: '198.51.100.7', ...uncategorised },
      { im_indicator: '203.0.113.9', ...BAD },
      { im_indicator: '192.0.2.1', ...CLEAN },
    ],
  };

  it('gives one row for each of our hosts and each bad place, whatever is not known of either', () => {
    const events = [
      event({ src: '10.0.0.5', dest_ip: '198.51.100.7', action: 'allowed', bytes_out: 100, user: 'alice' }),
      event({ src: '10.0.0.5', dest_ip: '198.51.100.7', action: 'blocked', bytes_out: 7, _time: ago(300) }),
      event({ dest_ip: '203.0.113.9', action: 'allowed' }),
      event({ src: '10.0.0.6', dest_ip: '192.0.2.1', action: 'allowed', bytes_out: 9 }),
      event({ src: '10.0.0.6', dest_ip: '192.0.2.99', action: 'allowed', bytes_out: 9 }),
    ];
    const found = runSaved('Malicious destinations', appWorld({ events, lookups }));
    expect(
      short(found, 'src', 'dest', 'count', 'action', 'bytes_out', 'first_event', 'last_event', 'im_score', 'im_tier', 'im_category'),
    ).toEqual([
      ['10.0.0.5', '198.51.100.7', 2, ['allowed', 'blocked'], 107, ago(600), ago(300), 97, 'p1', undefined],
      [undefined, '203.0.113.9', 1, 'allowed', undefined, ago(600), ago(600), 97, 'p1', 'c2'],
    ]);
  });
});

describe('every shipped saved search', () => {
  const searches = Object.entries(appConf('savedsearches'));

  it('has a test with rows in and rows out', () => {
    expect(searches.map(([name]) => name.replace('isMalicious - ', '')).toSorted()).toEqual([
      'Enrich network traffic',
      'Enrich notables',
      'Malicious destinations',
      'Purge shared cache',
      'Purge verdicts',
      'Purge watchlist',
      'Quota report',
      'Re-check the watchlist',
    ]);
  });

  it('counts no event twice: its time range is as long as the pause between two runs', () => {
    for (const [name, { cron_schedule: cron = '', ...dispatch }] of searches) {
      const [, pause] = /^\d+-59\/(\d+) /.exec(cron) ?? [];
      if (pause === undefined) continue;
      const [from = 0, to = 0] = ['earliest_time', 'latest_time'].map((key) =>
        Number(/^-(\d+)m@m$/.exec(dispatch[`dispatch.${key}`] ?? '')?.[1]),
      );
      expect([name, from - to]).toEqual([name, Number(pause)]);
    }
  });
});
