// src/engine/calls/shared/: calls that several machines make as one, through Redis.
import type { LookupError } from '../../../model/lookup-error.ts';
import type { SharedCache } from '../../cache/redis/shared-cache.ts';
import type { Job } from '../jobs/job.ts';
import type { ClientOptions } from '../provider-client.ts';
import { type ClaimEvents, SharedClaims } from './shared-claims.ts';
import { limitReached, type Spending } from '../spending.ts';
import type { StandingRefusals } from '../standing-refusals.ts';

/** What the dispatcher does with a call once it is granted, and with look-ups that are not. */
interface CallActions extends ClaimEvents {
  /** Counts what is on its way among the calls that are out. */
  readonly onTheWay: (work: () => Promise<void>) => Promise<void>;
  readonly ask: (batch: readonly Job[]) => void;
  readonly learnBulkCap: () => Promise<void>;
  readonly giveBack: (left: readonly Job[], nowMs: number, denied: LookupError) => void;
  readonly postpone: (untilMs: number, error: LookupError) => void;
  /** Gives free what is held among the processes of this machine. */
  readonly releaseHere: (batch: readonly Job[]) => void;
}

/** Calls that other machines are asked about before they are made. */
export class SharedCalls {
  readonly #options: ClientOptions;
  readonly #claims: SharedClaims;
  readonly #spending: Spending;
  readonly #refusals: StandingRefusals;
  readonly #actions: CallActions;
  #held: { readonly untilMs: number; readonly error: LookupError } | null = null;
  #isClosed = false;

  constructor(
    options: ClientOptions & { readonly shared: SharedCache },
    { spending, refusals }: { readonly spending: Spending; readonly refusals: StandingRefusals },
    actions: CallActions,
  ) {
    this.#options = options;
    this.#claims = new SharedClaims(options, spending, actions);
    this.#spending = spending;
    this.#refusals = refusals;
    this.#actions = actions;
  }

  /** Whether a call was refused lately for a limit; then it is not asked again before that is over. */
  isHeld(nowMs: number): boolean {
    if (this.#held === null || nowMs >= this.#held.untilMs) return false;
    this.#actions.postpone(this.#held.untilMs, this.#held.error);
    return true;
  }

  send(won: readonly Job[]): void {
    void this.#actions.onTheWay(() => this.#askWhenGranted(won));
  }

  learn(): void {
    void this.#actions.onTheWay(async () => {
      const waitMs = await this.#spending.bookShared();
      if (waitMs > 0) this.#hold(limitReached(this.#options.provider.id, waitMs), waitMs);
      else if (!this.#isClosed) await this.#actions.learnBulkCap();
    });
  }

  release(batch: readonly Job[]): void {
    this.#claims.release(batch);
  }

  close(): void {
    this.#isClosed = true;
    this.#claims.close();
  }

  async #askWhenGranted(won: readonly Job[]): Promise<void> {
    const { granted, left, denied } = await this.#claims.claim(won);
    const nowMs = this.#nowMs();
    // Told with the claim that the provider wants no call: none is made.
    const isRefused = this.#isClosed || this.#refusals.standing(nowMs, true) !== null;
    const mine = isRefused ? [] : granted.filter((job) => !job.isSettled);
    const back = granted.filter((job) => !mine.includes(job));
    this.#claims.release(back);
    this.#actions.releaseHere(back);
    if (!this.#isClosed) for (const job of back) if (!job.isSettled) this.#actions.onFree(job);
    if (mine.length > 0) this.#actions.ask(mine);
    if (denied === null) return;
    this.#actions.giveBack(left, nowMs, denied);
    if (denied.retryAfterMs !== null) this.#hold(denied, denied.retryAfterMs);
  }

  #hold(error: LookupError, waitMs: number): void {
    const untilMs = this.#nowMs() + waitMs;
    this.#held = { untilMs, error };
    this.#actions.postpone(untilMs, error);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
