import type { Indicator } from '../model/indicator.ts';
import type { Verdict } from '../model/verdict.ts';

/** What analysts decided about single indicators, in force now. Synchronous: it is asked on hot paths. */
export interface FeedbackSource {
  /** The override as the word of provider `feedback`; `null`: none in force. */
  lookup(indicator: Indicator, nowS: number): Verdict | null;
  /** Called when overrides were added, taken back or ran out: answers made before may be wrong. */
  onChange(listener: () => void): void;
  close(): void;
}
