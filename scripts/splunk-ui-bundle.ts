// Bundles the setup page of the Splunk app. Its libraries are an install of their own (`npm run splunk-ui`), so that the base install stays small.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { thirdPartyNotices } from './notices.ts';
import { setupForms } from './splunk-ui-forms.ts';

const root = dirname(import.meta.dirname);
const workshop = join(root, 'splunk-ui');

/** What the setup page consists of once built, in `appserver/static`. */
export const SETUP_BUNDLE_FILES = ['setup.js', 'setup.LEGAL.txt'] as const;

/** Why the setup page cannot be built, in one line; `null`: it can. */
export function setupBundleAbsence(): string | null {
  return existsSync(join(workshop, 'node_modules/@splunk/react-ui/package.json'))
    ? null
    : 'the setup page is left out: its libraries are not installed (npm ci --prefix splunk-ui)';
}

/**
 * Builds `setup.js` and `setup.LEGAL.txt` (licences of all it contains) into a folder, made if need be. The same sources give the
 * same bytes. Answers their sizes in bytes. Throws where `setupBundleAbsence` says something.
 */
export async function buildSetupBundle(folder: string): Promise<ReadonlyMap<string, number>> {
  const absence = setupBundleAbsence();
  if (absence !== null) throw new Error(absence);
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { setup: 'splunk-ui/setup/main.tsx' },
    outdir: folder,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2020',
    jsx: 'automatic',
    minify: true,
    legalComments: 'external',
    metafile: true,
    write: false,
    define: {
      __PROVIDERS__: JSON.stringify(setupForms()),
      'process.env.NODE_ENV': '"production"',
      // Splunk's pages have RequireJS: lodash would register there, export nothing, and leave the page blank.
      define: 'undefined',
    },
    logLevel: 'error',
  });
  mkdirSync(folder, { recursive: true });
  const sizesBytes = new Map<string, number>();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    sizesBytes.set(name, Buffer.byteLength(text));
  };
  const comments = outputFiles.filter(({ path }) => path.endsWith('.LEGAL.txt')).map(({ text }) => text.trim());
  for (const { path, text } of outputFiles) if (path.endsWith('.js')) write('setup.js', text);
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: used }) => Object.keys(used));
  write('setup.LEGAL.txt', thirdPartyNotices(root, inputs, comments.join('\n\n')));
  return sizesBytes;
}

/** The exact versions the workshop is pinned to, by package name. */
export function workshopVersions(): Readonly<Record<string, string>> {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(workshop, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  return { ...dependencies, ...devDependencies };
}
