import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from './fixtures.ts';
import { fetchOnce, freePorts } from './search-engine.ts';

/** The broker that the tests run: one node of it, both broker and controller (KRaft). */
export const KAFKA = '4.1.0';

const HOME = join(projectRoot, '.cache', 'kafka', KAFKA);
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;
/** Ends the broker when the test process is gone, however it went: its end of the pipe closes. */
const UNTIL_PARENT_ENDS = '"$@" </dev/null & broker=$!; cat >/dev/null; kill "$broker"; wait "$broker"';

/** What Maven reads. */
export const KAFKA_POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
`;

/** Where Maven reads it. */
export function kafkaPomPath(): string {
  return join(HOME, 'pom.xml');
}

/** What Maven is told, to fetch the broker's jars into `.cache`. */
export function kafkaArguments(): string[] {
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  return ['-q', '-B', '-f', kafkaPomPath(), goal, `-DoutputDirectory=${join(HOME, 'lib')}`];
}

/** The file that says that all of it is there. */
export function kafkaMark(): string {
  return join(HOME, 'fetched');
}

/** Why no broker can run here, in one line; `null` when one can. The first call fetches it: it stays in `.cache`. */
export function findKafkaAbsence(): string | null {
  const reason = absence();
  if (reason === null) return null;
  if (/\bjava\b/i.test(process.env.ISMALICIOUS_CI_REQUIRES ?? '')) throw new Error(`Kafka ${KAFKA}: ${reason}, which this CI has to have`);
  process.stderr.write(`tests on a real Kafka ${KAFKA} are skipped: ${reason}\n`);
  return reason;
}

function absence(): string | null {
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return 'needs java';
  if (existsSync(kafkaMark())) return null;
  if (spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status !== 0) return 'needs java with Maven (mvn), once, to fetch it';
  mkdirSync(HOME, { recursive: true });
  writeFileSync(kafkaPomPath(), KAFKA_POM);
  return fetchOnce(`kafka-${KAFKA}`, kafkaMark(), kafkaArguments()) ? null : 'needs java with a Maven that reaches its repository, once';
}

/** A real broker for one test file. */
export interface RunningKafka extends AsyncDisposable {
  /** `127.0.0.1:PORT`, open to all on this machine. */
  readonly brokers: string;
  /** `127.0.0.1:PORT`, for those who log in with SCRAM. */
  readonly loginBrokers: string;
  /** Where a relay has to listen, and what it has to pass on to, so that who begins with it reaches the broker through it only. */
  readonly relay: { readonly port: number; readonly to: number };
  /** Ends the broker, and starts it again with what it holds. */
  restart(): Promise<void>;
}

/** Who may log in at `loginBrokers`. */
export const LOGIN = { user: 'enricher', password: 'only-for-this-test-4711' } as const;

/** Starts a broker on free ports of loopback: 4 to 10 s, some 400 MB. */
export async function startKafka(): Promise<RunningKafka> {
  const folder = mkdtempSync(join(process.env.ISMALICIOUS_KEPT_FOLDER ?? tmpdir(), 'ismalicious-kafka-'));
  const [[open, login], [controller], [relayed, relay]] = [await freePorts(), await freePorts(), await freePorts()];
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, propertiesOf(folder, { open, login, controller, relayed, relay }));
  const id = java(['kafka.tools.StorageTool', 'random-uuid']).trim();
  const scram = `SCRAM-SHA-512=[name=${LOGIN.user},password=${LOGIN.password}]`;
  java(['kafka.tools.StorageTool', 'format', '-t', id, '-c', properties, '-S', scram]);
  let child = await launch(folder, properties);
  return {
    brokers: `127.0.0.1:${open}`,
    loginBrokers: `127.0.0.1:${login}`,
    relay: { port: relay, to: relayed },
    async restart() {
      await stop(child);
      child = await launch(folder, properties);
    },
    async [Symbol.asyncDispose]() {
      await stop(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

interface Ports {
  readonly open: number;
  readonly login: number;
  readonly controller: number;
  /** Where the broker listens for a relay, and where it says that it does. */
  readonly relayed: number;
  readonly relay: number;
}

function propertiesOf(folder: string, { open, login, controller, relayed, relay }: Ports): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `OPEN://127.0.0.1:${open},LOGIN://127.0.0.1:${login},RELAYED://127.0.0.1:${relayed},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `OPEN://127.0.0.1:${open},LOGIN://127.0.0.1:${login},RELAYED://127.0.0.1:${relay}`,
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,LOGIN:SASL_PLAINTEXT,RELAYED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'OPEN',
    'controller.listener.names': 'CONTROLLER',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.login.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A worker that was killed is missed after this at the latest; it asks for more.
    'group.min.session.timeout.ms': 1000,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function java(args: readonly string[]): string {
  const done = spawnSync('java', ['-XX:TieredStopAtLevel=1', '-cp', `${join(HOME, 'lib')}/*`, ...args], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${args[0]} failed: ${(done.stdout + done.stderr).slice(-1500)}`);
  return done.stdout;
}

async function launch(folder: string, properties: string): Promise<ChildProcess> {
  const output = join(folder, 'out.log');
  writeFileSync(output, '');
  const program = ['java', '-Xms256m', '-Xmx512m', '-cp', `${join(HOME, 'lib')}/*`, 'kafka.Kafka', properties];
  const child = spawn('sh', ['-c', `exec >>"$0" 2>&1; ${UNTIL_PARENT_ENDS}`, output, ...program], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const words = readFileSync(output, 'utf8');
    if (words.includes('Kafka Server started')) return child;
    if (child.exitCode !== null) throw new Error(`Kafka ended at start:\n${words.slice(-3000)}`);
    if (Date.now() > deadline) throw new Error(`Kafka did not start within ${START_LIMIT_MS / 1000} s:\n${words.slice(-3000)}`);
    await delay(100);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await Promise.race([ended, delay(STOP_LIMIT_MS, undefined, { ref: false })]);
}
