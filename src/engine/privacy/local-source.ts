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
  stats(): { readonly lists: readonly ListStats[] };
  close(): void;
}

/** How one list fares. */
export interface ListStats {
  readonly name: string;
  readonly entries: number;
  readonly faults: readonly string[];
  /** What is no fault, and worth knowing all the same: for `doctor`. */
  readonly note?: string | null;
}

/** Tells the number of the autonomous system that an address belongs to; `null`: nobody knows it. */
export type AskAsNumber = () => number | null;

/** Lists that name whole autonomous systems too. Who knows the numbers of addresses puts them to use (`withAsNumbers`). */
export interface SystemLists extends LocalSource {
  /** Whether a list of the user's own names the value itself, or a network around it: it knows better than a system does. */
  isNamed(indicator: Indicator): boolean;
  /** What is said of every address of a system. The number is asked for only where a list names any. */
  lookupSystem(ask: AskAsNumber): Verdict | null;
  /** The same of allow lists. */
  allowanceOfSystem(ask: AskAsNumber): string | null;
}
