import { availableParallelism } from 'node:os';
import { nextTurn } from '../../../engine/turns.ts';
import type { AlertReading } from '../../../pipeline/triage/read-alerts.ts';
import type { Refusal } from '../http/replies.ts';
import { RefusedBody } from './refused-body.ts';
import type { BodyJob, BodyResult } from './body-jobs.ts';
import { createBodyThreads } from './body-threads.ts';
import type { ToBodyWorker } from './body-worker.ts';
import type { FileBody, LongBody } from './long-body.ts';

/** Threads that read long bodies, so that nobody else's call waits for them. */
export interface BodyWorkers {
  /** Rejects with a `RefusedBody`, or with what `signal` was aborted for. */
  extract(body: LongBody, max: number, signal: AbortSignal): Promise<Pick<ExtractedBody, 'json' | 'isTruncated'>>;
  /** The same for a file: what cannot be opened in a thread's memory is refused. */
  extractFile(body: FileBody, what: Omit<Extract<BodyJob, { kind: 'file' }>, 'kind'>, signal: AbortSignal): Promise<ExtractedFile>;
  readAlerts(body: LongBody, what: Omit<Extract<BodyJob, { kind: 'alerts' }>, 'kind'>, signal: AbortSignal): Promise<AlertReading[]>;
  close(): void;
}

/** The answer about a file, as it is sent. */
type ExtractedFile = Pick<ExtractedBody, 'json' | 'isTruncated'>;
type ExtractedBody = Extract<BodyResult, { kind: 'extracted' }>;

/** No threads yet; `most` of them at once. */
export function createBodyWorkers(most = Math.min(2, Math.max(1, availableParallelism() - 1)), file?: URL): BodyWorkers {
  const threads = createBodyThreads(most, file);

  async function* results(job: BodyJob, { bytes }: LongBody | FileBody, signal: AbortSignal): AsyncGenerator<BodyResult> {
    const thread = await threads.take();
    const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const onAbort = () => void Atomics.store(stop, 0, 1);
    signal.addEventListener('abort', onAbort);
    try {
      signal.throwIfAborted();
      for (let message: ToBodyWorker = { job, bytes: movable(bytes), stop }; ; message = 'next') {
        const result = await thread.ask(message);
        signal.throwIfAborted();
        if (result instanceof Error) throw result;
        if (result.kind === 'thrown') throw result.error;
        if (result.kind === 'refused') throw new RefusedBody(result.refusal);
        yield result;
        if (result.kind !== 'alerts' || result.isLast) return;
        await nextTurn();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      threads.giveBack(thread);
    }
  }
  return {
    async extract(body, max, signal) {
      for await (const result of results({ kind: 'extract', max }, body, signal)) if (result.kind === 'extracted') return result;
      throw new Error('a thread gave no answer');
    },
    async extractFile(body, what, signal) {
      try {
        for await (const result of results({ kind: 'file', ...what }, body, signal)) if (result.kind === 'extracted') return result;
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' ? new RefusedBody(TOO_MUCH) : error;
      }
      throw new Error('a thread gave no answer');
    },
    async readAlerts(body, what, signal) {
      const alerts: AlertReading[] = [];
      for await (const result of results({ kind: 'alerts', ...what }, body, signal))
        if (result.kind === 'alerts') alerts.push(...result.alerts);
      return alerts;
    },
    close: () => threads.close(),
  };
}

const TOO_MUCH: Refusal = {
  status: 422,
  code: 'unreadable_file',
  message: 'the file takes more memory to open than it may: take it apart, or read it with "ismalicious extract"',
};

/** Bytes that can be moved to another thread: a body of this length has room of its own, unless it came in one piece. */
function movable(bytes: Buffer): Uint8Array {
  return bytes.byteOffset === 0 && bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
}
