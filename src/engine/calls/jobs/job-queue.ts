import type { Job } from './job.ts';

const COMPACT_AT = 1024;

/** Jobs waiting for their turn, first come first served; delayed ones come back when they are due. */
export interface JobQueue {
  readonly size: number;
  push(job: Job): void;
  /** Takes up to `cap` jobs for one call; a job that has to be asked alone comes alone. */
  take(cap: number, nowMs: number): Job[];
  /** When the next delayed job is due; `null`: something is ready now, or nothing waits. */
  nextDueMs(nowMs: number): number | null;
  clear(): void;
}

export function createJobQueue(): JobQueue {
  let ready: Job[] = [];
  let head = 0;
  let delayed: Job[] = [];

  function wake(nowMs: number): void {
    if (delayed.length === 0) return;
    const due = delayed.filter((job) => job.notBeforeMs <= nowMs);
    if (due.length === 0) return;
    delayed = delayed.filter((job) => job.notBeforeMs > nowMs);
    // Older than what is ready: they go first.
    ready = [...due, ...ready.slice(head)];
    head = 0;
  }

  return {
    get size() {
      return ready.length - head + delayed.length;
    },
    push(job) {
      if (job.notBeforeMs > 0) delayed.push(job);
      else ready.push(job);
    },
    take(cap, nowMs) {
      wake(nowMs);
      const batch: Job[] = [];
      while (head < ready.length && batch.length < cap) {
        const job = ready[head] as Job;
        if (job.isAlone && batch.length > 0) break;
        head++;
        batch.push(job);
        if (job.isAlone) break;
      }
      if (head > COMPACT_AT && head * 2 > ready.length) {
        ready = ready.slice(head);
        head = 0;
      }
      return batch;
    },
    nextDueMs(nowMs) {
      if (head < ready.length || delayed.length === 0) return null;
      const next = delayed.reduce((soonest, job) => Math.min(soonest, job.notBeforeMs), Infinity);
      return next <= nowMs ? null : next;
    },
    clear() {
      ready = [];
      delayed = [];
      head = 0;
    },
  };
}
