// Builds dist/: the command line program, and the Splunk app with its search command. `npm run build`.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bundleFolder } from './bundle.ts';
import type { ProgramFolder } from './bundle.ts';
import { buildConsole } from './console-bundle.ts';
import { BUILD_STAMP } from './freshness.ts';
import { thirdPartyNotices } from './notices.ts';
import { buildSetupBundle, setupBundleAbsence } from './splunk-ui-bundle.ts';

/** A folder of programs, and where the notices on what they contain belong. Paths are relative to dist/. */
interface Part extends ProgramFolder {
  readonly noticesFolder: string;
}

const PARTS: readonly Part[] = [
  {
    folder: '.',
    noticesFolder: '.',
    format: 'esm',
    entries: {
      cli: 'src/main.ts',
      'store-worker': 'src/store/store-worker.ts',
      'sighting-worker': 'src/pipeline/sightings/sighting-worker.ts',
      'body-worker': 'src/hosts/sidecar/bodies/body-worker.ts',
    },
  },
  {
    folder: 'splunk-app/ismalicious/bin',
    noticesFolder: 'splunk-app/ismalicious',
    format: 'cjs',
    entries: { ismalicious: 'src/hosts/splunk/programs/search.ts' },
  },
  {
    // Apart from the search command, which would be split into more files to read at its start.
    folder: 'splunk-app/ismalicious/bin/programs',
    noticesFolder: 'splunk-app/ismalicious/bin/programs',
    format: 'cjs',
    entries: {
      lookup: 'src/hosts/splunk/programs/lookup.ts',
      check: 'src/hosts/splunk/programs/check.ts',
      quota: 'src/hosts/splunk/programs/quota.ts',
      extract: 'src/hosts/splunk/programs/extract.ts',
      feedback: 'src/hosts/splunk/programs/feedback.ts',
      records: 'src/hosts/splunk/programs/records.ts',
      keys: 'src/hosts/splunk/programs/keys.ts',
      triage: 'src/hosts/splunk/programs/triage.ts',
      'store-worker': 'src/store/store-worker.ts',
    },
  },
];

/** Files of the Splunk app that name the version: in the sources a mark stands there, so that package.json alone has it. */
const VERSIONED = ['default/app.conf', 'default/alert_actions.conf', 'app.manifest'];
const VERSION_MARK = '@VERSION@';

const SMALL_BYTES = 10_240;

const root = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const dist = join(root, 'dist');
// Built beside dist/ and moved in at the end, so that a failed build leaves the last good one.
const fresh = join(root, `dist.${process.pid}`);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function buildPart(part: Part): Promise<void> {
  const folder = join(fresh, part.folder);
  const bundle = await bundleFolder(root, version, { ...part, folder });
  writeFileSync(join(fresh, part.noticesFolder, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, bundle.inputs, bundle.legalComments));
  printSizes(join('dist', relative(fresh, folder)), bundle.sizesBytes);
}

/** The page of the sidecar, with the notices on what it contains. */
async function buildConsolePage(folder: string): Promise<void> {
  const { sizesBytes, inputs, legalComments } = await buildConsole(folder);
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, inputs, legalComments));
  for (const [name, sizeBytes] of sizesBytes) print(`${toKib(sizeBytes)}  ${join('dist/console', name)}`);
}

/** The programs and what is read when it is needed; parts below this size only as a sum. */
function printSizes(folder: string, sizesBytes: ReadonlyMap<string, number>): void {
  const sizes = [...sizesBytes].toSorted(([, a], [, b]) => b - a);
  const isShown = ([file, sizeBytes]: readonly [string, number]) => !file.startsWith('lib') || sizeBytes >= SMALL_BYTES;
  const small = sizes.filter((size) => !isShown(size));
  for (const [file, sizeBytes] of sizes.filter(isShown)) print(`${toKib(sizeBytes)}  ${join(folder, file)}`);
  print(`${toKib(small.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0))}  in ${small.length} smaller parts`);
}

function toKib(sizeBytes: number): string {
  return `${(sizeBytes / 1024).toFixed(1).padStart(8)} KiB`;
}

function stampVersion(path: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(VERSION_MARK)) throw new Error(`${path} does not say where the version stands (${VERSION_MARK})`);
  writeFileSync(path, text.replaceAll(VERSION_MARK, version));
}

/** The program can be started by its own name. */
function makeExecutable(file: string): void {
  if (!existsSync(file)) return;
  const code = readFileSync(file, 'utf8');
  if (!code.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

function moveIntoPlace(): void {
  mkdirSync(dist, { recursive: true });
  rmSync(join(dist, 'lib'), { recursive: true, force: true });
  for (const name of readdirSync(fresh)) {
    rmSync(join(dist, name), { recursive: true, force: true });
    renameSync(join(fresh, name), join(dist, name));
  }
  writeFileSync(join(root, BUILD_STAMP), '');
}

try {
  const app = join(fresh, 'splunk-app/ismalicious');
  mkdirSync(app, { recursive: true });
  if (existsSync(join(root, 'splunk-app'))) cpSync(join(root, 'splunk-app'), app, { recursive: true });
  for (const name of VERSIONED) stampVersion(join(app, name));
  cpSync(join(root, 'LICENSE'), join(app, 'LICENSE'));
  const absence = setupBundleAbsence();
  if (absence === null) await buildSetupBundle(join(app, 'appserver/static'));
  else print(`without the setup page: ${absence}`);
  // What the program installs elsewhere, and what users copy.
  for (const folder of ['elastic', 'logstash']) cpSync(join(root, folder), join(fresh, folder), { recursive: true });
  for (const part of PARTS) await buildPart(part);
  await buildConsolePage(join(fresh, 'console'));
  makeExecutable(join(fresh, 'cli.js'));
  moveIntoPlace();
} catch (error) {
  // esbuild has named file, line and fault already.
  process.stderr.write(`build failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
