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

/** Clocks differ by so much. What was written down later than this from now was written by a clock that was wrong, or ours is. Seconds. */
export const CLOCK_SKEW_S = 300;

/** Whether what was written down at `atS` is not older than `maxAgeS`; not either when it comes from the future. */
export function isYounger(atS: number, nowS: number, maxAgeS: number): boolean {
  return nowS - atS < maxAgeS && atS <= nowS + CLOCK_SKEW_S;
}

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
