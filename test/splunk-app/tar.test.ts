import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tarGz } from '../../scripts/package/tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tar-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const long = `app/${'a'.repeat(60)}/${'b'.repeat(70)}/file-ü.js`;
const files = [
  { path: 'app/bin/run.sh', content: Buffer.from('#!/bin/sh\n'), isExecutable: true },
  { path: long, content: Buffer.alloc(1025, 7), isExecutable: false },
  { path: 'app/empty', content: Buffer.alloc(0), isExecutable: false },
];

it('is the same whatever order the files come in, and names no machine and no time', async () => {
  const archive = await tarGz(files);
  expect(await tarGz([...files].toReversed())).toEqual(archive);
  expect([...archive.subarray(4, 8), archive[9]]).toEqual([0, 0, 0, 0, 255]);
});

it('is read back by tar: contents, modes, owner', async () => {
  const path = join(folder, 'a.tar.gz');
  writeFileSync(path, await tarGz(files));
  expect(spawnSync('tar', ['-xzf', path, '-C', folder]).status).toBe(0);
  for (const file of files) expect(readFileSync(join(folder, file.path)).equals(file.content)).toBe(true);
  expect(statSync(join(folder, 'app/bin/run.sh')).mode & 0o777).toBe(0o755);
  expect(statSync(join(folder, 'app/empty')).mode & 0o777).toBe(0o644);
  const { stdout } = spawnSync('tar', ['--numeric-owner', '-tvzf', path], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  const lines = stdout.trim().split('\n');
  expect(lines.every((line) => line.includes(' 0/0 ') && line.includes('2020-01-01'))).toBe(true);
});

it.each(['x'.repeat(101), `${'deep/'.repeat(80)}file`, 'ü'.repeat(120)])('a path that ustar cannot hold is read back: %s', async (name) => {
  const path = join(folder, 'long.tar.gz');
  writeFileSync(path, await tarGz([{ path: name, content: Buffer.from('x'), isExecutable: false }]));
  const { stdout } = spawnSync('tar', ['--quoting-style=literal', '-tzf', path], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  expect(stdout.split('\n')).toContain(name);
});

it('is the same in another place at another time', async () => {
  const { execFileSync } = await import('node:child_process');
  const program = `import { tarGz } from ${JSON.stringify(join(import.meta.dirname, '../../scripts/package/tar.ts'))};
    process.stdout.write((await tarGz([{ path: '${'x'.repeat(101)}', content: Buffer.from('x'), isExecutable: true }])).toString('hex'));`;
  const made = (TZ: string, umask: string) =>
    execFileSync('sh', ['-c', `umask ${umask}; exec "$0" --input-type=module -e "$1"`, process.execPath, program], {
      cwd: folder,
      env: { ...process.env, TZ, USER: 'somebody' },
      encoding: 'utf8',
    });
  expect(made('Asia/Tokyo', '077')).toBe(made('America/Lima', '002'));
});
