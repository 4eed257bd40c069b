import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

/** One file of each room, as it is written directly below `src/`. */
const FILE_OF: Readonly<Record<string, string>> = {
  disk: 'disk/private-files.ts',
  model: 'model/indicator.ts',
  config: 'config/load.ts',
  mapping: 'mapping/ecs.ts',
  providers: 'providers/registry.ts',
  feeds: 'feeds/feed.ts',
  outputs: 'outputs/output.ts',
  extract: 'extract/extract.ts',
  engine: 'engine/calls/pacer.ts',
  store: 'store/store.ts',
  events: 'events/enrich-text.ts',
  rows: 'rows/csv-cells.ts',
  pipeline: 'pipeline/run-pipeline.ts',
  'search-engine': 'search-engine/engine-client.ts',
  batch: 'batch/enrich-job.ts',
  stream: 'stream/run-stream.ts',
  compose: 'compose/open-engine.ts',
  splunkd: 'splunkd/splunkd.ts',
  openapi: 'openapi/openapi.ts',
  console: 'console/look-up/rank.ts',
  assistant: 'assistant/assistant.ts',
  convert: 'convert/convert.ts',
  'hosts/cli': 'hosts/cli/command.ts',
  'hosts/sidecar': 'hosts/sidecar/server.ts',
  'hosts/mcp': 'hosts/mcp/mcp-session.ts',
  'hosts/splunk': 'hosts/splunk/protocol/frames.ts',
};
const ROOMS = Object.keys(FILE_OF);
const LOWER = ['disk', 'model', 'config', 'mapping', 'providers', 'feeds', 'outputs', 'extract', 'engine', 'store'];
const BELOW_HOSTS = [
  ...LOWER,
  'events',
  'rows',
  'pipeline',
  'search-engine',
  'batch',
  'stream',
  'compose',
  'splunkd',
  'openapi',
  'assistant',
  'convert',
];

/** The rooms each room may import (docs/architecture.md), and what else it may or may not. `~/` stands for `src/`. */
const DIRECTIONS: Readonly<Record<string, { rooms: readonly string[]; also?: readonly string[]; never?: readonly string[] }>> = {
  disk: { rooms: [], also: ['node:fs', 'node:sqlite'] },
  model: {
    rooms: [],
    also: ['@noble/hashes/sha2.js'],
    never: ['zod/mini', 'node:fs', 'node:crypto', 'tldts', '@noble/curves/ed25519.js', '@other/hashes', 'noble'],
  },
  config: { rooms: ['model'], also: ['zod/mini'], never: ['node:fs', 'undici', 'yaml'] },
  mapping: { rooms: ['model'], never: ['zod/mini', 'node:crypto', 'yaml', '@scope/package'] },
  providers: { rooms: ['model'], also: ['zod/mini', 'json-p3', '~/config/setting.ts'], never: ['node:fs', 'node:net', 'undici', 'tldts'] },
  feeds: { rooms: ['model'], also: ['zod/mini', '~/config/setting.ts', '~/providers/provider.ts'], never: ['node:fs', 'undici'] },
  outputs: { rooms: ['model', 'mapping'], also: ['zod/mini', '~/config/setting.ts'], never: ['node:fs', 'undici'] },
  extract: { rooms: ['model'], also: ['tldts', 'node:crypto'] },
  engine: {
    rooms: ['disk', 'model'],
    also: ['node:fs', 'undici', 'lru-cache', '~/providers/provider.ts', '~/extract/public-suffix.ts'],
    never: ['splunk-sdk'],
  },
  store: { rooms: ['disk', 'model'], also: ['node:sqlite'] },
  events: { rooms: ['model', 'mapping', 'engine'] },
  rows: { rooms: ['model', 'mapping', 'engine'] },
  pipeline: { rooms: LOWER, also: ['node:fs', 'croner'] },
  'search-engine': { rooms: [...LOWER, 'events', 'rows', 'pipeline'] },
  batch: { rooms: [...LOWER, 'events', 'rows', 'pipeline'], also: ['node:fs'] },
  stream: { rooms: [...LOWER, 'events'], also: ['@platformatic/kafka', 'node:http'] },
  compose: { rooms: [...LOWER, 'events', 'rows', 'pipeline', 'search-engine', 'batch', 'stream'] },
  splunkd: { rooms: [...LOWER, 'events', 'rows', 'pipeline', 'search-engine', 'batch', 'stream', 'compose'] },
  openapi: { rooms: ['model', 'mapping', 'engine'] },
  console: {
    rooms: ['model', 'mapping'],
    also: ['preact', 'preact/hooks', 'uplot'],
    never: ['node:fs', 'zod/mini', 'undici', 'react', 'preact/compat', 'chart.js'],
  },
  assistant: { rooms: [...LOWER, 'events', 'rows', 'pipeline', 'search-engine', 'batch', 'compose'], also: ['zod/mini'] },
  convert: { rooms: [] },
  'hosts/cli': { rooms: BELOW_HOSTS, also: ['node:http'] },
  'hosts/sidecar': { rooms: BELOW_HOSTS, also: ['fastify', 'node:http'] },
  'hosts/mcp': { rooms: BELOW_HOSTS, also: ['@modelcontextprotocol/sdk/server/mcp.js', 'node:http'] },
  'hosts/splunk': { rooms: BELOW_HOSTS, also: ['node:http'] },
};

