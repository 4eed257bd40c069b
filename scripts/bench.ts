// Runs the benchmarks, one JSON line per figure: `npm run bench [-- NAME …]`, names as in scripts/bench/. Benchmarks are never tests.
// `npm run bench -- --against REV [NAME …]` runs them in turn with those of another revision.
// Each runs in a process of its own, so that none inherits another's heap or compiled code.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Print } from './bench/figure.ts';
import { readAgainst, runAgainst } from './bench-against/run.ts';

/** What a file in scripts/bench/ exports. Files without it are parts of others. */
interface Benchmark {
  readonly run?: (print: Print) => Promise<void>;
}

const ONE = '--one';
const folder = join(import.meta.dirname, 'bench');

async function runOne(file: string): Promise<void> {
  const { run } = (await import(join(folder, file))) as Benchmark;
  const bench = basename(file, '.ts');
  await run?.((figure) => process.stdout.write(`${JSON.stringify({ bench, ...figure })}\n`));
}

function runAll(names: readonly string[]): void {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  const unknown = names.filter((name) => !files.includes(`${name}.ts`));
  if (unknown.length > 0) {
    process.stderr.write(`no such benchmark: ${unknown.join(', ')}; there are ${files.map((file) => basename(file, '.ts')).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  for (const file of names.length > 0 ? names.map((name) => `${name}.ts`) : files.toSorted()) {
    const { status } = spawnSync(process.execPath, ['--expose-gc', import.meta.filename, ONE, file], {
      cwd: dirname(import.meta.dirname),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) process.exitCode = 1;
  }
}

const args = process.argv.slice(2);
const against = readAgainst(args);
if (args[0] === ONE) await runOne(args[1] ?? '');
else if (against !== null) process.exitCode = runAgainst(against);
else runAll(args);
