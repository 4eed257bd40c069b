import { LOOKUP_ERROR_CODES, LookupError, type LookupErrorCode } from '../../model/lookup-error.ts';
import type { Breaker } from './pace/circuit-breaker.ts';
import type { ClientOptions } from './provider-client.ts';
import { shareBreaker, type SharedBreaker } from './pace/shared-breaker.ts';
import { createSharedNote, type SharedNote } from './shared/shared-note.ts';

/** Waits longer than this are not waits but failures. */
export const LONGEST_WAIT_MS = 300_000;
const MAX_ATTEMPTS = 3;
const BACKOFF_MS = 250;
/** How long a refusal is believed when it did not say, and at most: twice as long each time that it is repeated. Then one call tries. */
const BELIEVED_MS: Readonly<Partial<Record<LookupErrorCode, readonly [number, number]>>> = {
  // Ten calls with a wrong key can lock an account.
  unauthorized: [60_000, 900_000],
  // The plan may have been raised since.
  quota_exhausted: [900_000, 14_400_000],
};
/** What other processes were told is looked for no oftener than this. */
const REFRESH_MS = 2;
const MAX_MESSAGE_CHARS = 300;

/** Milliseconds until the next attempt (full jitter), or `null` when it was the last one. */
export function delayAfter(attempts: number, error: LookupError, random: () => number): number | null {
  // Another answer of an unknown shape costs a credit and seldom differs.
  if (attempts >= (error.code === 'bad_response' ? 1 : MAX_ATTEMPTS)) return null;
  const delayMs = Math.max(error.retryAfterMs ?? 0, Math.ceil(random() * BACKOFF_MS * 2 ** attempts));
  return delayMs > LONGEST_WAIT_MS ? null : delayMs;
}

/** A refusal in force; times are monotonic milliseconds. */
export interface Refusal {
  readonly error: LookupError;
  readonly untilMs: number;
}

interface RefusalNote {
  readonly code: LookupErrorCode;
  readonly message: string;
  readonly atMs: number;
  readonly untilMs: number;
  /** How often in a row. */
  readonly times: number;
}

/** Whether the provider wants to be left alone for a while; else it refuses our account. */
export const isWait = (code: LookupErrorCode) => code === 'rate_limited' || code === 'unavailable';

/**
 * What the provider refuses for longer than one call: a wrong key, an exhausted quota, the time it asks to be left alone, and that it is
 * down. Shared with all processes that use the same key and the same state folder, and kept for those that come after them.
 */
export class StandingRefusals {
  readonly #options: ClientOptions;
  readonly #breaker: Breaker;
  readonly #sharedBreaker: SharedBreaker;
  readonly #note: SharedNote<RefusalNote>;
  readonly #onTold: (refusal: Refusal) => void;
  #current: Refusal | null = null;
  #isLifted = false;
  #refreshedMs = -Infinity;

  /** `onTold`: another process was refused. */
  constructor(options: ClientOptions, breaker: Breaker, onTold: (refusal: Refusal) => void) {
    this.#options = options;
    this.#breaker = breaker;
    this.#onTold = onTold;
    this.#sharedBreaker = shareBreaker(options, breaker);
    this.#note = createSharedNote<RefusalNote>(options, 'refused', isSound);
  }

  /** The refusal in force, whoever was told; `null`: none. `isNews`: others may have been told a moment ago. */
  standing(nowMs: number, isNews = false): Refusal | null {
    if (isNews || nowMs - this.#refreshedMs >= REFRESH_MS) {
      this.#refreshedMs = nowMs;
      this.#refresh();
      this.#sharedBreaker.refresh();
    }
    return this.#inForce(nowMs);
  }

  /** The provider refused us, until `askedUntilMs` when it asked for that. */
  stand(error: LookupError, nowMs: number, askedUntilMs = -Infinity): void {
    this.#refresh();
    const { note } = this.#note.read();
    const times = note?.code === error.code ? note.times + 1 : 1;
    const untilMs = Math.max(askedUntilMs, nowMs + believedMs(error, times));
    const before = this.#inForce(nowMs);
    // Calls that were on their way when the first refusal came: the same refusal. The longest wait counts.
    if (before !== null && (before.untilMs >= untilMs || (before.error.code === error.code && !isWait(error.code)))) return;
    this.#current = { error, untilMs };
    this.#isLifted = false;
    const { provider, account, store, clock } = this.#options;
    const message = error.message.slice(provider.id.length + 2).slice(0, MAX_MESSAGE_CHARS);
    const atMs = clock.epochMs();
    this.#note.write({ code: error.code, message, atMs, untilMs: atMs + untilMs - nowMs, times });
    // For people: when it was last refused, and why.
    if (error.code === 'quota_exhausted') store.setNote(`${account}.quota-exhausted`, message, Math.floor(atMs / 1000));
  }

  /** A call came through: what stood before is over, for everybody. */
  succeeded(): void {
    this.#sharedBreaker.succeeded();
    const { note, leftMs } = this.#note.read();
    // What was on its way when a refusal came says nothing about it.
    if (note === null || (leftMs > 0 && !this.#isLifted) || this.#refresh()) return;
    this.#current = null;
    this.#isLifted = false;
    this.#note.clear();
  }

  /** A call failed; tells whether the breaker is open now. */
  failed(nowMs: number): boolean {
    return this.#sharedBreaker.failed(nowMs);
  }

  /** One call tries although the breaker was open: the other processes leave it to us. */
  probes(): void {
    this.#sharedBreaker.probes();
  }

  /** Lets calls through in spite of a refused key, a quota or an open breaker, to find out whether they still are. A wait is kept. */
  lift(nowMs: number): void {
    const standing = this.standing(nowMs);
    this.#breaker.lift();
    if (standing === null || isWait(standing.error.code)) return;
    this.#current = null;
    this.#isLifted = true;
  }

  #inForce(nowMs: number): Refusal | null {
    return this.#current !== null && nowMs < this.#current.untilMs ? this.#current : null;
  }

  /** Takes over what another process was told; tells whether there was something. */
  #refresh(): boolean {
    if (!this.#note.hasNews()) return false;
    const { provider, clock } = this.#options;
    const { note, leftMs } = this.#note.read();
    this.#isLifted = false;
    this.#current = null;
    if (note === null || leftMs <= 0) return true;
    const error = new LookupError(note.code, provider.id, note.message, { retryAfterMs: leftMs });
    this.#current = { error, untilMs: clock.monotonicMs() + leftMs };
    this.#onTold(this.#current);
    return true;
  }
}

function isSound({ code, message, times }: Partial<RefusalNote>): boolean {
  return LOOKUP_ERROR_CODES.some((word) => word === code) && typeof message === 'string' && Number.isSafeInteger(times);
}

function believedMs({ code, retryAfterMs }: LookupError, times: number): number {
  const believed = BELIEVED_MS[code];
  if (believed === undefined) return retryAfterMs ?? 0;
  const [firstMs, mostMs] = believed;
  return retryAfterMs === null ? Math.min(mostMs, firstMs * 2 ** (times - 1)) : Math.max(firstMs, retryAfterMs);
}
