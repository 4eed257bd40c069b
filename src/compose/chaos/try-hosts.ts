import { errorMessage } from '../../model/formats/error-message.ts';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openEngine } from '../open-engine.ts';
import { type ChildProgram, portOf, startProgram } from './child-program.ts';
import { type ChaosHost, type Fault, hostsOf } from './fault.ts';
import type { StandIn } from './stand-in.ts';

const DEADLINE_MS = 1500;
/** One call may take so long. */
const CALL_MS = 1000;
/** A program that does not end by itself is ended. */
const LONGEST_RUN_MS = 60_000;
const VALUES = [34, 35, 36, 37, 38].map((n) => `93.184.216.${n}`);

/** What a host said of the events it was given. */
export interface HostOutcome {
  readonly answers: readonly { readonly verdict: string; readonly status: string }[];
  /** From the question to the whole answer; of the CLI from its start to its end. */
  readonly ms: number;
  /** HTTP status of the gateway's answer, and whether the engine's answer names errors. */
  readonly refused?: boolean;
  /** What became of the program that should not have. */
  readonly fault: string | null;
}

/** Events that every host is given. */
export const EVENTS = VALUES.length;

/** How the hosts are started. */
export interface TryOptions {
  readonly fault: Fault;
  readonly standIn: StandIn;
  /** A folder of this fault's own. */
  readonly folder: string;
  /** Command and first arguments that start the command line program. */
  readonly program: readonly string[];
  /** How many times as long everything may take. */
  readonly slow: number;
}

/** Puts all hosts to the test of one fault, each with a state folder of its own. */
export async function tryHosts(options: TryOptions): Promise<ReadonlyMap<ChaosHost, HostOutcome>> {
  const hosts = hostsOf(options.fault);
  const found = new Map<ChaosHost, HostOutcome>();
  const keep = async (host: ChaosHost, work: Promise<HostOutcome>) => void found.set(host, await settled(work));
  const work: Promise<void>[] = [];
  if (hosts.includes('engine')) work.push(keep('engine', tryEngine(options)));
  if (hosts.includes('cli')) work.push(keep('cli', tryCli(options)));
  if (options.fault.signal !== undefined) work.push(keep('sidecar', trySignal(options)));
  else work.push(tryServed(options, hosts, found));
  await Promise.all(work);
  return found;
}

/** A host that throws has failed. */
function settled(work: Promise<HostOutcome>): Promise<HostOutcome> {
  return work.catch((error: unknown) => ({ answers: [], ms: 0, fault: errorMessage(error) }));
}

/** Every host is asked to answer within this. */
export function deadlineMs(slow: number): number {
  return Math.ceil(DEADLINE_MS * slow);
}

function envOf({ fault, standIn, folder, slow }: TryOptions, host: ChaosHost): Record<string, string> {
  const state = join(folder, host);
  fault.prepare?.(state);
  return {
    ...standIn.env,
    ISMALICIOUS_STATE_DIR: state,
    // Stands for a credential: key:secret.
    ISMALICIOUS_X_API_KEY: Buffer.from('key:secret').toString('base64'),
    ISMALICIOUS_TIMEOUT_MS: String(Math.ceil(CALL_MS * slow)),
    ISMALICIOUS_BULK: 'false',
    ISMALICIOUS_SIDECAR_TIMEOUT_MS: String(deadlineMs(slow)),
    ISMALICIOUS_GATEWAY_TIMEOUT_MS: String(deadlineMs(slow)),
  };
}

async function tryEngine(options: TryOptions): Promise<HostOutcome> {
  const { engine } = await openEngine({ env: envOf(options, 'engine'), onFault: () => undefined });
  try {
    const startMs = performance.now();
    const found = await engine.enrichMany(VALUES, { timeoutMs: deadlineMs(options.slow) });
    const ms = performance.now() - startMs;
    return { answers: [...found.values()].map(({ answer: { verdict, status } }) => ({ verdict, status })), ms, fault: null };
  } finally {
    await engine.close();
  }
}

