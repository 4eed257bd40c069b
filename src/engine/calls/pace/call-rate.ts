const SECOND_MS = 1000;
/** A pace is that of the latest calls, so many at most, and no longer ago than this. */
const LATEST_CALLS = 64;
const LATEST_MS = 1000;
/** Fewer say nothing of a pace: nobody asked for more. */
const LEAST_CALLS = 8;

/** The pace at which calls have really gone out: answers that are waited for may hold them back more than the pacer does. */
export function createCallRate() {
  const latestMs: number[] = [];
  return {
    sent(nowMs: number): void {
      latestMs.push(nowMs);
      while (latestMs.length > LATEST_CALLS || nowMs - (latestMs[0] ?? nowMs) > LATEST_MS) latestMs.shift();
    },
    /** Calls a second; `Infinity`: too few to say. */
    perS(nowMs: number): number {
      const [firstMs] = latestMs;
      // Stryker disable next-line EqualityOperator: calls of no time go out at any pace
      if (firstMs === undefined || latestMs.length < LEAST_CALLS || nowMs <= firstMs) return Infinity;
      return (latestMs.length / (nowMs - firstMs)) * SECOND_MS;
    },
  };
}

/** What goes through between two refusals: a bucket that was full and has been emptied, over the time in which it could refill. */
export function createThroughput(startMs: number) {
  let sinceMs = startMs;
  // Stryker disable next-line NumericLiteral: it counts from the first refusal on
  let sent = 0;
  let refillMs = 0;
  return {
    sent(nowMs: number): void {
      if (sent === 0) sinceMs = nowMs;
      sent++;
    },
    /** Calls a second, the one that is refused now left out; 0: there was no refusal before it. */
    perS(nowMs: number): number {
      // Stryker disable next-line EqualityOperator,NumericLiteral: it waits for a second at least
      return refillMs > 0 ? ((sent - 1) / (nowMs - sinceMs + refillMs)) * SECOND_MS : 0;
    },
    /** Nobody calls for so long: meanwhile it refills. */
    restart(blockMs: number): void {
      refillMs = blockMs;
      sent = 0;
    },
  };
}
