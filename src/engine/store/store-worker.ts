import { parentPort, workerData } from 'node:worker_threads';
import type { HalfLives } from './decay.ts';
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

const port = parentPort;
if (port) {
  const { path, halfLives } = workerData as StoreWorkerData;
  const store = openStoreCore(path, { halfLives });
  port.on('message', ({ id, method, args }: StoreCall) => {
    try {
      const result: unknown = Reflect.apply(store[method], store, args);
      port.postMessage({ id, result } satisfies StoreReply);
    } catch (error) {
      port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies StoreReply);
    }
    if (method === 'close') port.close();
  });
  port.postMessage({ id: 0, result: 'ready' } satisfies StoreReply);
}
