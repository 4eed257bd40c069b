import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLock } from './file-lock.ts';
import { projectRoot } from './fixtures.ts';

/** Real engines of the tests: Elasticsearch 7.10.2 (the last one under Apache-2.0) and OpenSearch 3.8.0, both from Maven Central. */
export const ENGINE_KINDS = ['elasticsearch', 'opensearch'] as const;

export type EngineKind = (typeof ENGINE_KINDS)[number];

/** What an engine is for: to answer soon, or to be measured. */
type EnginePurpose = 'tests' | 'throughput';

const FLAGS: Readonly<Record<EnginePurpose, readonly string[]>> = {
  // C1 only: half the CPU until it answers. 384 MB carries everything the tests hold.
  tests: ['-Xms384m', '-Xmx384m', '-XX:TieredStopAtLevel=1'],
  throughput: ['-Xms2g', '-Xmx2g'],
};

const NEEDED_JDK = { elasticsearch: 11, opensearch: 21 } as const;
const CACHE = join(projectRoot, '.cache', 'search-engine');
const SOURCES = join(projectRoot, 'test', 'support', 'search-engine');
const START_LIMIT_MS = 180_000;

interface Jdk {
  readonly java: string;
  readonly javac: string;
  readonly major: number;
}

/** A running engine, held by this test file alone and wiped before it was handed out. */
export interface LeasedEngine extends AsyncDisposable {
  readonly kind: EngineKind;
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** One call with a JSON (or NDJSON text) body; answers are never thrown. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: EngineAnswer }>;
  release(): void;
}

// Tests look into answers of many shapes; an engine's answer is whatever the engine says.
// oxlint-disable-next-line typescript/no-explicit-any
export type EngineAnswer = any;

/**
 * Why the real engine cannot run here, in one line; `null` when it can. The first call fetches its jars (once: they stay in
 * `.cache`). A CI that has `java` in ISMALICIOUS_CI_REQUIRES takes its absence for a fault, not for a skip.
 */
export function engineAbsence(kind: EngineKind): string | null {
  const reason = absenceOf(kind);
  if (reason === null) return null;
  if (/\bjava\b/i.test(process.env.ISMALICIOUS_CI_REQUIRES ?? '')) throw new Error(`real ${kind}: ${reason}, which this CI has to have`);
  process.stderr.write(`real ${kind} tests are skipped: ${reason}\n`);
  return reason;
}

function absenceOf(kind: EngineKind): string | null {
  const needed = NEEDED_JDK[kind];
  if (findJdk(needed) === null) return `needs java ${needed} or newer, a JDK (looked in JAVA_HOME, PATH, /usr/lib/jvm)`;
  if (existsSync(join(CACHE, kind, 'jars.complete'))) return null;
  if (spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status !== 0) return 'needs java with Maven (mvn), once, to fetch its jars';
  return fetchJars(kind) ? null : 'needs java with a Maven that reaches its repository, once, to fetch its jars';
}

