import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RABBITMQ_FETCH, RABBITMQ_FOLDER } from '../../../scripts/ci-integration-peers.ts';
import { freePort } from '../../support/free-port.ts';

/** Where Debian's packages put both, below CI's folder or the root of the machine. */
export interface RabbitmqProgram {
  /** The folder with `erts-…`. */
  readonly erlang: string;
  /** The folder with `plugins`. */
  readonly rabbitmq: string;
}

/** RabbitMQ; `null`: there is none, which is said once in one line. */
export function findRabbitmq(): RabbitmqProgram | null {
  for (const root of [RABBITMQ_FOLDER, '/']) {
    const erlang = join(root, 'usr/lib/erlang');
    const servers = join(root, 'usr/lib/rabbitmq/lib');
    const server = existsSync(servers) ? readdirSync(servers).find((name) => name.startsWith('rabbitmq_server-')) : undefined;
    if (server !== undefined && existsSync(erlang)) return { erlang, rabbitmq: join(servers, server) };
  }
  process.stderr.write(`skipped: no RabbitMQ here. To run them, on Debian: ${RABBITMQ_FETCH}\n`);
  return null;
}

/** Starts a node of its own on the loopback, without a service of the system; user and password are `guest`. */
export async function startRabbitmq({ erlang, rabbitmq }: RabbitmqProgram): Promise<AsyncDisposable & { readonly port: number }> {
  const [port, epmdPort, nodePort] = [await freePort(), await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-rabbitmq-'));
  const bin = join(
    erlang,
    readdirSync(erlang).find((name) => name.startsWith('erts-'))!,
    'bin',
  );
  const at = (name: string) => join(folder, name);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    ROOTDIR: erlang,
    BINDIR: bin,
    EMU: 'beam',
    PROGNAME: 'erl',
    ERL_LIBS: join(rabbitmq, 'plugins'),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_HOME: rabbitmq,
    RABBITMQ_PLUGINS_DIR: join(rabbitmq, 'plugins'),
    RABBITMQ_NODENAME: 'ismalicious@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_LOGS: '-',
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_MNESIA_BASE: at('db'),
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
    // Names of files that are not there: nothing of a RabbitMQ of this machine is read.
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled-plugins'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced'),
    RABBITMQ_CONF_ENV_FILE: at('env'),
  };
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(join(bin, program), args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    return child;
  };
  const end = async () => {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const gone = running.map((child) => once(child, 'exit'));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(gone);
    rmSync(folder, { recursive: true, force: true });
  };
  // Its own directory of nodes, in the foreground: Erlang would leave one running behind.
  start('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1']);
  const boot = ['-noinput', '+S', '1:1', '+W', 'w', '-boot', 'start_sasl', '-s', 'rabbit', 'boot'];
  const quiet = ['-syslog', 'logger', '[]', '-syslog', 'syslog_error_logger', 'false', '-kernel', 'inet_dist_use_interface', '{127,0,0,1}'];
  const node = start('erlexec', [...boot, ...quiet]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  const hear = (part: Buffer) => {
    said = (said + part.toString()).slice(-2000);
    if (said.includes('Server startup complete')) resolve();
  };
  node.stdout!.on('data', hear);
  node.stderr!.on('data', hear);
  node.once('error', reject);
  node.once('exit', () => reject(new Error(`RabbitMQ did not start: ${said}`)));
  try {
    await promise;
  } catch (error) {
    await end();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: end };
}
