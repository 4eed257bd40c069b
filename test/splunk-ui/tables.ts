// What the mocked splunkd answers to the dashboards' searches, by data source: made-up values of documentation ranges.
import type { Table } from './mock-splunkd.ts';

const DAYS = ['15', '16', '17', '18', '19', '20', '21'].map((day) => `2026-11-${day}T00:00:00.000+00:00`);

const WEEKS = ['2026-11-15', '2026-11-08', '2026-11-01', '2026-10-25', '2026-10-18', '2026-10-11', '2026-10-04', '2026-09-27'];

/** Rows by dashboard and data source, as splunkd would give them back for its search. */
export const TABLES: Readonly<Record<string, Readonly<Record<string, Table>>>> = {
  overview: {
    ds_counts: { fields: ['day', 'im_verdict', 'im_tier', 'count'], rows: [['1795219200', 'malicious', 'p1', '7']] },
    ds_malicious: { fields: ['malicious'], rows: [['23']] },
    ds_suspicious: { fields: ['suspicious'], rows: [['41']] },
    ds_p1: { fields: ['p1'], rows: [['9']] },
    ds_review: { fields: ['review'], rows: [['12']] },
    ds_all: { fields: ['indicators'], rows: [['1482']] },
    ds_over_time: {
      fields: ['_time', 'malicious', 'suspicious', 'unknown', 'clean'],
      rows: DAYS.map((day, n) => [
        day,
        String(2 + ((n * 5) % 7)),
        String(4 + ((n * 3) % 8)),
        String(30 + ((n * 11) % 17)),
        String(120 + ((n * 37) % 60)),
      ]),
    },
    ds_tiers: {
      fields: ['im_tier', 'indicators'],
      rows: [
        ['p1', '9'],
        ['p2', '18'],
        ['watch', '44'],
        ['review', '12'],
        ['log', '1399'],
      ],
    },
    ds_sources: {
      fields: ['im_providers', 'indicators'],
      rows: [
        ['ismalicious', '1482'],
        ['virustotal', '412'],
        ['abuseipdb', '389'],
        ['local', '35'],
      ],
    },
    ds_top: {
      fields: ['Indicator', 'Type', 'Verdict', 'Score', 'Tier', 'Category', 'Events', 'Seen'],
      rows: [
        ['198[.]51[.]100[.]7', 'ipv4-addr', 'malicious', '97', 'p1', 'c2, botnet', '214', '2026-11-21 09:14'],
        ['login[.]invoice-check[.]example', 'domain-name', 'malicious', '91', 'p1', 'phishing', '12', '2026-11-21 08:02'],
        ['hxxps://files[.]update-center[.]example/setup[.]exe', 'url', 'malicious', '88', 'p1', 'malware', '3', '2026-11-20 17:45'],
        ['203[.]0[.]113[.]45', 'ipv4-addr', 'suspicious', '64', 'p2', 'scanner', '880', '2026-11-21 09:31'],
        ['billing[@]pay-notice[.]example', 'email-addr', 'suspicious', '61', 'p2', 'phishing', '2', '2026-11-19 11:20'],
      ],
    },
  },
  investigate: {
    ds_check: { fields: ['value', 'provider', 'im_indicator'], rows: [['198.51.100.7', 'merged', '198.51.100.7']] },
    ds_verdict: { fields: ['im_verdict'], rows: [['malicious']] },
    ds_score: { fields: ['im_score'], rows: [['87']] },
    ds_confidence: { fields: ['im_confidence'], rows: [['90']] },
    ds_tier: { fields: ['im_tier'], rows: [['p1']] },
    ds_status: { fields: ['im_status'], rows: [['partial']] },
    ds_explain: {
      fields: ['Indicator', 'Type', 'Category', 'Explanation', 'Answer', 'Note'],
      rows: [
        [
          '198[.]51[.]100[.]7',
          'ipv4-addr',
          'c2, botnet',
          '87 = ismalicious 52 + virustotal 35; abuseipdb timeout',
          'live',
          'abuseipdb: no answer within 10 s',
        ],
      ],
    },
    ds_providers: {
      fields: ['Provider', 'Status', 'Verdict', 'Score', 'Confidence', 'Share', 'Category', 'Sightings', 'First', 'Last', 'Note'],
      rows: [
        ['ismalicious', 'ok', 'malicious', '92', '95', '52', 'c2', '12', '2026-10-02', '2026-11-20', ''],
        ['virustotal', 'ok', 'suspicious', '70', '80', '35', 'botnet', '5', '', '2026-11-18', ''],
        ['shodan', 'not_listed', 'unknown', '', '', '', '', '', '', '', ''],
        ['abuseipdb', 'timeout', 'unknown', '', '', '', '', '', '', '', 'no answer within 10 s'],
      ],
    },
    ds_shares: {
      fields: ['provider', 'im_contribution'],
      rows: [
        ['ismalicious', '52'],
        ['virustotal', '35'],
      ],
    },
    ds_seen: {
      fields: ['Events', 'First', 'Last', 'Checked'],
      rows: [['214', '2026-11-15 03:10', '2026-11-21 09:14', '2026-11-21 09:15']],
    },
    ds_triage: {
      fields: ['Time', 'Indicator', 'Verdict', 'Score', 'Tier', 'Search'],
      rows: [
        ['2026-11-21 09:15:02', '198[.]51[.]100[.]7', 'malicious', '87', 'p1', 'isMalicious - Malicious destinations'],
        ['2026-11-20 22:00:41', '198[.]51[.]100[.]7', 'malicious', '85', 'p1', 'isMalicious - Malicious destinations'],
      ],
    },
  },
  quota_and_health: {
    ds_quota: { fields: ['kind', 'provider', 'state'], rows: [['provider', 'ismalicious', 'ok']] },
    ds_configured: { fields: ['sources'], rows: [['4']] },
    ds_trouble: { fields: ['sources'], rows: [['2']] },
    ds_left: {
      fields: ['counter', 'credits_left'],
      rows: [
        ['virustotal (daily)', '0'],
        ['abuseipdb (daily)', '611'],
        ['ismalicious (burst)', '58'],
        ['ismalicious (monthly)', '41250'],
      ],
    },
    ds_providers: {
      fields: ['Source', 'State', 'Counter', 'Left', 'Limit', 'Spent', 'Budget', 'Breaker', 'Blocked', 'Note'],
      rows: [
        ['ismalicious', 'ok', 'monthly', '41250', '50000', '873', '1127', 'closed', '', ''],
        ['ismalicious', 'ok', 'burst', '58', '60', '873', '1127', 'closed', '', ''],
        [
          'virustotal',
          'exhausted',
          'daily',
          '0',
          '500',
          '500',
          '0',
          'closed',
          '2026-11-22T00:00:00Z',
          'last refused 2026-11-21T08:59:12Z: quota used up',
        ],
        ['abuseipdb', 'ok', 'daily', '611', '1000', '389', '', 'closed', '', ''],
        ['shodan', 'down', '', '', '', '4', '', 'open', '', ''],
      ],
    },
    ds_burn: {
      fields: ['_time', 'ismalicious (monthly)', 'abuseipdb (daily)'],
      rows: DAYS.map((day, n) => [day, String(47_000 - n * 890), String(1000 - ((n * 137) % 600))]),
    },
    ds_forecast: {
      fields: ['Source', 'Counter', 'Left', 'Daily', 'Lasts'],
      rows: [
        ['ismalicious', 'monthly', '41250', '887.5', '46.5 days'],
        ['abuseipdb', 'daily', '611', '402.1', '1.5 days'],
        ['virustotal', 'daily', '0', '500', '0 days'],
      ],
    },
    ds_report: { fields: ['kind', 'from'], rows: [['week', '2026-11-15']] },
    ds_weeks: {
      fields: ['Week', 'Target', 'Answered', 'Latency', 'Confirmed', 'Calls', 'Credits', 'Cost'],
      rows: WEEKS.map((week, n) => [
        week,
        n === 2 ? 'missed' : 'met',
        n === 2 ? '97.4 %' : `99.${n} %`,
        `${514 + n * 31} ms`,
        n > 4 ? 'not measured' : '81.2 %',
        String(812 - n * 40),
        String(4100 - n * 210),
        String(41 - n * 2.1),
      ]),
    },
    ds_weeks_chart: {
      fields: ['from', 'answered', 'target'],
      rows: WEEKS.toReversed().map((week, n) => [week, n === 5 ? '97.4' : '99.6', '99']),
    },
    ds_week_sources: {
      fields: ['Source', 'Answered', 'Half', 'Most', 'Calls', 'Credits', 'Cost', 'Month'],
      rows: [
        ['ismalicious', '99.8 %', '135 ms', '514 ms', '640', '3200', '32', '8750 of 50000'],
        ['virustotal', '97.1 %', '264 ms', '1253 ms', '172', '172', 'no price set', '500'],
      ],
    },
    ds_known: { fields: ['known', 'newest'], rows: [['1482', '1795258500']] },
    ds_known_count: { fields: ['known'], rows: [['1482']] },
    ds_cache: { fields: ['cache_rows'], rows: [['28904']] },
    ds_newest: { fields: ['age'], rows: [['00:14:31']] },
    ds_failures: {
      fields: ['_time', 'timeout', 'quota_exhausted'],
      rows: DAYS.map((day, n) => [day, String(n % 3), String(n > 4 ? 9 : 0)]),
    },
  },
};
