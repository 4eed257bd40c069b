// Rewrites what is generated: files made from a source of ours, and the golden files of tests. `npm run golden [-- FILTER …]`.
// The difference is reviewed like code. `--check` writes nothing and only tells whether something is stale (part of `npm test`).
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Each takes `--check`. In this order: later ones may read what earlier ones wrote. */
const GENERATORS = ['sample-feed', 'sample-events', 'providers-doc', 'elastic-assets', 'splunk-conf', 'settings-doc'];

/** How a test compares with a golden file. */
const GOLDEN_CALL = '.toMatchFileSnapshot(';

const root = dirname(import.meta.dirname);
const [mode, ...filters] = process.argv.slice(2);
const isCheck = mode === '--check';

function run(...args: string[]): boolean {
  return spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** The test files that have golden files: all others have nothing to rewrite, and take minutes. */
function testsWithGoldenFiles(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => readFileSync(join(root, path), 'utf8').includes(GOLDEN_CALL))
    .filter((path) => mode === undefined || [mode, ...filters].some((word) => path.includes(word)));
}

const failed = GENERATORS.filter((name) => !run(`scripts/generate/${name}.ts`, ...(isCheck ? ['--check'] : [])));
if (failed.length > 0) process.stderr.write(`${isCheck ? 'stale, run npm run golden' : 'failed'}: ${failed.join(', ')}\n`);
const tests = isCheck ? [] : testsWithGoldenFiles();
// `--update` comes last: it takes the word behind it for its own.
const areGoldenFilesWritten = tests.length === 0 || run('node_modules/vitest/vitest.mjs', 'run', ...tests, '--update');
process.exitCode = failed.length === 0 && areGoldenFilesWritten ? 0 : 1;
