import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_STAMP } from '../../scripts/freshness.ts';
import { SETUP_BUNDLE_FILES, setupBundleAbsence } from '../../scripts/splunk-ui-bundle.ts';
import { parseConf } from '../../src/splunkd/conf-file.ts';
import { projectRoot } from '../support/fixtures.ts';
import { filesNamedBy } from './named-files.ts';

const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
const archive = join(projectRoot, `dist/ismalicious-splunk-${version}.tar.gz`);
const venv = join(projectRoot, '.cache/appinspect');
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-package-'));

function run(command: string, ...args: string[]) {
  return spawnSync(command, args, { cwd: projectRoot, encoding: 'utf8' });
}

/** The libraries of the setup page are an install of 650 MB: where they are not, the package is made without the page. */
const hasSetupPage = setupBundleAbsence() === null;

function pack(): Buffer {
  const { status, stderr } = run(process.execPath, 'scripts/package.ts', '--base', ...(hasSetupPage ? [] : ['--without-setup-page']));
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('failed') });
  return readFileSync(archive);
}

/** PyPI may be far away: what takes longer than this is not waited for. */
const INSTALL_MS = 150_000;

/** AppInspect in a virtual environment of its own; `false`: this machine has no Python, or no (fast) way to PyPI. */
function installAppInspect(): boolean {
  if (existsSync(join(venv, 'bin/splunk-appinspect'))) return true;
  if (run('python3', '-m', 'venv', venv).status !== 0) return false;
  const args = ['install', '--quiet', '--disable-pip-version-check', 'splunk-appinspect==4.3.1'];
  return spawnSync(join(venv, 'bin/pip'), args, { cwd: projectRoot, stdio: 'ignore', timeout: INSTALL_MS }).status === 0;
}

/** Each run has all checks of its tags; without a tag it has every one there is. */
const CLOUD = ['cloud', 'private_victoria', 'private_classic'];

interface Report {
  readonly summary: { readonly error: number; readonly failure: number; readonly future_failure: number };
  readonly reports: readonly {
    readonly groups: readonly { readonly checks: readonly { readonly name: string; readonly result: string }[] }[];
  }[];
}

/** The exit status says nothing: the report does. */
function inspect(path: string, included: readonly string[]): Report {
  const output = join(folder, `${included[0] ?? 'none'}.json`);
  const tags = included.flatMap((tag) => ['--included-tags', tag]);
  run(join(venv, 'bin/splunk-appinspect'), 'inspect', path, '--mode', 'precert', ...tags, '--data-format', 'json', '--output-file', output);
  return JSON.parse(readFileSync(output, 'utf8')) as Report;
}

function namesOf({ reports }: Report, ...results: string[]): string[] {
  return reports
    .flatMap(({ groups }) => groups.flatMap(({ checks }) => checks))
    .flatMap(({ name, result }) => (results.includes(result) ? [name] : []));
}