/** The forms in which one module can depend on another. */
const FORMS: Readonly<Record<string, (specifier: string) => string>> = {
  import: (specifier) => `import * as all from '${specifier}';\nexport const seen = all;\n`,
  'type import': (specifier) => `import type * as all from '${specifier}';\nexport type Seen = typeof all;\n`,
  're-export': (specifier) => `export * from '${specifier}';\n`,
  'dynamic import': (specifier) => `export const load = () => import('${specifier}');\n`,
};

// The rules go by path below the configuration: a copy of it beside a tree of its own leaves src/ alone.
let tree = '';

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'ismalicious-directions-'));
  copyFileSync(join(projectRoot, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

function lint(target: string): readonly { readonly code: string; readonly filename: string }[] {
  const oxlint = join(projectRoot, 'node_modules/oxlint/bin/oxlint');
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format=json', target], { cwd: tree, encoding: 'utf8' });
  return (JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }).diagnostics;
}

/** Plants one file per dependency and form into a folder below `src/`; the names of those that the linter refuses. */
function refusedAmong(folder: string, paths: readonly string[]): string[] {
  const target = join(tree, 'src', folder);
  const up = '../'.repeat(folder.split('/').length);
  mkdirSync(target, { recursive: true });
  const planted = paths.flatMap((path) =>
    Object.entries(FORMS).map(([form, write]) => ({ name: `${form} of ${path}`, source: write(path.replace('~/', up)) })),
  );
  planted.forEach(({ source }, n) => writeFileSync(join(target, `planted-${n}.ts`), source));
  const hits = lint(join('src', folder))
    .filter(({ code }) => code.includes('no-restricted-imports'))
    .map(({ filename }) => basename(filename));
  rmSync(target, { recursive: true });
  return planted.filter((_, n) => hits.includes(`planted-${n}.ts`)).map(({ name }) => name);
}

function allForms(paths: readonly string[]): string[] {
  return paths.flatMap((path) => Object.keys(FORMS).map((form) => `${form} of ${path}`));
}

/** Directly in the room, and in a folder of it. */
const PLACES = Object.entries(DIRECTIONS).flatMap(([room, direction]) => [
  { room, folder: room, ...direction },
  { room, folder: `${room}/deeper`, ...direction },
]);

describe('the linter holds the import directions', () => {
  it.each(PLACES)('$folder may not import the rooms it does not stand on', ({ room, folder, rooms, never = [] }) => {
    const others = ROOMS.filter((other) => other !== room && !rooms.includes(other)).map((other) => `~/${FILE_OF[other]}`);
    const refused = [...others, ...never, '~/main.ts', '~/../test/support/fixtures.ts', '~/../scripts/checks.ts'];
    expect(refusedAmong(folder, refused)).toEqual(allForms(refused));
  });

  it.each(PLACES)('$folder may import the rooms it stands on', ({ room, folder, rooms, also = [] }) => {
    const allowed = [...rooms.map((other) => `~/${FILE_OF[other]}`), ...also, './neighbour.ts'];
    // A file of the room's own top, from a folder of it.
    const own = folder === room ? [] : ['../neighbour.ts'];
    expect(refusedAmong(folder, [...allowed, ...own])).toEqual([]);
  });

  it('tells one host from another wherever its files stand', () => {
    expect(refusedAmong('hosts/cli/commands', ['../../sidecar/server.ts', '../../splunk/protocol/frames.ts', '../command.ts'])).toEqual(
      allForms(['../../sidecar/server.ts', '../../splunk/protocol/frames.ts']),
    );
  });

  it('names a rule for every room there is', () => {
    const src = join(projectRoot, 'src');
    const rooms = readdirSync(src, { withFileTypes: true }).flatMap((entry) => {
      if (!entry.isDirectory()) return [];
      return entry.name === 'hosts' ? readdirSync(join(src, 'hosts')).map((host) => `hosts/${host}`) : [entry.name];
    });
    expect(rooms.sort()).toEqual([...ROOMS].sort());
  });

  it.each([
    [
      'of values',
      "import { b } from './b.ts';\nexport const a = () => b();\n",
      "import { a } from './a.ts';\nexport const b = (): unknown => a();\n",
    ],
    [
      'of types',
      "import type { B } from './b.ts';\nexport interface A {\n  readonly b: B;\n}\n",
      "import type { A } from './a.ts';\nexport interface B {\n  readonly a: A | null;\n}\n",
    ],
  ])('refuses a circle %s', (_kind, a, b) => {
    const target = join(tree, 'src/model');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'a.ts'), a);
    writeFileSync(join(target, 'b.ts'), b);
    const codes = lint('src/model').map(({ code }) => code);
    rmSync(target, { recursive: true });
    expect(codes).toContain('import(no-cycle)');
  });

  it('keeps folders small enough to be read at a glance', () => {
    const count = (folder: string): [string, number][] => {
      const entries = readdirSync(join(projectRoot, 'src', folder), { withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).length;
      return [[folder, files], ...entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => count(join(folder, name)))];
    };
    const large = count('.').filter(([, files]) => files > 20);
    expect(large).toEqual([]);
  });

  it('says in one file of each folder what the folder is for', () => {
    const silent = (folder: string): string[] => {
      const entries = readdirSync(join(projectRoot, folder), { withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map(({ name }) => readFileSync(join(projectRoot, folder, name), 'utf8'));
      const isSaid = files.length === 0 || files.some((text) => text.startsWith(`// ${folder}/: `));
      return [
        ...(isSaid ? [] : [folder]),
        ...entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => silent(`${folder}/${name}`)),
      ];
    };
    expect(silent('src')).toEqual([]);
  });
});
