/** What the dashboards show, once for Kibana 8/9 (Lens), Kibana 7.10 and OpenSearch Dashboards (aggregation based). */

import type { Dashboard, Panel, View } from './elastic-dashboard.ts';
import { NO_INDICATORS } from './elastic-meta.ts';
import { WEEKLY } from './elastic-weekly.ts';

export const VIEWS: Readonly<Record<View, { readonly id: string; readonly title: string }>> = {
  events: { id: 'ismalicious-events', title: 'logs-*' },
  indicators: { id: 'ismalicious-indicators', title: 'logs-ti_ismalicious_latest.indicator*' },
  report: { id: 'ismalicious-report', title: 'logs-ismalicious.report-*' },
};

const ANSWERED = 'ismalicious.status : ("ok" or "stale" or "partial")';
const BAD = 'ismalicious.verdict : ("malicious" or "suspicious")';

const metric = (title: string, query: string, x: number): Panel => ({
  title,
  kind: 'metric',
  view: 'events',
  query,
  by: [],
  at: { x, y: 0, w: 12, h: 6 },
});

export const OVERVIEW: Dashboard = {
  id: 'ismalicious-overview',
  title: '[isMalicious] Threats in events',
  description: 'Which events hold malicious or suspicious values, where, and how bad. Flat fields only: works without nested queries.',
  from: 'now-24h',
  text: 'Click an indicator, a host or a source in a table: all charts, and the list at the end, narrow to its events.\n\n**Nothing here?** No event of this time holds a malicious or suspicious value, or none was looked up, which is not the same: the health dashboard says which.',
  view: 'events',
  controls: [
    { field: 'host.name', title: 'Host' },
    { field: 'ismalicious.verdict', title: 'Verdict' },
    { field: 'ismalicious.tier', title: 'Tier' },
  ],
  hasList: true,
  panels: [
    metric('Malicious', `ismalicious.verdict : "malicious" and ${ANSWERED}`, 0),
    metric('Suspicious', `ismalicious.verdict : "suspicious" and ${ANSWERED}`, 12),
    metric('Act now (p1)', 'ismalicious.tier : "p1"', 24),
    metric('Not looked up: failed', 'tags : "_ismalicious_failure"', 36),
    {
      title: 'Verdicts over time',
      kind: 'timeline',
      view: 'events',
      query: 'ismalicious.verdict : *',
      by: ['ismalicious.verdict'],
      at: { x: 0, y: 6, w: 32, h: 14 },
    },
    { title: 'Tiers', kind: 'donut', view: 'events', query: BAD, by: ['ismalicious.tier'], at: { x: 32, y: 6, w: 16, h: 14 } },
    {
      title: 'Worst indicators',
      kind: 'table',
      view: 'events',
      query: BAD,
      by: ['ismalicious.indicator', 'ismalicious.verdict', 'ismalicious.field'],
      max: 'ismalicious.score',
      size: 20,
      at: { x: 0, y: 20, w: 32, h: 16 },
    },
    { title: 'Categories', kind: 'donut', view: 'events', query: BAD, by: ['ismalicious.categories'], at: { x: 32, y: 20, w: 16, h: 16 } },
    {
      title: 'Affected hosts',
      kind: 'table',
      view: 'events',
      query: BAD,
      by: ['host.name', 'ismalicious.indicator'],
      max: 'ismalicious.score',
      at: { x: 0, y: 36, w: 24, h: 14 },
    },
    {
      title: 'Affected sources',
      kind: 'table',
      view: 'events',
      query: BAD,
      by: ['source.ip', 'ismalicious.indicator'],
      max: 'ismalicious.score',
      at: { x: 24, y: 36, w: 24, h: 14 },
    },
    {
      title: 'Affected hosts over time',
      kind: 'timeline',
      view: 'events',
      query: `${BAD} and host.name : *`,
      by: ['host.name'],
      at: { x: 0, y: 50, w: 48, h: 12 },
    },
  ],
};

