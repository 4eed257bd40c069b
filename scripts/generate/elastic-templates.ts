/** Component and index templates, once for all engines. What an engine lacks is left out by target (facts: feature matrix). */
import type { Asset, Target } from '../../src/search-engine/assets/asset.ts';
import {
  ENRICHMENT_FIELDS,
  EVENT_FIELDS,
  FLAT_FIELDS,
  INDICATOR_FIELDS,
  IOC_FIELDS,
  RELATED_FIELDS,
  REPORT_DOCUMENT_FIELDS,
  STORED_FIELDS,
  prefixed,
  toProperties,
  type FieldTable,
  type Mapping,
} from './elastic-fields.ts';
import { ASSET_VERSION, meta } from './elastic-meta.ts';

/** Data streams (where an engine has them) of events that come enriched. */
export const EVENT_PATTERN = 'logs-ismalicious.*-*';
/** Data streams (or indices) of indicator documents. */
export const IOC_PATTERN = 'logs-ti_ismalicious.*-*';
/** The data stream (or index) of weekly figures; more precise than `EVENT_PATTERN`, so that its template wins. */
export const REPORT_PATTERN = 'logs-ismalicious.report-*';
/** What stands for "the valid indicators": written by the transform on Elasticsearch, a filtered alias elsewhere. */
export const LATEST_ALIAS = 'logs-ti_ismalicious_latest.indicator';
export const LATEST_INDEX = `${LATEST_ALIAS}-1`;

// Above Elastic's own `logs` (100) and Fleet's package templates (200).
const PRIORITY = 250;
const REPORT_PRIORITY = PRIORITY + 10;
const IOC_RETENTION = '90d';

/** Templates of one target, components first. */
export function templateAssets(target: Target): Asset[] {
  return [
    component('ismalicious@mappings', 'threat.enrichments as nested, its flat twins and related.*', enrichmentMappings(target), target),
    ...(target === 'elasticsearch'
      ? []
      : [component('ismalicious@ecs', 'ECS fields of events, for engines without ecs@mappings', ecsMappings(target), target)]),
    component('ti_ismalicious@mappings', 'indicator documents', iocMappings(target), target),
    component('ismalicious-report@mappings', 'weekly figures', reportMappings(target), target),
    ...userComponents(target),
    ...(target === 'elasticsearch' ? [hookComponent(target)] : []),
    eventTemplate(target),
    iocTemplate(target),
    reportTemplate(target),
    ...(target === 'elasticsearch' ? [latestTemplate(target)] : []),
  ];
}

function component(name: string, about: string, mappings: Mapping, target: Target): Asset {
  const body = { version: ASSET_VERSION, _meta: meta(about, target), template: { mappings } };
  return { kind: 'component_template', name, owner: 'pack', body };
}

/**
 * Other engines cannot skip a missing component, so there the hooks are put once, empty. Elasticsearch skips what is missing.
 */
function userComponents(target: Target): Asset[] {
  if (target === 'elasticsearch') return [];
  return ['logs-ismalicious@custom', 'logs-ti_ismalicious@custom'].map((name) => ({
    kind: 'component_template',
    name,
    owner: 'user',
    body: { _meta: meta('yours: settings and mappings that win over ours; never changed by an update', target), template: {} },
  }));
}

/** Elastic's hook for every `logs-*-*` data stream: nested threat.enrichments in streams that are not ours. */
function hookComponent(target: Target): Asset {
  const body = {
    _meta: meta('nested threat.enrichments and flat twins in every logs-*-* data stream', target),
    template: { mappings: enrichmentMappings(target) },
  };
  return { kind: 'component_template', name: 'logs@custom', owner: 'hook', body };
}

function enrichmentMappings(target: Target): Mapping {
  return { properties: { ...enrichmentProperties(target) } };
}

function enrichmentProperties(target: Target): Mapping {
  const table: FieldTable = { ...FLAT_FIELDS, ...RELATED_FIELDS, tags: 'keyword' };
  const enrichments = { type: 'nested', ...KEPT_SOURCE[target], properties: toProperties(ENRICHMENT_FIELDS, target) };
  return { ...toProperties(table, target, STORED_FIELDS), threat: { properties: { enrichments } } };
}

function ecsMappings(target: Target): Mapping {
  return { dynamic_templates: STRINGS_AS_KEYWORDS, properties: toProperties(EVENT_FIELDS, target) };
}

