/**
 * The fields that are mapped, once for all engines. Types are those of ECS 9.4; where an engine lacks one, `typeFor` gives
 * the nearest that it has. A value that does not fit (`ignore_malformed`) is kept in the document and not indexed: one bad
 * value must never have a whole event refused.
 */
import type { Target } from '../../src/search-engine/assets/asset.ts';

export type FieldType =
  | 'keyword'
  | 'wildcard'
  | 'ip'
  | 'date'
  | 'long'
  | 'float'
  | 'boolean'
  | 'geo_point'
  | 'match_only_text'
  | 'constant_keyword';

/** Dotted name → type. */
export type FieldTable = Readonly<Record<string, FieldType>>;

export type Mapping = { [name: string]: unknown };

const GEO = {
  'geo.city_name': 'keyword',
  'geo.continent_code': 'keyword',
  'geo.continent_name': 'keyword',
  'geo.country_iso_code': 'keyword',
  'geo.country_name': 'keyword',
  'geo.location': 'geo_point',
  'geo.name': 'keyword',
  'geo.region_iso_code': 'keyword',
  'geo.region_name': 'keyword',
} satisfies FieldTable;

const URL_PARTS = {
  'url.domain': 'keyword',
  'url.extension': 'keyword',
  'url.fragment': 'keyword',
  'url.full': 'wildcard',
  'url.original': 'wildcard',
  'url.path': 'wildcard',
  'url.port': 'long',
  'url.query': 'keyword',
  'url.registered_domain': 'keyword',
  'url.scheme': 'keyword',
  'url.subdomain': 'keyword',
  'url.top_level_domain': 'keyword',
} satisfies FieldTable;

const FILE = {
  'file.hash.md5': 'keyword',
  'file.hash.sha1': 'keyword',
  'file.hash.sha256': 'keyword',
  'file.hash.sha384': 'keyword',
  'file.hash.sha512': 'keyword',
  'file.hash.ssdeep': 'keyword',
  'file.hash.tlsh': 'keyword',
  'file.name': 'keyword',
  'file.size': 'long',
  'file.type': 'keyword',
} satisfies FieldTable;

/** `threat.indicator.*` of indicator documents and `threat.enrichments.indicator.*` of events: what we write and what others put beside it. */
export const INDICATOR_FIELDS: FieldTable = {
  'as.number': 'long',
  'as.organization.name': 'keyword',
  confidence: 'keyword',
  description: 'keyword',
  'email.address': 'keyword',
  ...FILE,
  first_seen: 'date',
  ...GEO,
  ip: 'ip',
  last_seen: 'date',
  'marking.tlp': 'keyword',
  'marking.tlp_version': 'keyword',
  modified_at: 'date',
  name: 'keyword',
  port: 'long',
  provider: 'keyword',
  reference: 'keyword',
  scanner_stats: 'long',
  sightings: 'long',
  type: 'keyword',
  ...URL_PARTS,
};

/** `threat.enrichments.*`. `feed.name` is not in ECS; Kibana's indicator match rules write it and its flyout shows it as the title. */
export const ENRICHMENT_FIELDS: FieldTable = {
  ...prefixed('indicator', INDICATOR_FIELDS),
  'matched.atomic': 'keyword',
  'matched.field': 'keyword',
  'matched.id': 'keyword',
  'matched.index': 'keyword',
  'matched.occurred': 'date',
  'matched.type': 'keyword',
  'feed.name': 'keyword',
};

/** `ismalicious.*`: the flat twin of the verdict, for ES|QL, Lens, tables and rules, none of which see nested fields. */
export const FLAT_FIELDS: FieldTable = {
  'ismalicious.attributes': 'keyword',
  'ismalicious.auto_resolve': 'boolean',
  'ismalicious.categories': 'keyword',
  'ismalicious.checked_at': 'date',
  'ismalicious.confidence': 'long',
  'ismalicious.expires_at': 'date',
  'ismalicious.field': 'keyword',
  'ismalicious.indicator': 'keyword',
  'ismalicious.malicious': 'boolean',
  'ismalicious.message': 'keyword',
  'ismalicious.providers': 'keyword',
  'ismalicious.score': 'long',
  'ismalicious.source': 'keyword',
  'ismalicious.status': 'keyword',
  'ismalicious.tier': 'keyword',
  'ismalicious.trace': 'keyword',
  'ismalicious.verdict': 'keyword',
};

/** `ismalicious.report.*`: the figures of whole weeks, as `ismalicious report --index` writes them. */
export const REPORT_DOCUMENT_FIELDS: FieldTable = {
  '@timestamp': 'date',
  'data_stream.dataset': 'keyword',
  'data_stream.namespace': 'keyword',
  'data_stream.type': 'keyword',
  'ecs.version': 'keyword',
  'event.dataset': 'keyword',
  'event.ingested': 'date',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'host.name': 'keyword',
  'ismalicious.report.budget_per_month': 'long',
  'ismalicious.report.calls': 'long',
  'ismalicious.report.credits': 'long',
  'ismalicious.report.kind': 'keyword',
  'ismalicious.report.latency_p50_ms': 'long',
  'ismalicious.report.latency_p95_ms': 'long',
  'ismalicious.report.latency_target_ms': 'long',
  'ismalicious.report.lookups': 'long',
  'ismalicious.report.money': 'float',
  'ismalicious.report.program': 'keyword',
  'ismalicious.report.provider': 'keyword',
  'ismalicious.report.search': 'keyword',
  'ismalicious.report.success_rate': 'float',
  'ismalicious.report.success_target': 'float',
  'ismalicious.report.target': 'keyword',
  'ismalicious.report.true_positive_rate': 'float',
  'ismalicious.report.user': 'keyword',
  'ismalicious.report.values': 'long',
  'ismalicious.report.week': 'keyword',
  tags: 'keyword',
};