export const HEALTH: Dashboard = {
  id: 'ismalicious-health',
  title: '[isMalicious] Health of the enrichment',
  description:
    'Whether events are looked up at all: statuses, failures and how much came from the cache. A gap here is not a clean network.',
  from: 'now-24h',
  text: 'Whether events are looked up at all. Failed ones can be looked up again: `ismalicious replay` for the spool of Logstash, `ismalicious backfill --retry-failures` for what is stored.\n\n**Nothing here?** No event came enriched in this time: look at the sidecar (`GET /readyz`), and at the way that events take (docs/elastic.md). That does not mean a clean network.\n\nWhere answers came from is known of findings and failures; of clean and unknown events, too, with `ecs.detail: full`.',
  view: 'events',
  controls: [
    { field: 'host.name', title: 'Host' },
    { field: 'ismalicious.status', title: 'Status' },
    { field: 'ismalicious.source', title: 'Answer from' },
  ],
  hasList: false,
  panels: [
    metric('Looked up', `${ANSWERED} and ismalicious.verdict : *`, 0),
    metric('Failed', 'tags : "_ismalicious_failure"', 12),
    metric('Sidecar not reached', 'tags : "_ismalicious_unavailable"', 24),
    metric('Refused by a pipeline', 'tags : "_ismalicious_pipeline_failure"', 36),
    {
      title: 'Status over time',
      kind: 'timeline',
      view: 'events',
      query: 'ismalicious.status : *',
      by: ['ismalicious.status'],
      at: { x: 0, y: 6, w: 32, h: 14 },
    },
    {
      title: 'Where answers came from',
      kind: 'donut',
      view: 'events',
      query: 'ismalicious.source : *',
      by: ['ismalicious.source'],
      at: { x: 32, y: 6, w: 16, h: 14 },
    },
    {
      title: 'What failed and why',
      kind: 'table',
      view: 'events',
      query: 'tags : "_ismalicious_failure"',
      by: ['ismalicious.status', 'ismalicious.message'],
      size: 20,
      at: { x: 0, y: 20, w: 48, h: 14 },
    },
  ],
};

export const INDICATORS: Dashboard = {
  id: 'ismalicious-indicators-overview',
  title: '[isMalicious] Valid indicators',
  description: 'The indicators that are valid now: by type, confidence and category.',
  // Verdicts on files hold for a year.
  from: 'now-366d',
  text: 'What is valid now. Copy a name and search for it under Threats in events: `ismalicious.indicator : "…"`.\n\n**Nothing here?** No verdict was written as an indicator yet: set `outputs.elasticsearch` and run `ismalicious pipeline run`; on Elasticsearch the transform `logs-ti_ismalicious.latest_ioc` has to run, too.',
  view: 'indicators',
  controls: [
    { field: 'threat.indicator.type', title: 'Type' },
    { field: 'ismalicious.verdict', title: 'Verdict' },
    { field: 'threat.indicator.confidence', title: 'Confidence' },
  ],
  hasList: false,
  panels: [
    { title: 'Valid indicators', kind: 'metric', view: 'indicators', by: [], at: { x: 0, y: 0, w: 12, h: 14 } },
    { title: 'Types', kind: 'donut', view: 'indicators', by: ['threat.indicator.type'], at: { x: 12, y: 0, w: 18, h: 14 } },
    { title: 'Confidence', kind: 'donut', view: 'indicators', by: ['threat.indicator.confidence'], at: { x: 30, y: 0, w: 18, h: 14 } },
    { title: 'New by verdict', kind: 'timeline', view: 'indicators', by: ['ismalicious.verdict'], at: { x: 0, y: 14, w: 48, h: 12 } },
    {
      title: 'Highest scores',
      kind: 'table',
      view: 'indicators',
      by: ['threat.indicator.name', 'threat.indicator.type', 'ismalicious.verdict'],
      max: 'ismalicious.score',
      size: 50,
      at: { x: 0, y: 26, w: 32, h: 16 },
    },
    {
      title: 'Categories',
      kind: 'table',
      view: 'indicators',
      by: ['ismalicious.categories'],
      size: 20,
      at: { x: 32, y: 26, w: 16, h: 16 },
    },
  ],
};

/** `logs-*` holds indicator documents, too: no panel counts them as events. */
function eventsOnly(panel: Panel): Panel {
  return panel.view === 'events' ? { ...panel, query: `(${panel.query ?? '@timestamp : *'}) and ${NO_INDICATORS}` } : panel;
}

/** Rows above the charts, for the text. */
const TOP = 7;

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, HEALTH, INDICATORS, WEEKLY].map((one) => ({
  ...one,
  panels: one.panels.map(eventsOnly).map((panel) => ({ ...panel, at: { ...panel.at, y: panel.at.y + TOP } })),
}));

/** The list of events behind the numbers. */
export const SEARCH = {
  id: 'ismalicious-events-list',
  title: '[isMalicious] Events with malicious or suspicious values',
  columns: [
    'ismalicious.verdict',
    'ismalicious.score',
    'ismalicious.indicator',
    'ismalicious.field',
    'source.ip',
    'destination.ip',
    'host.name',
    'event.action',
  ],
  query: `${BAD} and ${NO_INDICATORS}`,
} as const;
