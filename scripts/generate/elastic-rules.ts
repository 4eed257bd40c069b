/**
 * Detection rules for Kibana Security, as it imports them (NDJSON, a rule a line).
 * Rules over the flat twins are plain term queries on what is already in the event: no join, no schedule of an hour, no limit
 * of look-back. Two indicator match rules stay for events that came in unenriched; the second is for domains, which Elastic's own lack.
 * Nothing here blocks or deletes; every rule is imported disabled.
 */
import type { Target } from '../../src/search-engine/assets/asset.ts';
import { ASSET_VERSION, NO_INDICATORS } from './elastic-meta.ts';
import { monitors } from './elastic-monitors.ts';
import { LATEST_ALIAS } from './elastic-templates.ts';

type Rule = Readonly<Record<string, unknown>>;

const EVENT_INDICES = ['logs-*', 'filebeat-*', 'packetbeat-*', 'winlogbeat-*', 'auditbeat-*'];
const LICENCE = 'Apache-2.0';
/** Only an answer counts: `ok`, or an older one of ours. A failure has no verdict to alert on, and its own rule. */
const ANSWERED = `ismalicious.status : ("ok" or "stale" or "partial") and ${NO_INDICATORS}`;

/** Scans seen from outside are denied by the thousand: the dashboards show them. */
const NOT_DENIED = 'not event.type : "denied"';

const NOTE = `## Triage

1. \`ismalicious.indicator\`, \`ismalicious.field\` and \`ismalicious.categories\` say what was found and where in the event it stood; \`threat.enrichments\` has one entry for each.
2. \`ismalicious.tier\`: \`p1\` act now, \`p2\` today, \`watch\` put on the watch list, \`review\` no score: needs a review.
3. \`ismalicious.checked_at\` is when the verdict was given. Ask again (\`ismalicious check VALUE\`) before acting on an old one.
4. \`event.action\`/\`event.outcome\`: a denied connection is a scan seen from outside, not a compromise.
5. \`ismalicious.attributes\` (cdn, cloud, tor-exit …) are facts, not accusations: contact with shared infrastructure is often chance.

Give feedback on false alarms (sidecar \`POST /v1/feedback\`), so that they do not come again.`;

const REFERENCES = ['https://ismalicious.com', 'https://www.elastic.co/guide/en/ecs/current/ecs-threat.html'];

const SETUP = `## Setup

Events have to come enriched: through the Logstash pipelines, the _bulk gateway, \`ismalicious enrich\` or \`ismalicious backfill\`. Install the templates (\`ismalicious elastic install --target elasticsearch\`); for data streams of other integrations add \`--hooks\`. The dashboard "[isMalicious] Health of the enrichment" shows whether events are looked up at all.`;

const MATCH_SETUP = `## Setup

Valid indicators have to be in \`${LATEST_ALIAS}\`: write them with the output elasticsearch (\`outputs.elasticsearch\`), and have the transform \`logs-ti_ismalicious.latest_ioc\` running (\`ismalicious elastic install\` starts it).`;

/** MITRE ATT&CK: what meeting such a value most often is. */
const COMMAND_AND_CONTROL = [tactic('TA0011', 'Command and Control', [['T1071', 'Application Layer Protocol']])];
const MALICIOUS_FILE = [tactic('TA0002', 'Execution', [['T1204', 'User Execution']])];

function tactic(id: string, name: string, techniques: readonly (readonly [id: string, name: string])[]): Rule {
  const site = 'https://attack.mitre.org';
  return {
    framework: 'MITRE ATT&CK',
    tactic: { id, name, reference: `${site}/tactics/${id}/` },
    technique: techniques.map(([number, title]) => ({
      id: number,
      name: title,
      reference: `${site}/techniques/${number}/`,
      subtechnique: [],
    })),
  };
}

/** One alert for each of these in an hour, with a count, instead of one for each event. Kibana needs a platinum licence for it; without one it alerts on each. */
function suppressedBy(...fields: string[]): Rule {
  return { group_by: fields, duration: { value: 1, unit: 'h' }, missing_fields_strategy: 'doNotSuppress' };
}

