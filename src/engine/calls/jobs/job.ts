// src/engine/calls/jobs/: the look-ups that wait for one provider: one look-up, their order, and those who wait for them.

import type { Indicator } from '../../../model/indicator.ts';
import type { LookupError } from '../../../model/lookup-error.ts';
import type { Outcome } from '../../score/outcome.ts';

/** Somebody who waits for a look-up. */
export interface Waiter {
  readonly resolve: (outcome: Outcome) => void;
  /** Monotonic milliseconds; `Infinity`: has all the time. */
  readonly deadlineMs: number;
  readonly isFirst: boolean;
}

/** One indicator that one provider is being asked about, on behalf of everybody who wants to know. */
export interface Job {
  readonly indicator: Indicator;
  readonly waiters: Waiter[];
  /** Callers who have not gone away. A job without any is dropped. */
  interest: number;
  attempts: number;
  /** Monotonic milliseconds. */
  notBeforeMs: number;
  /** An answer that another process got counts when it was checked at this time or later; seconds since 1970 (UTC). */
  sinceS: number;
  /** The bulk form left it out, or choked on its batch. */
  isAlone: boolean;
  isSettled: boolean;
  /** The call it is part of, while it is in flight, and the other jobs of that call. */
  controller: AbortController | null;
  batch: readonly Job[] | null;
  /** Gives the caller's budget back what was set aside for this look-up; `null`: nothing was, or a call has been paid with it. */
  refund: (() => void) | null;
}

export function createJob(indicator: Indicator): Job {
  return {
    indicator,
    waiters: [],
    interest: 0,
    attempts: 0,
    notBeforeMs: 0,
    sinceS: -Infinity,
    isAlone: false,
    isSettled: false,
    controller: null,
    batch: null,
    refund: null,
  };
}

/** Cuts the call short that it is part of. */
export function cancelCall(job: Job): void {
  job.controller?.abort();
  job.controller = null;
}

/** Tells everybody who waits. The first one caused the call, the others shared it. A look-up that no call was made for costs nothing. */
export function settleJob(job: Job, outcome: Outcome): void {
  job.isSettled = true;
  job.refund?.();
  job.refund = null;
  const shared: Outcome = outcome.kind === 'answered' && outcome.source === 'live' ? { ...outcome, source: 'coalesced' } : outcome;
  for (const waiter of job.waiters.splice(0)) waiter.resolve(waiter.isFirst ? outcome : shared);
}

/** Tells those who cannot wait until `untilMs`; the job itself goes on for the cache's sake. */
export function dismissHurried(job: Job, untilMs: number, error: LookupError): void {
  const patient = job.waiters.filter((waiter) => waiter.deadlineMs >= untilMs);
  for (const waiter of job.waiters.splice(0)) {
    if (waiter.deadlineMs < untilMs) waiter.resolve({ kind: 'failed', provider: error.provider, error });
  }
  job.waiters.push(...patient);
}
