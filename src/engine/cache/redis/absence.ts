import { ownerOf } from './known-machines.ts';

/** What a machine does about new values when Redis has been away for longer than it waits. */
export type AwayHabit = 'own' | 'wait' | 'ask';

/** What may be asked while the other machines cannot be told of it. */
export type AwayRule =
  /** Nothing for now: it is tried again after `againMs`. */
  | { readonly does: 'hold'; readonly reason: string; readonly againMs: number }
  /** What is ours; about the other values `reason` says why not. */
  | { readonly does: 'ask'; readonly isOurs: (value: string) => boolean; readonly reason: string };

/** What an absence is judged by. */
export interface AbsenceOptions {
  readonly habit: AwayHabit;
  /** Milliseconds that new look-ups wait for Redis. */
  readonly patienceMs: number;
  /** This machine's name in `machines`. */
  readonly machine: string;
  /** The machines that were last seen there, this one among them; empty: none was ever seen. */
  readonly machines: () => readonly string[];
}

/** After its return the other machines hand over what they were answered, for so long: who comes last has tried again by then. */
const GATHER_MS = 2500;
/** What this machine hands over itself holds its look-ups no longer than this. */
const LONGEST_GATHER_MS = 10_000;
/** So soon a look-up that is held asks whether it may go. */
const AGAIN_MS = 200;

const WAITS = 'new values are not asked about until it is back (cache.redis_away: wait)';
const OTHERS = 'another machine asks about this value (cache.redis_away: own)';
const ALONE = 'which values are for this machine to ask about is not known yet (cache.redis_away: own)';
const ASKS = 'each machine asks for itself (cache.redis_away: ask)';

/** How long Redis has been away, and what follows for new look-ups. Times are monotonic milliseconds. */
export class Absence {
  readonly #options: AbsenceOptions;
  /** Since when answers are not shared; an absence ends with the gathering after it. */
  #sinceMs: number | null = null;
  #backMs: number | null = null;
  #isGathering = false;

  constructor(options: AbsenceOptions) {
    this.#options = options;
  }

  began(nowMs: number): void {
    // Back for long enough, and nobody has asked since.
    if (this.#backMs !== null && this.#afterReturn(nowMs - this.#backMs) === null) this.#sinceMs = null;
    this.#sinceMs ??= nowMs;
    this.#backMs = null;
  }

  ended(nowMs: number): void {
    this.#backMs ??= nowMs;
  }

  /** Whether this machine is still handing over what it knows to a server that lost it. */
  gathers(isGathering: boolean): void {
    this.#isGathering = isGathering;
  }

  /** `null`: the other machines can be asked. */
  rule(nowMs: number): AwayRule | null {
    if (this.#sinceMs === null) return null;
    if (this.#backMs !== null) return this.#afterReturn(nowMs - this.#backMs);
    const waiting = this.#waitingWords(nowMs);
    if (waiting !== null) return held(`Redis is away: ${waiting}`);
    const { habit, machine } = this.#options;
    const reason = `Redis is away: ${this.#habitWords()}`;
    if (habit === 'ask') return { does: 'ask', isOurs: () => true, reason };
    const machines = this.#options.machines();
    return { does: 'ask', isOurs: (value) => habit === 'own' && ownerOf(value, machines) === machine, reason };
  }

  /** What is wrong and what follows, for people. `why`: in a few words. */
  words(why: string, replicas: number, nowMs: number): string {
    const share = `look-ups keep to a share of each limit (1 of ${replicas})`;
    return `Redis (cache.redis_url) is away (${why}): answers come from this machine's cache, ${this.#follows(nowMs)}, ${share}`;
  }

  #follows(nowMs: number): string {
    const waiting = this.#waitingWords(nowMs);
    if (waiting !== null) return waiting;
    const { habit, machines } = this.#options;
    const count = machines().length;
    return habit === 'own' && count > 0
      ? `this machine asks about its own values only, 1 of ${count} (cache.redis_away: own)`
      : this.#habitWords();
  }

  /** `null`: it has been waited for long enough. */
  #waitingWords(nowMs: number): string | null {
    const leftMs = (this.#sinceMs ?? nowMs) + this.#options.patienceMs - nowMs;
    return leftMs > 0 ? `new look-ups wait for it, ${Math.ceil(leftMs / 1000)} s at most` : null;
  }

  #afterReturn(backForMs: number): AwayRule | null {
    if (backForMs < GATHER_MS || (this.#isGathering && backForMs < LONGEST_GATHER_MS))
      return held('Redis is back: what the machines were answered meanwhile is gathered first');
    this.#sinceMs = this.#backMs = null;
    return null;
  }

  #habitWords(): string {
    const { habit, machines } = this.#options;
    if (habit === 'own') return machines().length === 0 ? ALONE : OTHERS;
    return habit === 'ask' ? ASKS : WAITS;
  }
}

function held(reason: string): AwayRule {
  return { does: 'hold', reason, againMs: AGAIN_MS };
}
