import type { LookupError } from '../../model/lookup-error.ts';
import type { Breaker } from './pace/circuit-breaker.ts';
import { dismissHurried, type Job } from './jobs/job.ts';
import type { Outcome } from '../score/outcome.ts';
import type { PaceMemory } from './pace/learned-pace.ts';
import type { Pacer } from './pace/pacer.ts';
import type { ClientOptions } from './provider-client.ts';
import { delayAfter, type Refusal, type StandingRefusals } from './standing-refusals.ts';
import type { CallCounts } from './call-counts.ts';
import type { WaitingJobs } from './jobs/waiting-jobs.ts';

/** Of the words of a fault that nobody expected. */
const MAX_FAULT_CHARACTERS = 300;

/** How far a provider can be reached, as its calls have shown. */
export interface Reach {
  /** Until a first answer came, one call at a time: a wrong key or a dead host costs one call, not ten. */
  hasContact: boolean;
  /** How many indicators one call may carry; 0: one; `null`: the provider has to be asked. */
  bulkCap: number | null;
}

interface FaultParts {
  readonly pacer: Pacer;
  readonly pace: PaceMemory;
  readonly breaker: Breaker;
  readonly refusals: StandingRefusals;
  readonly callCounts: CallCounts;
  readonly jobs: WaitingJobs;
}

/** What may become of look-ups whose call failed. */
interface FaultActions {
  readonly reach: Reach;
  readonly enqueue: (job: Job) => void;
  readonly postpone: (batch: readonly Job[], untilMs: number, error: LookupError) => void;
  readonly failAll: (error: LookupError) => void;
  readonly failed: (error: LookupError) => Outcome;
  readonly obey: (refusal: Refusal) => void;
}

/** Decides what becomes of look-ups whose call failed, and of all others. */
export interface Faults {
  judge(batch: readonly Job[], error: LookupError): void;
}

export function createFaults(options: ClientOptions, parts: FaultParts, actions: FaultActions): Faults {
  const { pacer, pace, breaker, refusals, callCounts, jobs } = parts;
  const { reach, enqueue, postpone, failAll, failed, obey } = actions;
  const nowMs = () => options.clock.monotonicMs();

  /** One bad value makes the whole batch fail: ask each alone, and never again so many at once. */
  function invalid(batch: readonly Job[], error: LookupError): void {
    reach.hasContact = true;
    if (batch.length === 1) return batch.forEach((job) => jobs.settle(job, failed(error)));
    reach.bulkCap = Math.floor(batch.length / 2);
    for (const job of batch) {
      job.isAlone = batch.length <= 2;
      enqueue(job);
    }
    return undefined;
  }
  function down(batch: readonly Job[], error: LookupError): void {
    if (refusals.failed(nowMs())) open(batch, error);
    else retry(batch, error);
    if (error.code !== 'unavailable' || !error.retryAfterMs) return;
    // Out of order, and it knows for how long.
    const untilMs = nowMs() + error.retryAfterMs;
    refusals.stand(error, nowMs(), untilMs);
    obey({ error, untilMs });
  }
  /** The breaker has just opened, or its probe failed: the hurried are told, the others wait for the next probe once. */
  function open(batch: readonly Job[], error: LookupError): void {
    if (!reach.hasContact || breaker.probes > 1) return failAll(error);
    return postpone(batch, breaker.reopensAtMs, error);
  }
  function retry(batch: readonly Job[], error: LookupError): void {
    for (const job of batch) {
      const delayMs = delayAfter(++job.attempts, error, options.random);
      if (delayMs === null) jobs.settle(job, failed(error));
      else {
        callCounts.counts.retries++;
        job.notBeforeMs = nowMs() + delayMs;
        dismissHurried(job, job.notBeforeMs, error);
        enqueue(job);
      }
    }
  }
  return {
    judge(batch, error) {
      switch (error.code) {
        case 'rate_limited':
          pacer.limited(nowMs(), error.retryAfterMs);
          pace.keep();
          refusals.stand(error, nowMs(), pacer.blockedUntilMs);
          return postpone(batch, pacer.blockedUntilMs, error);
        case 'unauthorized':
        case 'quota_exhausted':
          refusals.stand(error, nowMs());
          reach.hasContact = false;
          return failAll(error);
        case 'invalid':
          return invalid(batch, error);
        default:
          return down(batch, error);
      }
    },
  };
}

/** Tells of throws that nobody expected, in one short line; not of the same twice in a row. */
export function createReport({ provider, onFault }: ClientOptions): (error: unknown) => void {
  let last = '';
  return (error) => {
    const words = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown fault';
    const line = words.split('\n', 1)[0]?.slice(0, MAX_FAULT_CHARACTERS) ?? '';
    const message = `${provider.id}: a fault of the program, please report it: ${line}`;
    if (message !== last) onFault?.(message);
    last = message;
  };
}
