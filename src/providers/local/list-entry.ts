import type { Verdict } from '../../model/verdict.ts';

/** One line of a list: a value or pattern (CIDR, `*.domain`) and what the list says of it. */
export interface ListEntry {
  readonly value: string;
  readonly verdict: Verdict;
  /** Who added it and why, for people. */
  readonly note: string | null;
}

/** A list as read, with the lines that could not be (place and remedy each). */
export interface ParsedList {
  readonly entries: readonly ListEntry[];
  readonly faults: readonly string[];
}
