// Makes the Elastic package `ti_ismalicious` out of the files in elastic/: dist/ti_ismalicious-<version>, or the folder given.
// `node scripts/fleet-package.ts [FOLDER]`; the page is integrations/elastic-fleet/README.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

const root = dirname(import.meta.dirname);
const NAME = 'ti_ismalicious';
const assets = join(root, 'elastic/elasticsearch');
const CONDITIONS = { kibana: { version: '^8.16.0 || ^9.0.0' }, elastic: { subscription: 'basic' } };
const SUMMARY = 'Indicators and verdicts of the isMalicious pack, with dashboards.';

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
  readonly ignore_above?: number;
}
interface Field {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly value?: string;
}
interface SavedObject {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly id: string; readonly type: string }[];
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(assets, path), 'utf8'));
const object = (value: unknown, name: string): Record<string, unknown> => (value as Record<string, Record<string, unknown>>)[name] ?? {};

/** Fields as the package form lists them, out of a mapping. */
function fieldsOf(properties: Readonly<Record<string, Mapping>>, prefix = ''): Field[] {
  return Object.entries(properties).flatMap(([key, { type, properties: below }]) => {
    const name = `${prefix}${key}`;
    if (below !== undefined) return fieldsOf(below, `${name}.`);
    return [{ name, type: type ?? 'keyword', description: `${name} of an indicator.` }];
  });
}

function baseFields(dataset: string, isSource: boolean): Field[] {
  return [
    { name: 'data_stream.type', type: 'constant_keyword', description: 'Data stream type.' },
    { name: 'data_stream.dataset', type: 'constant_keyword', description: 'Data stream dataset.' },
    { name: 'data_stream.namespace', type: 'constant_keyword', description: 'Data stream namespace.' },
    { name: 'event.module', type: 'constant_keyword', description: 'Event module.', value: NAME },
    { name: 'event.dataset', type: 'constant_keyword', description: 'Event dataset.', value: dataset },
    { name: 'labels.is_ioc_transform_source', type: 'constant_keyword', description: 'Read by the transform.', value: String(isSource) },
    { name: '@timestamp', type: 'date', description: 'Event timestamp.' },
  ];
}

/** Saved objects with ids that begin with the package's name, on the data view that Fleet brings. */
function savedObjects(): SavedObject[] {
  const renamed = (id: string) => (id === 'ismalicious-events' ? 'logs-*' : id.replace(/^ismalicious-/, `${NAME}-`));
  return readFileSync(join(assets, 'kibana/dashboards.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SavedObject)
    .filter(({ id }) => id !== 'ismalicious-events')
    .map((one) => ({
      ...one,
      id: renamed(one.id),
      references: one.references.map((reference) => ({ ...reference, id: renamed(reference.id) })),
    }));
}

function manifest(version: string) {
  return {
    format_version: '3.3.0',
    name: NAME,
    title: 'isMalicious',
    version,
    description: SUMMARY,
    type: 'integration',
    source: { license: 'Apache-2.0' },
    categories: ['security', 'threat_intel'],
    conditions: CONDITIONS,
    icons: [{ src: '/img/logo.svg', title: 'isMalicious', size: '32x32', type: 'image/svg+xml' }],
    policy_templates: [],
    owner: { github: 'ismalicious/siem-pack', type: 'community' },
  };
}

/** All files of the package, by path. */
export function fleetPackage(version: string): Map<string, string> {
  const mappings = object(object(readJson('component-templates/ti_ismalicious@mappings.json'), 'template'), 'mappings');
  const fields = fieldsOf(mappings['properties'] as Readonly<Record<string, Mapping>>);
  const own = (base: readonly Field[]) => {
    const taken = new Set(base.map(({ name }) => name));
    return stringify(fields.filter(({ name }) => !taken.has(name)));
  };
  const { processors, on_failure } = readJson('ingest-pipelines/logs-ti_ismalicious@default.json') as Record<string, unknown>;
  const { _meta: _ours, ...transform } = readJson('transforms/logs-ti_ismalicious.latest_ioc.json') as Record<string, unknown>;
  const stream = baseFields(`${NAME}.indicator`, true);
  const latest = baseFields(`${NAME}.indicator`, false);
  const changes = [{ version, changes: [{ description: SUMMARY, type: 'enhancement', link: 'https://ismalicious.com' }] }];
  const indicators = 'data_stream/indicator';
  return new Map([
    ['manifest.yml', stringify(manifest(version))],
    ['changelog.yml', stringify(changes)],
    // A dashboard shows a saved search, and one has no filter: it shows every indicator.
    ['validation.yml', stringify({ errors: { exclude_checks: ['SVR00002', 'SVR00004'] } })],
    ['docs/README.md', readFileSync(join(root, 'integrations/elastic-fleet/package-readme.md'), 'utf8')],
    ['img/logo.svg', readFileSync(join(root, 'integrations/splunk-soar/ismalicious/logo.svg'), 'utf8')],
    [`${indicators}/manifest.yml`, stringify({ title: 'isMalicious indicators', type: 'logs' })],
    [`${indicators}/fields/base-fields.yml`, stringify(stream)],
    [`${indicators}/fields/fields.yml`, own(stream)],
    [`${indicators}/elasticsearch/ingest_pipeline/default.yml`, `---\n${stringify({ description: SUMMARY, processors, on_failure })}`],
    ['elasticsearch/transform/latest_ioc/transform.yml', stringify(transform)],
    ['elasticsearch/transform/latest_ioc/manifest.yml', stringify({ start: true })],
    ['elasticsearch/transform/latest_ioc/fields/base-fields.yml', stringify(latest)],
    ['elasticsearch/transform/latest_ioc/fields/fields.yml', own(latest)],
    ...savedObjects().map((one): [string, string] => [
      `kibana/${one.type.replace('-', '_')}/${one.id}.json`,
      `${JSON.stringify(one, null, 2)}\n`,
    ]),
  ]);
}

/** Writes the package into an empty folder. */
export function writeFleetPackage(folder: string, version: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of fleetPackage(version)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

if (import.meta.main) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const folder = process.argv[2] ?? join(root, 'dist', `${NAME}-${version}`);
  writeFleetPackage(folder, version);
  process.stdout.write(`${folder}\n`);
}
