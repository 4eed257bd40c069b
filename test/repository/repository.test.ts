import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

interface PackageJson {
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

function read(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}

// Without git (an archive of the sources) there is nothing to list: the test says so by failing.
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' }).split('\0').filter(existsInTree);

function existsInTree(path: string): boolean {
  return path !== '' && existsSync(join(projectRoot, path));
}

const packageJson = JSON.parse(read('package.json')) as PackageJson;
const lockText = read('package-lock.json');
const locked = (JSON.parse(lockText) as { packages: Record<string, LockedPackage> }).packages;

describe('package.json and its lockfile', () => {
  const wanted = Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies, ...packageJson.optionalDependencies });

  it.each(wanted)('%s is pinned to exactly %s, in both files', (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(locked[`node_modules/${name}`]?.version).toBe(version);
  });

  it('the lockfile names no registry: npm asks the one it is set to', () => {
    expect(lockText).not.toContain('"resolved"');
  });

  it('every locked package carries its checksum', () => {
    const unchecked = Object.entries(locked).filter(([path, { integrity, link }]) => path !== '' && !link && !integrity);
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });

  it('a Node 24 comes with the install on both Linux architectures', () => {
    for (const arch of ['x64', 'arm64']) expect(packageJson.optionalDependencies[`node-linux-${arch}`]).toMatch(/^24\./);
  });

  it('every command starts through the launcher, so it runs on Node 24 wherever npm itself runs', () => {
    for (const command of Object.values(packageJson.scripts)) expect(command).toMatch(/^node scripts\/node24\.mjs \S+/);
  });

  it('no install script is needed', () => {
    expect(Object.keys(packageJson.scripts).filter((name) => /^(pre|post)?install|^prepare/.test(name))).toEqual([]);
  });
});

describe('what a stranger reads first', () => {
  it('the README shows both commands', () => {
    expect(read('README.md')).toMatch(/^npm start\b/m);
    expect(read('README.md')).toMatch(/^npm test\b/m);
  });

  it('continuous integration runs the README’s test command', () => {
    expect(read('.ci/run')).toMatch(/^npm test\b/m);
  });

  it('the licence is Apache-2.0, its text in full', () => {
    expect(packageJson.license).toBe('Apache-2.0');
    const licence = read('LICENSE');
    for (const part of ['Apache License', 'Version 2.0, January 2004', '9. Accepting Warranty', 'END OF TERMS AND CONDITIONS'])
      expect(licence).toContain(part);
  });

  const pages = tracked.filter((path) => path.endsWith('.md'));
  it.each(pages)('every link of %s leads somewhere', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|mailto:|#)([^)\s]+?)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    const dead = links.filter((link) => !existsSync(resolve(projectRoot, dirname(page), link)));
    expect(dead).toEqual([]);
  });
});

describe('nothing of the machine it was made on', () => {
  // In pieces, so that this file does not contain what it looks for.
  const names = [
    ['/wo', 'rk/'],
    ['/ro', 'ot/.'],
    ['/tmp/', 'n24'],
    ['/ho', 'me/'],
    ['the ', 'farm'],
    ['registry', '.npmjs'],
    ['art', 'ifactory'],
  ].map((parts) => parts.join(''));
  const texts = tracked.filter((path) => !/\.(png|gz|tgz|ico|woff2?)$/.test(path) && path !== 'package-lock.json');

  it.each(names)('no tracked file says %s', (name) => {
    // At the start of a path only: `example.org/domains/…/` is an address of somebody else.
    const said = new RegExp(String.raw`(^|[^\w.])${name.replaceAll('.', String.raw`\.`)}`, 'm');
    expect(texts.filter((path) => said.test(read(path)))).toEqual([]);
  });

  it('no build result, dependency or local state is tracked', () => {
    expect(tracked.filter((path) => /^(node_modules|dist|coverage|~)\/|\.log$|\.env$/.test(path))).toEqual([]);
  });
});
