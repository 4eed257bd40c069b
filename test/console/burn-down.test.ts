import { expect, it } from 'vitest';
import { burnDown, latencyText, percentOf, type SourceReport } from '../../src/console/health/week.ts';

const source = (more: Partial<SourceReport>): SourceReport => ({
  source: 'a',
  latency_ms: { p50: null, p95: null },
  success_rate: null,
  credits: 70,
  spent_this_month: 100,
  budget_per_month: null,
  ...more,
});

it.each([
  [{}, null, 'no limit known'],
  [{}, 95, '9 days'],
  [{}, 0, '0 days'],
  [{ budget_per_month: 110 }, null, '1 day (budget)'],
  [{ budget_per_month: 200 }, 50, '5 days'],
  [{ budget_per_month: 140 }, 500, '4 days (budget)'],
  [{ budget_per_month: 90 }, null, '0 days (budget)'],
  [{ credits: 0 }, 95, 'not used'],
  [{ credits: 0 }, null, 'no limit known'],
])('%j with %j left lasts: %s', (more, left, said) => {
  expect(burnDown(source(more), left)).toBe(said);
});

it.each([
  [null, '–'],
  [0, '0.0 %'],
  [0.98999, '98.9 %'],
  [1, '100.0 %'],
])('a share of %j is shown as %s', (share, said) => {
  expect(percentOf(share)).toBe(said);
});

it.each([
  [{ p50: null, p95: null }, '–'],
  [{ p50: 0, p95: 1253 }, '0 / 1,253 ms'],
])('%j is shown as %s', (latency, said) => {
  expect(latencyText(latency)).toBe(said);
});
