import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Asset, readAssets } from '../../src/search-engine/assets/asset.ts';
import type { EngineClient } from '../../src/search-engine/engine-client.ts';
import { projectRoot } from './fixtures.ts';
import { type EngineAnswer, callEngine, fetchOnce, findJdk, freePorts } from './search-engine.ts';

/**
 * Releases that users run, as Elastic publishes them for integration tests (Maven: `integ-test-zip`). They have the server, data streams,
 * logsdb, nested, bulk and points in time; they lack what comes in modules: most ingest processors, painless, transforms, enrich policies,
 * `GET /`, Elastic's own `logs@…` components and the types wildcard, constant_keyword and match_only_text.
 */
export const RELEASES = ['9.5.3', '8.19.14'] as const;

export type Release = (typeof RELEASES)[number];

const CACHE = join(projectRoot, '.cache', 'search-engine');
const NEEDED_JDK = 21;
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 20_000;
/** Elasticsearch does not run as root; this is the user `nobody` everywhere. */
const NOBODY = 65_534;
/** Ends the engine when the test process is gone, however it went: its end of the pipe closes. */
const UNTIL_PARENT_ENDS = '"$0" </dev/null & engine=$!; cat >/dev/null; kill "$engine"; wait "$engine"';

/** A real Elasticsearch for one test file. */
export interface RunningRelease extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: EngineAnswer }>;
}

/** Why this release cannot run here, in one line; `null` when it can. The first call fetches it: it stays in `.cache`. */
export function releaseAbsence(version: Release): string | null {
  const reason = absenceOf(version);
  if (reason === null) return null;
  if (/\bjava\b/i.test(process.env.ISMALICIOUS_CI_REQUIRES ?? ''))
    throw new Error(`Elasticsearch ${version}: ${reason}, which this CI has to have`);
  process.stderr.write(`tests on a real Elasticsearch ${version} are skipped: ${reason}\n`);
  return reason;
}

function absenceOf(version: Release): string | null {
  if (findJdk(NEEDED_JDK) === null) return `needs java ${NEEDED_JDK} or newer, a JDK (looked in JAVA_HOME, PATH, /usr/lib/jvm)`;
  if (existsSync(fetchedMark(version))) return null;
  if (spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status !== 0) return 'needs java with Maven (mvn), once, to fetch it';
  const isFetched = fetchOnce(`release-${version}`, fetchedMark(version), unpackArguments(version));
  return isFetched ? null : 'needs java with a Maven that reaches its repository, once, to fetch it';
}

/** What Maven is told, to fetch and unpack the release into `.cache`. */
export function unpackArguments(version: Release): string[] {
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack';
  const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${version}:zip`;
  // Marks of what is unpacked go where the project's folder would be.
  return ['-q', '-B', goal, `-Dartifact=${artifact}`, `-DoutputDirectory=${homeOf(version)}`, `-Dproject.basedir=${homeOf(version)}`];
}

/** The file that says that all of it is there. */
export function fetchedMark(version: Release): string {
  return join(homeOf(version), 'fetched');
}

function homeOf(version: Release): string {
  return join(CACHE, `release-${version}`);
}

/** Starts the release on a free port of loopback: 10 to 20 s, some 700 MB. */
export async function startRelease(version: Release): Promise<RunningRelease> {
  const folder = makeFolder(version);
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts();
    const child = launch(folder, ports);
    try {
      const url = `http://127.0.0.1:${ports[0]}`;
      await untilStarted(child, join(folder, 'out.log'));
      return {
        url,
        call: (method, path, body) => callEngine(url, method, path, body),
        async [Symbol.asyncDispose]() {
          await stop(child);
          rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
        },
      };
    } catch (fault) {
      await stop(child);
      if (attempt === 2) throw fault;
    }
  }
}

/** What the zip has no module for: types by their nearest kin, processors left out, transform and policy not put at all. */
const TYPES: Readonly<Record<string, string>> = { wildcard: 'keyword', constant_keyword: 'keyword', match_only_text: 'text' };