/** The first JDK (with compiler) that is new enough: JAVA_HOME, then PATH, then /usr/lib/jvm. */
export function findJdk(needed: number): Jdk | null {
  const found = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').toSorted() : [];
  const homes = found.map((name) => join('/usr/lib/jvm', name, 'bin'));
  const folders = [process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin') : null, ...(process.env.PATH ?? '').split(':'), ...homes];
  for (const folder of folders) {
    if (!folder) continue;
    const java = join(folder, 'java');
    const javac = join(folder, 'javac');
    if (!existsSync(java) || !existsSync(javac)) continue;
    const { stderr } = spawnSync(java, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
    const major = Number(/java\.specification\.version = (\d+)/.exec(stderr)?.[1] ?? 0);
    if (major >= needed) return { java, javac, major };
  }
  return null;
}

/**
 * Waits until no other test file uses the engine, starts it if this run has not done so yet (one JVM a kind and run; it
 * ends with the run), and wipes it. Give the hook a limit of minutes: the first start may fetch jars.
 */
export async function leaseEngine(kind: EngineKind, purpose: EnginePurpose = 'tests'): Promise<LeasedEngine> {
  const run = join(CACHE, 'runs', String(process.ppid));
  mkdirSync(run, { recursive: true });
  const lock = join(run, `${kind}.lock`);
  await takeLock(lock);
  const release = () => rmSync(lock, { force: true });
  try {
    const url = await runningUrl(kind, run, purpose);
    const engine: LeasedEngine = {
      kind,
      url,
      call: (method, path, body) => callEngine(url, method, path, body),
      release,
      [Symbol.asyncDispose]: async () => release(),
    };
    await wipe(engine);
    return engine;
  } catch (fault) {
    release();
    throw fault;
  }
}

async function takeLock(lock: string): Promise<void> {
  while (!tryLock(lock)) await delay(100);
}

async function runningUrl(kind: EngineKind, run: string, purpose: EnginePurpose): Promise<string> {
  const state = join(run, `${kind}.json`);
  if (existsSync(state)) return (JSON.parse(readFileSync(state, 'utf8')) as { url: string }).url;
  dropOldRuns();
  for (let attempt = 1; ; attempt += 1) {
    const [httpPort, transportPort] = await freePorts();
    try {
      const url = await start(kind, run, { ports: [httpPort, transportPort], purpose });
      writeFileSync(state, JSON.stringify({ url }));
      return url;
    } catch (fault) {
      if (attempt === 3) throw fault;
    }
  }
}

/** Two free ports; another process may take one before the engine does, which is why starting is tried again. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [net.createServer(), net.createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    ports.push((server.address() as net.AddressInfo).port);
  }
  for (const server of servers) server.close();
  return [ports[0]!, ports[1]!];
}

async function start(
  kind: EngineKind,
  run: string,
  { ports, purpose }: { ports: readonly [number, number]; purpose: EnginePurpose },
): Promise<string> {
  const jdk = findJdk(NEEDED_JDK[kind]);
  if (jdk === null) throw new Error(`no JDK ${NEEDED_JDK[kind]} or newer`);
  const classPath = `${compileMain(kind, jdk)}:${join(CACHE, kind, 'jars')}/*`;
  const data = join(run, `${kind}-data`);
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const output = join(run, `${kind}.log`);
  const log = openSync(output, 'w');
  const flags = ['-XX:+UseSerialGC', '-Xshare:auto', ...FLAGS[purpose], ...newJdkFlags(jdk.major)];
  const args = [...flags, '-cp', classPath, 'Main', ...ports.map(String), data, String(process.ppid)];
  const child = spawn(jdk.java, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const words = readFileSync(output, 'utf8');
    if (words.includes(`ready ${kind} `)) return `http://127.0.0.1:${ports[0]}`;
    if (child.exitCode !== null) throw new Error(`${kind} ended at start:\n${words.slice(-2000)}`);
    await delay(100);
  }
  child.kill('SIGKILL');
  throw new Error(`${kind} did not answer within ${START_LIMIT_MS / 1000} s: see ${output}`);
}

function newJdkFlags(major: number): string[] {
  return major >= 24 ? ['--enable-native-access=ALL-UNNAMED', '--sun-misc-unsafe-memory-access=allow'] : [];
}

/** Fetches an engine's jars. `false`: Maven could not. */
function fetchJars(kind: EngineKind): boolean {
  const home = join(CACHE, kind);
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const args = ['-q', '-B', '-f', join(SOURCES, 'pom.xml'), '-P', kind, goal, `-DoutputDirectory=${join(home, 'jars')}`];
  return fetchOnce(kind, join(home, 'jars.complete'), args);
}

/** Has Maven fetch something into `.cache`; test files that want it at the same time wait for one another. `complete`: the mark of what is there. */
export function fetchOnce(name: string, complete: string, args: readonly string[]): boolean {
  const run = join(CACHE, 'runs', String(process.ppid));
  mkdirSync(dirname(complete), { recursive: true });
  mkdirSync(run, { recursive: true });
  const failed = join(run, `${name}.unfetched`);
  const lock = join(run, `${name}.fetching`);
  while (!tryLock(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  try {
    if (existsSync(complete)) return true;
    if (existsSync(failed)) return false;
    const done = spawnSync('mvn', args, { encoding: 'utf8' });
    writeFileSync(done.status === 0 ? complete : failed, '');
    if (done.status !== 0) process.stderr.write(`mvn could not fetch ${name}:\n${(done.stdout + done.stderr).slice(-1000)}\n`);
    return done.status === 0;
  } finally {
    rmSync(lock, { force: true });
  }
}

function compileMain(kind: EngineKind, jdk: Jdk): string {
  const source = join(SOURCES, kind, 'Main.java');
  const classes = join(CACHE, kind, `classes-${jdk.major}`);
  const compiled = join(classes, 'Main.class');
  if (existsSync(compiled) && statSync(compiled).mtimeMs > statSync(source).mtimeMs) return classes;
  const fresh = `${classes}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const args = ['-nowarn', '-proc:none', '-cp', `${join(CACHE, kind, 'jars')}/*`, '-d', fresh, source];
  const done = spawnSync(jdk.javac, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`javac: ${done.stderr}`);
  rmSync(classes, { recursive: true, force: true });
  renameSync(fresh, classes);
  return classes;
}

/** Folders of runs whose process is gone: their engines ended with it. */
function dropOldRuns(): void {
  for (const pid of readdirSync(join(CACHE, 'runs'))) {
    if (pid === String(process.ppid)) continue;
    try {
      process.kill(Number(pid), 0);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ESRCH') rmSync(join(CACHE, 'runs', pid), { recursive: true, force: true });
    }
  }
}

/** One call to the engine at `url`; any status is an answer. */
export async function callEngine(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: EngineAnswer }> {
  const isText = typeof body === 'string';
  const headers = body === undefined ? {} : { 'content-type': isText ? 'application/x-ndjson' : 'application/json' };
  const payload = body === undefined ? null : isText ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${path}`, { method, headers, body: payload });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

/** An engine as it is after its first start: no data stream, index, template or pipeline that a test could have left. */
async function wipe(engine: LeasedEngine): Promise<void> {
  if (engine.kind === 'opensearch') await engine.call('DELETE', '/_data_stream/*');
  await engine.call('DELETE', '/*?expand_wildcards=all');
  await engine.call('DELETE', '/_index_template/*');
  await engine.call('DELETE', '/_component_template/*');
  await engine.call('DELETE', '/_ingest/pipeline/*');
}
