import type { CallCounts } from './call-counts.ts';
import type { Breaker } from './pace/circuit-breaker.ts';
import type { PaceMemory } from './pace/learned-pace.ts';
import type { Pacer } from './pace/pacer.ts';
import type { Spending } from './spending.ts';
import type { UnreadableValues } from './unreadable-values.ts';
import type { WaitingJobs } from './jobs/waiting-jobs.ts';
import type { StandingRefusals } from './standing-refusals.ts';

/** What decides when a call goes out, and keeps what came of it. */
export interface DispatcherParts {
  readonly jobs: WaitingJobs;
  readonly pacer: Pacer;
  readonly pace: PaceMemory;
  readonly breaker: Breaker;
  readonly refusals: StandingRefusals;
  readonly spending: Spending;
  readonly callCounts: CallCounts;
  /** Values whose answers could not be read. */
  readonly unreadable: UnreadableValues;
}
