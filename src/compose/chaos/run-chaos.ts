import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHAOS_HOSTS, type ChaosHost, deadlineMs, type Fault, hostsOf } from './fault.ts';
import { EVENTS, type HostOutcome, tryHosts, type TryOptions } from './try-hosts.ts';

/** Faults that are tried at the same time: each is three programs, which wait for half of their time. */
const AT_ONCE = 4;
/** After that no further fault is begun: all of it takes three minutes at most. */
const LONGEST_MS = 165_000;
/** How often a fault is tried that no host has met: each time with more time. */
const ATTEMPTS = 3;

/** One cell: a fault, a host, and what came of it. */
export interface ChaosCell {
  readonly row: string;
  readonly fault: string;
  readonly host: ChaosHost;
  readonly ok: boolean;
  /** From the question to the whole answer; of the command line program from its start to its end. A figure, not a bar: see `tryHosts`. */
  readonly ms: number;
  /** Until when the host was to answer. */
  readonly deadlineMs: number;
  /** Calls that came to the stand-in; those of sidecar and gateway, one program, together. */
  readonly calls: number;
  /** Why it is not ok; `null`: it is. */
  readonly why: string | null;
}

/** What a run is made of. */
export interface ChaosOptions {
  readonly faults: readonly Fault[];
  /** Command and first arguments that start the command line program. */
  readonly program: readonly string[];
  /** Told of each fault when all its cells are there. */
  readonly onFault?: (cells: readonly ChaosCell[]) => void;
}

/** What came of a run. */
export interface ChaosReport {
  readonly cells: readonly ChaosCell[];
  /** Faults that there was no time for. */
  readonly notRun: readonly string[];
}

/** Tries every fault on every host. Nothing but loopback is spoken to, and nothing stays on disk. */
export async function runChaos({ faults, program, onFault }: ChaosOptions): Promise<ChaosReport> {
  const root = await mkdtemp(join(tmpdir(), 'ismalicious-selftest-'));
  const byFault = new Map<Fault, ChaosCell[]>();
  const waiting = [...faults];
  const endMs = performance.now() + LONGEST_MS;
  const next = () => (performance.now() < endMs ? waiting.shift() : undefined);
  async function work(): Promise<void> {
    for (let fault = next(); fault !== undefined; fault = next()) {
      const folder = join(root, String(faults.indexOf(fault)));
      const cells = await tryUntilMet(fault, folder, { program, compiledFolder: join(root, 'compiled') });
      byFault.set(fault, cells);
      onFault?.(cells);
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return { cells: faults.flatMap((fault) => byFault.get(fault) ?? []), notRun: waiting.map(({ row, name }) => `${row} ${name}`) };
}

/** What a host does wrong counts at once; only a fault that a host has not met within its deadline is tried again. */
async function tryUntilMet(fault: Fault, root: string, start: Pick<TryOptions, 'program' | 'compiledFolder'>): Promise<ChaosCell[]> {
  for (let attempt = 0; ; attempt++) {
    const folder = join(root, String(attempt));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const withinMs = deadlineMs(fault, attempt);
    const outcomes = await tryHosts({ fault, folder, ...start, deadlineMs: withinMs });
    const isMet = [...outcomes.values()].every((outcome) => outcome.isMet || outcome.fault !== null);
    if (isMet || attempt === ATTEMPTS - 1) return cellsOf(fault, outcomes, withinMs);
  }
}

function cellsOf(fault: Fault, outcomes: ReadonlyMap<ChaosHost, HostOutcome>, withinMs: number): ChaosCell[] {
  return CHAOS_HOSTS.filter((host) => hostsOf(fault).includes(host)).map((host) => {
    const outcome = outcomes.get(host);
    const why = outcome === undefined ? 'it was not tried' : whyNot(fault, outcome);
    const { ms = 0, calls = 0 } = outcome ?? {};
    return { row: fault.row, fault: fault.name, host, ok: why === null, ms: Math.round(ms), deadlineMs: withinMs, calls, why };
  });
}

/** What is wrong with an outcome; `null`: nothing. */
function whyNot({ expects, mostCalls = Infinity }: Fault, { answers, refused, fault, isMet, calls, strays }: HostOutcome): string | null {
  if (fault !== null) return fault;
  if (!isMet) return 'it did not come to the fault';
  if (strays > 0) return 'a redirect was followed';
  if (calls > mostCalls) return `${calls} calls, ${mostCalls} at most`;
  if (expects === 'refused') return refused === true ? null : 'the caller does not see that the engine took nothing';
  if (answers.length !== EVENTS) return `${answers.length} of ${EVENTS} events came out`;
  const wrong = answers.find(({ verdict, status }) =>
    expects === 'none' ? verdict !== 'unknown' || status === 'ok' || status === 'missing' : verdict !== expects || status !== 'ok',
  );
  return wrong === undefined ? null : `an event reads ${wrong.verdict}, status ${wrong.status}`;
}
