import type { Verdict } from '../../model/verdict.ts';

/** One line of a list: a value or pattern (CIDR, `*.domain`) and what the list says of it. */
export interface ListEntry {
  readonly value: string;
  readonly verdict: Verdict;
  /** Who added it and why, for people. */
  readonly note: string | null;
}

/** A line that names an autonomous system: it says so of every address in it. */
export interface ListedSystem extends ListEntry {
  readonly asNumber: number;
}

/** What could be read of a list, and the lines that could not be (place and remedy each). */
export interface ReadEntries {
  readonly entries: readonly ListEntry[];
  readonly faults: readonly string[];
}

/** A list as read. Autonomous systems are no `entries`: who matches them has to know the number of an address. */
export interface ParsedList extends ReadEntries {
  readonly systems: readonly ListedSystem[];
}
