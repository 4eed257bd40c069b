import type { SourceReport } from '../../src/console/health/week.ts';

/** A source that has spent 70 credits in the week and 100 in the month, and what differs from that. */
export const sourceReport = (more: Partial<SourceReport>): SourceReport => ({
  source: 'a',
  latency_ms: { p50: null, p95: null },
  success_rate: null,
  credits: 70,
  spent_this_month: 100,
  budget_per_month: null,
  ...more,
});
