import { describe, expect, it } from 'vitest';
import { textOf } from '../support/spl/values.ts';
import { emptyWorld, filledWorld, rowsOf } from './page-worlds.ts';
import { DASHBOARDS, definitionOf } from './views.ts';

const panels = DASHBOARDS.flatMap((page) =>
  Object.entries(definitionOf(page).visualizations).flatMap(([id, { dataSources }]) =>
    Object.values(dataSources ?? {}).map((source) => ({ page, id, source })),
  ),
);

describe('every panel, right after installation', () => {
  it.each(panels)('$page $id has something to say instead of "No search results"', ({ page, source }) => {
    const rows = rowsOf(page, source, emptyWorld());
    expect(rows.length).toBeGreaterThan(0);
    expect(
      Object.values(rows[0] ?? {})
        .map(textOf)
        .join(''),
    ).not.toBe('');
  });

  it.each(
    DASHBOARDS.flatMap((page) =>
      Object.entries(definitionOf(page).visualizations)
        .filter(([, { type }]) => type !== 'splunk.markdown')
        .map(([id, panel]) => ({ page, id, panel })),
    ),
  )('$page $id has a title and a description', ({ panel }) => {
    expect([panel.title, panel.description]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w.*\.$/)]);
  });

  it('a page never reads as clean: the numbers say that there is no data', () => {
    const first = (page: string, id: string) => Object.values(rowsOf(page, id, emptyWorld())[0] ?? {});
    for (const id of ['ds_malicious', 'ds_suspicious', 'ds_p1', 'ds_review', 'ds_all'])
      expect(first('overview', id)).toEqual(['no data yet']);
    expect(first('quota_and_health', 'ds_trouble')).toEqual(['no source yet']);
    expect(first('investigate', 'ds_verdict')).toEqual(['no value yet']);
  });

  it('Overview, Investigate and Quota say what to do first', () => {
    const said = (page: string, id: string) =>
      Object.values(rowsOf(page, id, emptyWorld())[0] ?? {})
        .map(textOf)
        .join(' ');
    expect(said('overview', 'ds_top')).toContain('Open Start here');
    expect(said('investigate', 'ds_explain')).toContain('Type an indicator above');
    expect(said('quota_and_health', 'ds_providers')).toContain('open Setup');
  });
});

