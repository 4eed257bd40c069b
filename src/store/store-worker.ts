import { errorMessage } from '../model/formats/error-message.ts';
import { parentPort, workerData } from 'node:worker_threads';
import type { HalfLives } from './decay.ts';
import { storeFaultKind, storeFaultText } from '../disk/sqlite-faults.ts';
import { openStoreCore, type StoreCore } from './store.ts';

/** What the worker is started with. */
export interface StoreWorkerData {
  readonly path: string;
  readonly halfLives: HalfLives;
}

/** One call of a store method, and its answer. */
export interface StoreCall {
  readonly id: number;
  readonly method: keyof StoreCore;
  readonly args: readonly unknown[];
}

/** `error`: the message of what was thrown. */
export type StoreReply = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

/** A fault of the file names it and says what to do. */
function explain(path: string, error: unknown): string {
  const message = errorMessage(error);
  const kind = storeFaultKind(error);
  if (kind === null) return message;
  const remedy =
    kind === 'damaged' ? 'restore it from a backup or move it away' : 'end the process that holds it, or make room on the disk';
  return `${path} cannot be used (${storeFaultText(error)}): ${remedy}`;
}

const port = parentPort;
if (port) {
  const { path, halfLives } = workerData as StoreWorkerData;
  const store = openStoreCore(path, { halfLives });
  port.on('message', ({ id, method, args }: StoreCall) => {
    try {
      const result: unknown = Reflect.apply(store[method], store, args);
      port.postMessage({ id, result } satisfies StoreReply);
    } catch (error) {
      port.postMessage({ id, error: explain(path, error) } satisfies StoreReply);
    }
    if (method === 'close') port.close();
  });
  port.postMessage({ id: 0, result: 'ready' } satisfies StoreReply);
}
