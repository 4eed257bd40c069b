import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

const LOOK_EVERY_MS = 50;
/** A socket that ends this soon after the look began was half closed all along: its other half may well be read. */
const ALREADY_CLOSED_MS = 30;
/** Access modes of an open file (open(2)); the lowest two bits of its flags. */
const ACCESS_MODE = 3;
const WRITE_ONLY = 1;

/**
 * Calls `gone` once nobody reads any more what is written to `descriptor`, and gives the function that ends the watch. A write would tell,
 * but there is nothing to write while look-ups are under way. A socket tells by itself; of a pipe only Linux tells who holds its other
 * end (`/proc`). Where it cannot be known, `gone` is never called.
 */
export function watchReader(descriptor: number, gone: () => void): () => void {
  const stats = fstatSync(descriptor);
  if (stats.isSocket()) return watchSocket(descriptor, gone);
  if (!stats.isFIFO() || process.platform !== 'linux') return () => undefined;
  return watchPipe(`/proc/self/fd/${descriptor}`, gone);
}

/** One for all watches: closed with the descriptor, that is with the process. */
let socket: Promise<Socket> | null = null;

function watchSocket(fd: number, gone: () => void): () => void {
  const startedMs = performance.now();
  const end = () => {
    if (performance.now() - startedMs > ALREADY_CLOSED_MS) gone();
  };
  socket ??= openSocket(fd);
  const watched = socket.then((opened) => opened.on('end', end).on('error', end));
  return () => void watched.then((opened) => opened.off('end', end).off('error', end));
}

/** `node:net` is loaded here: splunkd starts the program several times a search and asks a question that nobody has to wait for. */
async function openSocket(fd: number): Promise<Socket> {
  const net = await import('node:net');
  return new net.Socket({ fd, readable: true, writable: false, allowHalfOpen: true }).resume().unref();
}

/** An open file of a process. */
interface Holder {
  readonly pid: string;
  readonly fd: string;
}

function watchPipe(path: string, gone: () => void): () => void {
  const pipe = linkAt(path);
  let reader: Holder | null = null;
  let wasSeen = false;
  const look = () => {
    if (pipe === null || (reader !== null && isReader(reader, pipe))) return;
    const found = findReader(pipe);
    reader = found.reader;
    if (reader !== null) wasSeen = true;
    else if (wasSeen || found.isComplete) {
      clearInterval(timer);
      gone();
    } else clearInterval(timer);
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** Whoever reads from the pipe. `isComplete`: nobody else's files were hidden from us. */
function findReader(pipe: string): { readonly reader: Holder | null; readonly isComplete: boolean } {
  let isComplete = true;
  const others = namesIn('/proc')?.filter((name) => /^\d+$/.test(name)) ?? [];
  for (const pid of [String(process.ppid), ...others]) {
    const files = namesIn(`/proc/${pid}/fd`);
    if (files === null) isComplete = false;
    for (const fd of files ?? []) if (isReader({ pid, fd }, pipe)) return { reader: { pid, fd }, isComplete };
  }
  return { reader: null, isComplete };
}

function isReader({ pid, fd }: Holder, pipe: string): boolean {
  if (linkAt(`/proc/${pid}/fd/${fd}`) !== pipe) return false;
  const flags = /^flags:\s*([0-7]+)/m.exec(textAt(`/proc/${pid}/fdinfo/${fd}`))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & ACCESS_MODE) !== WRITE_ONLY;
}

/** `null`: it may not be looked into. One that is gone has nothing in it. */
function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? [] : null;
  }
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