async function tryCli(options: TryOptions): Promise<HostOutcome> {
  const startMs = performance.now();
  const args = ['enrich', '-', '--format', 'list', '--timeout', String(deadlineMs(options.slow) / 1000)];
  const child = startProgram(options.program, args, envOf(options, 'cli'));
  child.process.stdin?.end(`${VALUES.join('\n')}\n`);
  const { code, signal, stdout, stderr } = await endOf(child);
  const answers = stdout.split('\n').filter((line) => line.startsWith('{'));
  return {
    answers: answers.map((line) => JSON.parse(line) as HostOutcome['answers'][number]),
    ms: performance.now() - startMs,
    // 0: all found, 1: all failed, 3: some.
    fault: code === 0 || code === 1 || code === 3 ? null : `ended with ${signal ?? code}: ${stderr.trim()}`,
  };
}

/** The sidecar and its gateway: one process. */
async function tryServed(options: TryOptions, hosts: readonly ChaosHost[], found: Map<ChaosHost, HostOutcome>): Promise<void> {
  const child = startProgram(options.program, ['serve', '--port', '0'], envOf(options, 'sidecar'));
  try {
    const url = `http://127.0.0.1:${await portOf(child)}`;
    const asked: [ChaosHost, Promise<HostOutcome>][] = [];
    if (hosts.includes('sidecar')) asked.push(['sidecar', settled(askSidecar(url))]);
    if (hosts.includes('gateway')) asked.push(['gateway', settled(askGateway(url, options.standIn))]);
    const outcomes = await Promise.all(asked.map(async ([host, outcome]) => [host, await outcome] as const));
    const fault = await endSidecar(child, url);
    for (const [host, outcome] of outcomes) found.set(host, { ...outcome, fault: outcome.fault ?? fault });
  } catch (error) {
    const outcome = await settled(Promise.reject(error));
    for (const host of hosts) if (host === 'sidecar' || host === 'gateway') found.set(host, outcome);
  } finally {
    child.process.kill('SIGKILL');
  }
}

/** Whether it still answers, and ends in order; `null`: it does. */
async function endSidecar(child: ChildProgram, url: string): Promise<string | null> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return 'the sidecar ended by itself';
  const { status } = await fetch(`${url}/healthz`);
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
async function trySignal(options: TryOptions): Promise<HostOutcome> {
  const { fault, standIn, program } = options;
  const env = envOf(options, 'sidecar');
  const child = startProgram(program, ['serve', '--port', '0'], env);
  const asked = settled(askSidecar(`http://127.0.0.1:${await portOf(child)}`));
  await Promise.race([standIn.called, wait(LONGEST_RUN_MS, undefined, { ref: false })]);
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

async function askSidecar(url: string): Promise<HostOutcome> {
  const startMs = performance.now();
  const body = JSON.stringify(VALUES.map(eventOf));
  const response = await fetch(`${url}/v1/enrich`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const events = (await response.json()) as Marked[];
  const fault = response.status === 200 ? null : `/v1/enrich answered ${response.status}`;
  return { answers: Array.isArray(events) ? events.map(markOf) : [], ms: performance.now() - startMs, fault };
}

async function askGateway(url: string, { documents }: StandIn): Promise<HostOutcome> {
  const startMs = performance.now();
  const body = VALUES.map((value) => `{"create":{}}\n${JSON.stringify(eventOf(value))}\n`).join('');
  const response = await fetch(`${url}/logs-chaos/_bulk`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
  const text = await response.text();
  const answers = documents.map((line) => markOf(JSON.parse(line) as Marked));
  const refused = response.status >= 400 || (JSON.parse(text) as { errors?: boolean }).errors === true;
  return { answers, ms: performance.now() - startMs, refused, fault: null };
}
