import { expect, it } from 'vitest';
import { chartText, figureText } from '../../src/console/health/chart-text.ts';
import { creditsLeft } from '../../src/console/health/metrics-text.ts';
import { creditsAhead, quantiles, rates, weekly } from '../../src/console/health/series.ts';
import type { Report } from '../../src/console/health/week.ts';
import { sourceReport as source } from './source-report.ts';

const DAY_MS = 86_400_000;
const reading = (atMs: number, value: number) => ({ atMs, samples: [{ name: 'a', labels: {}, value }] });
const valueOf = (samples: readonly { readonly value: number }[]) => samples[0]?.value ?? 0;

it.each([
  ['none', [], []],
  ['one', [reading(5000, 3)], []],
  ['two', [reading(5000, 3), reading(10_000, 13)], [2]],
  ['no gain', [reading(5000, 3), reading(10_000, 3)], [0]],
  ['a start anew in between', [reading(5000, 13), reading(10_000, 3), reading(15_000, 8)], [null, 1]],
  ['a clock that was set back', [reading(5000, 3), reading(4000, 13), reading(6000, 15)], [1]],
])('of %s readings, what was gained a second is %j', (_, readings, gained) => {
  const { times, values } = rates(readings, valueOf);
  expect(values).toEqual(gained);
  expect(times).toHaveLength(gained.length);
});

it('between readings without a call there is no time, and no figure', () => {
  expect(quantiles([reading(5000, 3), reading(10_000, 3)], 0.95)).toEqual({ times: [10], values: [null] });
});

const week = (from: string, calls: number, more: Partial<Report['trend'][number]> = {}): Report['trend'][number] => ({
  from,
  calls,
  latency_p95_ms: null,
  success_rate: null,
  true_positive_rate: null,
  credits: 0,
  money: null,
  ...more,
});

it('a week without a call is a gap, and one whose calls cost nothing is zero', () => {
  const trend = [week('2026-11-09', 0), week('2026-11-16', 4), week('2026-11-23', 5, { credits: 7 })];
  expect(weekly({ trend } as unknown as Report, ({ credits }) => credits)).toEqual({
    times: ['2026-11-09', '2026-11-16', '2026-11-23'].map((from) => Date.parse(from) / 1000),
    values: [null, 0, 7],
  });
});

it.each([
  ['no limit', {}, null, null],
  ['a source that was not used', { credits: 0 }, 50, null],
  ['a plan that ends in three days', {}, 25, [25, 15, 5, 0]],
  ['a plan that is used up', {}, 0, [0]],
  ['a budget that the month ends before', { budget_per_month: 200 }, null, [100, 90, 80, 75]],
  ['a budget larger than the plan', { budget_per_month: 200 }, 30, [30, 20, 10, 0]],
])('with %s credits go %j, %j left: %j', (_, more, left, values) => {
  const series = creditsAhead(source(more), left, Date.parse('2026-11-28T12:00:00Z'));
  expect(series?.values ?? null).toEqual(values);
});

it('credits are reckoned for each day, until they end within one, and not further than 30 days', () => {
  const nowMs = Date.parse('2026-11-28T12:00:00Z');
  const days = (left: number) => creditsAhead(source({}), left, nowMs)?.times.map((seconds) => (seconds * 1000 - nowMs) / DAY_MS);
  expect(days(25)).toEqual([0, 1, 2, 2.5]);
  expect(days(30)).toEqual([0, 1, 2, 3]);
  expect([days(1_000_000)?.length, days(1_000_000)?.at(-1)]).toEqual([31, 30]);
});

it('of the credits a source has left, those that start again within a day do not count', () => {
  const left = (window: string, value: number, provider = 'a') => ({
    name: 'ismalicious_provider_quota_remaining',
    labels: { provider, window },
    value,
  });
  expect(creditsLeft([left('minute', 3), left('daily', 5)], 'a')).toBeNull();
  expect(creditsLeft([left('minute', 3), left('monthly', 90), left('plan', 80), left('plan', 1, 'b')], 'a')).toBe(80);
});

it.each([
  [0, '0'],
  [0.256, '0.26'],
  [99.9, '99.9'],
  [1204.4, '1,204'],
])('the figure %j is written %s', (value, text) => {
  expect(figureText(value)).toBe(text);
});

it('few figures are named one by one, and what is missing is not zero', () => {
  const times = ['2026-11-16', '2026-11-23'].map((day) => Date.parse(day) / 1000);
  expect(chartText('Answered', '%', { times, values: [null, 99.5] }, 'date')).toBe(
    'Answered (%): 2026-11-16 not measured; 2026-11-23 99.5.',
  );
  expect(chartText('Answered', '%', { times, values: [null, null] }, 'date')).toBe('Answered (%): nothing was measured.');
});

it('of many figures the first and last, the least and the most are named', () => {
  const times = Array.from({ length: 20 }, (_, n) => Date.parse('2026-11-30T08:00:00Z') / 1000 + n * 5);
  const values = times.map((_, n) => (n === 19 || n === 3 ? null : n === 7 ? 400 : n));
  expect(chartText('Calls', 'a second', { times, values }, 'clock')).toBe(
    'Calls (a second): 0 at 08:00:00, 18 at 08:01:30 (UTC); least 0, most 400; 2 of 20 not measured.',
  );
});
