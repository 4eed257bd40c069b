import type { Refusal } from './replies.ts';

const INTERNAL: Refusal = { status: 500, code: 'internal', message: 'a fault of the sidecar: its log says more' };
const FILE_FAULT: Refusal = {
  status: 503,
  code: 'store_unavailable',
  message: 'a file of the sidecar cannot be used now: its log says which and what to do',
};

/** What a caller is told of a fault that is not the caller's. A file that is locked, damaged or full is no fault of the program. */
export function refusalOf(error: unknown): Refusal {
  const isOfAFile = error instanceof Error && (error.name === 'FeedbackStoreError' || error.name === 'StoreError');
  return isOfAFile ? FILE_FAULT : INTERNAL;
}
