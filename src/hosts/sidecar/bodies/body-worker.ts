import { parentPort } from 'node:worker_threads';
import type { BodyResult, BodyTask } from './body-jobs.ts';
import { readBodyJob } from './read-body-job.ts';
import { readFileJob } from './read-file-job.ts';

/** `next`: the next part of the result; a task: a new body. */
export type ToBodyWorker = 'next' | BodyTask;

const port = parentPort;
if (port) {
  let parts: Generator<BodyResult> | null = null;
  const next = (): BodyResult => {
    try {
      return (parts?.next().value as BodyResult | undefined) ?? { kind: 'stopped' };
    } catch (error) {
      return { kind: 'thrown', error: error instanceof Error ? error : new Error(String(error)) };
    }
  };
  const send = (result: BodyResult) => port.postMessage(result, result.kind === 'extracted' ? [result.json.buffer] : []);
  port.on('message', (message: ToBodyWorker) => {
    if (message !== 'next' && message.job.kind === 'file') return void readFileJob(message, message.job).then(send);
    if (message !== 'next') parts = readBodyJob(message);
    const result = next();
    // What was parsed is not kept until the next body comes.
    if (result.kind !== 'alerts' || result.isLast) parts = null;
    return send(result);
  });
}
