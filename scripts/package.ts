// Packs the Splunk app: dist/ismalicious-splunk-<version>.tar.gz without binaries, and one for each machine with a Node inside.
// `npm run package [-- --base] [--without-setup-page]`; with --base only the first. What it needs and is not there it builds or installs.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { lineOf } from './package/archive.ts';
import { ensureBuilt } from './package/built-files.ts';
import { ARCHITECTURES } from './package/node-runtime.ts';
import { splunkPackages } from './package/splunk-packages.ts';

const root = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { base: { type: 'boolean' }, 'without-setup-page': { type: 'boolean' } } });
  const hasSetupPage = values['without-setup-page'] !== true;
  await ensureBuilt(root, { hasSetupPage, isForced: false });
  const architectures = values.base === true ? [] : ARCHITECTURES;
  for await (const made of splunkPackages(root, { version, into: join(root, 'dist'), hasSetupPage, architectures }))
    process.stdout.write(`${lineOf(made)}\n`);
  if (!hasSetupPage) process.stdout.write('without the setup page: it shows how keys go into conf files by hand\n');
}

try {
  await run();
} catch (error) {
  process.stderr.write(`package failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