/** The assets of the target `elasticsearch`, as far as a release takes them. */
export function releaseAssets(): readonly Asset[] {
  return readAssets(join(projectRoot, 'elastic'), 'elasticsearch')
    .filter(({ kind }) => kind !== 'transform' && kind !== 'enrich_policy')
    .map((asset) => ({ ...asset, body: forRelease(asset.body) as Asset['body'] }));
}

function forRelease(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forRelease).filter((one) => one !== undefined);
  if (typeof value !== 'object' || value === null) return value;
  const { type } = value as { type?: unknown };
  if (typeof type === 'string' && TYPES[type] !== undefined) return { type: TYPES[type] };
  const members = Object.entries(value).filter(([name]) => name !== 'on_failure');
  return Object.fromEntries(members.map(([name, one]) => [name, name === 'processors' ? [] : forRelease(one)]));
}

/** A client that answers `GET /` for a release: that is a module of its own. */
export function releaseClient(client: EngineClient, version: Release): EngineClient {
  const identity = { status: 200, body: { version: { number: version }, tagline: 'You Know, for Search' } };
  return { name: client.name, call: async (method, path, body) => (path === '/' ? identity : client.call(method, path, body)) };
}

/** A folder that the engine's user may enter, with a copy of the programs: the user may not enter every checkout. */
function makeFolder(version: Release): string {
  const parent = process.env.ISMALICIOUS_KEPT_FOLDER ?? tmpdir();
  dropAbandoned(parent);
  const folder = mkdtempSync(join(parent, `ismalicious-elasticsearch-${process.pid}-`));
  cpSync(join(homeOf(version), `elasticsearch-${version}`), join(folder, 'es'), { recursive: true });
  for (const name of ['data', 'logs', 'tmp']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'out.log'), '');
  if (isRoot()) giveAway(folder);
  return folder;
}

/** Folders of test processes that were killed. */
function dropAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = Number(/^ismalicious-elasticsearch-(\d+)-/.exec(name)?.[1] ?? 0);
    if (pid === 0 || existsSync(`/proc/${pid}`) || !existsSync('/proc')) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function giveAway(folder: string): void {
  chownSync(folder, NOBODY, NOBODY);
  for (const entry of readdirSync(folder, { recursive: true })) chownSync(join(folder, String(entry)), NOBODY, NOBODY);
}

function launch(folder: string, [http, transport]: readonly [number, number]): ChildProcess {
  const jdk = findJdk(NEEDED_JDK);
  if (jdk === null) throw new Error(`no JDK ${NEEDED_JDK} or newer`);
  const settings = {
    'cluster.name': `test-${process.pid}`,
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': http,
    'transport.port': transport,
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    'xpack.security.enabled': false,
    // A nearly full disk of a developer is no reason to refuse documents.
    'cluster.routing.allocation.disk.threshold_enabled': false,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, 'es', 'config', 'elasticsearch.yml'), lines.join(''));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    ES_JAVA_HOME: join(jdk.java, '..', '..'),
    ES_TMPDIR: join(folder, 'tmp'),
    // C1 only: half the CPU until it answers.
    ES_JAVA_OPTS: '-Xms512m -Xmx512m -XX:TieredStopAtLevel=1',
    CLI_JAVA_OPTS: '-XX:TieredStopAtLevel=1',
  };
  const program = join(folder, 'es', 'bin', 'elasticsearch');
  const output = join(folder, 'out.log');
  return spawn('sh', ['-c', `exec >>"$1" 2>&1; ${UNTIL_PARENT_ENDS}`, program, output], {
    cwd: folder,
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(isRoot() && { uid: NOBODY, gid: NOBODY }),
  });
}

async function untilStarted(child: ChildProcess, output: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const words = readFileSync(output, 'utf8');
    if (/\] started \{/.test(words)) return;
    if (child.exitCode !== null || /\] stopped|^ERROR: /m.test(words))
      throw new Error(`Elasticsearch ended at start:\n${words.slice(-3000)}`);
    await delay(100);
  }
  throw new Error(`Elasticsearch did not start within ${START_LIMIT_MS / 1000} s: see ${output}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await Promise.race([ended, delay(STOP_LIMIT_MS, undefined, { ref: false })]);
}