/** Of the flat fields of events, those that no rule, dashboard or recipe asks for: kept in the document, not indexed. Indicator documents have them indexed. */
export const STORED_FIELDS: ReadonlySet<string> = new Set([
  'ismalicious.auto_resolve',
  'ismalicious.confidence',
  'ismalicious.providers',
  'ismalicious.trace',
]);

export const RELATED_FIELDS: FieldTable = { 'related.hash': 'keyword', 'related.hosts': 'keyword', 'related.ip': 'ip' };

/** Fields of an event that are looked up or shown, for engines without Elastic's own `ecs@mappings`. */
export const EVENT_FIELDS: FieldTable = {
  '@timestamp': 'date',
  'client.ip': 'ip',
  'data_stream.dataset': 'keyword',
  'data_stream.namespace': 'keyword',
  'data_stream.type': 'keyword',
  'destination.bytes': 'long',
  'destination.domain': 'keyword',
  'destination.ip': 'ip',
  'destination.port': 'long',
  'dns.answers.data': 'keyword',
  'dns.question.name': 'keyword',
  'dns.resolved_ip': 'ip',
  'ecs.version': 'keyword',
  'email.from.address': 'keyword',
  'email.sender.address': 'keyword',
  'email.to.address': 'keyword',
  'error.message': 'match_only_text',
  'event.action': 'keyword',
  'event.category': 'keyword',
  'event.dataset': 'keyword',
  'event.ingested': 'date',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.outcome': 'keyword',
  'event.type': 'keyword',
  'file.hash.md5': 'keyword',
  'file.hash.sha1': 'keyword',
  'file.hash.sha256': 'keyword',
  'host.ip': 'ip',
  'host.name': 'keyword',
  message: 'match_only_text',
  'observer.name': 'keyword',
  'process.hash.md5': 'keyword',
  'process.hash.sha1': 'keyword',
  'process.hash.sha256': 'keyword',
  'server.ip': 'ip',
  'source.bytes': 'long',
  'source.domain': 'keyword',
  'source.ip': 'ip',
  'source.port': 'long',
  tags: 'keyword',
  'tls.client.server_name': 'keyword',
  'url.domain': 'keyword',
  'url.full': 'wildcard',
  'url.original': 'wildcard',
  'url.path': 'wildcard',
  'user.name': 'keyword',
};

/** What an indicator document carries around `threat.indicator`. */
export const IOC_FIELDS: FieldTable = {
  '@timestamp': 'date',
  'data_stream.dataset': 'keyword',
  'data_stream.namespace': 'keyword',
  'data_stream.type': 'keyword',
  'ecs.version': 'keyword',
  'error.message': 'match_only_text',
  'event.category': 'keyword',
  'event.dataset': 'keyword',
  'event.ingested': 'date',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.provider': 'keyword',
  'event.risk_score': 'float',
  'event.type': 'keyword',
  tags: 'keyword',
  'threat.feed.description': 'keyword',
  'threat.feed.name': 'keyword',
  'threat.feed.reference': 'keyword',
};

/** Puts a prefix before every name of a table. */
export function prefixed(prefix: string, table: FieldTable): FieldTable {
  return Object.fromEntries(Object.entries(table).map(([name, type]) => [`${prefix}.${name}`, type]));
}

/** A table as `properties`, in the types that the target has; `stored`: names that are kept, not indexed. */
export function toProperties(table: FieldTable, target: Target, stored: ReadonlySet<string> = new Set()): Mapping {
  const properties: Mapping = {};
  for (const name of Object.keys(table).toSorted()) {
    const type = table[name];
    const more = stored.has(name) ? { index: false, doc_values: false } : {};
    if (type) putProperty(properties, name.split('.'), { ...mappingOf(name, type, target), ...more });
  }
  return properties;
}

function putProperty(properties: Mapping, path: readonly string[], mapping: Mapping): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    properties[head] = mapping;
    return;
  }
  const parent = (properties[head] ??= { properties: {} }) as { properties: Mapping };
  putProperty(parent.properties, rest, mapping);
}

// Lucene refuses a term of more than 32,766 bytes; at 4 bytes a character 8,191 are always safe.
const URL_LENGTH = 8191;

function mappingOf(name: string, type: FieldType, target: Target): Mapping {
  // A data stream refuses a template whose time may be malformed.
  if (name === '@timestamp' && target !== 'elasticsearch-oss-7.10') return { type };
  switch (type) {
    case 'ip':
    case 'date':
    case 'long':
    case 'float':
    case 'geo_point':
      return { type, ignore_malformed: true };
    // Only Elastic's `wildcard` has doc values by default; tables and aggregations need them.
    case 'wildcard':
      return target === 'elasticsearch' ? { type } : { type: 'keyword', ignore_above: URL_LENGTH };
    case 'match_only_text':
      return { type: target === 'elasticsearch-oss-7.10' ? 'text' : type };
    case 'keyword':
      return { type, ignore_above: /\.(?:name|atomic|indicator|reference|address|query)$/.test(name) ? URL_LENGTH : 1024 };
    default:
      return { type };
  }
}
