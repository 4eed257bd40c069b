import type { Answer } from '../../src/model/enrichment.ts';
import type { IndicatorType } from '../../src/model/indicator.ts';
import type { Output, OutputAnswer, OutputContext, OutputItem, OutputResult, OutputStep } from '../../src/outputs/output.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { enrichmentOf } from '../store/samples.ts';

export const NOW = 1_795_000_000;

/** An output by its id. */
export function outputOf(id: string): Output {
  const found = OUTPUTS.find((output) => output.id === id);
  if (!found) throw new Error(`no output ${id}`);
  return found;
}

/** A judged indicator; its key is made of its value. */
export function itemOf(value: string, more: Partial<OutputItem> & { type?: IndicatorType; answer?: Partial<Answer> } = {}): OutputItem {
  const { type = 'ipv4-addr', answer = {}, ...facts } = more;
  const indicator = { type, value };
  return {
    key: `ismalicious:${value}:1`,
    id: Buffer.from(value).toString('hex').padEnd(64, '0').slice(0, 64),
    event: 'enriched',
    indicator,
    enrichment: { ...enrichmentOf({ score: 87, confidence: 62, categories: ['c2'], ...answer }), input: value, indicator },
    sources: ['misp'],
    tags: ['C2'],
    tlp: 'GREEN',
    addedS: NOW - 86_400,
    firstSeenS: NOW - 2 * 86_400,
    lastSeenS: NOW - 3600,
    validUntilS: null,
    isRevoked: false,
    atS: NOW,
    before: null,
    note: null,
    ...facts,
  };
}

/** Settings that every output can be opened with, by id; secrets begin with `s3cret`. */
export const SETTINGS: Readonly<Record<string, Record<string, unknown>>> = {
  splunk_hec: { baseUrl: 'https://splunk.corp-net.com:8088', token: 's3cret-hec' },
  sentinel: { tenantId: 't', clientId: 'c', clientSecret: 's3cret-az', workspaceId: 'w' },
  sentinel_logs: { tenantId: 't', clientId: 'c', clientSecret: 's3cret-az', baseUrl: 'https://dce.corp-net.com', ruleId: 'dcr-1' },
  crowdstrike: { clientId: 'c', clientSecret: 's3cret-cs' },
  misp: { baseUrl: 'https://misp.corp-net.com', apiKey: 's3cret-misp' },
  elasticsearch: { baseUrl: 'https://es.corp-net.com:9200', apiKey: 's3cret-es' },
  file: { path: '/out/iocs.ndjson' },
  webhook: { baseUrl: 'https://hook.corp-net.com/in', secret: 's3cret-webhook-key' },
  jira: { baseUrl: 'https://x.atlassian.net', email: 'a@corp-net.com', apiKey: 's3cret-jira', project: 'SOC' },
  servicenow: { baseUrl: 'https://x.service-now.com', username: 'u', password: 's3cret-snow' },
  pagerduty: { routingKey: 's3cret00000000000000000000000000' },
  thehive: { baseUrl: 'https://hive.corp-net.com', apiKey: 's3cret-hive' },
  slack: { baseUrl: 'https://hooks.slack.com/services/T/B/s3cret' },
  teams: { baseUrl: 'https://x.logic.azure.com/workflows/s3cret' },
  abuseipdb: { apiKey: 's3cret-abuse' },
  virustotal: { apiKey: 's3cret-vt' },
  opencti: { baseUrl: 'https://cti.corp-net.com', apiKey: 's3cret-cti' },
  email: { host: 'mail.corp-net.com', from: 'a@corp-net.com', to: ['soc@corp-net.com'], username: 'u', password: 's3cret-mail' },
};

/** An output's context with these settings on top of the usual ones. */
export function contextOf(id: string, more: Record<string, unknown> = {}): OutputContext<never> {
  return { settings: outputOf(id).settings.parse({ ...SETTINGS[id], ...more }) as never, token: 'tok', nowS: NOW };
}

/** The first step for some items. */
export function start(id: string, items: readonly OutputItem[], more: Record<string, unknown> = {}): OutputStep {
  return outputOf(id).start(items, contextOf(id, more));
}

/** What an answer to the first step settles. */
export function read(
  id: string,
  items: readonly OutputItem[],
  answer: Partial<OutputAnswer>,
  more: Record<string, unknown> = {},
): OutputResult {
  return outputOf(id).read({ status: 200, headers: {}, body: null, ...answer }, start(id, items, more), items, contextOf(id, more));
}

/** The body of a step's HTTP call, parsed. */
export function bodyOf(step: OutputStep | undefined): Record<string, never> | null {
  if (step?.call.kind !== 'http') throw new Error('no HTTP call');
  return step.call.body === null ? null : (JSON.parse(step.call.body) as Record<string, never>);
}
