import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

/** What ships or makes what ships; a version that stands there is one that somebody forgets. */
const FOLDERS = ['src', 'scripts', 'splunk-app', 'splunk-ui', 'elastic', 'logstash', 'deploy', 'samples'];

it('the version stands in package.json alone', () => {
  const mark = new RegExp(`(?<![\\d.])${version.replaceAll('.', '\\.')}(?![\\d.])`);
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules/.test(entry.parentPath) && !/\.png$|package-lock\.json$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(files.length).toBeGreaterThan(500);
  expect(files.filter((path) => mark.test(readFileSync(path, 'utf8')))).toEqual([]);
});

it('the lock file has the same', () => {
  const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, { version?: string }> };
  expect([lock.version, lock.packages['']?.version]).toEqual([version, version]);
});

it('the version has a dated section in the changes, and upgrade notes', () => {
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${version.replaceAll('.', '\\.')} – \\d{4}-\\d{2}-\\d{2}$`, 'm'));
  expect(read('docs/upgrade.md')).toContain(` to ${version}\n`);
});
