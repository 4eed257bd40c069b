/** Elasticsearch only: the transform that keeps the latest document of each valid indicator, and the enrich policy over it. */
import type { Asset } from '../../src/search-engine/assets/asset.ts';
import { ASSET_VERSION, meta } from './elastic-meta.ts';
import { LATEST_ALIAS, LATEST_INDEX } from './elastic-templates.ts';

/** A policy cannot be changed once it is there: another content needs another number. */
export const ENRICH_POLICY = 'ismalicious-indicators-1';

/** The destination has to exist before a policy may name it; it holds data, so it is never removed. */
export function latestIndex(): Asset {
  return { kind: 'index', name: LATEST_INDEX, owner: 'user', body: { aliases: { [LATEST_ALIAS]: {} } } };
}

/** One document an indicator; gone a minute after `ismalicious.expires_at`. */
export function latestTransform(): Asset {
  const body = {
    description: 'Latest isMalicious indicators',
    source: { index: ['logs-ti_ismalicious.indicator-*'] },
    dest: { index: LATEST_INDEX, aliases: [{ alias: LATEST_ALIAS, move_on_creation: true }] },
    latest: { unique_key: ['event.dataset', 'threat.indicator.name'], sort: '@timestamp' },
    frequency: '60s',
    sync: { time: { field: 'event.ingested', delay: '120s' } },
    retention_policy: { time: { field: 'ismalicious.expires_at', max_age: '1m' } },
    settings: { unattended: true },
    _meta: { ...meta('latest document of each valid indicator', 'elasticsearch'), version: ASSET_VERSION },
  };
  return { kind: 'transform', name: 'logs-ti_ismalicious.latest_ioc', owner: 'pack', body };
}

/** Looks an indicator up by `threat.indicator.name`, which is its canonical value for every type. */
export function enrichPolicy(): Asset {
  const indicator = [
    'type',
    'name',
    'provider',
    'confidence',
    'description',
    'first_seen',
    'last_seen',
    'sightings',
    'scanner_stats',
    'reference',
    'ip',
    'url.domain',
    'url.full',
    'file.hash.md5',
    'file.hash.sha1',
    'file.hash.sha256',
    'file.hash.sha512',
    'email.address',
  ];
  const flat = ['verdict', 'status', 'score', 'confidence', 'categories', 'attributes', 'tier', 'malicious', 'checked_at', 'expires_at'];
  const body = {
    match: {
      indices: [LATEST_INDEX],
      match_field: 'threat.indicator.name',
      enrich_fields: [
        ...indicator.filter((name) => name !== 'name').map((name) => `threat.indicator.${name}`),
        ...flat.map((name) => `ismalicious.${name}`),
      ],
    },
  };
  return { kind: 'enrich_policy', name: ENRICH_POLICY, owner: 'pack', body };
}
