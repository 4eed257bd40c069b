import type { SCHEMAS } from './api-schemas.ts';
import type { INSIGHT_SCHEMAS } from './insight-schemas.ts';
import type { PIPELINE_SCHEMAS } from './pipeline-schemas.ts';

type Name = keyof typeof SCHEMAS | keyof typeof PIPELINE_SCHEMAS | keyof typeof INSIGHT_SCHEMAS;

const AT = '2026-11-30T08:00:00Z';
const UNTIL = '2026-12-01T08:00:00Z';
const ADDRESS = '198.51.100.7';

const SAID = {
  provider: 'ismalicious',
  status: 'ok',
  score: 87,
  confidence: 90,
  categories: ['c2'],
  sightings: 12,
  first_seen: '2026-10-02T00:00:00Z',
  last_seen: '2026-11-29T00:00:00Z',
  reference: 'https://ismalicious.com/report?query=198.51.100.7',
  contribution: 87,
};

const ENRICHMENT = {
  indicator: ADDRESS,
  input: '198[.]51[.]100[.]7',
  type: 'ipv4-addr',
  verdict: 'malicious',
  status: 'ok',
  score: 87,
  confidence: 90,
  categories: ['c2'],
  attributes: [],
  tier: 'p1',
  auto_resolve: false,
  source: 'live',
  checked_at: AT,
  expires_at: UNTIL,
  message: null,
  providers: [SAID],
};

const ROLL_UP = {
  verdict: 'malicious',
  status: 'ok',
  score: 87,
  confidence: 90,
  categories: ['c2'],
  attributes: [],
  tier: 'p1',
  auto_resolve: false,
  source: 'live',
  checked_at: AT,
  indicator: ADDRESS,
  malicious: true,
};

const OVERRIDE = {
  indicator: ADDRESS,
  verdict: 'clean',
  score: 0,
  author: 'weber',
  reason: 'our own scanner',
  at: AT,
  until: UNTIL,
  said_verdict: 'malicious',
  said_score: 87,
  ended_at: null,
  ended_by: null,
};

const PLAN = {
  values: 3,
  unique: 3,
  invalid: 0,
  refused: 1,
  local: 0,
  cached: 1,
  to_pay: 1,
  by_provider: { ismalicious: 1 },
  credits_by_provider: { ismalicious: 1 },
  over_budget: {},
  credits_left: { ismalicious: 900 },
  estimated_s: 1,
};

