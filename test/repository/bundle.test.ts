import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFolder } from '../../scripts/bundle.ts';
import type { Bundle } from '../../scripts/bundle.ts';
import { packageFolderOf, thirdPartyNotices } from '../../scripts/notices.ts';
import { projectRoot } from '../support/fixtures.ts';

// A program in small, with what the real ones are made of: own state, own lazy modules, packages of both module kinds.
const SOURCES: Readonly<Record<string, string>> = {
  'state.ts': `export const state = { count: 0 }; export class Fault extends Error {}`,
  'heavy.ts': `import { state, Fault } from './state.ts'; import { parse } from 'yaml';
    export function count() { state.count += 1; return parse('a: 1').a; } export function fail() { throw new Fault('x'); }`,
  'main.ts': `import { state, Fault } from './state.ts';
    declare const __VERSION__: string;
    const loaded = () => Object.keys(globalThis.process.getBuiltinModule('module').Module._cache ?? {}).map((path) => path.replace(/.*[/\\\\]/, ''));
    async function main() {
      const atStart = loaded().length;
      const { count, fail } = await import('./heavy.ts');
      const value = count();
      let isSameClass = false;
      try { fail(); } catch (error) { isSameClass = error instanceof Fault; }
      const { LRUCache } = await import('lru-cache');
      const { getDomain } = await import('tldts');
      const { request } = await import('undici');
      console.log(JSON.stringify({ version: __VERSION__, value, count: state.count, isSameClass, atStart,
        kinds: [typeof LRUCache, typeof getDomain, typeof request], later: loaded().length > atStart }));
    }
    main();`,
};

let folder = '';
const bundles = new Map<'cjs' | 'esm', Bundle>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ismalicious-bundle-'));
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'src'));
  for (const [name, source] of Object.entries(SOURCES)) writeFileSync(join(folder, 'src', name), source);
  for (const format of ['cjs', 'esm'] as const)
    bundles.set(format, await bundleFolder(folder, '1.2.3', { folder: join(folder, format), format, entries: { program: 'src/main.ts' } }));
  writeFileSync(join(folder, 'esm/package.json'), '{"type":"module"}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['cjs', 'esm'] as const)('a program bundled as %s', (format) => {
  function run(): Record<string, unknown> {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, format, 'program.js')], { encoding: 'utf8', cwd: tmpdir() });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('has one copy of every module of ours, and the names of every package', () => {
    expect(run()).toMatchObject({ version: '1.2.3', value: 1, count: 1, isSameClass: true, kinds: ['function', 'function', 'function'] });
  });

  it('keeps what is loaded later out of what is read at the start', () => {
    const start = readFileSync(join(folder, format, 'program.js'), 'utf8');
    expect(start.length).toBeLessThan(5000);
    expect(readdirSync(join(folder, format, 'lib')).filter((file) => /^(undici|tldts|heavy)/.test(file))).toHaveLength(3);
  });

  it('has short lines: a fault that nobody catches prints one', () => {
    for (const file of bundles.get(format)!.sizesBytes.keys()) {
      const text = readFileSync(join(folder, format, file), 'utf8');
      const long = text.split('\n').filter((line) => line.length > 5000);
      expect([file, long.length]).toEqual([file, 0]);
    }
  });

  it('comes out the same again, byte for byte', async () => {
    const again = join(folder, `again-${format}`);
    await bundleFolder(folder, '1.2.3', { folder: again, format, entries: { program: 'src/main.ts' } });
    for (const file of bundles.get(format)!.sizesBytes.keys())
      expect(readFileSync(join(again, file))).toEqual(readFileSync(join(folder, format, file)));
  });
});

it('CommonJS loads its parts with require, file by file', () => {
  const { stdout } = spawnSync(process.execPath, [join(folder, 'cjs/program.js')], { encoding: 'utf8' });
  const { atStart, later } = JSON.parse(stdout) as { atStart: number; later: boolean };
  // The program, and what it shares with its lazy parts.
  expect(atStart).toBeLessThanOrEqual(3);
  expect(later).toBe(true);
});

describe('third-party notices', () => {
  it('name every bundled package with its version, licence and licence text', () => {
    const { inputs, legalComments } = bundles.get('cjs')!;
    const notices = thirdPartyNotices(folder, inputs, legalComments);
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'node_modules/undici/package.json'), 'utf8')) as { version: string };
    for (const part of [`undici ${version}\nLicence: MIT`, 'lru-cache ', 'tldts ', 'yaml ', 'Permission is hereby granted'])
      expect(notices).toContain(part);
    expect(notices).not.toContain('not declared');
    // For development only, so in no bundle.
    expect(notices).not.toContain('vitest');
  });

  it.each([
    ['node_modules/undici/lib/api/index.js', 'node_modules/undici'],
    ['node_modules/@fastify/error/index.js', 'node_modules/@fastify/error'],
    ['node_modules/a/node_modules/@b/c/index.js', 'node_modules/a/node_modules/@b/c'],
    ['src/engine/engine.ts', null],
    ['lazy:undici', null],
  ])('%s belongs to %j', (input, owner) => {
    expect(packageFolderOf(input)).toBe(owner);
  });
});
