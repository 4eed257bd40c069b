// What the build made, as files for archives.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { isStale } from '../freshness.ts';
import { SETUP_BUNDLE_FILES, setupBundleAbsence } from '../splunk-ui-bundle.ts';
import { runQuietly, step } from './step.ts';
import type { TarFile } from './tar.ts';

/** The Splunk app's id, and the folder it is packed in. */
export const APP = 'ismalicious';

const BUILT_APP = `dist/splunk-app/${APP}`;
const PAGES_FOLDER = 'appserver/static';
const WITHOUT = '--without-setup-page';

/** What is to be in the build. */
export interface BuildOptions {
  /** Whether the Splunk app gets its setup page, whose libraries are an install of their own. */
  readonly hasSetupPage: boolean;
  /** Builds also when what is there is up to date. */
  readonly isForced: boolean;
}

/**
 * Sees to it that dist/ is built of today's sources, with all that is packed; installs the libraries of the setup page if need be. Throws
 * with what is missing and what to do about it.
 */
export async function ensureBuilt(root: string, { hasSetupPage, isForced }: BuildOptions): Promise<void> {
  if (hasSetupPage) await installSetupLibraries(root);
  const has = (name: string) => existsSync(join(root, BUILT_APP, name));
  const isWhole = has('default/app.conf') && (!hasSetupPage || SETUP_BUNDLE_FILES.every((name) => has(`${PAGES_FOLDER}/${name}`)));
  if (!isForced && isWhole && !isStale(root)) return;
  await step('building', () => runQuietly(process.execPath, ['scripts/build.ts'], root));
}

async function installSetupLibraries(root: string): Promise<void> {
  try {
    const title =
      setupBundleAbsence() === null ? 'looking at the libraries of the setup page' : 'installing the libraries of the setup page';
    await step(title, () => runQuietly(process.execPath, ['scripts/splunk-ui.ts'], root));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the setup page of the Splunk app cannot be built: ${reason}. ` +
        `See that npm reaches its registry and run this again, or leave the page out: ${WITHOUT}`,
      { cause: error },
    );
  }
}

/** All files below a folder, by their path in it with slashes; none when it is not there. */
export function filesBelow(folder: string): { readonly name: string; readonly content: Buffer }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { name: relative(folder, path).split(sep).join('/'), content: readFileSync(path) };
    });
}

/** The Splunk app as built. Only the launcher may be executed: AppInspect allows that in bin folders alone. */
export function appFiles(root: string, hasSetupPage: boolean): TarFile[] {
  const leftOut = hasSetupPage ? [] : SETUP_BUNDLE_FILES.map((name) => `${PAGES_FOLDER}/${name}`);
  return filesBelow(join(root, BUILT_APP))
    .filter(({ name }) => !leftOut.includes(name))
    .map(({ name, content }) => ({ path: `${APP}/${name}`, content, isExecutable: /^bin\/[^/]+\.sh$/.test(name) }));
}
