import type { Readable } from 'node:stream';
import type { InRecord } from './records.ts';

/** How much is taken at once. */
export interface BatchBounds {
  readonly records: number;
  readonly bytes: number;
}

/** What is read from a stream of records until something else has to be done. */
export interface BatchReader {
  /** The next records, as many as are there within the bounds; `null`: `interrupted`. Rejects when the stream has failed. */
  take(bounds: BatchBounds): Promise<readonly InRecord[] | null>;
  /** Has `take` look again whether it is interrupted. */
  wake(): void;
}

/** Reads a stream only when it is asked to: meanwhile it fills to its bound, and the library fetches no more. */
export function createBatchReader(stream: Readable, isInterrupted: () => boolean): BatchReader {
  let fault: Error | null = null;
  let wake = () => undefined as void;
  stream.on('readable', () => wake());
  stream.on('error', (error) => {
    fault = error;
    wake();
  });
  stream.on('close', () => {
    fault ??= new Error('the brokers ended the stream of records');
    wake();
  });
  return {
    async take(bounds) {
      for (;;) {
        if (isInterrupted()) return null;
        const batch = readBatch(stream, bounds);
        if (batch.length > 0) return batch;
        if (fault !== null) throw fault;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    wake: () => wake(),
  };
}

function readBatch(stream: Readable, { records, bytes }: BatchBounds): InRecord[] {
  const batch: InRecord[] = [];
  let size = 0;
  while (batch.length < records && size < bytes) {
    const record = stream.read() as InRecord | null;
    if (record === null) break;
    batch.push(record);
    size += record.value?.length ?? 0;
  }
  return batch;
}
