import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

const NEEDED_MAJOR = 24;

/** A Node of the machine that is older than what we need; `undefined`: there is none. */
const olderNode = (process.env.PATH ?? '')
  .split(delimiter)
  .concat('/usr/bin', '/usr/local/bin')
  .map((folder) => join(folder, 'node'))
  .find(
    (path) => existsSync(path) && Number(/^v(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[1]) < NEEDED_MAJOR,
  );

let clone = '';

// A bare clone in small: the launcher, a lockfile, no node_modules.
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'ismalicious-launcher-'));
  mkdirSync(join(clone, 'scripts'));
  copyFileSync(join(projectRoot, 'scripts/node24.mjs'), join(clone, 'scripts/node24.mjs'));
  writeFileSync(join(clone, 'package-lock.json'), '{}');
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** Puts a stand-in for npm there, which installs nothing and writes down how it was called. */
function withFakeNpm(exitCode = 0): NodeJS.ProcessEnv {
  const npm = join(clone, 'npm-cli.js');
  writeFileSync(
    npm,
    `const { mkdirSync, writeFileSync } = require('node:fs');
     mkdirSync('node_modules', { recursive: true });
     if (${exitCode} === 0) writeFileSync('node_modules/.package-lock.json', '{}');
     writeFileSync('npm-call.json', JSON.stringify({ args: process.argv.slice(2), env: process.env }));
     console.log('words of npm');
     process.exit(${exitCode});`,
  );
  return { npm_execpath: npm };
}

function markInstalled(): void {
  mkdirSync(join(clone, 'node_modules'));
  writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{}');
}

