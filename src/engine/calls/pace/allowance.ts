/** What a provider's answer says of its own limit. Times are milliseconds of the pacer's clock. */
export interface ToldLimit {
  /** Calls that it still takes, as it counted when it answered. */
  readonly left: number;
  /** Calls that it takes in each window; `null`: it does not say. */
  readonly perWindow: number | null;
  /** When its window ends and it counts anew. */
  readonly endsMs: number;
}

/** How many calls may be out at once while a provider's limit is not known, and how many its own words still allow. */
export interface Allowance {
  readonly atOnce: number;
  /** Whether as many may be out as may be at all. */
  readonly isOpen: boolean;
  /** An answer came: it takes that much. */
  answered(): void;
  /** As many as may be at all: the limit is known, or this much was tried before. */
  open(): void;
  sent(nowMs: number): void;
  /** What an answer said, with so many other calls on the way: each of them may count against what is left. */
  told(limit: ToldLimit, onTheWay: number): void;
  /** Milliseconds until the provider takes another call, as far as it has said; 0: now. */
  waitMs(nowMs: number): number;
}

/**
 * Begins with one call at a time. Each answer lets one more out, up to half of `concurrency`; from there one more for as many answers as
 * calls are out: so a provider's limit is come up to, not jumped over, and whoever refuses refuses few.
 */
export function createAllowance(concurrency: number): Allowance {
  let atOnce = 1;
  let left = Infinity;
  let perWindow: number | null = null;
  // Stryker disable next-line NumericLiteral: nothing is left to count before the first answer
  let endsMs = 0;
  /** A window that has ended says nothing of the next but how many it takes. */
  function settle(nowMs: number): void {
    // Stryker disable next-line EqualityOperator: at the moment of its end nothing is waited for either way
    if (nowMs < endsMs || left === Infinity) return;
    left = perWindow ?? Infinity;
    endsMs = Infinity;
  }
  return {
    get atOnce() {
      return Math.floor(atOnce);
    },
    get isOpen() {
      return atOnce >= concurrency;
    },
    answered() {
      atOnce = Math.min(concurrency, atOnce + (atOnce < concurrency / 2 ? 1 : 1 / Math.floor(atOnce)));
    },
    open() {
      atOnce = concurrency;
    },
    sent(nowMs) {
      settle(nowMs);
      left--;
    },
    told(limit, onTheWay) {
      left = Math.max(0, limit.left - onTheWay);
      ({ perWindow, endsMs } = limit);
    },
    waitMs(nowMs) {
      settle(nowMs);
      return left > 0 || endsMs === Infinity ? 0 : endsMs - nowMs;
    },
  };
}
