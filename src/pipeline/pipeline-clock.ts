import { setTimeout as delay } from 'node:timers/promises';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Time as runs see it: to be told, and to be waited for. */
export interface PipelineClock {
  /** Milliseconds since 1970 (UTC). */
  nowMs(): number;
  /** Rejects when `signal` aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemPipelineClock: PipelineClock = {
  nowMs: () => Date.now(),
  async wait(ms, signal) {
    // A longer timer goes off at once: a monthly schedule waits in stages.
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS)
      await delay(Math.min(left, LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
  },
};

/** Seconds since 1970 (UTC), whole. */
export function nowS(clock: PipelineClock): number {
  return Math.floor(clock.nowMs() / 1000);
}
