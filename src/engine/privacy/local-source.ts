import type { Indicator } from '../../model/indicator.ts';
import type { Verdict } from '../../model/verdict.ts';

/** What is known without asking anybody: reserved ranges, infrastructure, the user's own lists, the sample feed. Synchronous. */
export interface LocalSource {
  /** `null`: not listed. Private values may be listed too: asking costs and tells nothing. */
  lookup(indicator: Indicator): Verdict | null;
  /** Why the customer wants this value never to be looked up (owner and reason, for people); `null`: no such wish. */
  allowance(indicator: Indicator): string | null;
  /** Called when a list has changed: answers made before may be wrong. */
  onChange(listener: () => void): void;
  /** Entries by list, and what could not be read. */
  stats(): { readonly lists: readonly { readonly name: string; readonly entries: number; readonly faults: readonly string[] }[] };
  close(): void;
}
