import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { provenanceOf } from '../../scripts/package/provenance.ts';

/** Sources with both lock files, in one commit where `isKept`. */
function sources(isKept: boolean): string {
  const root = mkdtempSync(join(tmpdir(), 'ismalicious-provenance-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'splunk-ui'));
  for (const name of ['package-lock.json', 'splunk-ui/package-lock.json']) writeFileSync(join(root, name), '{}\n');
  if (!isKept) return root;
  git(root, 'init', '--quiet');
  git(root, 'add', '.');
  git(root, '-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message', 'all');
  return root;
}

function git(root: string, ...args: string[]): string {
  // No settings of whoever runs this.
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_CEILING_DIRECTORIES: tmpdir() };
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8', env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

function commitsNamed(root: string): string[] {
  const statement = JSON.parse(provenanceOf(root, [], { version: '1.0.0', machines: [], hasSetupPage: false }).toString()) as {
    predicate: { buildDefinition: { resolvedDependencies: { digest: { gitCommit?: string } }[] } };
  };
  return statement.predicate.buildDefinition.resolvedDependencies.flatMap(({ digest: { gitCommit } }) => gitCommit ?? []);
}

it('names the commit whose sources were built', () => {
  const root = sources(true);
  expect(commitsNamed(root)).toEqual([git(root, 'rev-parse', 'HEAD')]);
});

it('names none where a file was changed after it, or was never in it', () => {
  const changed = sources(true);
  writeFileSync(join(changed, 'package-lock.json'), '{ }\n');
  expect(commitsNamed(changed)).toEqual([]);
  const added = sources(true);
  writeFileSync(join(added, 'new.ts'), '');
  expect(commitsNamed(added)).toEqual([]);
});

it('names none where there is no repository', () => {
  expect(commitsNamed(sources(false))).toEqual([]);
});
