import { setTimeout as delay } from 'node:timers/promises';

/** Time as runs see it: to be told, and to be waited for. */
export interface PipelineClock {
  /** Milliseconds since 1970 (UTC). */
  nowMs(): number;
  /** Rejects when `signal` aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemPipelineClock: PipelineClock = {
  nowMs: () => Date.now(),
  wait: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};

/** Seconds since 1970 (UTC), whole. */
export function nowS(clock: PipelineClock): number {
  return Math.floor(clock.nowMs() / 1000);
}