function rule(id: string, name: string, description: string, more: Rule): Rule {
  return {
    rule_id: `ismalicious-${id}`,
    name: `isMalicious: ${name}`,
    description,
    author: ['isMalicious'],
    license: LICENCE,
    version: ASSET_VERSION,
    enabled: false,
    immutable: false,
    tags: ['isMalicious', 'Threat Intelligence'],
    from: 'now-7m',
    to: 'now',
    interval: '5m',
    max_signals: 100,
    language: 'kuery',
    index: EVENT_INDICES,
    risk_score: 50,
    severity: 'medium',
    risk_score_mapping: [],
    severity_mapping: [],
    references: REFERENCES,
    setup: SETUP,
    false_positives: ['Shared infrastructure (CDN, cloud, mail relays); security tools that resolve or fetch indicators themselves.'],
    exceptions_list: [],
    actions: [],
    threat: [],
    note: NOTE,
    timestamp_override: 'event.ingested',
    ...more,
  };
}

const BY_SCORE = [{ field: 'ismalicious.score', operator: 'equals', value: '' }];
const BY_TIER = [
  { field: 'ismalicious.tier', operator: 'equals', value: 'watch', severity: 'low' },
  { field: 'ismalicious.tier', operator: 'equals', value: 'p2', severity: 'high' },
  { field: 'ismalicious.tier', operator: 'equals', value: 'p1', severity: 'critical' },
];

function flatRules(): Rule[] {
  return [
    rule(
      'malicious-indicator',
      'malicious indicator in an event',
      'An event holds a value with the verdict malicious, and was not denied. Needs no indicator match: the verdict came with the event.',
      {
        type: 'query',
        query: `ismalicious.verdict : "malicious" and ${ANSWERED} and ${NOT_DENIED}`,
        threat: COMMAND_AND_CONTROL,
        alert_suppression: suppressedBy('ismalicious.indicator', 'host.name'),
        risk_score: 73,
        severity: 'high',
        risk_score_mapping: BY_SCORE,
        severity_mapping: BY_TIER,
      },
    ),
    rule('malicious-file', 'malicious file seen', 'A file or process has a hash with the verdict malicious.', {
      type: 'query',
      query: `ismalicious.verdict : "malicious" and ismalicious.field : (file.hash.* or process.hash.* or dll.hash.* or email.attachments.file.hash.*) and ${ANSWERED}`,
      threat: MALICIOUS_FILE,
      alert_suppression: suppressedBy('ismalicious.indicator', 'host.name'),
      risk_score: 90,
      severity: 'critical',
      risk_score_mapping: BY_SCORE,
    }),
    rule(
      'new-malicious-contact',
      'first contact of a host with a malicious indicator',
      'First contact of a host with this malicious indicator in 7 days.',
      {
        type: 'new_terms',
        query: `ismalicious.verdict : "malicious" and ${ANSWERED} and host.name : *`,
        new_terms_fields: ['host.name', 'ismalicious.indicator'],
        history_window_start: 'now-7d',
        threat: COMMAND_AND_CONTROL,
        risk_score: 80,
        severity: 'high',
        risk_score_mapping: BY_SCORE,
      },
    ),
    rule(
      'suspicious-spread',
      'one suspicious indicator on many sources',
      'At least five sources had contact with a value of the verdict suspicious within the hour.',
      {
        type: 'threshold',
        query: `ismalicious.verdict : "suspicious" and ${ANSWERED}`,
        threshold: { field: ['ismalicious.indicator'], value: 5, cardinality: [{ field: 'source.ip', value: 5 }] },
        threat: COMMAND_AND_CONTROL,
        alert_suppression: { duration: { value: 6, unit: 'h' } },
        from: 'now-70m',
        interval: '1h',
        risk_score: 55,
        severity: 'medium',
      },
    ),
    rule(
      'enrichment-failing',
      'enrichment is failing',
      'Events carry the failure tag: what they hold is not known to be clean. Look at the sidecar (GET /readyz, /metrics), the key and the quota.',
      {
        type: 'threshold',
        query: `(tags : "_ismalicious_failure" or tags : "_ismalicious_unavailable") and ${NO_INDICATORS}`,
        threshold: { field: ['ismalicious.status'], value: 100 },
        alert_suppression: { duration: { value: 1, unit: 'h' } },
        from: 'now-20m',
        interval: '15m',
        risk_score: 21,
        severity: 'low',
        note: 'Not a threat: a gap. Events from this time can be enriched later: `ismalicious replay` for spooled events, `ismalicious backfill` for indexed ones.',
      },
    ),
  ];
}

