import type { Macro } from './split-search.ts';
import type { Row } from './values.ts';

/** What a search meets: events, KV store collections and lookup files, commands of ours, REST answers. */
export interface SplWorld {
  readonly nowS: number;
  readonly macros: ReadonlyMap<string, Macro>;
  readonly events: readonly Row[];
  /** Searches of event types, by name. */
  readonly eventtypes: ReadonlyMap<string, string>;
  /** Rows with their `_key`, by the name of the lookup. Written by `outputlookup`. */
  readonly lookups: Map<string, Row[]>;
  /** What `collect` was given, by index. */
  readonly collected: Map<string, Row[]>;
  /** Generating commands and the look-up itself: what they make of the rows. */
  readonly commands: Readonly<Record<string, (rows: readonly Row[], args: string) => Row[]>>;
  /** What `| rest` finds, by path. */
  readonly rest?: Readonly<Record<string, readonly Row[]>>;
  /** The time range, as `addinfo` tells it. */
  readonly range?: { readonly minS: number; readonly maxS: number | '+Infinity' };
}

/** What a command makes of the rows that come to it. */
export type Command = (rows: readonly Row[], args: string, world: SplWorld) => Row[];
