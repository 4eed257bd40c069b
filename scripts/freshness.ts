// Tells whether dist/ is older than what it is made from.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Written last by the build: its age is the age of dist/. */
export const BUILD_STAMP = 'dist/.built';

/** What the build reads. A folder counts with everything in it. */
const SOURCES = [
  'src',
  'splunk-app',
  'splunk-ui/setup',
  'elastic',
  'logstash',
  'samples',
  'scripts/build.ts',
  'scripts/bundle.ts',
  'scripts/console-bundle.ts',
  'scripts/notices.ts',
  'scripts/splunk-ui-bundle.ts',
  'scripts/splunk-ui-forms.ts',
  'LICENSE',
  'package.json',
  'package-lock.json',
];

/** Whether something that goes into dist/ changed after it was built, or it never was. */
export function isStale(root: string): boolean {
  const stamp = join(root, BUILD_STAMP);
  if (!existsSync(stamp)) return true;
  const builtMs = statSync(stamp).mtimeMs;
  return SOURCES.some((source) => newestMs(join(root, source)) > builtMs);
}

/** When a file, a folder (it changes when something in it is removed) or anything below it changed last; 0 when it is not there. */
function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
