// src/pipeline/sightings/: which of our machines and users were seen with what.
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

/** Starts a recorder; its thread opens the store, and makes it when it is not there. */
export function openSightingRecorder(data: SightingWorkerData): SightingRecorder {
  const worker = new Worker(workerFile(), { workerData: data });
  let slab = new Uint8Array(SLAB_BYTES);
  let filled = 0;
  let parts: SightingPart[] = [];
  let unread = 0;
  let timer: NodeJS.Timeout | null = null;
  const counts: Counting = { rows: 0, droppedBytes: 0, failedRows: 0, fault: null };
  let isOver = false;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (reply: SightingReply) => {
    if (reply.kind === 'read') unread -= reply.bytes;
    else count(counts, reply);
  });
  worker.on('error', (error) => {
    isOver = true;
    counts.fault = error instanceof Error ? error.message : String(error);
  });
  worker.unref();

  const send = (message: SightingMessage, moved: ArrayBuffer[] = []) => worker.postMessage(message, moved);
  const post = (bytes: Uint8Array<ArrayBuffer>, given: readonly SightingPart[]) => {
    unread += bytes.byteLength;
    send({ kind: 'texts', bytes, parts: given }, [bytes.buffer]);
  };
  const handOver = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (parts.length === 0) return;
    post(slab, parts);
    slab = new Uint8Array(SLAB_BYTES);
    filled = 0;
    parts = [];
  };
  return {
    offer(text, form) {
      if (isOver || unread + filled + text.length > MAX_UNREAD_BYTES) {
        counts.droppedBytes += text.length;
        return;
      }
      if (text.length > SLAB_BYTES) {
        post(Uint8Array.from(text), [{ form, start: 0, end: text.length }]);
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
      if (isOver) return;
      handOver();
      isOver = true;
      worker.ref();
      send({ kind: 'close' });
      await ended;
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