/** An example of each component. */
export const EXAMPLES: Readonly<Record<Name, unknown>> = {
  // Each answer has its own: see `with-examples.ts`.
  Error: { error: { code: 'invalid_request', message: 'body must have required property: see /openapi.json' } },
  IngestAnswer: { events: 2, indexed: 1, already: 1, refused: 0 },
  LookupRequest: { indicators: ['198[.]51[.]100[.]7', 'hxxp://login[.]example/reset'], timeout_ms: 5000, explain: false },
  LookupAnswer: { enrichments: [ENRICHMENT] },
  Plan: PLAN,
  ExtractRequest: { text: 'Blocked hxxp://login[.]example/reset from 198.51.100.7', unique: true },
  ExtractAnswer: { indicators: [{ type: 'ipv4-addr', value: ADDRESS, original: ADDRESS, offset: 42 }] },
  FeedbackRequest: { indicator: ADDRESS, verdict: 'clean', author: 'weber', reason: 'our own scanner', for_s: 86_400 },
  FeedbackEndRequest: { indicator: ADDRESS, author: 'weber' },
  Override: OVERRIDE,
  Overrides: { overrides: [OVERRIDE] },
  ProviderResult: SAID,
  Enrichment: ENRICHMENT,
  RollUp: ROLL_UP,
  Event: { '@timestamp': AT, destination: { ip: ADDRESS } },
  LogstashAnswer: { ...ROLL_UP, failed: false, enrichments: [{ indicator: { ip: ADDRESS, type: 'ipv4-addr' } }] },
  CheckAnswer: { malicious: true, riskScore: { score: 87, level: 'critical' }, categories: ['c2'], confidenceScore: 90 },
  CheckFailure: { message: 'no source lists it: that is not the same as clean', status: 'ok', lookupStatus: 'unknown' },
  Health: { status: 'ok' },
  WatchRequest: { indicators: ['login.example'], reason: 'case 4711', by: 'weber', every_hours: 24, days: 30 },
  WatchEndRequest: { indicators: ['login.example'] },
  Watchlist: {
    total: 1,
    watchlist: [
      {
        indicator: 'login.example',
        type: 'domain-name',
        reason: 'case 4711',
        by: 'weber',
        added_at: AT,
        every_hours: 24,
        next_check_at: UNTIL,
        until: null,
        verdict: null,
        score: null,
        checked_at: null,
      },
    ],
  },
  WatchResults: { results: [{ input: 'login.example', indicator: 'login.example', type: 'domain-name', added: true }] },
  Quarantine: { total: 1, items: [{ feed: 'urlhaus', reason: 'empty host', raw: 'http:///', times: 2, last_at: AT }] },
  Alerts: { alerts: [{ id: 'a-1', 'destination.ip': ADDRESS }] },
  Decisions: {
    decisions: [
      {
        alert_id: 'a-1',
        tier: 'p1',
        actions: ['create_incident'],
        auto_resolve: false,
        score: 87,
        verdict: 'malicious',
        status: 'ok',
        indicator: ADDRESS,
        field: 'destination.ip',
        reasons: ['ismalicious 87'],
        note: '198[.]51[.]100[.]7 malicious, score 87',
      },
    ],
  },
  PipelineState: {
    runs: [{ finished_at: AT, feeds: {}, enriched: 12, failures: [] }],
    indicators: 4200,
    watched: 3,
    sightings: 180,
    quarantined_items: 2,
    given_up: [{ output: 'jira', total: 1, reasons: ['HTTP 400: project is missing'] }],
  },
  ValueHistory: {
    indicator: ADDRESS,
    listed_by: ['feodo'],
    verdicts: [{ at: AT, verdict: 'malicious', score: 87, tier: 'p1' }],
    sightings: [{ asset: 'pc-7', times: 3, first_at: AT, last_at: AT }],
  },
  Settings: {
    settings: [
      { key: 'sidecar.port', value: 8787, from: 'default' },
      { key: 'providers.ismalicious.api_key', value: '********', from: 'environment variable ISMALICIOUS_API_KEY' },
    ],
  },
  Report: {
    from: '2026-11-24',
    to: '2026-11-30',
    targets: { latency_p95_ms: 30_000, success_rate: 0.99 },
    on_target: { latency: true, success_rate: true },
    latency_ms: { p50: 169, p95: 642, p99: 1003 },
    success_rate: 0.997,
    feedback: { overrides: 3, true_positives: 2, false_positives: 1, false_negatives: 0, true_positive_rate: 0.667 },
    sources: [
      {
        source: 'ismalicious',
        calls: 300,
        lookups: 1200,
        answered: 1196,
        failed: { timeout: 4 },
        success_rate: 0.997,
        latency_ms: { p50: 135, p95: 514, p99: 803 },
        credits: 1200,
        money: null,
        spent_this_month: 4100,
        budget_per_month: 10_000,
      },
    ],
    callers: [{ program: 'splunk', user: 'weber', search: '1796000000.42', calls: 12, values: 480, credits: 480 }],
    trend: [
      {
        from: '2026-11-24',
        to: '2026-11-30',
        latency_p95_ms: 642,
        success_rate: 0.997,
        true_positive_rate: 0.667,
        calls: 300,
        credits: 1200,
        money: null,
      },
    ],
  },
  Taxii: { title: 'isMalicious', api_roots: ['/taxii2/api/'] },
};

/** Bodies and answers that are no component, by media type. */
export const PLAIN_EXAMPLES: Readonly<Record<string, unknown>> = {
  'application/json': { '@timestamp': AT, destination: { ip: ADDRESS } },
  'application/x-ndjson': `{"destination":{"ip":"${ADDRESS}"}}\n`,
  'text/plain': `{"destination.ip":"${ADDRESS}"}`,
  'application/octet-stream': 'From: a@sender.example\r\n\r\nhxxp://login[.]example/reset\r\n',
  'text/javascript': '// the script of the page',
  'text/css': '/* the style of the page */',
  'text/html': '<!doctype html><title>isMalicious</title>',
};