let first: Buffer = Buffer.alloc(0);
beforeAll(() => {
  first = pack();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package without binaries', () => {
  it('is the same byte for byte when it is made again', () => {
    const builtMs = () => statSync(join(projectRoot, BUILD_STAMP)).mtimeMs;
    const before = builtMs();
    let again = pack();
    // Somebody edited a source in between: that made another program.
    if (builtMs() !== before) [first, again] = [again, pack()];
    expect(again.equals(first)).toBe(true);
  }, 120_000);

  it('holds the programs, the launcher, notices and the bill of materials, and nothing of its own making', () => {
    const { stdout } = run('tar', '-tvzf', archive);
    const lines = stdout.trim().split('\n');
    const names = lines.map((line) => line.split(' ').at(-1));
    for (const name of [
      'bin/ismalicious.sh',
      'bin/ismalicious.js',
      'bin/programs/triage.js',
      'THIRD-PARTY-NOTICES.txt',
      'LICENSE',
      'sbom.cdx.json',
    ])
      expect(names).toContain(`ismalicious/${name}`);
    expect(names.filter((name) => /\/(local|node_modules|\.[^/]+)\/|local\.meta|passwords\.conf|\.map$|\.ts$/.test(name ?? ''))).toEqual(
      [],
    );
    expect(lines.filter((line) => line.startsWith('-rwx')).map((line) => line.split(' ').at(-1))).toEqual([
      'ismalicious/bin/ismalicious.sh',
    ]);
  });

  it('holds every file that a conf or a view names, the setup page too where it is built', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    expect(run('tar', '-xzf', archive, '-C', open).status).toBe(0);
    const app = join(open, 'ismalicious');
    const named = filesNamedBy(app);
    const missing = named.filter(({ file }) => !existsSync(join(app, file)));
    expect(missing).toEqual(hasSetupPage ? [] : [{ by: 'default/data/ui/views/setup.xml', file: 'appserver/static/setup.js' }]);
    // What the reader finds at all: one of each kind.
    expect(named.map(({ file }) => file)).toEqual(
      expect.arrayContaining([
        'bin/ismalicious.sh',
        'appserver/static/setup.js',
        'appserver/static/ismalicious_triage.png',
        'lookups/ismalicious_tiers.csv',
        'default/data/ui/views/overview.xml',
        'static/appIcon.png',
        'default/data/ui/alerts/ismalicious_triage.html',
        'README/ismalicious.conf.spec',
        'LICENSE',
      ]),
    );
  });

  it.skipIf(!hasSetupPage)('holds the setup page, and its libraries in the bill of materials [needs browser workshop]', () => {
    const names = run('tar', '-tzf', archive).stdout.split('\n');
    for (const file of SETUP_BUNDLE_FILES) expect(names).toContain(`ismalicious/appserver/static/${file}`);
    const sbom = JSON.parse(run('tar', '-xzOf', archive, 'ismalicious/sbom.cdx.json').stdout) as { components: { name: string }[] };
    expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['react', '@splunk/react-ui']));
  });

  it('names the version of the pack in app.conf, the manifest and the alert action', () => {
    const read = (name: string) => run('tar', '-xzOf', archive, `ismalicious/${name}`).stdout;
    const { id, launcher } = parseConf(read('default/app.conf'));
    const { info } = JSON.parse(read('app.manifest')) as { info: { id: { version: string } } };
    const action = parseConf(read('default/alert_actions.conf')).ismalicious_triage?.['param._cam'] ?? '';
    const [technology] = (JSON.parse(action) as { technology: { version: string[] }[] }).technology;
    expect([id?.version, launcher?.version, info.id.version, technology?.version[0]]).toEqual(Array(4).fill(version));
  });

  it('shows the manual way where the script of the setup page is not there', () => {
    const view = run('tar', '-xzOf', archive, 'ismalicious/default/data/ui/views/setup.xml').stdout;
    const panel = /<div id="ismalicious-setup">(.*)<\/div>/s.exec(view)?.[1] ?? '';
    for (const word of [
      'local/ismalicious.conf',
      'storage/passwords',
      'ismalicious.x_api_key',
      'is_configured = 1',
      'README/ismalicious.conf.spec',
    ])
      expect(panel).toContain(word);
  });

  it('names what is in it: the bill of materials is CycloneDX with the packages that are shipped', () => {
    const { stdout } = run('tar', '-xzOf', archive, 'ismalicious/sbom.cdx.json');
    const sbom = JSON.parse(stdout) as { bomFormat: string; components: { name: string }[] };
    expect(sbom.bomFormat).toBe('CycloneDX');
    expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['undici', 'splunk-sdk', 'zod', 'tldts', 'lru-cache']));
    expect(sbom.components.map(({ name }) => name)).not.toContain('fastify');
  });

  it('contains no client that verifies no certificate, and nothing that reads .env', () => {
    const { stdout } = run('tar', '-xzOf', archive);
    expect(/rejectUnauthorized:\s*!1,?\s*followAllRedirects|followAllRedirects|dotenv/.test(stdout)).toBe(false);
  });
});

describe('AppInspect', () => {
  it('finds no error and no failure, with no tag and under each cloud tag; every warning is explained', { timeout: 600_000 }, (context) => {
    if (!installAppInspect()) return context.skip('needs appinspect (python3, venv and PyPI)');
    const explained = readFileSync(join(projectRoot, 'docs/appinspect.md'), 'utf8');
    for (const tags of [[], CLOUD]) {
      const report = inspect(archive, tags);
      expect({ tags, faults: namesOf(report, 'error', 'failure', 'future_failure') }).toEqual({ tags, faults: [] });
      expect(report.summary).toMatchObject({ error: 0, failure: 0, future_failure: 0 });
      expect(namesOf(report, 'warning').filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
    }
  });

  it('finds nothing under the cloud tags in the packages with a Node, where they were made', { timeout: 600_000 }, (context) => {
    const wanted = ['x86_64', 'aarch64'].map((name) => archive.replace('.tar.gz', `-linux-${name}.tar.gz`));
    const findMade = () => wanted.filter((path) => existsSync(path));
    // CI makes them; elsewhere nobody waits for 60 MB of Node.
    if (findMade().length === 0 && process.env.CI)
      run(process.execPath, 'scripts/package.ts', ...(hasSetupPage ? [] : ['--without-setup-page']));
    const made = findMade();
    if (made.length === 0) return context.skip('needs packages with a Node (npm run package)');
    if (!installAppInspect()) return context.skip('needs appinspect (python3, venv and PyPI)');
    for (const path of made)
      expect({ path, faults: namesOf(inspect(path, CLOUD), 'error', 'failure', 'future_failure') }).toEqual({ path, faults: [] });
  });
});