describe('Start here', () => {
  const states = (id: string, world = emptyWorld()) =>
    rowsOf('start_here', id, world).map((row) => [row['Check'] ?? row['Search'], row['State']]);

  it('finds what is missing right after installation, with a fix for each', () => {
    expect(states('ds_program')).toEqual([
      ['1 Program', 'ok'],
      ['2 Keys', 'to do'],
      ['3 Sources', 'to do'],
      ['4 Cache', 'to do'],
    ]);
    expect(states('ds_searches')).toEqual([['Enrich notables', 'to do']]);
    expect(states('ds_data').map(([, state]) => state)).toEqual(['to do', 'to do', 'to do', 'to do']);
    expect(states('ds_known').map(([, state]) => state)).toEqual(['to do', 'to do', 'to do']);
    for (const id of ['ds_program', 'ds_searches', 'ds_data', 'ds_known'])
      for (const row of rowsOf('start_here', id, emptyWorld())) expect(textOf(row['Fix'] ?? null)).toMatch(/\w.*\.$/);
  });

  it('says what works, and names a source in trouble', () => {
    const world = filledWorld();
    expect(states('ds_program', world)).toEqual([
      ['1 Program', 'ok'],
      ['2 Keys', 'ok'],
      ['3 Sources', 'fault'],
      ['4 Cache', 'ok'],
    ]);
    expect(textOf(rowsOf('start_here', 'ds_program', world)[2]?.['Fix'] ?? null)).toContain('virustotal (exhausted)');
    expect(states('ds_searches', world)).toEqual([['Enrich notables', 'ok']]);
    expect(states('ds_data', world).map(([, state]) => state)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(states('ds_known', world).map(([, state]) => state)).toEqual(['ok', 'ok', 'ok']);
  });

  it('says so where the user may not read saved searches', () => {
    const world = { ...emptyWorld(), rest: { '/servicesNS/-/ismalicious/saved/searches': [] } };
    expect(states('ds_searches', world)).toEqual([['none found', 'fault']]);
  });
});

describe('Affected hosts and users', () => {
  const short = (id: string, names: readonly string[], typed = {}) =>
    rowsOf('affected', id, filledWorld(), typed).map((row) => names.map((name) => row[name]));

  it('shows who of ours met what is bad, what got through first, and who says so', () => {
    expect(short('ds_assets', ['Asset', 'Users', 'Indicators', 'Worst', 'Allowed', 'Blocked', 'Bytes', 'Sources'])).toEqual([
      ['10.0.0.5', 'alice', 1, 97, 1, 1, 5000, 'ismalicious, local'],
      ['carol', 'carol', 1, 55, 1, 0, '-', 'ismalicious, local'],
      ['10.0.0.6', 'bob', 1, 97, 0, 1, '-', 'ismalicious, local'],
    ]);
    expect([short('ds_count', ['assets']), short('ds_through', ['assets']), short('ds_bytes', ['bytes'])]).toEqual([
      [[3]],
      [[2]],
      [[5000]],
    ]);
  });

  it('shows one of them alone: its timeline, and what it met', () => {
    expect(short('ds_what', ['Indicator', 'Verdict', 'Hosts', 'Allowed', 'Blocked'])).toEqual([
      ['198[.]51[.]100[.]7', 'malicious', 2, 1, 2],
      ['198[.]51[.]100[.]8', 'suspicious', 1, 1, 0],
    ]);
    expect(short('ds_what', ['Indicator', 'Hosts'], { asset: '10.0.0.6' })).toEqual([['198[.]51[.]100[.]7', 1]]);
    expect(rowsOf('affected', 'ds_timeline', filledWorld(), { asset: '10.0.0.5' }).map(({ _time: _at, ...series }) => series)).toEqual([
      { 'not blocked': 1 },
      { blocked: 1 },
    ]);
    expect(short('ds_what', ['Indicator'], { asset: 'x" OR "1"=="1' })).toEqual([['Nothing bad was met in the time range.']]);
  });
});

describe('Investigate', () => {
  const typed = { indicator: '198[.]51[.]100[.]7' };

  it('finds a defanged value in our events: who met it, when, and what was done', () => {
    expect(rowsOf('investigate', 'ds_who', filledWorld(), typed).map(({ Asset, Allowed, Blocked }) => [Asset, Allowed, Blocked])).toEqual([
      ['10.0.0.5', 1, 1],
      ['10.0.0.6', 0, 1],
    ]);
    expect(rowsOf('investigate', 'ds_timeline', filledWorld(), typed).map(({ _time: _at, ...series }) => series)).toEqual([
      { allowed: 1 },
      { blocked: 1 },
      { denied: 1 },
    ]);
    expect(rowsOf('investigate', 'ds_triage', filledWorld(), typed).map(({ Indicator, Search }) => [Indicator, Search])).toEqual([
      ['198[.]51[.]100[.]7', 'Bad destinations'],
    ]);
  });
});

describe('Watchlist and records', () => {
  it('shows what turned, what was decided, what the action did and what was sent', () => {
    const world = filledWorld();
    const first = (id: string) => rowsOf('records', id, world)[0];
    expect(first('ds_watch')).toMatchObject({ Indicator: '198[.]51[.]100[.]8', Verdict: 'malicious', Before: 'clean', By: 'alice' });
    expect(first('ds_overrides')).toMatchObject({
      Indicator: '203[.]0[.]113[.]9',
      Author: 'alice',
      Reason: 'our own scanner',
      State: 'in force',
    });
    expect(first('ds_alerts')).toMatchObject({ Tier: 'p1', Result: 'success', Note: 'malicious by 2 sources' });
    expect(first('ds_sent')).toMatchObject({
      Provider: 'virustotal',
      Indicator: '198[.]51[.]100[.]7',
      User: 'alice',
      Search: '1795000000.42',
    });
    expect(rowsOf('records', 'ds_spent', world)).toEqual([
      { Program: 'splunk', User: 'weber', Search: 'scheduler__weber__1', Credits: 12, Values: 12, Calls: 9 },
      { Program: 'sidecar', User: '-', Search: '-', Credits: 2, Values: 2, Calls: 1 },
    ]);
  });
});

describe('Quota and health', () => {
  it('holds each week against its targets; a week without a look-up is neither met nor missed, and no line of the chart', () => {
    const rows = (id: string, names: readonly string[]) =>
      rowsOf('quota_and_health', id, filledWorld()).map((row) => names.map((name) => row[name]));
    expect(rows('ds_weeks', ['Week', 'Target', 'Answered', 'Latency', 'Confirmed', 'Credits', 'Cost'])).toEqual([
      ['2026-11-15', 'met', '100 %', '642 ms', 'not measured', 12, 'no price set'],
      ['2026-11-08', 'missed', '97.4 %', '514 ms', '80 %', 400, '4'],
      ['2026-11-01', 'not known', 'not measured', 'not measured', 'not measured', 0, 'no price set'],
    ]);
    expect(rows('ds_weeks_chart', ['from', 'answered', 'target'])).toEqual([
      ['2026-11-08', 97.4, 99],
      ['2026-11-15', 100, 99],
    ]);
    expect(rows('ds_week_sources', ['Source', 'Answered', 'Half', 'Most', 'Cost', 'Month'])).toEqual([
      ['virustotal', '50 %', '264 ms', '1253 ms', '3', '12 of 500'],
    ]);
  });
});
