// Installs the workshop of the Splunk pages when it is missing or out of date: `node scripts/splunk-ui.ts`. Without it the setup page is
// not built, and the browser tests of test/splunk-ui are skipped. About 650 MB, none of which is shipped but the setup page's bundle.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folder = join(dirname(import.meta.dirname), 'splunk-ui');
const stamp = join(folder, 'node_modules/.ismalicious-lockfile');

/** Installs what the lockfile says; nothing to do when that is what is there. Whether it is there now. */
function installWorkshop(): boolean {
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    process.stdout.write('the workshop of the Splunk pages is installed\n');
    return true;
  }
  process.stdout.write('installing the workshop of the Splunk pages (about a minute)\n');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write(`the workshop of the Splunk pages could not be installed: ${error?.message ?? `npm ended with ${status}`}\n`);
    return false;
  }
  writeFileSync(stamp, wanted);
  return true;
}

process.exitCode = installWorkshop() ? 0 : 1;
