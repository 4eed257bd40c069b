import { readFileSync, readlinkSync } from 'node:fs';
import { builtinModule } from './builtin-module.ts';

/** Separates the parts of a holder's name; none of them contains it. */
const SEPARATOR = ' ';
/** Stands for what this system does not tell. */
const UNKNOWN = '-';
/** Field of `/proc/PID/stat` behind the command's closing bracket: ticks since boot at which the process was started. */
const START_FIELD = 19;
/** States of a process that has ended: dead, or not yet collected by its parent. */
const ENDED = new Set(['Z', 'X', 'x']);

/** Where a process runs: process ids mean something only within the same one. */
interface Place {
  readonly host: string;
  /** Another one after each start of the machine. */
  readonly boot: string;
  /** Containers on one machine count their processes apart. */
  readonly namespace: string;
}

let here: Place | null = null;

/**
 * A name under which this process holds a lease: host, boot, process id space, process id, start time, and `mark` to tell several holders
 * in one process apart. Others can find out whether the process behind it still lives.
 */
export function lockHolderName(mark: string): string {
  const { host, boot, namespace } = placeOfThis();
  return [host, boot, namespace, process.pid, startOf(process.pid)?.start ?? UNKNOWN, mark].join(SEPARATOR);
}

/** Whether the process behind a holder's name is known to have ended. Where that cannot be told, it counts as alive. */
export function isHolderGone(name: string): boolean {
  const holder = partsOf(name);
  const place = placeOfThis();
  if (holder === null || holder.host !== place.host) return false;
  // The file is shared through memory of this machine: who wrote before its last start is not there any more.
  if (holder.boot !== place.boot) return holder.boot !== UNKNOWN && place.boot !== UNKNOWN;
  if (holder.namespace !== place.namespace) return false;
  const found = startOf(holder.pid);
  if (found !== null) return found.hasEnded || (holder.start !== UNKNOWN && found.start !== holder.start);
  return !isRunning(holder.pid);
}

/** Tells the same of many names, looking at each process once. */
export function createGoneHolders(): (name: string) => boolean {
  const gone = new Map<string, boolean>();
  return (name) => {
    const isGone = gone.get(name) ?? isHolderGone(name);
    gone.set(name, isGone);
    return isGone;
  };
}

/** The process behind a holder's name, for people. */
export function describeHolder(name: string): string {
  const holder = partsOf(name);
  return holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}`;
}

function partsOf(name: string): (Place & { readonly pid: number; readonly start: string }) | null {
  const [host, boot, namespace, pid, start, mark] = name.split(SEPARATOR);
  if (!host || !boot || !namespace || !start || mark === undefined) return null;
  const number = Number(pid);
  return Number.isSafeInteger(number) && number > 0 ? { host, boot, namespace, pid: number, start } : null;
}

function placeOfThis(): Place {
  return (here ??= {
    host: builtinModule('node:os').hostname().replaceAll(SEPARATOR, '_') || UNKNOWN,
    boot: readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: readOr(() => readlinkSync('/proc/self/ns/pid')),
  });
}

/** `null`: there is no such process, or this system does not tell. */
function startOf(pid: number): { readonly start: string; readonly hasEnded: boolean } | null {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The command's name comes first, in brackets, and may itself contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', start] = [fields[0], fields[START_FIELD]];
  return start === undefined ? null : { start, hasEnded: ENDED.has(state) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal: it is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function readOr(read: () => string): string {
  try {
    return read() || UNKNOWN;
  } catch {
    // This system has no such file.
    return UNKNOWN;
  }
}
