// `npm run bench -- --against REV [--rounds N] [NAME …]`: this checkout and another one of the same repository in turn, a figure a line.
// Exit 1 when a figure is worse by more than 8 % at 90 % confidence.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BenchFigure, type Comparison, compare, toSeries } from './compare.ts';

const LEAST_ROUNDS = 7;
const root = dirname(dirname(import.meta.dirname));

/** What is compared with what, and how often. */
export interface AgainstOptions {
  readonly rev: string;
  readonly rounds: number;
  readonly names: readonly string[];
}

/** Reads `--against REV [--rounds N] [NAME …]`; throws when a number is none. */
export function readAgainst(args: readonly string[]): AgainstOptions | null {
  const at = args.indexOf('--against');
  if (at === -1) return null;
  const rev = args[at + 1];
  if (rev === undefined) throw new Error('--against needs a revision, like main or a commit');
  const rest = args.filter((_, n) => n !== at && n !== at + 1);
  const roundsAt = rest.indexOf('--rounds');
  if (roundsAt === -1) return { rev, rounds: LEAST_ROUNDS, names: rest };
  const rounds = Number(rest[roundsAt + 1]);
  if (!Number.isInteger(rounds) || rounds < 2) throw new Error('--rounds needs a whole number, at least 2');
  return { rev, rounds, names: rest.filter((_, n) => n !== roundsAt && n !== roundsAt + 1) };
}

/** Runs both in turn and prints what the rounds say; the exit code. */
export function runAgainst({ rev, rounds, names }: AgainstOptions): number {
  const other = checkOut(rev);
  const measured: { ours: BenchFigure[]; theirs: BenchFigure[] }[] = [];
  for (let round = 0; round < rounds; round++) {
    // Who begins changes, so that a drift of the machine's speed falls on both.
    const isOursFirst = round % 2 === 0;
    const first = measure(isOursFirst ? root : other, names);
    const second = measure(isOursFirst ? other : root, names);
    measured.push(isOursFirst ? { ours: first, theirs: second } : { ours: second, theirs: first });
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  const comparisons = toSeries(measured).map(compare);
  for (const comparison of comparisons) process.stdout.write(`${lineOf(comparison)}\n`);
  const losses = comparisons.filter(({ outcome }) => outcome === 'loss').length;
  process.stdout.write(
    `${comparisons.length} figures over ${rounds} rounds against ${rev}: ${losses} worse by more than 8 % at 90 % confidence\n`,
  );
  return losses === 0 ? 0 : 1;
}

/** The other revision, installed and built, in a folder that is kept for the next time. */
function checkOut(rev: string): string {
  const commit = git(['rev-parse', '--verify', `${rev}^{commit}`]).trim();
  const folder = join(root, '.cache', 'bench', commit);
  if (existsSync(join(folder, 'dist', '.built-for-bench'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  git(['worktree', 'prune']);
  git(['worktree', 'add', '--force', '--detach', folder, commit]);
  // Its own launcher installs what its own lockfile says.
  run('node', ['scripts/node24.mjs', 'scripts/build.ts'], folder);
  run('touch', ['dist/.built-for-bench'], folder);
  return folder;
}

function measure(folder: string, names: readonly string[]): BenchFigure[] {
  const done = spawnSync(process.execPath, ['scripts/bench.ts', ...names], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
  });
  return done.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as BenchFigure);
}

function lineOf({ name, unit, ours, theirs, loss, low, high, outcome }: Comparison): string {
  const percent = (share: number) => `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
  const cost = `cost ${percent(loss)} (${percent(low)} … ${percent(high)})`;
  return `${outcome.padEnd(5)}  ${name}: ${shown(ours)} against ${shown(theirs)} ${unit}, ${cost}`;
}

function shown(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function git(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', [...args], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(program, [...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed in ${cwd}`);
}
