import cluster from 'node:cluster';
import type { SidecarEnd } from '../../compose/sidecar-settings.ts';
import { openFiguresBoard } from './workers/figures-exchange.ts';

/** A worker that lived this long begins with the shortest wait again. */
const STEADY_MS = 60_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** Failures in all, a worker, after which a start at which none has ever listened is given up. */
const FAILED_STARTS = 3;

/** What the processes are run with. They are ended by a signal of their own: a disconnected worker cannot close its port, and stays. */
export interface WorkersOptions {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Resolves when all of it is to end. */
  readonly stopped: () => Promise<void>;
}

/** Why a worker could not start, on its way to the primary. */
interface StartFault {
  readonly startFault: SidecarEnd;
}

/** In a worker: the primary is told why this one could not start, and says it once for all. Then the worker ends. */
export function tellPrimary(end: SidecarEnd): SidecarEnd {
  const message: StartFault = { startFault: end };
  process.send?.(message, () => process.disconnect());
  return { ...end, fault: null };
}

/** How long to wait before a worker is replaced that died for the n-th time (from 1) within a minute of its start. */
export function waitBeforeRestart(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, failures - 1));
}

/**
 * Shares the port between processes. One that dies is replaced, however often that happens; after several deaths in a row it is waited for
 * longer and longer, and the others serve meanwhile. Only a start at which none comes to listen is given up.
 */
export async function runWorkers(count: number, { stdout, stderr, stopped }: WorkersOptions): Promise<SidecarEnd> {
  let isStopping = false;
  let hasListened = false;
  let failures = 0;
  let inARow = 0;
  const waits = new Set<NodeJS.Timeout>();
  const bornMs = new Map<number, number>();
  openFiguresBoard();
  cluster.on('fork', ({ id }) => void bornMs.set(id, performance.now()));
  const fork = () => void cluster.fork();
  const ended = new Promise<SidecarEnd>((resolve) => {
    cluster.on('message', (_worker, message: Partial<StartFault> | null) => {
      const fault = message?.startFault;
      // Once one has listened, a port that is taken is a moment in which another has not let go of it yet.
      if (fault === undefined || hasListened || isStopping) return;
      isStopping = true;
      for (const each of Object.values(cluster.workers ?? {})) each?.process.kill('SIGTERM');
      resolve(fault);
    });
    cluster.on('exit', (worker, code, signal) => {
      const livedMs = performance.now() - (bornMs.get(worker.id) ?? 0);
      bornMs.delete(worker.id);
      const hasFailed = code !== 0 || signal !== null;
      if (!isStopping && hasFailed && (hasListened || ++failures <= count * FAILED_STARTS)) {
        inARow = livedMs > STEADY_MS ? 1 : inARow + 1;
        const waitMs = waitBeforeRestart(inARow);
        stderr.write(`a worker ended (${signal ?? `exit ${code}`}): it is replaced in ${waitMs} ms\n`);
        const timer = setTimeout(() => {
          waits.delete(timer);
          fork();
        }, waitMs);
        waits.add(timer);
      } else if (bornMs.size === 0 && waits.size === 0) resolve({ hasFailed: !isStopping, fault: null, isMisused: false });
    });
  });
  cluster.on('listening', (_worker, { port, address }) => {
    if (hasListened) return;
    hasListened = true;
    stderr.write(`worker listening on port ${port}\n`);
    // The same line as without workers; a socket has no port but a path.
    stdout.write(`listening ${port > 0 ? port : address}\n`);
  });
  for (let n = 0; n < count; n++) fork();
  const stop = async () => {
    await stopped();
    isStopping = true;
    for (const timer of waits) clearTimeout(timer);
    waits.clear();
    for (const each of Object.values(cluster.workers ?? {})) each?.process.kill('SIGTERM');
    if (bornMs.size === 0) return { hasFailed: false, fault: null, isMisused: false };
    return await ended;
  };
  return await Promise.race([stop(), ended]);
}
