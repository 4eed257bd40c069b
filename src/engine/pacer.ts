const SECOND_MS = 1000;
/** In flight at once, spread over this time: calls never leave in bunches, so a refusal is seen before the next call is sent. */
const SPREAD_MS = 20;
/** The first second of a new pacer is half as fast: nothing is known of the limit yet. */
const CAUTIOUS_MS = 1000;
/** Used when a provider says 429 and not for how long (the published workflow waits as long). */
const DEFAULT_BLOCK_MS = 60_000;
/** A learned pace below what was measured, so that the next refusal does not come. */
const HEADROOM = 0.95;
/** Without a refusal the pace grows by a tenth after so long. */
const GROW_AFTER_MS = 10_000;

/** Spaces the calls to one provider and learns its limit from its refusals. Times are milliseconds of one clock. */
export interface Pacer {
  /** Milliseconds until the next call may be sent; 0: now. */
  waitMs(nowMs: number): number;
  /** Until when the provider told us to stay away; 0: it did not. */
  readonly blockedUntilMs: number;
  sent(nowMs: number): void;
  /** The provider refused: nobody calls before `retryAfterMs` has passed (60 s when it did not say). */
  limited(nowMs: number, retryAfterMs: number | null): void;
  /** Nobody calls before that time, as an answer's headers or another process said. */
  blockUntil(untilMs: number): void;
}

/**
 * A provider's limit is seldom known: documented ones differ by plan. So calls go out evenly, a refusal stops all of them for as
 * long as it says, and the pace afterwards is what went through between two refusals (a token bucket's refill rate).
 */
export function createPacer(concurrency: number, startMs: number): Pacer {
  const fastGapMs = SPREAD_MS / concurrency;
  let learnedPerS: number | null = null;
  let learnedAtMs = startMs;
  let nextMs = 0;
  let blockedUntilMs = 0;
  let refusals = 0;
  let sinceMs = startMs;
  let sentSince = 0;
  let refillMs = 0;

  function gapMs(nowMs: number): number {
    const fast = nowMs - startMs < CAUTIOUS_MS ? fastGapMs * 2 : fastGapMs;
    if (learnedPerS === null) return fast;
    const growth = Math.floor((nowMs - learnedAtMs) / GROW_AFTER_MS);
    return Math.max(fast, SECOND_MS / (learnedPerS * 1.1 ** Math.max(0, growth)));
  }

  return {
    get blockedUntilMs() {
      return blockedUntilMs;
    },
    waitMs: (nowMs) => Math.max(0, Math.max(nextMs, blockedUntilMs) - nowMs),
    sent(nowMs) {
      if (sentSince === 0) sinceMs = nowMs;
      sentSince++;
      const gap = gapMs(nowMs);
      // Timers come late: one gap may be caught up.
      nextMs = Math.max(nowMs - gap, nextMs) + gap;
    },
    limited(nowMs, retryAfterMs) {
      // Calls that were on their way when the first refusal came: the same refusal.
      if (nowMs < blockedUntilMs) return;
      const blockMs = retryAfterMs ?? DEFAULT_BLOCK_MS;
      const seconds = (nowMs - sinceMs + refillMs) / SECOND_MS;
      // The first time the bucket was full at the start, so what went through says little: half of it is a careful guess.
      if (seconds > 0 && sentSince > 1) learnedPerS = Math.max(0.01, ((sentSince - 1) / seconds) * (refusals === 0 ? 0.5 : HEADROOM));
      learnedAtMs = nowMs;
      refusals++;
      refillMs = blockMs;
      sentSince = 0;
      blockedUntilMs = nowMs + blockMs;
    },
    blockUntil(untilMs) {
      blockedUntilMs = Math.max(blockedUntilMs, untilMs);
    },
  };
}
