import type { Tlp } from '../model/tlp.ts';
import type { VerdictWord } from '../model/verdict.ts';

/** How rows are enriched: which fields are looked up, by whom, and what is written beside them. */
export interface RowOptions {
  /** Fields whose values are looked up, in the order given, none twice. */
  readonly fields: readonly string[];
  readonly prefix: string;
  /** Provider ids; `null`: all that are configured. */
  readonly providers: readonly string[] | null;
  readonly mode: 'enrich' | 'cache' | 'plan';
  /** For the look-ups of one chunk. */
  readonly timeoutMs: number;
  /** `null`: the setting. */
  readonly maxAgeS: number | null;
  readonly details: boolean;
  /** Whether each row says where its answer comes from, in a last column; left out: no. */
  readonly trace?: boolean;
  /** Rows with another verdict are left out; `null`: all rows stay. */
  readonly only: readonly VerdictWord[] | null;
  /** Paid look-ups this search may make; `null`: the setting. */
  readonly budget: number | null;
  /** How the values are marked, when that is stricter than the settings say; left out: as the settings say. */
  readonly tlp?: Tlp;
  /** With whose keys, budgets and clearances is asked; left out: the profile in use. */
  readonly profile?: string;
  /** How a text of ours becomes a cell; left out: as it is. */
  readonly guard?: (text: string) => string;
  /** The byte between cells; left out: a comma. */
  readonly delimiter?: number;
}
