// What CI installs beside `npm ci`, so that nothing is skipped there that this machine could have: the browser with the pages' bundles,
// the Python peers, a Redis server, RabbitMQ, toxiproxy, Kafka, two releases of Elasticsearch, the checkers of integrations, and older
// versions of Node. Far-away registries are not waited for: what does not come in time is skipped with one line, as on any other machine.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { REDIS_FOLDER, REDIS_PACKAGE } from '../test/support/redis-server.ts';
import { TOXIPROXY_FOLDER, TOXIPROXY_MODULE } from '../test/support/toxiproxy.ts';
import { RELEASES, fetchedMark, unpackArguments } from '../test/support/elasticsearch-release.ts';
import { KAFKA, KAFKA_POM, kafkaArguments, kafkaMark, kafkaPomPath } from '../test/support/kafka-broker.ts';
import {
  INTEGRATION_PEERS,
  INTEGRATION_PEERS_FOLDER,
  N8N_PEERS,
  PACKAGE_SPEC,
  RABBITMQ_FETCH,
  RABBITMQ_FOLDER,
} from './ci-integration-peers.ts';

interface Peer {
  readonly name: string;
  /** Where it lies; taken away again when it did not come whole. */
  readonly folder: string;
  readonly commands: readonly (readonly string[])[];
}

const root = dirname(import.meta.dirname);
const PYTHON_FOLDER = join(root, '.cache/pipeline-peers');
const WORKSHOP_FOLDER = join(root, 'splunk-ui/node_modules');
/** What one of them may take. */
const MOST_MS = 360_000;
/** More at once only wait for each other: most unpack and compile. */
const AT_ONCE = 5;

/** The Python peers of the tests, as their skip line names them. */
export const PYTHON_PEERS: readonly string[] = [
  'medallion==3.0.0',
  'stix2==3.0.2',
  'pymisp==2.5.34.4',
  'taxii2-client==2.3.0',
  'schemathesis==4.32.5',
  'pyvrl==0.0.2',
  'maxminddb==3.2.0',
];

/** Where older versions of Node lie, each below its version. */
export const OLDER_NODES_FOLDER = join(root, '.cache/older-nodes');

/** Versions of Node that the programs meet: one that is too old, the oldest that will do, two more without SQLite, the first with it. */
export const OLDER_NODES = ['20.19.5', '22.0.0', '22.11.0', '22.12.0', '22.13.0'] as const;

const NPM_FLAGS = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--no-update-notifier'];

/** A program that writes a file, and the folder for it. */
const WRITE = 'fs.mkdirSync(path.dirname(process.argv[1]), { recursive: true }); fs.writeFileSync(process.argv[1], process.argv[2])';

const PEERS: readonly Peer[] = [
  {
    name: 'older versions of Node',
    folder: OLDER_NODES_FOLDER,
    commands: OLDER_NODES.map((version) => [
      'npm',
      'install',
      '--prefix',
      join(OLDER_NODES_FOLDER, version),
      ...NPM_FLAGS,
      `node-${process.platform}-${process.arch}@${version}`,
    ]),
  },
  {
    name: 'the browser workshop',
    folder: WORKSHOP_FOLDER,
    commands: [
      [process.execPath, join(root, 'scripts/splunk-ui.ts')],
      // A browser that lacks a library of the system starts no test.
      [process.execPath, join(root, 'test/support/start-browser.ts')],
    ],
  },
  {
    name: 'the Python peers',
    folder: PYTHON_FOLDER,
    commands: [
      ['python3', '-m', 'venv', PYTHON_FOLDER],
      [join(PYTHON_FOLDER, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_PEERS],
    ],
  },
  ...Object.entries(INTEGRATION_PEERS).map(([name, packages]) => {
    const folder = join(INTEGRATION_PEERS_FOLDER, name);
    const withPip = [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages];
    return { name: `the checker of ${name}`, folder, commands: [['python3', '-m', 'venv', folder], withPip] };
  }),
  {
    name: 'the checker of n8n',
    folder: join(INTEGRATION_PEERS_FOLDER, 'n8n'),
    commands: [['npm', 'install', '--prefix', join(INTEGRATION_PEERS_FOLDER, 'n8n'), ...NPM_FLAGS, ...N8N_PEERS]],
  },
  {
    name: 'the checker of Elastic packages',
    folder: dirname(PACKAGE_SPEC.program),
    commands: [['go', 'build', '-C', PACKAGE_SPEC.source, '-o', PACKAGE_SPEC.program, '.']],
  },
  { name: 'RabbitMQ', folder: RABBITMQ_FOLDER, commands: [['sh', '-c', RABBITMQ_FETCH]] },
  {
    name: 'the Redis server',
    folder: REDIS_FOLDER,
    commands: [
      ['python3', '-m', 'venv', REDIS_FOLDER],
      [join(REDIS_FOLDER, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', REDIS_PACKAGE],
    ],
  },
  {
    name: 'toxiproxy',
    folder: TOXIPROXY_FOLDER,
    commands: [['env', `GOBIN=${TOXIPROXY_FOLDER}`, 'go', 'install', TOXIPROXY_MODULE]],
  },
  ...RELEASES.map((version) => ({
    name: `Elasticsearch ${version}`,
    folder: dirname(fetchedMark(version)),
    commands: [
      ['mvn', ...unpackArguments(version)],
      [process.execPath, '-e', 'fs.writeFileSync(process.argv[1], "")', fetchedMark(version)],
    ],
  })),
  {
    name: `Kafka ${KAFKA}`,
    folder: dirname(kafkaMark()),
    commands: [
      [process.execPath, '-e', WRITE, kafkaPomPath(), KAFKA_POM],
      ['mvn', ...kafkaArguments()],
      [process.execPath, '-e', WRITE, kafkaMark(), ''],
    ],
  },
];

/** Installs what is not there yet, a few side by side; one line each. Never rejects: what did not come is taken away. */
export async function installPeers(): Promise<readonly string[]> {
  const lines: string[] = [];
  const waiting = PEERS.entries();
  const work = async () => {
    for (const [n, peer] of waiting) lines[n] = await install(peer);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return lines;
}

async function install({ name, folder, commands }: Peer): Promise<string> {
  if (existsSync(folder)) return `${name}: there`;
  const startedMs = performance.now();
  for (const [command = '', ...args] of commands) {
    const fault = await run(command, args, MOST_MS - (performance.now() - startedMs));
    if (fault === null) continue;
    rmSync(folder, { recursive: true, force: true });
    return `${name}: not here (${fault}); their tests are skipped`;
  }
  return `${name}: installed in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}

/** `null`: it ended well; else why not. */
async function run(command: string, args: readonly string[], leftMs: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  // A group of its own: npm's children end with it.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
  const timer = setTimeout(
    () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      resolve(`longer than ${MOST_MS / 1000} s`);
    },
    Math.max(0, leftMs),
  );
  child.on('error', (error) => resolve(error.message));
  child.on('exit', (code) => resolve(code === 0 ? null : lastLine(said) || `status ${code}`));
  const fault = await promise;
  clearTimeout(timer);
  return fault;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
