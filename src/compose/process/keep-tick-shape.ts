import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps one of the objects that `process.nextTick` works with for as long as the process lives; resolves with it. Node builds each from computed
 * keys, so that nothing but a living one keeps their shape: once the collector has found none, `nextTick` takes four times as long for good, and
 * a call over HTTP has some seven of them.
 */
export function keepTickShape(): Promise<object> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      const tick = executionAsyncResource();
      kept.push(tick);
      resolve(tick);
    });
  });
}