/** Synthetic `_source` would hand a list of one entry back as an object. Engines before 8.16 do not know it: it is left out on the way in. */
const KEPT_SOURCE: Readonly<Record<Target, Mapping>> = {
  elasticsearch: { synthetic_source_keep: 'all' },
  opensearch: {},
  'elasticsearch-oss-7.10': {},
};

function iocMappings(target: Target): Mapping {
  const table: FieldTable = { ...IOC_FIELDS, ...FLAT_FIELDS, ...RELATED_FIELDS, ...prefixed('threat.indicator', INDICATOR_FIELDS) };
  return { dynamic_templates: STRINGS_AS_KEYWORDS, properties: toProperties(table, target) };
}

function reportMappings(target: Target): Mapping {
  return { dynamic_templates: STRINGS_AS_KEYWORDS, properties: toProperties(REPORT_DOCUMENT_FIELDS, target) };
}

const STRINGS_AS_KEYWORDS = [{ strings: { match_mapping_type: 'string', mapping: { type: 'keyword', ignore_above: 1024 } } }];

function eventTemplate(target: Target): Asset {
  const composed =
    target === 'elasticsearch'
      ? ['logs@mappings', 'logs@settings', 'ecs@mappings', 'ismalicious@mappings', 'logs@custom', 'logs-ismalicious@custom']
      : ['ismalicious@ecs', 'ismalicious@mappings', 'logs-ismalicious@custom'];
  return indexTemplate('logs-ismalicious', target, {
    index_patterns: [EVENT_PATTERN],
    composed_of: composed,
    ...(target === 'elasticsearch' && {
      ignore_missing_component_templates: ['logs@mappings', 'logs@settings', 'ecs@mappings', 'logs@custom', 'logs-ismalicious@custom'],
    }),
    ...(target !== 'elasticsearch-oss-7.10' && { data_stream: {} }),
    template: { settings: { index: { default_pipeline: 'logs-ismalicious@default' } } },
    _meta: meta('events that come enriched', target),
  });
}

/**
 * Indicator documents. Elasticsearch: a data stream of every observation, from which the transform keeps the latest. Elsewhere
 * an index, in which documents may replace one another, and an alias that leaves out what has expired.
 */
function iocTemplate(target: Target): Asset {
  const settings = { index: { default_pipeline: 'logs-ti_ismalicious@default' } };
  const isSource = { properties: { labels: { properties: { is_ioc_transform_source: { type: 'constant_keyword', value: 'true' } } } } };
  return indexTemplate('logs-ti_ismalicious', target, {
    index_patterns: [IOC_PATTERN],
    composed_of: ['ti_ismalicious@mappings', 'logs-ti_ismalicious@custom'],
    ...(target === 'elasticsearch' && { ignore_missing_component_templates: ['logs-ti_ismalicious@custom'], data_stream: {} }),
    template:
      target === 'elasticsearch'
        ? { settings, mappings: isSource, lifecycle: { data_retention: IOC_RETENTION } }
        : { settings, aliases: { [LATEST_ALIAS]: { filter: { range: { 'ismalicious.expires_at': { gte: 'now' } } } } } },
    _meta: meta('indicator documents', target),
  });
}

/** One document a week, source or caller and week; none is ever changed. */
function reportTemplate(target: Target): Asset {
  return indexTemplate('logs-ismalicious.report', target, {
    index_patterns: [REPORT_PATTERN],
    priority: REPORT_PRIORITY,
    composed_of: ['ismalicious-report@mappings'],
    ...(target !== 'elasticsearch-oss-7.10' && { data_stream: {} }),
    template: {},
    _meta: meta('weekly figures of the enrichment (ismalicious report --index)', target),
  });
}

/** The transform's destination. Its label tells rules apart from the source; the name does not match the data stream pattern's dot. */
function latestTemplate(target: Target): Asset {
  const label = { properties: { labels: { properties: { is_ioc_transform_source: { type: 'constant_keyword', value: 'false' } } } } };
  return indexTemplate('logs-ti_ismalicious_latest', target, {
    index_patterns: [`${LATEST_ALIAS}-*`],
    composed_of: ['ti_ismalicious@mappings'],
    template: { mappings: label },
    _meta: meta('latest document of each valid indicator (written by the transform)', target),
  });
}

function indexTemplate(name: string, target: Target, body: Record<string, unknown>): Asset {
  return {
    kind: 'index_template',
    name,
    owner: 'pack',
    body: { version: ASSET_VERSION, priority: PRIORITY, ...body, ...(target === 'elasticsearch' && { allow_auto_create: true }) },
  };
}
