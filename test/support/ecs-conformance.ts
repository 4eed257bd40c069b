import { isIP } from 'node:net';
import { readJsonFixture } from './fixtures.ts';

interface EcsField {
  readonly name: string;
  readonly type: string;
  readonly expected_values?: readonly string[];
  readonly allowed_values?: readonly string[];
  readonly normalize: readonly string[];
}

interface EcsList {
  readonly enrichments: readonly EcsField[];
  readonly indicator: readonly EcsField[];
  readonly feed: readonly EcsField[];
  readonly other: readonly EcsField[];
}

/** Written on purpose although not in ECS: Kibana's own rules write it and its flyout reads it (facts: ECS mapping). */
const NOT_IN_ECS = new Set(['threat.enrichments.feed.name']);

let fields: Map<string, EcsField> | null = null;

/** Official ECS 9.4 fields by dotted name. */
export function ecsFields(): Map<string, EcsField> {
  if (fields === null) {
    const list = readJsonFixture('elastic/ecs-threat-enrichments.json') as EcsList;
    fields = new Map([...list.enrichments, ...list.indicator, ...list.feed, ...list.other].map((field) => [field.name, field]));
  }
  return fields;
}

/** What in a document is neither in ECS with a value that fits its type nor under `ismalicious`: one line each. */
export function ecsFaults(document: unknown): string[] {
  return walk(document, '');
}

function walk(value: unknown, path: string): string[] {
  if (path === 'ismalicious') return [];
  if (Array.isArray(value)) return value.flatMap((one) => walk(one, path));
  if (typeof value === 'object' && value !== null) {
    const inside = Object.entries(value).flatMap(([name, one]) => walk(one, path === '' ? name : `${path}.${name}`));
    return Object.keys(value).length === 0 && path !== '' ? [`${path}: empty object`] : inside;
  }
  return leafFaults(value, path);
}

function leafFaults(value: unknown, path: string): string[] {
  if (path.startsWith('labels.')) return typeof value === 'string' ? [] : [`${path}: labels are keywords`];
  if (NOT_IN_ECS.has(path)) return [];
  const field = ecsFields().get(path);
  if (field === undefined) return [`${path}: not in ECS`];
  if (!fits(value, field.type)) return [`${path}: ${JSON.stringify(value)} is no ${field.type}`];
  const words = field.expected_values ?? field.allowed_values;
  return words && !words.includes(String(value)) ? [`${path}: ${JSON.stringify(value)} is none of ${words.join(', ')}`] : [];
}

/** ISO 8601 with a zone, as Elasticsearch's `strict_date_optional_time` takes it. */
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

function fits(value: unknown, type: string): boolean {
  switch (type) {
    case 'ip':
      return typeof value === 'string' && isIP(value) > 0 && !value.includes('%');
    case 'date':
      return typeof value === 'string' && DATE.test(value) && !Number.isNaN(Date.parse(value));
    case 'long':
      return Number.isSafeInteger(value);
    case 'float':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'keyword':
    case 'constant_keyword':
    case 'wildcard':
    case 'match_only_text':
      return typeof value === 'string' && value !== '';
    default:
      return false;
  }
}
