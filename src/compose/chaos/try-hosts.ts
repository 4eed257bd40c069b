import { errorMessage } from '../../model/formats/error-message.ts';
import { join } from 'node:path';
import { openEngine } from '../open-engine.ts';
import { type ChildProgram, portOf, startProgram } from './child-program.ts';
import { type ChaosHost, type Fault, hostsOf } from './fault.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

/** A host that has not answered by then never will: twice the longest deadline, and twenty times the short one. */
const NO_ANSWER_MS = 30_000;
/** A program that does not end by itself is ended. */
const LONGEST_RUN_MS = 60_000;
const VALUES = [34, 35, 36, 37, 38].map((n) => `93.184.216.${n}`);

/** What came of asking a host: what it said of the events it was given. */
interface Asked {
  readonly answers: readonly { readonly verdict: string; readonly status: string }[];
  /** From the question to the whole answer; of the CLI from its start to its end. */
  readonly ms: number;
  /** Of the gateway: whether its answer says that the engine took nothing. */
  readonly refused?: boolean;
  /** What became of the program that should not have. */
  readonly fault: string | null;
}

/** The same, and what the stand-in has seen of the program. */
export interface HostOutcome extends Asked {
  readonly isMet: boolean;
  readonly calls: number;
  readonly strays: number;
}

/** Events that every host is given. */
export const EVENTS = VALUES.length;

/** How the hosts are started. */
export interface TryOptions {
  readonly fault: Fault;
  /** A folder of this fault's own. */
  readonly folder: string;
  /** Command and first arguments that start the command line program. */
  readonly program: readonly string[];
  /** Where Node keeps what it has compiled: the same program is started a hundred times. */
  readonly compiledFolder: string;
  /** Within this the hosts are to answer. What is judged is what they say, and that they do: how long it took depends on the machine. */
  readonly deadlineMs: number;
}

interface Tried extends TryOptions {
  readonly standIn: StandIn;
}

/** Puts all hosts to the test of one fault, each program with a stand-in and a state folder of its own. */
export async function tryHosts(options: TryOptions): Promise<ReadonlyMap<ChaosHost, HostOutcome>> {
  const hosts = hostsOf(options.fault);
  const found = new Map<ChaosHost, HostOutcome>();
  const work: Promise<void>[] = [];
  const start = (names: readonly ChaosHost[], attempt: (tried: Tried) => Promise<readonly Asked[]>) => {
    const wanted = names.filter((host) => hosts.includes(host));
    if (wanted.length > 0) work.push(tryProgram(options, wanted, attempt, found));
  };
  start(['engine'], async (tried) => [await tryEngine(tried)]);
  start(['cli'], async (tried) => [await tryCli(tried)]);
  if (options.fault.signal === undefined) start(['sidecar', 'gateway'], (tried) => tryServed(tried, hosts));
  else start(['sidecar'], async (tried) => [await trySignal(tried)]);
  await Promise.all(work);
  return found;
}

/** One program, which is one host or several. A host that throws has failed. */
async function tryProgram(
  options: TryOptions,
  hosts: readonly ChaosHost[],
  attempt: (tried: Tried) => Promise<readonly Asked[]>,
  found: Map<ChaosHost, HostOutcome>,
): Promise<void> {
  const standIn = await startStandIn(options.fault);
  try {
    const asked = await attempt({ ...options, standIn }).catch((error: unknown) => hosts.map(() => failed(error)));
    const { isMet, calls, strays } = standIn;
    for (const [n, host] of hosts.entries()) found.set(host, { ...(asked[n] ?? failed('it was not tried')), isMet, calls, strays });
  } finally {
    await standIn.close();
  }
}

const failed = (error: unknown): Asked => ({ answers: [], ms: 0, fault: typeof error === 'string' ? error : errorMessage(error) });

/** A host that throws, or never answers, has failed. */
async function settled(work: Promise<Asked>): Promise<Asked> {
  const never = Promise.withResolvers<Asked>();
  const timer = setTimeout(() => never.resolve(failed(`no answer within ${NO_ANSWER_MS / 1000} s`)), NO_ANSWER_MS);
  try {
    return await Promise.race([work, never.promise]);
  } catch (error) {
    return failed(error);
  } finally {
    clearTimeout(timer);
  }
}

function envOf({ fault, standIn, folder, compiledFolder, deadlineMs }: Tried, host: ChaosHost): Record<string, string> {
  const state = join(folder, host);
  fault.prepare?.(state);
  return {
    ...standIn.env,
    NODE_COMPILE_CACHE: compiledFolder,
    ISMALICIOUS_STATE_DIR: state,
    // Stands for a credential: key:secret.
    ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
    // One call may take longer than the deadline: it is the deadline that ends what stalls.
    ISMALICIOUS_TIMEOUT_MS: String(NO_ANSWER_MS),
    ISMALICIOUS_BULK: 'false',
    ISMALICIOUS_SIDECAR_TIMEOUT_MS: String(deadlineMs),
    ISMALICIOUS_GATEWAY_TIMEOUT_MS: String(deadlineMs),
    ISMALICIOUS_SIDECAR_DRAIN_MS: String(NO_ANSWER_MS),
  };
}

