// The checks that need no test run: types, lint, format, unused code.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';

/** One check of the repository: a tool's own JavaScript file (its `.bin` shim depends on how npm linked it) and what it is told. */
export interface Check {
  readonly name: string;
  readonly tool: string;
  readonly args: readonly string[];
}

const root = dirname(import.meta.dirname);
const CODE_FOLDERS = ['src', 'test', 'scripts'];

/** In the order of what breaks most often. */
export const CHECKS: readonly Check[] = [
  { name: 'types', tool: 'node_modules/typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'types of the console', tool: 'node_modules/typescript/bin/tsc', args: ['-p', 'src/console'] },
  // Folders by name: "." walks into linked folders too, for minutes.
  { name: 'lint', tool: 'node_modules/oxlint/bin/oxlint', args: CODE_FOLDERS },
  { name: 'format', tool: 'node_modules/oxfmt/bin/oxfmt', args: ['--check', ...CODE_FOLDERS] },
  { name: 'unused code', tool: 'node_modules/knip/bin/knip.js', args: ['--no-progress'] },
];

/** What is generated is what its sources make today. */
export const GENERATED: Check = { name: 'generated files', tool: 'scripts/golden.ts', args: ['--check'] };

/** The build, judged like a check. */
export const BUILD: Check = { name: 'build', tool: 'scripts/build.ts', args: [] };

/** Runs one check under this Node, its words on our own streams. Whether it passed. */
export async function passes({ name, tool, args }: Check): Promise<boolean> {
  process.stdout.write(`\n── ${name}\n`);
  const startedMs = performance.now();
  const child = spawn(process.execPath, [tool, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  child.on('error', reject);
  child.on('exit', (code) => resolve(code === 0));
  const hasPassed = await promise;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${hasPassed ? 'passed' : 'FAILED'}: ${name} (${seconds} s)\n`);
  return hasPassed;
}
