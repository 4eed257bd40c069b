import { LookupError, type LookupErrorCode } from '../../model/lookup-error.ts';
import type { Breaker } from './pace/circuit-breaker.ts';
import type { Pacer } from './pace/pacer.ts';
import type { ClientOptions, Wanted } from './provider-client.ts';
import { LONGEST_WAIT_MS, type StandingRefusals } from './standing-refusals.ts';

/** Look-ups waiting for one provider; more are refused at once. */
const MAX_JOBS = 200_000;

/** Who has less than this left when a dead provider is tried again is told at once: the try may take as long. Milliseconds. */
const PATIENCE_MS = 10_000;

/** Decides at the door whether asking makes sense: a caller is told at once what waiting would not change. */
export interface EarlyRefusals {
  /** What makes asking pointless for a caller, with `inFlight` calls out; `null`: nothing. */
  refuse(wanted: Pick<Wanted, 'deadlineMs'>, inFlight: number): LookupError | null;
  /** Why a new look-up may not join `waiting` others; takes its credits from the caller's budget. */
  denyNew(wanted: Wanted, waiting: number): LookupError | null;
  /** Why look-ups wait right now; `null`: they do not. */
  delay(): LookupError | null;
}

export function createEarlyRefusals(
  { provider, clock, shared, refuseToSend }: ClientOptions,
  { pacer, breaker, refusals }: { readonly pacer: Pacer; readonly breaker: Breaker; readonly refusals: StandingRefusals },
): EarlyRefusals {
  const error = (code: LookupErrorCode, message: string, retryAfterMs: number | null = null) =>
    new LookupError(code, provider.id, message, { retryAfterMs });
  function delay(): LookupError | null {
    const waitMs = pacer.blockedUntilMs - clock.monotonicMs();
    const away = waitMs <= 0 ? (shared?.whileAway() ?? null) : null;
    if (away?.does === 'hold') return error('unavailable', away.reason, away.againMs);
    if (waitMs <= 0) return null;
    const isDown = refusals.standing(clock.monotonicMs())?.error.code === 'unavailable';
    return error(isDown ? 'unavailable' : 'rate_limited', `asks us to wait ${Math.ceil(waitMs / 1000)} s more`, waitMs);
  }
  /** Whether the caller can learn if the provider is back. Who waits, waits for one try only: after it, the provider is down for all. */
  function mayBeBack(nowMs: number, deadlineMs: number, inFlight: number): boolean {
    const state = breaker.state(nowMs);
    if (state === 'closed') return true;
    if (state === 'probe') return inFlight === 0 || breaker.probes <= 1;
    return breaker.probes <= 1 && breaker.reopensAtMs + PATIENCE_MS <= deadlineMs;
  }
  return {
    delay,
    refuse({ deadlineMs }, inFlight) {
      const barred = refuseToSend?.() ?? null;
      if (barred !== null) return error('unavailable', barred);
      const nowMs = clock.monotonicMs();
      const standing = refusals.standing(nowMs)?.error;
      if (standing?.code === 'unauthorized' || standing?.code === 'quota_exhausted') return standing;
      const untilMs = pacer.blockedUntilMs;
      if (untilMs > nowMs && (untilMs > deadlineMs || untilMs - nowMs > LONGEST_WAIT_MS)) return delay();
      return mayBeBack(nowMs, deadlineMs, inFlight)
        ? null
        : error('unavailable', 'failed 5 times in a row and is left alone for some seconds', Math.max(0, breaker.reopensAtMs - nowMs));
    },
    denyNew(wanted, waiting) {
      if (waiting >= MAX_JOBS) return error('unavailable', `${MAX_JOBS} look-ups are waiting already`);
      const { cost } = provider;
      if (!wanted.budget || cost === 0) return null;
      if (wanted.budget.remaining < cost) return error('over_budget', 'the budget of this run is used up');
      wanted.budget.remaining -= cost;
      return null;
    },
  };
}
