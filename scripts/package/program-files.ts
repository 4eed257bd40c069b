// The command line program and the sidecar as files for archives: what `files` in package.json names, as npm reads it.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TarFile } from './tar.ts';

const MANIFEST = 'package.json';
/** What only a checkout needs. The programs are bundled, so that they need no package but the Node that may come with them. */
const LEFT_OUT = ['private', 'scripts', 'dependencies', 'devDependencies', 'files'];
const EXECUTABLE = 0o100;

/** The files below `folder` of the archive. The manifest keeps what an install needs. */
export function programFiles(root: string, folder: string): TarFile[] {
  return packedPaths(root).map((name) => {
    const path = join(root, name);
    const content = name === MANIFEST ? manifestOf(path) : readFileSync(path);
    return { path: `${folder}/${name}`, content, isExecutable: (statSync(path).mode & EXECUTABLE) !== 0 };
  });
}

function packedPaths(root: string): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw new Error(`npm pack cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`npm pack failed: ${stderr.trim().split('\n').at(-1)}`);
  const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
  if (packed === undefined) throw new Error('npm pack names no file');
  return packed.files.map(({ path }) => path);
}

function manifestOf(path: string): Buffer {
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  return Buffer.from(
    `${JSON.stringify(Object.fromEntries(Object.entries(manifest).filter(([key]) => !LEFT_OUT.includes(key))), null, 2)}\n`,
  );
}
