// src/engine/feedback/: what analysts decided, and the figures of the week.
import type { Indicator, IndicatorType } from '../../model/indicator.ts';
import type { Verdict, VerdictWord } from '../../model/verdict.ts';

/** What an analyst may decide. */
export const OVERRIDE_VERDICTS = ['malicious', 'suspicious', 'clean'] as const satisfies readonly VerdictWord[];

export type OverrideVerdict = (typeof OVERRIDE_VERDICTS)[number];

/** Longest texts of an override, in characters. */
export const MAX_AUTHOR_CHARS = 100;
export const MAX_REASON_CHARS = 500;
export const MAX_VALUE_CHARS = 65_536;
/** How long one may count, in days; longer is `until it is taken back`. */
export const MAX_OVERRIDE_DAYS = 3650;
export const MAX_OVERRIDE_S = MAX_OVERRIDE_DAYS * 86_400;

/** How the file of overrides fares. */
export interface FeedbackHealth {
  /** What is wrong and what to do, for people; `null`: nothing. */
  readonly fault: string | null;
  /** Overrides that cannot be read and do not count. */
  readonly badRows: number;
}

/** An analyst's decision on one value; it counts instead of what providers say, until it ends. */
export interface Override {
  readonly value: string;
  readonly type: IndicatorType;
  readonly verdict: OverrideVerdict;
  /** 0 to 100. */
  readonly score: number;
  readonly author: string;
  readonly reason: string;
  /** Seconds since 1970 (UTC). */
  readonly atS: number;
  /** When it ends; `null`: when somebody takes it back. */
  readonly untilS: number | null;
  /** What we said when it was given; `null`: nothing was known. */
  readonly saidVerdict: VerdictWord | null;
  readonly saidScore: number | null;
  /** When it was taken back or replaced, and by whom. */
  readonly endedAtS: number | null;
  readonly endedBy: string | null;
}

/** Score of an override that names none. */
export const OVERRIDE_SCORES: Readonly<Record<OverrideVerdict, number>> = { malicious: 95, suspicious: 55, clean: 0 };

/** Highest score of a clean value: every preset files it under tier `log`. */
export const MAX_CLEAN_SCORE = 39;

/** What analysts decided about single indicators, in force now. Synchronous: it is asked on hot paths. */
export interface FeedbackSource {
  /** The override as the word of provider `feedback`; `null`: none in force. */
  lookup(indicator: Indicator, nowS: number): Verdict | null;
  /** Called when overrides were added, taken back or ran out: answers made before may be wrong. */
  onChange(listener: () => void): void;
  health(): FeedbackHealth;
  close(): void;
}

/** The overrides of a house, in one file for all its processes. Nothing is ever deleted: who decided what, when and why stays on record. */
export interface FeedbackStore extends FeedbackSource {
  /** Takes an override; an earlier one on the same value ends with it. Throws a `FeedbackStoreError` and stores nothing where it cannot. */
  add(override: Omit<Override, 'endedAtS' | 'endedBy'>): void;
  /** Ends the override on a value; false: there is none in force. Throws a `FeedbackStoreError` where the file cannot be used. */
  remove(value: string, by: string, nowS: number): boolean;
  /** Newest first; `since`: given at that time or later; `inForceAtS`: only those in force then. */
  list(filter?: { readonly sinceS?: number; readonly inForceAtS?: number }): readonly Override[];
  /**
   * Takes decisions that were made on other machines, each as the last one on its value, unless another than `was` (`null`: none) is the
   * last one here. Throws a `FeedbackStoreError` where the file cannot be used.
   */
  takeOver(decisions: readonly { readonly override: Override; readonly was: Override | null }[]): void;
}

/** The file of overrides cannot be used for this; the message names it and says what to do. `isBusy`: the same works soon. */
export class FeedbackStoreError extends Error {
  override readonly name = 'FeedbackStoreError';
  readonly isBusy: boolean;

  constructor(message: string, options: { readonly isBusy: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.isBusy = options.isBusy;
  }
}

/** Whether an override counts at a time. */
export function isInForce({ untilS, endedAtS, atS }: Override, nowS: number): boolean {
  return atS <= nowS && (untilS === null || untilS > nowS) && (endedAtS === null || endedAtS > nowS);
}

/** An override as a provider's word. */
export function verdictOfOverride({ verdict, score, author, reason, atS, untilS }: Override): Verdict {
  const until = untilS === null ? '' : `, until ${new Date(untilS * 1000).toISOString().slice(0, 10)}`;
  return {
    provider: 'feedback',
    verdict,
    // One that was taken before contradictions were refused.
    score: verdict === 'clean' ? Math.min(score, MAX_CLEAN_SCORE) : score,
    confidence: 100,
    categories: [],
    attributes: ['override'],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    tlp: 'CLEAR',
    reference: null,
    isPending: false,
    note: `decided by ${author} on ${new Date(atS * 1000).toISOString().slice(0, 10)}${until}: ${reason}`,
  };
}
