// What all generators do with their files: write them, or with `--check` tell which are stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

/** Writes `files` (path from the project's root → content) where they differ; with `--check` in argv only names those, and exits 1. */
export function writeOrCheck(files: ReadonlyMap<string, string>): void {
  const isCheck = process.argv.includes('--check');
  for (const [path, content] of files) {
    const target = join(root, path);
    if (existsSync(target) && readFileSync(target, 'utf8') === content) continue;
    process.stdout.write(`${isCheck ? 'stale' : 'wrote'}: ${path}\n`);
    if (isCheck) {
      process.exitCode = 1;
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}
