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

it('is the same whatever order the files come in, and names no machine and no time', () => {
  const archive = tarGz(files);
  expect(tarGz([...files].toReversed())).toEqual(archive);
  expect([...archive.subarray(4, 8), archive[9]]).toEqual([0, 0, 0, 0, 255]);
});

it('is read back by tar: contents, modes, owner', () => {
  const path = join(folder, 'a.tar.gz');
  writeFileSync(path, tarGz(files));
  expect(spawnSync('tar', ['-xzf', path, '-C', folder]).status).toBe(0);
  for (const file of files) expect(readFileSync(join(folder, file.path)).equals(file.content)).toBe(true);
  expect(statSync(join(folder, 'app/bin/run.sh')).mode & 0o777).toBe(0o755);
  expect(statSync(join(folder, 'app/empty')).mode & 0o777).toBe(0o644);
  const { stdout } = spawnSync('tar', ['--numeric-owner', '-tvzf', path], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  const lines = stdout.trim().split('\n');
  expect(lines.every((line) => line.includes(' 0/0 ') && line.includes('2020-01-01'))).toBe(true);
});

it('refuses a path that ustar cannot hold', () => {
  expect(() => tarGz([{ path: 'x'.repeat(101), content: Buffer.alloc(0), isExecutable: false }])).toThrow(/too long/);
});
