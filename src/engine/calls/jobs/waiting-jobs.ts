import type { Indicator } from '../../../model/indicator.ts';
import type { LookupError } from '../../../model/lookup-error.ts';
import { createJob, dismissHurried, type Job, settleJob } from './job.ts';
import { createJobQueue, type JobQueue } from './job-queue.ts';
import type { Outcome } from '../../score/outcome.ts';

/** The look-ups of one provider that are not answered yet, one for each value, and the order in which they are asked. */
export interface WaitingJobs {
  readonly size: number;
  readonly queue: JobQueue;
  get(value: string): Job | undefined;
  open(indicator: Indicator): Job;
  /** Tells everybody who waits for this look-up, and forgets it. */
  settle(job: Job, outcome: Outcome): void;
  /** Ends what waits, whatever `onSettled` throws, which is thrown at the end; what is in flight has been paid for and gets its own answer. */
  settleIdle(outcome: () => Outcome): void;
  /** Tells those who cannot wait until `untilMs`. */
  dismiss(untilMs: number, error: LookupError): void;
  all(): Iterable<Job>;
}

/** `onSettled`: told of every look-up that has ended. */
export function createWaitingJobs(onSettled: (job: Job) => void): WaitingJobs {
  const jobs = new Map<string, Job>();
  const queue = createJobQueue();
  function settle(job: Job, outcome: Outcome): void {
    const { value } = job.indicator;
    // Somebody may have asked anew since this one was given up.
    if (jobs.get(value) === job) jobs.delete(value);
    try {
      onSettled(job);
    } finally {
      settleJob(job, outcome);
    }
  }
  return {
    get size() {
      return jobs.size;
    },
    queue,
    get: (value) => jobs.get(value),
    open(indicator) {
      const job = createJob(indicator);
      jobs.set(indicator.value, job);
      return job;
    },
    settle,
    settleIdle(outcome) {
      queue.clear();
      const faults: unknown[] = [];
      for (const job of jobs.values()) {
        if (job.controller) continue;
        try {
          settle(job, outcome());
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length > 0) throw faults[0];
    },
    dismiss(untilMs, error) {
      for (const job of jobs.values()) if (!job.controller) dismissHurried(job, untilMs, error);
    },
    all: () => jobs.values(),
  };
}
