// src/engine/cache/redis/: what machines share through one Redis or Valkey: answers, leases, limits, budgets, refusals, decisions of people.
import type { Quota } from '../../../providers/provider.ts';
import type { AwayRule } from './absence.ts';
import type { StoredVerdict, VerdictStore } from '../verdict-store.ts';

/** Whose call it is: the provider, and what its limits and credits are counted by. */
export interface Payer {
  readonly provider: string;
  readonly account: string;
  readonly windows: readonly Quota[];
  /** Day and month (UTC) as `spent` names them, each with its limit in credits; `null`: no limit. */
  readonly budgets: readonly [readonly [string, number | null], readonly [string, number | null]];
}

/** Look-ups that are to be made in one call. */
export interface ClaimRequest extends Payer {
  /** The values; an answer counts when it was checked at `sinceS` or later. None: a call that looks nothing up. */
  readonly wanted: readonly { readonly value: string; readonly sinceS: number }[];
  readonly leaseMs: number;
  /** Credits of one look-up. */
  readonly cost: number;
}

/** What became of them. A value that is nowhere in here is free, and not ours: limits or budgets do not let it out. */
export interface Claim {
  /** Answered meanwhile. */
  readonly answers: ReadonlyMap<string, StoredVerdict>;
  /** Another process is looking them up. */
  readonly held: ReadonlySet<string>;
  /** Ours: leased, and paid for. */
  readonly granted: ReadonlySet<string>;
  /** Milliseconds until the windows let the next call out; 0: they do not stand in the way. */
  readonly waitMs: number;
  /** Which budget cannot pay for more; `null`: none. */
  readonly exhausted: 'day' | 'month' | null;
}

/** What this process may do while nobody can be asked what the others do. */
export interface OwnShare {
  readonly windows: readonly Quota[];
  /** Milliseconds until it may do more than it has done since. */
  readonly waitMs: number;
  /** Limits of day and month for the credits that this machine has paid, and what it has paid. */
  readonly budgets: readonly [number | null, number | null];
  readonly paid: readonly [number, number];
}

/** How the connection fares, for people and series. */
export interface SharedHealth {
  /** What is wrong now; `null`: nothing. */
  readonly fault: string | null;
  /** How often it went away. */
  readonly losses: number;
  /** Processes that were seen there. */
  readonly replicas: number;
}

/** One thing that people decided: what it is about, when, in milliseconds since 1970 (UTC), and as a text; an empty one: taken back. */
export interface RegisterRow {
  readonly name: string;
  readonly atMs: number;
  readonly text: string;
}

/** A row that others changed, and the text that stood here when they were asked; `null`: none. */
export interface ForeignRow extends RegisterRow {
  readonly was: string | null;
}

/** What a machine keeps of a register, on its own disk. */
export interface RegisterPlace {
  /** Another text after each change; `null`: there is no such place now. */
  version(): Promise<string | null> | string | null;
  rows(): Promise<readonly RegisterRow[]> | readonly RegisterRow[];
  /**
   * Takes what others decided later; what somebody has changed here meanwhile stays. Throws where nothing can be written now: the same rows
   * come again.
   */
  take(rows: readonly ForeignRow[]): Promise<void> | void;
}

/** Answers, leases, limits, budgets and refusals of all processes that use the same Redis. Nothing in here rejects: `null` means that it is away. */
export interface SharedCache {
  /** Answers that are there, by value, in one round trip. */
  recall(wanted: ReadonlyMap<string, readonly string[]>): Promise<ReadonlyMap<string, ReadonlyMap<string, StoredVerdict>>>;
  /** Takes look-ups upon us and books their call and their credits: all in one step. */
  claim(request: ClaimRequest): Promise<Claim | null>;
  /** What has become of look-ups that others hold: answers, and those that are free. */
  watch(
    provider: string,
    values: readonly string[],
  ): Promise<{ answers: ReadonlyMap<string, StoredVerdict>; free: readonly string[] } | null>;
  /** Gives look-ups free, their answers first. */
  release(provider: string, values: readonly string[]): void;
  /** What may be asked while the others cannot be told; `null`: they can. */
  whileAway(): AwayRule | null;
  /** Limits to keep alone. `null`: it is there, and says what may be done. */
  ownShare(payer: Payer, nowMs: number): OwnShare | null;
  /** A call made while it is away. */
  calledAlone(payer: Payer, atMs: number): void;
  /** Credits paid while it is away. */
  paidAlone(payer: Payer, credits: number): void;
  /** Has these counted from now on; resolves when it is known what all have done. */
  join(payersNow: readonly (() => Payer)[]): Promise<void>;
  /** The store of this machine, whose answers, notes and sums go to the others, too. */
  over(local: VerdictStore): VerdictStore;
  /** Has all machines share what people decided, from now on; resolves when it was exchanged once, or Redis is away. */
  share(register: string, place: RegisterPlace): Promise<void>;
  /** Called with values whose answers were replaced on another machine, once the store of this machine has the new ones. */
  onReplaced(listener: (values: readonly string[]) => void): void;
  health(): SharedHealth;
  close(): Promise<void>;
}
