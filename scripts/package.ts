// Packs the Splunk app: dist/ismalicious-splunk-<version>.tar.gz without binaries, and one for each machine with a Node inside.
// `npm run package [-- --base]`; with --base only the first.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isStale } from './freshness.ts';
import { ARCHITECTURES, runtimeFiles, RuntimeMissingError, runtimeTitle } from './package/node-runtime.ts';
import { sbomOf } from './package/sbom.ts';
import { tarGz, type TarFile } from './package/tar.ts';

const APP = 'ismalicious';

const root = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The app as built. Only the launcher may be executed: AppInspect allows that in bin folders alone. */
function appFiles(): TarFile[] {
  const folder = join(root, 'dist/splunk-app', APP);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): TarFile => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path).split(sep).join('/');
      return { path: `${APP}/${name}`, content: readFileSync(path), isExecutable: /^bin\/[^/]+\.sh$/.test(name) };
    });
  return files;
}

/** The bill of materials of these files: the packages their notices name, and what else is in them. */
function withSbom(files: readonly TarFile[], more: readonly string[] = []): TarFile[] {
  const notices = files
    .filter(({ path }) => path.endsWith('THIRD-PARTY-NOTICES.txt'))
    .map(({ content }) => Buffer.from(content).toString('utf8'));
  const named = notices.flatMap((text) => [...text.matchAll(/^-{80}\n(\S+ \S+)\nLicence: /gm)].map(([, title = '']) => title));
  return [...files, { path: `${APP}/sbom.cdx.json`, content: sbomOf(root, new Set([...named, ...more])), isExecutable: false }];
}

async function write(name: string, files: readonly TarFile[]): Promise<void> {
  const archive = await tarGz(files);
  const path = join('dist', name);
  writeFileSync(join(root, path), archive);
  const digest = createHash('sha256').update(archive).digest('hex');
  print(`${(archive.length / 1_048_576).toFixed(1).padStart(6)} MiB  ${path}  sha256 ${digest}`);
}

function build(): void {
  if (!isStale(root) && existsSync(join(root, 'dist/splunk-app', APP, 'default/app.conf'))) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('the build failed');
}

async function run(): Promise<void> {
  build();
  const base = appFiles();
  await write(`ismalicious-splunk-${version}.tar.gz`, withSbom(base));
  if (process.argv.includes('--base')) return;
  for (const architecture of ARCHITECTURES) {
    try {
      const runtime = runtimeFiles(root, architecture).map((file) => ({ ...file, path: `${APP}/${file.path}` }));
      await write(
        `ismalicious-splunk-${version}-linux-${architecture.name}.tar.gz`,
        withSbom([...base, ...runtime], [runtimeTitle(root, architecture)]),
      );
    } catch (error) {
      if (!(error instanceof RuntimeMissingError)) throw error;
      print(`skipped: the package for linux-${architecture.name}: ${error.message}`);
    }
  }
}

try {
  await run();
} catch (error) {
  process.stderr.write(`package failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
