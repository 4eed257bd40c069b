import type { LookupError } from '../../model/lookup-error.ts';
import type { Reach } from './call-faults.ts';
import type { Breaker } from './pace/circuit-breaker.ts';
import type { JobQueue } from './jobs/job-queue.ts';
import type { Pacer } from './pace/pacer.ts';
import { isWait, type StandingRefusals } from './standing-refusals.ts';

/** What is looked at before a call goes out. */
export interface CallState {
  readonly queue: JobQueue;
  readonly refusals: StandingRefusals;
  readonly breaker: Breaker;
  readonly pacer: Pacer;
  readonly reach: Reach;
  /** Calls that may be out at once. */
  readonly concurrency: number;
}

/** What happens next with the look-ups that wait. `none`: an answer that is on its way decides. */
export type NextStep =
  | { readonly does: 'fail-all'; readonly error: LookupError }
  | { readonly does: 'wait'; readonly waitMs: number }
  | { readonly does: 'none' }
  | { readonly does: 'call'; readonly isProbe: boolean };

const NONE: NextStep = { does: 'none' };
const CALL: NextStep = { does: 'call', isProbe: false };
const PROBE: NextStep = { does: 'call', isProbe: true };

/**
 * The next step, with `inFlight` calls out. The first line that holds decides:
 *
 * | what holds | what happens |
 * |---|---|
 * | the provider refuses our key or our plan | all look-ups fail |
 * | the breaker is open | wait until it lets one call try |
 * | as many calls are out as may be: one until a first answer came and while the breaker tries, else `concurrency`, or fewer while the provider's limit is not known | nothing |
 * | the pace, or the provider, wants a pause | wait for its end |
 * | no look-up is due yet (each waits before it is tried again) | wait for the first |
 * | none of these | a call goes out |
 */
export function nextStep({ queue, refusals, breaker, pacer, reach, concurrency }: CallState, inFlight: number, nowMs: number): NextStep {
  const standing = refusals.standing(nowMs);
  if (standing && !isWait(standing.error.code)) return { does: 'fail-all', error: standing.error };
  const state = breaker.state(nowMs);
  if (state === 'open') return { does: 'wait', waitMs: breaker.reopensAtMs - nowMs };
  if (inFlight >= (reach.hasContact && state === 'closed' ? Math.min(concurrency, pacer.allowance.atOnce) : 1)) return NONE;
  const waitMs = pacer.waitMs(nowMs);
  if (waitMs > 0) return { does: 'wait', waitMs };
  const dueMs = queue.nextDueMs(nowMs);
  if (dueMs !== null) return { does: 'wait', waitMs: dueMs - nowMs };
  return state === 'probe' ? PROBE : CALL;
}
