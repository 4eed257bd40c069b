import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OLDER_NODES, OLDER_NODES_FOLDER } from '../../scripts/ci-peers.ts';
import { projectRoot } from '../support/fixtures.ts';
import { HOSTS } from '../support/host-processes.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const cliProgram = join(projectRoot, 'dist/cli.js');
const VALUES = ['198.51.100.7', '10.0.0.1', '93.184.216.34'];
const STATUSES = ['ok', 'skipped_private', 'ok'];

function nodeOf(version: string): string {
  if (version === process.versions.node) return process.execPath;
  return join(OLDER_NODES_FOLDER, version, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
}

const hasOlderNodes = OLDER_NODES.every((version) => existsSync(nodeOf(version)));
if (!hasOlderNodes) process.stderr.write('Older versions of Node not found: their tests are skipped (scripts/ci-peers.ts installs them)\n');
const [tooOld, ...newEnough] = OLDER_NODES;
const withoutSqlite: readonly string[] = ['22.0.0', '22.11.0', '22.12.0'];

describe.skipIf(!hasOlderNodes)('on older versions of Node [needs older node]', () => {
  it.each([
    ['check', '1.1.1.1'],
    ['doctor'],
    ['serve'],
    ['config', 'check'],
    ['watch', 'list'],
    ['feedback', 'list'],
    ['enrich', '-'],
    ['help'],
  ])(`Node ${tooOld} is told in one sentence which Node is needed: %s %s`, (...args) => {
    const words = args.filter((word) => word !== undefined);
    const { status, stdout, stderr } = spawnSync(nodeOf(tooOld), [cliProgram, ...words], { encoding: 'utf8', input: '' });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^ismalicious: Node ${tooOld} is here, Node 22 or newer is needed: [^\\n]+\\n$`));
  });

  it.each([...newEnough, process.versions.node].flatMap((version) => Object.keys(HOSTS).map((host) => [version, host])))(
    'Node %s: %s answers, and says once where the cache is kept',
    async (version, name) => {
      const run = await HOSTS[name]!(VALUES, { TEST_NODE: nodeOf(version), ISMALICIOUS_STATE_DIR: newStateFolder() });
      expect(run.statuses).toEqual(STATUSES);
      expect(run.stderr).not.toContain('No such built-in module');
      const told = run.stderr.split('the cache is kept in memory').length - 1;
      // The search command says it in Splunk's own messages.
      const tells = withoutSqlite.includes(version) && name !== 'search';
      expect(told).toBe(tells ? 1 : 0);
    },
  );

  it.each(newEnough)('Node %s: commands that need no store work', (version) => {
    const env = { PATH: '/usr/bin:/bin', ISMALICIOUS_STATE_DIR: newStateFolder() };
    for (const [words, wanted] of [
      [['help'], 0],
      [['config', 'check'], 0],
      [['check', VALUES[0] ?? ''], 0],
      [['plan', '-'], 0],
      [['extract', '-'], 0],
      // It calls a cache in memory a failure.
      [['doctor'], withoutSqlite.includes(version) ? 1 : 0],
    ] as const) {
      const { status, stderr } = spawnSync(nodeOf(version), [cliProgram, ...words], {
        encoding: 'utf8',
        env,
        input: `${VALUES.join('\n')}\n`,
      });
      expect({ words, status, hasFault: stderr.includes('built-in module') }).toEqual({ words, status: wanted, hasFault: false });
    }
  });

  it.each(withoutSqlite)('Node %s: what needs a store says so', (version) => {
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    for (const args of [
      ['watch', 'add', '9.9.9.9'],
      ['feedback', 'add', '9.9.9.9', '--verdict', 'clean', '--reason', 'test'],
    ]) {
      const { status, stderr } = spawnSync(nodeOf(version), [cliProgram, ...args], { encoding: 'utf8', env });
      expect(status).not.toBe(0);
      expect(stderr).toContain(`needs Node 22.13 or newer: Node ${version} has no SQLite`);
    }
  });
});

describe('the launcher', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-launcher-'));
  const launcher = join(folder, 'install', 'ismalicious');
  mkdirSync(join(folder, 'install', 'dist'), { recursive: true });
  cpSync(join(projectRoot, 'ismalicious'), launcher);
  writeFileSync(
    join(folder, 'install', 'dist', 'cli.js'),
    'process.stdout.write(`${process.argv.slice(2).join(" ")} by ${process.execPath}`)',
  );

  /** A program that says it is Node of that version, and runs as the real one. */
  function nodeThatSays(version: string, name: string): string {
    const path = join(folder, name, 'node');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit; }\necho "${name}: $*"\n`, { mode: 0o755 });
    return path;
  }

  const run = (env: Record<string, string>, program = launcher) =>
    spawnSync(program, ['check', 'a b'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', ...env } });

  it('takes the first Node on PATH that is new enough', () => {
    const path = [nodeThatSays('v20.1.0', 'old'), nodeThatSays('v22.0.0', 'new')].map((node) => dirname(node)).join(':');
    expect(run({ PATH: `${path}:/usr/bin:/bin` }).stdout).toBe(`new: ${join(folder, 'install', 'dist', 'cli.js')} check a b\n`);
  });

  it('says in one sentence which Node is there and which is needed', () => {
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    for (const name of ['uname', 'dirname', 'readlink'])
      symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(tools, name));
    const old = nodeThatSays('v20.1.0', 'old');
    const { status, stderr } = run({ PATH: `${dirname(old)}:${tools}` });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ismalicious: Node 20\.1\.0 \(.*\/old\/node\) is here, Node 22 or newer is needed: [^\n]+\n$/);
    expect(run({ PATH: tools }).stderr).toContain('ismalicious: no Node is here, Node 22 or newer is needed');
  });

  it('prefers the Node that came with the install, also when it is called by a link', () => {
    const came = join(folder, 'install', 'node', 'bin');
    mkdirSync(came, { recursive: true });
    symlinkSync(nodeThatSays('v24.0.0', 'came'), join(came, 'node'));
    const link = join(folder, 'link');
    symlinkSync('install/ismalicious', link);
    expect(run({}, link).stdout).toContain('came: ');
  });
});
