import type { Dashboard, Panel } from './elastic-dashboard.ts';

const report = (name: string) => `ismalicious.report.${name}`;
const ofKind = (kind: string) => `${report('kind')} : "${kind}"`;
const weekly = (title: string, field: string, x: number): Panel => ({
  title,
  kind: 'timeline',
  view: 'report',
  query: ofKind('week'),
  by: [report('kind')],
  value: { op: 'max', field: report(field), label: title },
  isWeekly: true,
  at: { x, y: 6, w: 16, h: 14 },
});
const ofTarget = (title: string, word: string, x: number): Panel => ({
  title,
  kind: 'metric',
  view: 'report',
  query: `${ofKind('week')} and ${report('target')} : "${word}"`,
  by: [],
  at: { x, y: 0, w: 16, h: 6 },
});

const bySource = (title: string, field: string, label: string, x: number): Panel => ({
  title,
  kind: 'timeline',
  view: 'report',
  query: ofKind('source'),
  by: [report('provider')],
  value: { op: 'sum', field: report(field), label },
  isWeekly: true,
  at: { x, y: 20, w: 24, h: 14 },
});

/** The weekly figures of `ismalicious report --index`, against their targets. */
export const WEEKLY: Dashboard = {
  id: 'ismalicious-weekly',
  title: '[isMalicious] Weekly figures',
  description: 'Share of look-ups answered, latency, confirmed alarms and cost, week by week, against their targets.',
  from: 'now-56d/w',
  text: 'Targets: 99 % of the look-ups answered, 95 % of the answers within 30 s. A week in which one of them was missed counts as missed; one without a look-up as not known.\n\n**Nothing here?** The figures were not written yet: run `ismalicious report --index` once a week (cron). It writes the last eight whole weeks, each once.',
  view: 'report',
  controls: [
    { field: 'host.name', title: 'Host' },
    { field: report('provider'), title: 'Source' },
    { field: report('target'), title: 'Target' },
  ],
  hasList: false,
  panels: [
    ofTarget('Weeks on target', 'met', 0),
    ofTarget('Weeks below target', 'missed', 16),
    ofTarget('Weeks without a look-up', 'not known', 32),
    weekly('Share answered', 'success_rate', 0),
    weekly('95 % of answers within (ms)', 'latency_p95_ms', 16),
    weekly('Share of alarms confirmed', 'true_positive_rate', 32),
    bySource('Credits by source', 'credits', 'Credits', 0),
    bySource('Cost by source', 'money', 'Cost', 24),
    {
      title: 'Slowest sources (95 % of calls within, ms)',
      kind: 'table',
      view: 'report',
      query: ofKind('source'),
      by: [report('provider'), report('week')],
      value: { op: 'max', field: report('latency_p95_ms'), label: '95 % within (ms)' },
      size: 20,
      at: { x: 0, y: 34, w: 24, h: 16 },
    },
    {
      title: 'Who spent most',
      kind: 'table',
      view: 'report',
      query: ofKind('caller'),
      by: [report('program'), report('user'), report('search')],
      value: { op: 'sum', field: report('credits'), label: 'Credits' },
      size: 20,
      at: { x: 24, y: 34, w: 24, h: 16 },
    },
  ],
};
