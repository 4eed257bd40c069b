import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { frameOf, getinfoOf, readFrames } from '../support/splunk-streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious launcher '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const app = join(folder, 'app');
const shells = ['sh', 'dash', 'bash'].filter((shell) => spawnSync(shell, ['-c', ':']).status === 0);
const machine = spawnSync('uname', ['-m'], { encoding: 'utf8' }).stdout.trim();
const platform = machine === 'aarch64' || machine === 'arm64' ? 'linux_aarch64' : 'linux_x86_64';

/** A Node that tells its version, else who it is, what it runs and with which library path. */
function fakeNode(path: string, version: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = --version ] && { echo "${version}"; exit 0; }\nprintf '%s|%s|%s' "$0" "$*" "\${LD_LIBRARY_PATH-unset}"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

function launch(shell: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, input = getinfoOf(['ip'])) {
  const { status, stdout, stderr } = spawnSync(shell, [join(app, 'bin/ismalicious.sh'), ...args], {
    input,
    env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: '/opt/splunk/lib', ...env },
  });
  return { status, stdout, text: stdout.toString(), log: stderr.toString() };
}

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(app, 'bin'), { recursive: true });
  copyFileSync(join(projectRoot, 'splunk-app/bin/ismalicious.sh'), join(app, 'bin/ismalicious.sh'));
});

describe.each(shells)('under %s', (shell) => {
  it.each([
    [[], 'ismalicious.js', ''],
    [['lookup', 'query', 'im verdict'], 'programs/lookup.js', ' query im verdict'],
    [['check'], 'programs/check.js', ''],
    [['quota'], 'programs/quota.js', ''],
    [['extract'], 'programs/extract.js', ''],
    [['feedback'], 'programs/feedback.js', ''],
    [['records'], 'programs/records.js', ''],
    [['keys'], 'programs/keys.js', ''],
    [['triage', '--execute'], 'programs/triage.js', ' --execute'],
    [['--execute'], 'programs/triage.js', ' --execute'],
  ])('%j starts %s', (args, program, rest) => {
    const node = fakeNode(join(folder, 'path one/node'), 'v22.0.0');
    const { text, status, log } = launch(shell, args, { PATH: `${join(folder, 'path one')}:/usr/bin:/bin` });
    expect({ text, status, log }).toEqual({ text: `${node}|${join(app, 'bin', program)}${rest}|unset`, status: 0, log: '' });
  });

  it('takes the Node of the settings before the one in the app, and that before the one on PATH', () => {
    const onPath = fakeNode(join(folder, 'on-path/node'), 'v24.1.0');
    const env = { PATH: `${join(folder, 'on-path')}:/usr/bin:/bin` };
    expect(launch(shell, [], env).text).toContain(`${onPath}|`);
    const inApp = fakeNode(join(app, platform, 'bin/node'), 'v24.1.0');
    expect(launch(shell, [], env).text).toContain(`${inApp}|`);
    const set = fakeNode(join(folder, 'my node/node'), 'v24.1.0');
    mkdirSync(join(app, 'local'));
    writeFileSync(join(app, 'local/ismalicious.conf'), `[cache]\nnode = /nowhere\n\n[runtime]\n# node = /nowhere\nnode =  ${set}  `);
    expect(launch(shell, [], env).text).toContain(`${set}|`);
    const named = fakeNode(join(folder, 'named/node'), 'v24.1.0');
    expect(launch(shell, [], { ...env, ISMALICIOUS_RUNTIME_NODE: named }).text).toContain(`${named}|`);
  });

  it('passes over an old Node on PATH, as the one Splunk used to bring', () => {
    fakeNode(join(folder, 'splunk/node'), 'v14.21.3');
    const good = fakeNode(join(folder, 'good/node'), 'v22.19.0');
    expect(launch(shell, [], { PATH: `${join(folder, 'splunk')}:${join(folder, 'good')}:/usr/bin:/bin` }).text).toContain(`${good}|`);
  });

  it.each([
    ['search', [], {}, /no Node 22 or newer found/],
    ['check', ['check'], {}, /no Node 22 or newer found/],
    ['a configured Node that is old', [], { ISMALICIOUS_RUNTIME_NODE: 'OLD' }, /configured does not run or is older than 22/],
    ['a configured Node that is not there', [], { ISMALICIOUS_RUNTIME_NODE: '/nowhere/node' }, /configured does not run/],
  ])('without a Node: one clear sentence in protocol v2 (%s)', (_case, args, env, sentence) => {
    const old = fakeNode(join(folder, 'old/node'), 'v20.1.0');
    const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value === 'OLD' ? old : value]));
    const PATH = toolsWithoutNode();
    const { status, stdout, log } = launch(shell, args, { PATH, ...given });
    const [reply, ...more] = readFrames(stdout);
    expect(status).toBe(1);
    expect(more).toEqual([]);
    expect(reply?.body).toBe('');
    expect(reply?.metadata).toMatchObject({ type: 'stateful', finished: true });
    const { messages } = (reply?.metadata.inspector ?? { messages: [] }) as { messages: [string, string][] };
    expect(messages).toEqual([['ERROR', expect.stringMatching(sentence)]]);
    expect(log.trim()).toBe(messages[0]?.[1]);
  });

  it('without a Node a lookup fails loudly: it fills nothing', () => {
    const { status, text, log } = launch(shell, ['lookup', 'query'], { PATH: toolsWithoutNode() }, frameOf({}, 'query\n1.2.3.4\n'));
    expect({ status, text }).toEqual({ status: 1, text: '' });
    expect(log).toMatch(/no Node/);
  });
});

/** A PATH with the tools the launcher needs and nothing else. */
function toolsWithoutNode(): string {
  const bin = join(folder, 'tools');
  mkdirSync(bin, { recursive: true });
  for (const tool of ['dirname', 'uname', 'sh', 'dash', 'bash']) {
    const found = ['/usr/bin', '/bin'].map((path) => join(path, tool)).find((path) => existsSync(path));
    if (found)
      writeFileSync(join(bin, tool), `#!${found === join('/bin', 'sh') ? found : '/bin/sh'}\nexec ${found} "$@"\n`, { mode: 0o755 });
  }
  return bin;
}
