import { expect, it } from 'vitest';
import { burnDown, latencyText, percentOf } from '../../src/console/health/week.ts';
import { sourceReport as source } from './source-report.ts';

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
