import type { Enrichment } from '../model/enrichment.ts';
import type { Tlp } from '../model/tlp.ts';

/** How one request may be answered. Everything left out takes the setting. */
export interface EnrichOptions {
  /** The best partial answer is given after this many milliseconds; late answers still warm the cache. 0: no limit. */
  readonly timeoutMs?: number;
  /** Stops waiting at once, and the look-ups that nobody else waits for. */
  readonly signal?: AbortSignal;
  /** Stops waiting at once, as when the time is up: what is known by then is given. */
  readonly stop?: AbortSignal;
  /** Cached answers older than this many seconds are asked again. */
  readonly maxAgeS?: number;
  /** Ask only these providers (ids). */
  readonly providers?: readonly string[];
  /** Ask none of those whom this route leaves out, see `FieldRoutes`; questions bring their own. */
  readonly route?: string;
  /** Ask with the keys, budgets and clearances of this profile; honoured where the host opened several. */
  readonly profile?: string;
  /** How these values are marked, when that is stricter than the settings say. */
  readonly tlp?: Tlp;
  /** `cache`: answer from memory and disk only, nothing is spent. */
  readonly mode?: 'enrich' | 'cache';
  /** Ask for real, whatever is cached and whatever was refused before: for tests of a key. */
  readonly isTest?: boolean;
  /** Paid look-ups this caller may still make. Shared by reference: the engine counts it down. */
  readonly budget?: { remaining: number };
  /**
   * Is handed every answer as soon as it is known, in place of the map that is returned at the end: ten thousand answers need not be
   * there at once. An implementation may leave this to the map.
   */
  readonly take?: (value: string, enrichment: Enrichment) => void;
}

/** What a set of values would cost, before a single call is made. Counts of distinct indicators. */
export interface Plan {
  readonly values: number;
  readonly unique: number;
  readonly invalid: number;
  /** Special-purpose, internal, allow-listed, over-TLP: will not be sent. */
  readonly refused: number;
  readonly local: number;
  readonly cached: number;
  /** Look-ups to pay, by provider id, and in all. */
  readonly toPay: number;
  readonly byProvider: Readonly<Record<string, number>>;
  /** Credits to pay, by provider id. */
  readonly creditsByProvider?: Readonly<Record<string, number>>;
  /** Look-ups that would end over_budget or quota_exhausted, by provider id; those with enough left are not named. */
  readonly overBudget?: Readonly<Record<string, number>>;
  /** Credits left by what the provider last told us and what the budgets leave; `null` when neither is known. */
  readonly creditsLeft: Readonly<Record<string, number | null>>;
  /** At today's limits, seconds; `null` when no limit is known. */
  readonly estimatedS: number | null;
}

/**
 * The engine as hosts see it. Values go in as they stand in the event; the answer is keyed by that very text. Where there is a `routeOf`, who
 * knows the field of a value asks by a question (see `questionOf`) in its place: the answer is keyed by that, and repeats the value.
 */
export interface Enricher {
  /** The route of a field, by its name as the host knows it; left out: every provider is asked about every field. */
  readonly routeOf?: ((this: void, field: string) => string) | undefined;
  /**
   * The warm path: what memory knows, synchronously. `undefined`: the disk or a provider has to be asked (`enrichMany`).
   * Invalid, private and allow-listed values are always answered.
   */
  peek(value: string): Enrichment | undefined;
  /** One enrichment for every distinct value; never rejects for a provider's fault. Rejects only when `signal` aborts. */
  enrichMany(values: Iterable<string>, options?: EnrichOptions): Promise<Map<string, Enrichment>>;
  plan(values: Iterable<string>, options?: EnrichOptions): Promise<Plan>;
  /** Grows when answers given before may no longer hold, as when own lists have changed: who keeps some, forgets them then. */
  generation?(): number;
  /** How the score came about, one line each, for people. `wanted`: as the enrichment was asked for. */
  explain?(enrichment: Enrichment, wanted?: Pick<EnrichOptions, 'profile'>): readonly string[];
  /** Makes no further call, and waits up to `mostMs` for those that are out: they are paid for, and their answers go to the cache. */
  finish?(mostMs: number): Promise<void>;
  close(): Promise<void>;
}
