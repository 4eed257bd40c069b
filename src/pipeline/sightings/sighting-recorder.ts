// src/pipeline/sightings/: which of our machines and users were seen with what.
import { errorMessage } from '../../model/formats/error-message.ts';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { SightingForm } from './sighting-reader.ts';
import type { SightingMessage, SightingPart, SightingReply, SightingWorkerData } from './sighting-worker.ts';

/** Texts are handed over together: a message for each would cost more than its text. */
const SLAB_BYTES = 256 * 1024;
const HAND_OVER_MS = 250;
/** Handed over and not read yet; beyond it events go by unnoted, and are counted. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

/** What became of the events that were offered. */
export interface SightingCounts {
  /** Rows written: one for each value, asset and day in a batch. */
  readonly rows: number;
  /** Bytes of events that went by unnoted, because more came than could be read. */
  readonly droppedBytes: number;
  /** Rows that could not be written. */
  readonly failedRows: number;
  /** Why not, the last time; `null`: none failed. */
  readonly fault: string | null;
}

/** Notes who was seen with what, from events as they go by. */
export interface SightingRecorder {
  /** Takes a copy of the text, no more; it is read in a thread of its own. */
  offer(text: Uint8Array, form: SightingForm): void;
  counts(): SightingCounts;
  /** Resolves when everything that was taken is on disk. */
  close(): Promise<void>;
}

/** A thread that has ended (a store that could not be opened, say) is started again after this long. */
const RESTART_MS = 30_000;

/** Starts a recorder; its thread opens the store, and makes it when it is not there. `restartMs`: see `RESTART_MS`. */
export function openSightingRecorder(data: SightingWorkerData, restartMs = RESTART_MS): SightingRecorder {
  let slab = new Uint8Array(SLAB_BYTES);
  let filled = 0;
  let parts: SightingPart[] = [];
  let timer: NodeJS.Timeout | null = null;
  const counts: Counting = { rows: 0, droppedBytes: 0, failedRows: 0, fault: null };
  const thread = keepThread(data, { counts, restartMs });
  const handOver = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (parts.length === 0) return;
    thread.post(slab, parts);
    slab = new Uint8Array(SLAB_BYTES);
    filled = 0;
    parts = [];
  };
  return {
    offer(text, form) {
      if (!thread.isAlive() || thread.unread() + filled + text.length > MAX_UNREAD_BYTES) {
        counts.droppedBytes += text.length;
        return;
      }
      if (text.length > SLAB_BYTES) {
        thread.post(Uint8Array.from(text), [{ form, start: 0, end: text.length }]);
        return;
      }
      if (filled + text.length > SLAB_BYTES) handOver();
      slab.set(text, filled);
      parts.push({ form, start: filled, end: filled + text.length });
      filled += text.length;
      timer ??= setTimeout(handOver, HAND_OVER_MS).unref();
    },
    counts: () => ({ ...counts }),
    async close() {
      handOver();
      await thread.close();
    },
  };
}

interface RecorderThread {
  isAlive(): boolean;
  /** Bytes handed over that it has not read yet. */
  unread(): number;
  /** Hands bytes over, which are the thread's from now on; with no thread they are counted as dropped. */
  post(bytes: Uint8Array<ArrayBuffer>, parts: readonly SightingPart[]): void;
  /** Resolves when everything it was given is on disk. */
  close(): Promise<void>;
}

/** Keeps a thread running: one that ends is counted, told in `counts.fault`, and followed by a new one. */
function keepThread(data: SightingWorkerData, { counts, restartMs }: { counts: Counting; restartMs: number }): RecorderThread {
  let worker: Worker | null = null;
  let unread = 0;
  let isClosed = false;
  let restart: NodeJS.Timeout | null = null;
  const ended = Promise.withResolvers<void>();

  function begin(): void {
    const fresh = new Worker(workerFile(), { workerData: data });
    fresh.on('message', (reply: SightingReply) => {
      if (reply.kind === 'read') unread -= reply.bytes;
      else count(counts, reply);
    });
    fresh.on('error', (error) => {
      counts.fault = errorMessage(error);
    });
    fresh.once('exit', () => {
      worker = null;
      counts.droppedBytes += unread;
      unread = 0;
      if (isClosed) ended.resolve();
      else restart = setTimeout(begin, restartMs).unref();
    });
    fresh.unref();
    worker = fresh;
  }
  function send(message: SightingMessage, moved: ArrayBuffer[] = []): void {
    worker?.postMessage(message, moved);
  }
  begin();
  return {
    isAlive: () => worker !== null && !isClosed,
    unread: () => unread,
    post(bytes, parts) {
      if (worker === null) counts.droppedBytes += bytes.byteLength;
      else unread += bytes.byteLength;
      send({ kind: 'texts', bytes, parts }, [bytes.buffer]);
    },
    async close() {
      if (restart) clearTimeout(restart);
      if (worker === null || isClosed) return;
      isClosed = true;
      worker.ref();
      send({ kind: 'close' });
      await ended.promise;
    },
  };
}

type Counting = { -readonly [Name in keyof SightingCounts]: SightingCounts[Name] };

function count(counts: Counting, reply: Exclude<SightingReply, { kind: 'read' }>): void {
  if (reply.kind === 'written') {
    counts.rows += reply.rows;
    return;
  }
  counts.failedRows += reply.rows;
  counts.fault = reply.message;
}

/** The worker's file: beside this one in the sources; once built, beside the program, which is one folder up from its parts. */
function workerFile(): URL {
  const candidates = ['./sighting-worker.ts', './sighting-worker.js', '../sighting-worker.js'].map(
    (path) => new URL(path, import.meta.url),
  );
  const found = candidates.find((url) => existsSync(fileURLToPath(url)));
  if (!found) throw new Error('sighting-worker.js is missing beside the program: install it again');
  return found;
}