async function tryEngine(options: Tried): Promise<Asked> {
  const { engine } = await openEngine({ env: envOf(options, 'engine'), onFault: () => undefined });
  const ask = async (): Promise<Asked> => {
    const startMs = performance.now();
    const found = await engine.enrichMany(VALUES, { timeoutMs: options.deadlineMs });
    const ms = performance.now() - startMs;
    return { answers: [...found.values()].map(({ answer: { verdict, status } }) => ({ verdict, status })), ms, fault: null };
  };
  try {
    return await settled(ask());
  } finally {
    await engine.close();
  }
}

async function tryCli(options: Tried): Promise<Asked> {
  const startMs = performance.now();
  const args = ['enrich', '-', '--format', 'list', '--timeout', String(options.deadlineMs / 1000)];
  const child = startProgram(options.program, args, envOf(options, 'cli'));
  child.process.stdin?.end(`${VALUES.join('\n')}\n`);
  const { code, signal, stdout, stderr } = await endOf(child);
  const answers = stdout.split('\n').filter((line) => line.startsWith('{'));
  return {
    answers: answers.map((line) => JSON.parse(line) as Asked['answers'][number]),
    ms: performance.now() - startMs,
    // 0: all found, 1: all failed, 3: some.
    fault: code === 0 || code === 1 || code === 3 ? null : `ended with ${signal ?? code}: ${stderr.trim()}`,
  };
}

/** The sidecar and its gateway: one process. Their outcomes, in the order of `hosts`. */
async function tryServed(options: Tried, hosts: readonly ChaosHost[]): Promise<readonly Asked[]> {
  const child = startProgram(options.program, ['serve', '--port', '0'], envOf(options, 'sidecar'));
  try {
    const url = `http://127.0.0.1:${await portOf(child)}`;
    const asked: Promise<Asked>[] = [];
    if (hosts.includes('sidecar')) asked.push(settled(askSidecar(url)));
    if (hosts.includes('gateway')) asked.push(settled(askGateway(url, options.standIn)));
    const outcomes = await Promise.all(asked);
    const fault = await endSidecar(child, url);
    return outcomes.map((outcome) => ({ ...outcome, fault: outcome.fault ?? fault }));
  } finally {
    child.process.kill('SIGKILL');
  }
}

/** Whether it still answers, and ends in order; `null`: it does. */
async function endSidecar(child: ChildProgram, url: string): Promise<string | null> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return 'the sidecar ended by itself';
  const { status } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(NO_ANSWER_MS) });
  child.process.kill('SIGTERM');
  const { code, signal } = await endOf(child);
  if (status !== 200) return `/healthz answered ${status}`;
  return code === 0 ? null : `after SIGTERM it ended with ${signal ?? code}`;
}

async function endOf(child: ChildProgram) {
  const timer = setTimeout(() => child.process.kill('SIGKILL'), LONGEST_RUN_MS);
  try {
    return await child.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** The sidecar is told to stop, or killed, while it waits for its provider. */
async function trySignal(options: Tried): Promise<Asked> {
  const { fault, standIn, program } = options;
  const env = envOf(options, 'sidecar');
  const child = startProgram(program, ['serve', '--port', '0'], env);
  const asked = settled(askSidecar(`http://127.0.0.1:${await portOf(child)}`));
  await Promise.race([standIn.called, asked]);
  child.process.kill(fault.signal);
  const { code, signal } = await endOf(child);
  const outcome = await asked;
  if (fault.signal === 'SIGTERM') return code === 0 ? outcome : { ...outcome, fault: `after SIGTERM it ended with ${signal ?? code}` };
  standIn.heal();
  const next = startProgram(program, ['serve', '--port', '0'], env);
  try {
    const url = `http://127.0.0.1:${await portOf(next)}`;
    const again = await settled(askSidecar(url));
    return { ...again, fault: again.fault ?? (await endSidecar(next, url)) };
  } finally {
    next.process.kill('SIGKILL');
  }
}

interface Marked {
  readonly ismalicious?: { readonly verdict?: string; readonly status?: string };
}

const eventOf = (value: string) => ({ destination: { ip: value } });
const markOf = ({ ismalicious }: Marked) => ({ verdict: ismalicious?.verdict ?? 'missing', status: ismalicious?.status ?? 'missing' });

async function askSidecar(url: string): Promise<Asked> {
  const startMs = performance.now();
  const body = JSON.stringify(VALUES.map(eventOf));
  const response = await fetch(`${url}/v1/enrich`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const events = (await response.json()) as Marked[];
  const fault = response.status === 200 ? null : `/v1/enrich answered ${response.status}`;
  return { answers: Array.isArray(events) ? events.map(markOf) : [], ms: performance.now() - startMs, fault };
}

async function askGateway(url: string, { documents }: StandIn): Promise<Asked> {
  const startMs = performance.now();
  const body = VALUES.map((value) => `{"create":{}}\n${JSON.stringify(eventOf(value))}\n`).join('');
  const response = await fetch(`${url}/logs-chaos/_bulk`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
  const text = await response.text();
  const answers = documents.map((line) => markOf(JSON.parse(line) as Marked));
  const refused = response.status >= 400 || (JSON.parse(text) as { errors?: boolean }).errors === true;
  return { answers, ms: performance.now() - startMs, refused, fault: null };
}
