import { getHeapStatistics } from 'node:v8';

/** A look-up that waits takes 2.7 KB. */
const WAITING_BYTES = 24 * 1024;
/** Of look-ups that wait, and of verdicts in memory. */
const LEAST = 1000;
/** A verdict in memory takes 120 to 260 bytes. */
const REMEMBERED_BYTES = 2 * 1024;
/** A call of some hundred values takes half a megabyte while its answer is made. */
const CALL_BYTES = 1024 * 1024;
const LEAST_CALLS = 64;

/** How much of each kind a heap has room for, besides all others. */
export interface HeapShares {
  /** Look-ups that wait. */
  readonly waiting: number;
  /** Verdicts in memory. */
  readonly remembered: number;
  /** Calls worked on at once. */
  readonly calls: number;
}

/** The shares of a heap that may grow to so many bytes; by default, that of this process. */
export function heapShares(heapBytes: number = getHeapStatistics().heap_size_limit): HeapShares {
  return {
    waiting: Math.max(LEAST, Math.floor(heapBytes / WAITING_BYTES)),
    remembered: Math.max(LEAST, Math.floor(heapBytes / REMEMBERED_BYTES)),
    calls: Math.max(LEAST_CALLS, Math.floor(heapBytes / CALL_BYTES)),
  };
}
