import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

/** Directions of design §2, as they are written in a file directly below `src/<folder>/`. */
const REFUSED: readonly (readonly [folder: string, specifiers: readonly string[]])[] = [
  [
    'model',
    [
      'zod/mini',
      'node:fs',
      'node:crypto',
      'tldts',
      '@noble/curves/ed25519.js',
      '@other/hashes',
      'noble',
      '../config/setting.ts',
      '../engine/enricher.ts',
      '../hosts/cli/main.ts',
      '../mapping/ecs.ts',
    ],
  ],
  [
    'config',
    [
      'node:fs',
      'undici',
      'yaml',
      '../providers/provider.ts',
      '../feeds/feed.ts',
      '../engine/engine.ts',
      '../mapping/ecs.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'providers',
    [
      'node:fs',
      'node:net',
      'undici',
      'tldts',
      '../config/load.ts',
      '../feeds/feed.ts',
      '../engine/engine.ts',
      '../mapping/ecs.ts',
      '../outputs/output.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'feeds',
    [
      'node:fs',
      'undici',
      '../config/load.ts',
      '../providers/registry.ts',
      '../engine/engine.ts',
      '../outputs/output.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'mapping',
    [
      'zod/mini',
      'node:crypto',
      'yaml',
      '@scope/package',
      '../config/setting.ts',
      '../providers/provider.ts',
      '../engine/engine.ts',
      '../outputs/output.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'outputs',
    [
      'node:fs',
      'undici',
      '../config/load.ts',
      '../providers/provider.ts',
      '../feeds/feed.ts',
      '../engine/engine.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'extract',
    [
      'node:fs',
      'node:crypto',
      '../config/setting.ts',
      '../providers/provider.ts',
      '../feeds/feed.ts',
      '../mapping/ecs.ts',
      '../outputs/output.ts',
      '../engine/engine.ts',
      '../hosts/cli/main.ts',
    ],
  ],
  [
    'engine',
    [
      'splunk-sdk',
      '../config/load.ts',
      '../providers/registry.ts',
      '../feeds/feed.ts',
      '../mapping/ecs.ts',
      '../outputs/output.ts',
      '../hosts/cli/main.ts',
      '../support/fixtures.ts',
    ],
  ],
  ['hosts', ['../support/fixtures.ts', '../../scripts/checks.ts']],
];

const ALLOWED: readonly (readonly [folder: string, specifiers: readonly string[]])[] = [
  ['model', ['./indicator.ts', '@noble/hashes/sha2.js']],
  ['config', ['zod/mini', '../model/tlp.ts']],
  ['providers', ['zod/mini', 'json-p3', './provider.ts', '../model/verdict.ts', '../config/setting.ts']],
  ['feeds', ['zod/mini', '../model/verdict.ts', '../config/setting.ts', '../providers/provider.ts']],
  ['mapping', ['./ecs.ts', '../model/enrichment.ts']],
  ['outputs', ['zod/mini', '../model/enrichment.ts', '../mapping/stix.ts', '../config/setting.ts']],
  ['engine', ['node:fs', 'undici', 'lru-cache', '../model/indicator.ts', '../providers/provider.ts']],
  [
    'hosts',
    [
      'fastify',
      'node:http',
      '../config/load.ts',
      '../engine/engine.ts',
      '../feeds/feed.ts',
      '../mapping/ecs.ts',
      '../model/indicator.ts',
      '../outputs/output.ts',
      '../providers/registry.ts',
    ],
  ],
];

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

/** Plants one file per dependency and form; the names of those that the linter refuses. */
function refusedAmong(folder: string, specifiers: readonly string[]): string[] {
  const target = join(tree, 'src', folder);
  mkdirSync(target, { recursive: true });
  const planted = specifiers.flatMap((specifier) =>
    Object.entries(FORMS).map(([form, write]) => ({ name: `${form} of ${specifier}`, source: write(specifier) })),
  );
  planted.forEach(({ source }, n) => writeFileSync(join(target, `planted-${n}.ts`), source));
  const hits = lint(join('src', folder))
    .filter(({ code }) => code.includes('no-restricted-imports'))
    .map(({ filename }) => basename(filename));
  rmSync(target, { recursive: true });
  return planted.filter((_, n) => hits.includes(`planted-${n}.ts`)).map(({ name }) => name);
}

function allForms(specifiers: readonly string[]): string[] {
  return specifiers.flatMap((specifier) => Object.keys(FORMS).map((form) => `${form} of ${specifier}`));
}

describe('the linter holds the import directions', () => {
  it.each(REFUSED)('%s may not import %j', (folder, specifiers) => {
    expect(refusedAmong(folder, specifiers)).toEqual(allForms(specifiers));
  });

  it.each(ALLOWED)('%s may import %j', (folder, specifiers) => {
    expect(refusedAmong(folder, specifiers)).toEqual([]);
  });

  it('refuses a dependency from a folder further down, too', () => {
    const target = join(tree, 'src/store');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'deep.ts'), "export * from '../../hosts/cli/main.ts';\nexport * from '../clock.ts';\n");
    expect(lint('src/engine').filter(({ code }) => code.includes('no-restricted-imports'))).toHaveLength(1);
  });

  it('refuses a cycle', () => {
    const target = join(tree, 'src/model');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'a.ts'), "import { b } from './b.ts';\nexport const a = () => b();\n");
    writeFileSync(join(target, 'b.ts'), "import { a } from './a.ts';\nexport const b = (): unknown => a();\n");
    expect(lint('src/model').map(({ code }) => code)).toContain('import(no-cycle)');
  });
});
