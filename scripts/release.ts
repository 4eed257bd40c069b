// Makes a release in dist/release: archives, bill of materials, notices, SHA256SUMS. `npm run release [-- --check] [--machine x64 …]
// [--without-node] [--without-setup-page] [--built]`. The same sources and the same Node give the same bytes; --check makes all of it a
// second time and compares. --built takes what is built already when it is up to date.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { lineOf } from './package/archive.ts';
import { ensureBuilt } from './package/built-files.ts';
import { ARCHITECTURES } from './package/node-runtime.ts';
import { machineOf, release } from './package/release.ts';

const OPTIONS = {
  check: { type: 'boolean' },
  built: { type: 'boolean' },
  into: { type: 'string' },
  machine: { type: 'string', multiple: true },
  'without-node': { type: 'boolean' },
  'without-setup-page': { type: 'boolean' },
} as const;

const root = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

async function run(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const hasSetupPage = values['without-setup-page'] !== true;
  const into = values.into ?? join(root, 'dist/release');
  const machines = values['without-node'] === true ? [] : machinesOf(values.machine);
  const make = async (folder: string, isForced: boolean) => {
    await ensureBuilt(root, { hasSetupPage, isForced });
    rmSync(folder, { recursive: true, force: true });
    for await (const made of release(root, { version, into: folder, hasSetupPage, machines })) process.stdout.write(`${lineOf(made)}\n`);
    return readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
  };
  const sums = await make(into, values.built !== true);
  if (values.check === true) await makeAgain(make, sums);
}

function machinesOf(wanted: readonly string[] = ARCHITECTURES.map(machineOf)): readonly string[] {
  const known = ARCHITECTURES.map(machineOf);
  const unknown = wanted.find((machine) => !known.includes(machine));
  if (unknown !== undefined) throw new Error(`--machine ${unknown}: there are ${known.join(' and ')}`);
  return wanted;
}

async function makeAgain(make: (folder: string, isForced: boolean) => Promise<string>, sums: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-release-'));
  try {
    const differing = differences(sums, await make(folder, true));
    if (differing.length > 0) throw new Error(`made twice, these differ: ${differing.join(', ')}`);
    process.stdout.write('made twice, with the same bytes\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names whose sums are not the same. */
function differences(first: string, second: string): string[] {
  const others = new Set(second.split('\n'));
  return first.split('\n').flatMap((line) => (others.has(line) ? [] : [line.replace(/^\S+\s+/, '')]));
}

try {
  await run();
} catch (error) {
  process.stderr.write(`release failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
