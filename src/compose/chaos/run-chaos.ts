import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from './child-program.ts';
import { CHAOS_HOSTS, type ChaosHost, type Fault, hostsOf } from './fault.ts';
import { startStandIn } from './stand-in.ts';
import { deadlineMs, EVENTS, type HostOutcome, tryHosts } from './try-hosts.ts';

/** Faults that are tried at the same time: each is a stand-in and three programs, which mostly wait. */
const AT_ONCE = 2;
/** After that no further fault is begun: all of it takes three minutes at most. */
const LONGEST_MS = 165_000;
/** What an answer may take beyond its deadline, and the start of a program. */
const SLACK_MS = 1000;
const START_MS = 6000;
/** Within this the programs that measure a machine have ended, when it is not busy. */
const USUAL_MS = 1000;
const MOST_SLOW = 10;
const SLOWER = 1.5;

/** One cell: a fault, a host, and what came of it. */
export interface ChaosCell {
  readonly row: string;
  readonly fault: string;
  readonly host: ChaosHost;
  readonly ok: boolean;
  readonly ms: number;
  /** Why it is not ok; `null`: it is. */
  readonly why: string | null;
}

/** What a run is made of. */
export interface ChaosOptions {
  readonly faults: readonly Fault[];
  readonly program: readonly string[];
  /** How many times as long everything may take; what the machine is found to need counts when it is more. */
  readonly slow: number;
  /** Told of each fault when all its cells are there. */
  readonly onFault?: (cells: readonly ChaosCell[]) => void;
}

/** What came of a run. */
export interface ChaosReport {
  readonly cells: readonly ChaosCell[];
  /** Faults that there was no time for. */
  readonly notRun: readonly string[];
  /** How many times as long as usual the hosts had. */
  readonly slow: number;
}

/** Tries every fault on every host. Nothing but loopback is spoken to, and nothing stays on disk. */
export async function runChaos({ faults, program, slow: leastSlow, onFault }: ChaosOptions): Promise<ChaosReport> {
  const root = await mkdtemp(join(tmpdir(), 'ismalicious-selftest-'));
  const byFault = new Map<Fault, ChaosCell[]>();
  const waiting = [...faults];
  const endMs = performance.now() + LONGEST_MS * leastSlow;
  let slow = Math.max(leastSlow, await measureSlowness(program, join(root, 'measure')));
  async function work(): Promise<void> {
    for (let fault = next(); fault !== undefined; fault = next()) {
      const folder = join(root, String(faults.indexOf(fault)));
      await mkdir(folder, { mode: 0o700 });
      const given = slow;
      let cells = await tryFault(fault, { folder, program, slow: given });
      // Once more, with more time: what else runs on the machine is not what is tried. A host that does wrong does so again.
      if (cells.some(({ ok }) => !ok) && performance.now() < endMs) {
        slow = Math.min(MOST_SLOW * leastSlow, Math.max(slow, given * SLOWER));
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { mode: 0o700 });
        cells = await tryFault(fault, { folder, program, slow });
      }
      byFault.set(fault, cells);
      onFault?.(cells);
    }
  }
  const next = () => (performance.now() < endMs ? waiting.shift() : undefined);
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return { cells: faults.flatMap((fault) => byFault.get(fault) ?? []), notRun: waiting.map(({ row, name }) => `${row} ${name}`), slow };
}

async function tryFault(fault: Fault, options: { folder: string; program: readonly string[]; slow: number }): Promise<ChaosCell[]> {
  const standIn = await startStandIn(fault);
  try {
    const outcomes = await tryHosts({ fault, standIn, ...options });
    return CHAOS_HOSTS.filter((host) => hostsOf(fault).includes(host)).map((host) => {
      const outcome = outcomes.get(host) ?? { answers: [], ms: 0, fault: 'it was not tried' };
      const stray = standIn.strays > 0 ? 'a redirect was followed' : null;
      const why = whyNot(fault, outcome, mostMs(host, options.slow)) ?? stray;
      return { row: fault.row, fault: fault.name, host, ok: why === null, ms: Math.round(outcome.ms), why };
    });
  } finally {
    await standIn.close();
  }
}

/** How long programs take that are started at the same time, against a machine that has nothing else to do. */
async function measureSlowness(program: readonly string[], folder: string): Promise<number> {
  const startMs = performance.now();
  const env = { ISMALICIOUS_STATE_DIR: folder };
  await Promise.all(Array.from({ length: AT_ONCE * 2 }, () => startProgram(program, ['check', '198.51.100.7'], env).ended));
  return Math.min(MOST_SLOW, Math.max(1, (performance.now() - startMs) / USUAL_MS));
}

function mostMs(host: ChaosHost, slow: number): number {
  return deadlineMs(slow) + (host === 'cli' ? START_MS : SLACK_MS) * slow;
}

/** What is wrong with an outcome; `null`: nothing. */
function whyNot({ expects }: Fault, { answers, ms, refused, fault }: HostOutcome, most: number): string | null {
  if (fault !== null) return fault;
  if (ms > most) return `answered after ${Math.round(ms)} ms, ${Math.round(most)} at most`;
  if (expects === 'refused') return refused === true ? null : 'the caller does not see that the engine took nothing';
  if (answers.length !== EVENTS) return `${answers.length} of ${EVENTS} events came out`;
  const wrong = answers.find(({ verdict, status }) =>
    expects === 'none' ? verdict !== 'unknown' || status === 'ok' || status === 'missing' : verdict !== expects || status !== 'ok',
  );
  return wrong === undefined ? null : `an event reads ${wrong.verdict}, status ${wrong.status}`;
}
