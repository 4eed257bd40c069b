// Rewrites what is generated: files made from a source of ours, and the golden files of tests. `npm run golden [-- FILTER …]`.
// The difference is reviewed like code. `--check` writes nothing and only tells whether something is stale (part of `npm test`).
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

/** Each takes `--check`. In this order: later ones may read what earlier ones wrote. */
const GENERATORS = ['sample-feed', 'sample-events', 'providers-doc', 'elastic-assets', 'splunk-conf', 'settings-doc'];

const root = dirname(import.meta.dirname);
const [mode, ...filters] = process.argv.slice(2);
const isCheck = mode === '--check';

function run(...args: string[]): boolean {
  return spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

const failed = GENERATORS.filter((name) => !run(`scripts/generate/${name}.ts`, ...(isCheck ? ['--check'] : [])));
if (failed.length > 0) process.stderr.write(`${isCheck ? 'stale, run npm run golden' : 'failed'}: ${failed.join(', ')}\n`);
const areGoldenFilesWritten =
  isCheck || run('node_modules/vitest/vitest.mjs', 'run', '--update', ...(mode === undefined ? [] : [mode, ...filters]));
process.exitCode = failed.length === 0 && areGoldenFilesWritten ? 0 : 1;
