import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { StoreError } from './database.ts';
import { DEFAULT_HALF_LIVES, type HalfLives } from './decay.ts';
import type { StoreCore } from './store.ts';
import type { StoreCall, StoreReply, StoreWorkerData } from './store-worker.ts';

/** The store from another thread: the same methods, each with a promise. Calls are done in the order they were made. */
export type Store = {
  readonly [Method in keyof StoreCore]: (...args: Parameters<StoreCore[Method]>) => Promise<ReturnType<StoreCore[Method]>>;
};

const METHODS = {
  observe: true,
  get: true,
  due: true,
  countDue: true,
  page: true,
  purge: true,
  observeNetworks: true,
  unknownNetworks: true,
  purgeNetworks: true,
  record: true,
  unrouted: true,
  judgedAfter: true,
  enriched: true,
  history: true,
  markOverrides: true,
  oldFeedback: true,
  forgetOldFeedback: true,
  route: true,
  next: true,
  begin: true,
  nextAtMs: true,
  settle: true,
  counts: true,
  outputs: true,
  quarantined: true,
  replay: true,
  prune: true,
  dueOutputs: true,
  outputQueues: true,
  outputPause: true,
  pauseOutput: true,
  noteOutputFault: true,
  clearOutputPause: true,
  ticket: true,
  saveTickets: true,
  openTickets: true,
  forgetTickets: true,
  cursor: true,
  saveCursor: true,
  quarantineItems: true,
  quarantinedItems: true,
  countQuarantinedItems: true,
  takeLease: true,
  leaseHolder: true,
  releaseLease: true,
  saveRun: true,
  runs: true,
  watch: true,
  unwatch: true,
  watched: true,
  unreadableWatches: true,
  countWatched: true,
  dueWatches: true,
  saveChecks: true,
  watchVersion: true,
  sharedWatches: true,
  takeWatches: true,
  recordSightings: true,
  whoSaw: true,
  countSightings: true,
  forgetSightings: true,
  stats: true,
  check: true,
  compact: true,
  close: true,
} satisfies Record<keyof StoreCore, true>;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Opens the store in a thread of its own, so that no transaction ever holds up the event loop. */
export async function openStore(path: string, options: { halfLives?: HalfLives; workerFile?: URL } = {}): Promise<Store> {
  const data: StoreWorkerData = { path, halfLives: options.halfLives ?? DEFAULT_HALF_LIVES };
  const worker = new Worker(options.workerFile ?? workerFile(), { workerData: data });
  const waiting = new Map<number, Waiting>();
  const ready = new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }));
  const failAll = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (reply: StoreReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) call?.reject(new StoreError(reply.error));
    else call?.resolve(reply.result);
  });
  worker.on('error', (error) => failAll(error instanceof Error ? error : new StoreError(String(error))));
  worker.on('exit', () => failAll(new StoreError('the store is closed')));
  await ready;
  // Waiting calls keep the process alive, the idle thread does not.
  worker.unref();
  let lastId = 0;
  const call = (method: keyof StoreCore, args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      lastId += 1;
      if (waiting.size === 0) worker.ref();
      const settle = (done: (value: never) => void) => (value: unknown) => {
        if (waiting.size === 0) worker.unref();
        done(value as never);
      };
      waiting.set(lastId, { resolve: settle(resolve), reject: settle(reject) });
      worker.postMessage({ id: lastId, method, args } satisfies StoreCall, []);
    });
  const methods = Object.keys(METHODS) as (keyof StoreCore)[];
  return Object.fromEntries(methods.map((method) => [method, (...args: unknown[]) => call(method, args)])) as unknown as Store;
}

/** The worker's file: beside this one in the sources; once built, beside the program, which is one folder up from its parts. */
function workerFile(): URL {
  const candidates = ['./store-worker.ts', './store-worker.js', '../store-worker.js'].map((path) => new URL(path, import.meta.url));
  const found = candidates.find((url) => existsSync(fileURLToPath(url)));
  if (!found) throw new StoreError('store-worker.js is missing beside the program: install it again');
  return found;
}
