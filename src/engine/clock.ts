/** Time, as an argument. */
export interface Clock {
  /** Milliseconds that only ever grow: for waiting and pacing, whatever happens to the wall clock. */
  monotonicMs(): number;
  /** Milliseconds since 1970 (UTC): for what is written down. */
  epochMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
};

/** The same for programs that are over at once: the first use of `performance` costs Node three milliseconds, that of `uptime` none. */
export const shortClock: Clock = {
  monotonicMs: () => process.uptime() * 1000,
  epochMs: () => Date.now(),
};

/** Seconds since 1970 (UTC), whole. */
export function epochS(clock: Clock): number {
  return Math.floor(clock.epochMs() / 1000);
}

/** `2026-11`: the month (UTC) budgets are counted by. */
export function monthOf(clock: Clock): string {
  return dayOf(clock).slice(0, 7);
}

/** `2026-11-21`: the day (UTC) budgets are counted by. */
export function dayOf(clock: Clock): string {
  return new Date(clock.epochMs()).toISOString().slice(0, 10);
}