function launch(env: NodeJS.ProcessEnv, options: { node?: string; args?: string[]; script?: string } = {}) {
  writeFileSync(join(clone, 'program.mjs'), options.script ?? 'console.log(JSON.stringify([process.version, ...process.argv.slice(2)]))');
  return spawnSync(options.node ?? process.execPath, ['scripts/node24.mjs', 'program.mjs', ...(options.args ?? [])], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
}

function npmCall(): { args: string[]; env: NodeJS.ProcessEnv } {
  return JSON.parse(readFileSync(join(clone, 'npm-call.json'), 'utf8')) as { args: string[]; env: NodeJS.ProcessEnv };
}

describe('installing', () => {
  it('installs what is missing, and keeps stdout for the program', () => {
    const { stdout, stderr, status } = launch(withFakeNpm(), { args: ['a', '--b'] });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual([process.version, 'a', '--b']);
    expect(stderr).toContain('words of npm');
    // Whatever the user's npmrc leaves out: without these the tools or the Node of the install are missing.
    expect(npmCall().args).toEqual(expect.arrayContaining(['ci', '--include=dev', '--include=optional', '--engine-strict=false']));
  });

  it('installs nothing when all is there', () => {
    markInstalled();
    expect(launch(withFakeNpm()).status).toBe(0);
    expect(existsSync(join(clone, 'npm-call.json'))).toBe(false);
  });

  it('installs again when the lockfile is newer', () => {
    markInstalled();
    const later = Date.now() / 1000 + 60;
    utimesSync(join(clone, 'package-lock.json'), later, later);
    launch(withFakeNpm());
    expect(existsSync(join(clone, 'npm-call.json'))).toBe(true);
  });

  it('stops with one line when npm fails', () => {
    const { stdout, stderr, status } = launch(withFakeNpm(1));
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain('npm ci failed');
  });

  it('takes npm from the PATH under another package manager', () => {
    const { npm_execpath } = withFakeNpm();
    mkdirSync(join(clone, 'bin'));
    writeFileSync(join(clone, 'bin/npm'), `#!/bin/sh\nexec "${process.execPath}" "${npm_execpath}" "$@"\n`);
    chmodSync(join(clone, 'bin/npm'), 0o755);
    launch({ npm_execpath: '/somewhere/yarn.js', PATH: `${join(clone, 'bin')}${delimiter}${process.env.PATH}` });
    expect(npmCall().args[0]).toBe('ci');
  });
});

describe('HOME', () => {
  it('is left alone when it can be written', () => {
    mkdirSync(join(clone, 'home'));
    launch({ ...withFakeNpm(), HOME: join(clone, 'home') });
    expect(npmCall().env.HOME).toBe(join(clone, 'home'));
    expect(npmCall().env.npm_config_cache).toBeUndefined();
  });

  it('may not exist yet', () => {
    launch({ ...withFakeNpm(), HOME: join(clone, 'new') });
    expect(npmCall().env.HOME).toBe(join(clone, 'new'));
  });

  // /proc cannot be written by root either, and a recursive mkdir below it never ends.
  it.each([
    ['unset', undefined],
    ['empty', ''],
    ['relative', 'home'],
    ['read-only', '/proc'],
    ['below a folder that is not there', '/nonexistent/deep/home'],
  ])('%s: npm gets a home and a cache that can be written', (_, home) => {
    const { status } = launch({ ...withFakeNpm(), ...(home === undefined ? {} : { HOME: home }) });
    const { HOME = '', npm_config_cache = '' } = npmCall().env;
    expect(status).toBe(0);
    expect(isAbsolute(HOME) && existsSync(HOME)).toBe(true);
    expect(npm_config_cache.startsWith(HOME)).toBe(true);
  });

  it('the user’s npmrc stays in force when only the folder cannot be used', () => {
    const home = join(clone, 'home');
    mkdirSync(home);
    writeFileSync(join(home, '.npmrc'), 'proxy=http://127.0.0.1:3128\n');
    // A file where the cache should be: not even root can write into it.
    symlinkSync('/proc', join(home, '.npm'));
    launch({ ...withFakeNpm(), HOME: home });
    expect(npmCall().env.npm_config_userconfig).toBe(join(home, '.npmrc'));
    expect(npmCall().env.HOME).not.toBe(home);
  });
});

describe('running', () => {
  it.skipIf(olderNode === undefined)('takes the Node of the install when its own is older [needs older node]', () => {
    markInstalled();
    const name = `node-${process.platform}-${process.arch}`;
    symlinkSync(join(projectRoot, 'node_modules', name), join(clone, 'node_modules', name));
    const { stdout, stderr } = launch({}, { node: olderNode! });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)[0]).toMatch(/^v24\./);
  });

  it.skipIf(olderNode === undefined)('says what is missing where no Node is packaged [needs older node]', () => {
    markInstalled();
    const { stderr, status } = launch({}, { node: olderNode! });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Node 24 or newer is needed .*\n$/);
  });

  it.each([0, 1, 3, 10])('gives back the program’s exit code %i', (code) => {
    markInstalled();
    expect(launch({}, { script: `process.exitCode = ${code}` }).status).toBe(code);
  });

  it('a program that was killed has failed', () => {
    markInstalled();
    expect(launch({}, { script: 'process.kill(process.pid, "SIGKILL")' }).status).toBe(128 + 9);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('hands %s on and waits for the program to finish', async (signal) => {
    markInstalled();
    const script = `process.on('${signal}', () => { console.log('finishing'); process.exit(0); }); setInterval(() => {}, 1000); console.log('up');`;
    writeFileSync(join(clone, 'program.mjs'), script);
    const launcher = spawn(process.execPath, ['scripts/node24.mjs', 'program.mjs'], { cwd: clone, stdio: ['ignore', 'pipe', 'inherit'] });
    launcher.stdout.setEncoding('utf8');
    let output = '';
    launcher.stdout.on('data', (text: string) => {
      output += text;
      if (output === 'up\n') launcher.kill(signal);
    });
    expect(await once(launcher, 'close')).toEqual([0, null]);
    expect(output).toBe('up\nfinishing\n');
  });
});
