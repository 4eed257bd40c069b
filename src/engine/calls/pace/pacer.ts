// src/engine/calls/pace/: how fast one provider is asked, and when not at all.
import { type Allowance, createAllowance } from './allowance.ts';
import { createAnswerTimes } from './answer-times.ts';
import { createCallRate, createThroughput } from './call-rate.ts';

const SECOND_MS = 1000;
/** The first second of a new pacer is half as fast: nothing is known of the limit yet. */
const CAUTIOUS_MS = 1000;
/** Used when a provider says 429 and not for how long (the published workflow waits as long). */
const DEFAULT_BLOCK_MS = 60_000;
/**
 * Who refuses and says that no wait is needed (`0`, a date that has passed) is left alone for so long, and twice as long each time that it
 * refuses again without an answer in between, up to the longest.
 */
const SHORTEST_BLOCK_MS = 1000;
const LONGEST_SHORT_BLOCK_MS = 60_000;
/** A learned pace below what was measured, so that the next refusal does not come. */
const HEADROOM = 0.95;
/** A refused pace is at least halved away from, and comes back by a tenth a second up to nine tenths of what was refused. */
const BACK_OFF = 0.5;
const GROWTH = 1.1;
const CEILING_SHARE = 0.9;
/** The refused pace is forgotten slowly: a tenth more every ten seconds without a refusal. */
const CEILING_GROWS_MS = 10_000;

/** What refusals taught: the pace that went through, and the one that was refused, in calls a second. */
export interface LearnedPace {
  readonly perS: number;
  readonly refusedPerS: number;
}

/** Spaces the calls to one provider and learns its limit from its refusals. Times are milliseconds of one clock. */
export interface Pacer {
  /** Milliseconds until the next call may be sent; 0: now. */
  waitMs(nowMs: number): number;
  /** How many may be out at once, and how many the provider's own words allow. */
  readonly allowance: Allowance;
  /** Until when the provider told us to stay away; 0: it did not. */
  readonly blockedUntilMs: number;
  sent(nowMs: number): void;
  /** An answer came, this long after its call was sent. */
  answered(latencyMs: number): void;
  /** The provider refused: nobody calls before `retryAfterMs` has passed (60 s when it did not say). */
  limited(nowMs: number, retryAfterMs: number | null): void;
  /** What refusals have taught; `null`: there were none. */
  readonly learned: LearnedPace | null;
  /** Begins at a pace that was learned before, or by another process, and grows from there as after a refusal of its own. */
  recall(learned: LearnedPace, nowMs: number): void;
  /** Nobody calls before that time, as an answer's headers or another process said. */
  blockUntil(untilMs: number): void;
}

/**
 * A provider's limit is seldom known: documented ones differ by plan. So few calls go out at first, then more, and never in bunches, so that a
 * refusal is seen before the next one is sent; what an answer says of the limit is kept to; a refusal stops all of them for as long as it says, and the pace afterwards is what went through between two refusals (a token bucket's refill rate).
 */
export function createPacer(concurrency: number, startMs: number): Pacer {
  const allowance = createAllowance(concurrency);
  const rate = createCallRate();
  const times = createAnswerTimes();
  let learnedPerS: number | null = null;
  let refusedPerS = Infinity;
  let nextMs = 0;
  let blockedUntilMs = 0;
  const through = createThroughput(startMs);
  let refusals = 0;
  let recalledMs = 0;

  function gapMs(nowMs: number): number {
    const fast = (times.spreadMs / concurrency) * (nowMs - startMs < CAUTIOUS_MS ? 2 : 1);
    if (learnedPerS === null) return allowance.isOpen ? fast : Math.max(fast, times.firstSpreadMs / allowance.atOnce);
    return Math.max(fast, learnedGapMs({ perS: learnedPerS, refusedPerS }, Math.max(0, nowMs - Math.max(blockedUntilMs, recalledMs))));
  }

  return {
    get blockedUntilMs() {
      return blockedUntilMs;
    },
    get learned() {
      return learnedPerS === null ? null : { perS: learnedPerS, refusedPerS };
    },
    allowance,
    recall(learned, nowMs) {
      allowance.open();
      ({ perS: learnedPerS, refusedPerS } = learned);
      recalledMs = nowMs;
    },
    waitMs: (nowMs) => Math.max(allowance.waitMs(nowMs), Math.max(nextMs, blockedUntilMs) - nowMs),
    sent(nowMs) {
      allowance.sent(nowMs);
      rate.sent(nowMs);
      through.sent(nowMs);
      const gap = gapMs(nowMs);
      // Timers come late: one gap may be caught up, but not where two calls at once could run into a refusal.
      const slack = learnedPerS === null && nowMs - startMs >= CAUTIOUS_MS ? gap : 0;
      nextMs = Math.max(nowMs - slack, nextMs) + gap;
    },
    answered(latencyMs) {
      refusals = 0;
      allowance.answered();
      times.answered(latencyMs);
    },
    limited(nowMs, retryAfterMs) {
      // Calls that were on their way when the first refusal came: the same refusal, but the longest wait counts.
      if (nowMs < blockedUntilMs) {
        return void (blockedUntilMs = Math.max(blockedUntilMs, nowMs + (retryAfterMs ?? 0)));
      }
      const blockMs = blockMsAfter(retryAfterMs, refusals);
      refusals++;
      refusedPerS = Math.min(SECOND_MS / gapMs(nowMs), rate.perS(nowMs));
      learnedPerS = Math.max(through.perS(nowMs) * HEADROOM, refusedPerS * BACK_OFF);
      through.restart(blockMs);
      blockedUntilMs = nowMs + blockMs;
    },
    blockUntil(untilMs) {
      blockedUntilMs = Math.max(blockedUntilMs, untilMs);
    },
  };
}

/** The gap at a learned pace, so long after the last refusal. */
function learnedGapMs({ perS, refusedPerS }: LearnedPace, freeMs: number): number {
  const ceiling = refusedPerS * CEILING_SHARE * GROWTH ** (freeMs / CEILING_GROWS_MS);
  return SECOND_MS / Math.min(ceiling, perS * GROWTH ** (freeMs / SECOND_MS));
}

/** For how long a provider is left alone that has refused so often in a row before. */
function blockMsAfter(retryAfterMs: number | null, refusals: number): number {
  const saidMs = retryAfterMs ?? DEFAULT_BLOCK_MS;
  return saidMs >= SHORTEST_BLOCK_MS ? saidMs : Math.min(LONGEST_SHORT_BLOCK_MS, SHORTEST_BLOCK_MS * 2 ** refusals);
}
