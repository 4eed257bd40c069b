import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RefusedBody } from './refused-body.ts';
import type { Refusal } from '../http/replies.ts';
import type { BodyResult } from './body-jobs.ts';
import type { ToBodyWorker } from './body-worker.ts';

/** Bodies that wait for a thread; one beyond it is refused. */
const MAX_WAITING = 64;
/** A thread that has had nothing to do for this long is ended: its memory is given back. */
const IDLE_MS = 5000;
/** What one body may take of memory once it is parsed, in MiB; a thread that needs more ends, which costs its call. */
const MAX_HEAP_MIB = 128;
const MAX_YOUNG_MIB = 16;

/** One thread; it is asked one thing at a time. */
export interface BodyThread {
  /** What it says to that; an error when it has ended instead. */
  ask(message: ToBodyWorker): Promise<BodyResult | Error>;
}

/** Threads, begun when first needed, and anew when one dies, however often. */
export interface BodyThreads {
  /** Resolves when one is free; throws a `RefusedBody` when too many wait for one. */
  take(): Promise<BodyThread>;
  giveBack(thread: BodyThread): void;
  close(): void;
}

interface Thread extends BodyThread {
  readonly worker: Worker;
  idle: NodeJS.Timeout | null;
}

/** No threads yet; `most` of them at once, each of which runs `file`. */
export function createBodyThreads(most: number, file: URL | undefined): BodyThreads {
  const threads = new Set<BodyThread>();
  const free: Thread[] = [];
  const waiting: ((thread: Thread) => void)[] = [];
  let isClosed = false;

  function begin(): Thread {
    const thread = beginThread(file ?? workerFile(), () => forget(thread));
    threads.add(thread);
    return thread;
  }
  function forget(thread: Thread): void {
    if (thread.idle) clearTimeout(thread.idle);
    threads.delete(thread);
    if (free.includes(thread)) free.splice(free.indexOf(thread), 1);
  }
  function end(thread: Thread): void {
    forget(thread);
    void thread.worker.terminate();
  }
  return {
    take() {
      const thread = free.pop() ?? (threads.size < most ? begin() : undefined);
      if (thread?.idle) clearTimeout(thread.idle);
      if (thread) return Promise.resolve(thread);
      if (waiting.length >= MAX_WAITING) throw new RefusedBody(BUSY);
      return new Promise((resolve) => waiting.push(resolve));
    },
    giveBack(given) {
      const thread = given as Thread;
      const isAlive = threads.has(thread) && !isClosed;
      const next = isClosed ? undefined : waiting.shift();
      if (next) return next(isAlive ? thread : begin());
      if (!isAlive) return end(thread);
      free.push(thread);
      thread.idle = setTimeout(() => end(thread), IDLE_MS).unref();
      return undefined;
    },
    close() {
      isClosed = true;
      for (const thread of threads) end(thread as Thread);
    },
  };
}

function beginThread(file: URL, onEnd: () => void): Thread {
  const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB, maxYoungGenerationSizeMb: MAX_YOUNG_MIB } });
  let heard: ((said: BodyResult | Error) => void) | null = null;
  const hear = (said: BodyResult | Error) => {
    heard?.(said);
    heard = null;
  };
  worker.unref();
  worker.on('message', hear);
  worker.on('error', (error) => {
    onEnd();
    hear(error instanceof Error ? error : new Error(String(error)));
  });
  worker.once('exit', () => {
    onEnd();
    hear(new Error('the thread that read the body has ended'));
  });
  return {
    worker,
    idle: null,
    ask: (message) =>
      new Promise((resolve) => {
        heard = resolve;
        worker.postMessage(message, message === 'next' ? [] : [message.bytes.buffer as ArrayBuffer]);
      }),
  };
}

const BUSY: Refusal = {
  status: 503,
  code: 'busy',
  message: 'too many long bodies at once: try again in a second, or send shorter ones',
  headers: { 'retry-after': '1' },
};

/** The worker's file: beside this one in the sources; once built, beside the program, which is one folder up from its parts. */
function workerFile(): URL {
  const candidates = ['./body-worker.ts', './body-worker.js', '../body-worker.js'].map((path) => new URL(path, import.meta.url));
  const found = candidates.find((url) => existsSync(fileURLToPath(url)));
  if (!found) throw new Error('body-worker.js is missing beside the program: install it again');
  return found;
}