/** A verdict on a file holds for a year: what counts is when it ends, not how old it is. */
const VALID = 'ismalicious.expires_at >= "now" and event.module : "ti_ismalicious" and not labels.is_ioc_transform_source : "true"';

/** For events that came in unenriched. Hourly, over the latest valid indicators only: a join of small with large. */
function matchRules(): Rule[] {
  const common = {
    type: 'threat_match',
    from: 'now-65m',
    interval: '1h',
    risk_score: 73,
    severity: 'high',
    threat_index: [`${LATEST_ALIAS}*`],
    threat_query: VALID,
    threat_language: 'kuery',
    threat_indicator_path: 'threat.indicator',
    setup: MATCH_SETUP,
    threat: COMMAND_AND_CONTROL,
    threat_filters: [],
    concurrent_searches: 2,
    items_per_search: 5000,
  };
  const unenriched = 'not ismalicious.verdict : * and not event.module : ti_*';
  return [
    rule(
      'indicator-match',
      'unenriched event matches an indicator',
      'An event without a verdict of its own holds an address, hash, URL or e-mail address that stands among the valid indicators.',
      {
        ...common,
        query: `${unenriched} and (source.ip : * or destination.ip : * or file.hash.* : * or process.hash.* : * or url.full : * or email.from.address : *)`,
        threat_mapping: mapping([
          ['source.ip', 'ip'],
          ['destination.ip', 'ip'],
          ...['file', 'process', 'dll'].flatMap((what) =>
            ['md5', 'sha1', 'sha256'].map((kind): [string, string] => [`${what}.hash.${kind}`, `file.hash.${kind}`]),
          ),
          ['url.full', 'url.full'],
          ['url.original', 'url.original'],
          ['email.from.address', 'email.address'],
          ['email.sender.address', 'email.address'],
          ['email.reply_to.address', 'email.address'],
        ]),
      },
    ),
    rule(
      'domain-match',
      'unenriched event matches a domain',
      'An event without a verdict of its own names a domain that stands among the valid indicators. Elastic ships no such rule.',
      {
        ...common,
        query: `${unenriched} and (dns.question.name : * or url.domain : * or destination.domain : * or tls.client.server_name : *)`,
        threat_query: `${common.threat_query} and threat.indicator.type : "domain-name"`,
        threat_mapping: mapping(
          ['dns.question.name', 'url.domain', 'destination.domain', 'tls.client.server_name'].map((field) => [field, 'url.domain']),
        ),
      },
    ),
  ];
}

function mapping(pairs: readonly (readonly [string, string])[]): Rule[] {
  return pairs.map(([field, value]) => ({ entries: [{ field, type: 'mapping', value: `threat.indicator.${value}` }] }));
}

/** Every Kibana rule. */
export function detectionRules(): Rule[] {
  return [...flatRules(), ...matchRules()];
}

/** Files of one target, by path below it. */
export function ruleFiles(target: Target): Map<string, string> {
  switch (target) {
    case 'elasticsearch':
      return new Map([['kibana/detection-rules.ndjson', ndjson(detectionRules())]]);
    case 'opensearch':
      return new Map(
        monitors().map((one) => [`monitors/${String(one.name).slice(13).replaceAll(' ', '-')}.json`, `${JSON.stringify(one, null, 2)}\n`]),
      );
    default:
      return new Map();
  }
}

/** One JSON text a line. */
export function ndjson(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
