import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PACKAGE_SPEC } from '../../scripts/ci-integration-peers.ts';
import { fleetPackage, writeFleetPackage } from '../../scripts/fleet-package.ts';
import { projectRoot } from '../support/fixtures.ts';
import { runProgram } from './support/run-program.ts';

const files = fleetPackage('1.2.3');
const yamlOf = (path: string) => parse(files.get(path) ?? '') as any; // eslint-disable-line typescript/no-explicit-any -- read as whatever is expected
const saved = [...files]
  .filter(([path]) => path.startsWith('kibana/'))
  .map(([path, text]) => [path, JSON.parse(text) as SavedObject] as const);

interface SavedObject {
  readonly id: string;
  readonly type: string;
  readonly references: readonly { readonly id: string; readonly type: string }[];
}
interface Field {
  readonly name: string;
  readonly type: string;
}

describe('the Elastic package ti_ismalicious', () => {
  it('says in its manifest and change list which version it is, and names files that are there', () => {
    const manifest = yamlOf('manifest.yml');
    expect(manifest).toMatchObject({ name: 'ti_ismalicious', version: '1.2.3', type: 'integration', owner: { type: 'community' } });
    expect(yamlOf('changelog.yml')[0].version).toBe('1.2.3');
    for (const { src } of manifest.icons as { src: string }[]) expect(files.has(src.slice(1)), src).toBe(true);
    expect(files.has('docs/README.md')).toBe(true);
  });

  it.each(['data_stream/indicator', 'elasticsearch/transform/latest_ioc'])('%s declares each field once, with a type', (folder) => {
    const fields = ['base-fields', 'fields'].flatMap((name) => yamlOf(`${folder}/fields/${name}.yml`) as Field[]);
    const names = fields.map(({ name }) => name);
    expect(names).toHaveLength(new Set(names).size);
    expect(names).toEqual(expect.arrayContaining(['@timestamp', 'threat.indicator.ip', 'ismalicious.score', 'ismalicious.verdict']));
    for (const { name, type } of fields) expect(type, name).toMatch(/^[a-z_]+$/);
  });

  it('has the fields of the template that `ismalicious elastic` installs, all of them', () => {
    const template = readFileSync(join(projectRoot, 'elastic/elasticsearch/component-templates/ti_ismalicious@mappings.json'), 'utf8');
    const leaves = (properties: Record<string, { properties?: Record<string, never> }>, prefix = ''): string[] =>
      Object.entries(properties).flatMap(([key, { properties: below }]) => (below ? leaves(below, `${prefix}${key}.`) : [prefix + key]));
    const wanted = leaves((JSON.parse(template) as any).template.mappings.properties); // eslint-disable-line typescript/no-explicit-any -- as above
    const declared = ['base-fields', 'fields'].flatMap((name) => yamlOf(`data_stream/indicator/fields/${name}.yml`) as Field[]);
    expect(declared.map(({ name }) => name)).toEqual(expect.arrayContaining(wanted));
  });

  it('its pipeline marks what fails in it', () => {
    const { on_failure } = yamlOf('data_stream/indicator/elasticsearch/ingest_pipeline/default.yml');
    expect(JSON.stringify(on_failure)).toContain('pipeline_error');
    expect(JSON.stringify(on_failure)).toContain('error.message');
  });

  it('its transform reads the data stream of the package', () => {
    const { source, latest } = yamlOf('elasticsearch/transform/latest_ioc/transform.yml');
    expect(source.index).toEqual(['logs-ti_ismalicious.indicator-*']);
    expect(latest.unique_key).toContain('threat.indicator.name');
  });

  it.each(saved)('%s has an id of the package, and refers only to what comes with it or with Fleet', (path, { id, references }) => {
    expect(path.endsWith(`/${id}.json`)).toBe(true);
    expect(id).toMatch(/^ti_ismalicious-/);
    const there = new Set(['logs-*', ...saved.map(([, one]) => one.id)]);
    expect(references.map((one) => one.id).filter((one) => !there.has(one))).toEqual([]);
  });
});

const hasSpec = existsSync(PACKAGE_SPEC.program);
if (!hasSpec)
  process.stderr.write(`package-spec not found: its tests are skipped (go build -C ${PACKAGE_SPEC.source} -o ${PACKAGE_SPEC.program} .)\n`);

describe.skipIf(!hasSpec)('by the package-spec of Elastic (needs go, and its modules)', { timeout: 60_000 }, () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'fleet-')), 'ti_ismalicious');
  afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));
  const check = async (change?: readonly [path: string, text: string]) => {
    writeFleetPackage(folder, '1.2.3');
    if (change) writeFileSync(join(folder, change[0]), change[1]);
    return (await runProgram(PACKAGE_SPEC.program, [folder])).stdout.trim();
  };

  it('it is valid, and planted faults are found', async () => {
    expect(await check()).toBe('valid');
    expect(await check(['manifest.yml', files.get('manifest.yml')!.replace('type: integration', 'type: integer')])).toContain(
      '"integer" not supported',
    );
    expect(await check(['changelog.yml', files.get('changelog.yml')!.replace('1.2.3', '1.2.2')])).toContain("doesn't have changelog entry");
    const fields = 'data_stream/indicator/fields/base-fields.yml';
    expect(await check([fields, files.get(fields)!.replace('type: date', 'type: moment')])).toContain('base-fields.yml');
  });
});
