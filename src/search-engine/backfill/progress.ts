import type { PageOutcome } from './enrich-page.ts';
import type { Page } from './pages.ts';
import type { BackfillState, StateKeeper, BackfillCounts } from './state-file.ts';

/** Refused documents that are named; all are counted. */
const SHOWN_REFUSALS = 100;

const NO_SOURCE = 'the index keeps no _source; index its events again with _source enabled';

/** The id of a refusal that is about all documents of an index. */
export const WHOLE_INDEX = '';

/** What a run has done, and what it may still spend. */
export interface Progress {
  /** Counted down by the engine as look-ups are paid. */
  readonly budget: { remaining: number };
  /** Documents read so far. */
  scanned(): number;
  /** Where reading begins: everything newer is done. */
  reachedMs(): number | null;
  /** Whether a look-up was refused since nothing is left to spend. */
  isSpent(): boolean;
  /** Begins to read anew from `reachedMs`. */
  restart(): void;
  /** Counts the documents of a whole index that cannot be read. */
  refuse(index: string, documents: number): void;
  /** Counts a page of one part, and keeps the state. */
  add(part: number, page: Page, outcome: PageOutcome): void;
}

/** What a progress is kept of. */
export interface ProgressOptions {
  readonly state: BackfillState;
  readonly keeper: StateKeeper;
  readonly parts: number;
  /** `null`: no limit. */
  readonly budget: number | null;
  readonly onProgress: (tally: BackfillCounts) => void;
}

/** Counts into `state`, which it owns. */
export function createProgress({ state, keeper, parts, budget: allowed, onProgress }: ProgressOptions): Progress {
  const paidBefore = state.tally.paid;
  const left = allowed === null ? Number.MAX_SAFE_INTEGER : Math.max(0, allowed - paidBefore);
  const budget = { remaining: left };
  const reached = new Map<number, number>();
  let wasShort = false;

  function count({ tally, refusals, wasShort: isShort }: PageOutcome): void {
    for (const name of Object.keys(tally) as (keyof BackfillCounts)[]) state.tally[name] += tally[name];
    // What the budget left undone will be read again.
    if (isShort) {
      state.tally.scanned -= tally.later;
      state.tally.later -= tally.later;
    }
    // The difference first: without a budget `left` is the largest whole number there is.
    state.tally.paid = paidBefore + (left - budget.remaining);
    state.refusals.push(...refusals.slice(0, SHOWN_REFUSALS - state.refusals.length));
  }

  return {
    budget,
    scanned: () => state.tally.scanned,
    reachedMs: () => state.reachedMs,
    isSpent: () => wasShort && budget.remaining <= 0,
    restart: () => reached.clear(),
    refuse(index, documents) {
      state.tally.scanned += documents;
      state.tally.refused += documents;
      // Named whatever else was refused: nobody would find it by its documents.
      state.refusals.unshift({
        index,
        id: WHOLE_INDEX,
        reason: `${documents} documents that can be neither read nor updated: ${NO_SOURCE}`,
      });
      state.refusals.length = Math.min(state.refusals.length, SHOWN_REFUSALS);
      keeper.save(state);
      onProgress(state.tally);
    },
    add(part, page, outcome) {
      wasShort ||= outcome.wasShort;
      count(outcome);
      if (!outcome.wasShort) {
        reached.set(part, page.isLast ? 0 : page.timeMs);
        // Only what the slowest part has passed is done.
        if (reached.size === parts) state.reachedMs = Math.max(...reached.values());
      }
      keeper.save(state);
      onProgress(state.tally);
    },
  };
}
