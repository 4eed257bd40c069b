import { LookupError } from '../../../model/lookup-error.ts';
import type { SharedCache } from '../../cache/redis/shared-cache.ts';
import type { Outcome } from '../../score/outcome.ts';
import type { Job } from '../jobs/job.ts';
import { answerOf, guarded, LEASE_MARGIN_S } from '../leases.ts';
import type { ClientOptions } from '../provider-client.ts';
import { limitReached, payerOf, type Spending } from '../spending.ts';

/** How soon another machine's answer is looked for; at many, not at once again. */
const POLL_MS = 25;
const REST_SHARE = 4;

/** What becomes of look-ups that another machine holds. */
export interface ClaimEvents {
  /** Another machine has the answer. */
  readonly onAnswer: (job: Job, outcome: Outcome) => void;
  /** The other machine gave up: ours to try. */
  readonly onFree: (job: Job) => void;
  /** Nobody may ask about it now, and waiting does not help. */
  readonly onRefused: (job: Job, error: LookupError) => void;
  readonly onThrow: (error: unknown) => void;
}

/** What a call may be made for, and why not for the others. */
export interface Claimed {
  readonly granted: readonly Job[];
  /** Look-ups that nobody holds, and that limits or budgets do not let out. */
  readonly left: readonly Job[];
  readonly denied: LookupError | null;
}

/** Single flight, limits and budgets across machines: asked before each call. While Redis is away, values wait or are asked by one machine each. */
export class SharedClaims {
  readonly #options: ClientOptions;
  readonly #shared: SharedCache;
  readonly #spending: Spending;
  readonly #events: ClaimEvents;
  readonly #watched = new Map<string, Job>();
  #timer: NodeJS.Timeout | null = null;
  #isPolling = false;
  #isClosed = false;

  constructor(options: ClientOptions & { readonly shared: SharedCache }, spending: Spending, events: ClaimEvents) {
    this.#options = options;
    this.#shared = options.shared;
    this.#spending = spending;
    this.#events = events;
  }

  async claim(batch: readonly Job[]): Promise<Claimed> {
    const { provider, limits } = this.#options;
    const request = {
      ...payerOf(this.#options),
      wanted: batch.map(({ indicator, sinceS }) => ({ value: indicator.value, sinceS })),
      leaseMs: limits.timeoutMs + LEASE_MARGIN_S * 1000,
      cost: provider.cost,
    };
    const claim = this.#shared.whileAway() === null ? await this.#shared.claim(request) : null;
    // Who was told meanwhile wants no call any more.
    const wanted = batch.filter((job) => !job.isSettled && job.interest > 0);
    if (claim === null) return this.#claimAlone(wanted);
    const { answers, held, granted, waitMs, exhausted } = claim;
    this.#shared.release(
      provider.id,
      batch.filter((job) => !wanted.includes(job)).map(({ indicator }) => indicator.value),
    );
    const left: Job[] = [];
    const ours: Job[] = [];
    for (const job of wanted) {
      const { value } = job.indicator;
      const answer = answers.get(value);
      const outcome = answer === undefined ? null : answerOf(this.#options, job, answer);
      if (outcome !== null) this.#events.onAnswer(job, outcome);
      else if (held.has(value)) this.#watched.set(value, job);
      else if (granted.has(value)) ours.push(job);
      else left.push(job);
    }
    this.#watch(POLL_MS);
    const denied = waitMs > 0 ? limitReached(provider.id, waitMs) : exhausted === null ? null : this.#spending.overBudget(exhausted);
    return { granted: ours, left, denied: left.length === 0 ? null : denied };
  }

  #claimAlone(wanted: readonly Job[]): Claimed {
    const { id } = this.#options.provider;
    // Not settled with a server that is there: a matter of one round trip.
    const rule = this.#shared.whileAway() ?? { does: 'hold', reason: 'Redis is asked what all have done', againMs: POLL_MS };
    if (rule.does === 'hold') {
      const denied = new LookupError('unavailable', id, rule.reason, { retryAfterMs: rule.againMs });
      return { granted: [], left: wanted, denied };
    }
    const ours = wanted.filter(({ indicator }) => rule.isOurs(indicator.value));
    const others = wanted.filter((job) => !ours.includes(job));
    for (const job of others) this.#events.onRefused(job, new LookupError('unavailable', id, rule.reason));
    const denied = this.#spending.book(ours);
    return denied === null ? { granted: ours, left: [], denied } : { granted: [], left: ours, denied };
  }

  release(batch: readonly Job[]): void {
    this.#shared.release(
      this.#options.provider.id,
      batch.map(({ indicator }) => indicator.value),
    );
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#watched.clear();
  }

  #watch(waitMs: number): void {
    if (this.#watched.size === 0 || this.#isPolling || this.#isClosed) return;
    this.#timer ??= setTimeout(
      guarded(() => void this.#poll().catch(this.#events.onThrow), this.#events.onThrow),
      waitMs,
    );
  }

  async #poll(): Promise<void> {
    this.#timer = null;
    for (const [value, job] of this.#watched) if (job.isSettled || job.interest <= 0) this.#watched.delete(value);
    if (this.#watched.size === 0) return;
    this.#isPolling = true;
    const { clock, provider } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      const asked = [...this.#watched.keys()];
      const found = await this.#shared.watch(provider.id, asked);
      // Away: their turn comes by the rule for that.
      const { answers = new Map<string, never>(), free = asked } = found ?? {};
      for (const [value, answer] of answers) this.#tell(value, (job) => answerOf(this.#options, job, answer));
      for (const value of free) this.#tell(value, () => null);
    } finally {
      this.#isPolling = false;
    }
    this.#watch(Math.max(POLL_MS, (clock.monotonicMs() - startMs) * REST_SHARE));
  }

  /** An answer, or else its turn. */
  #tell(value: string, read: (job: Job) => Outcome | null): void {
    const job = this.#watched.get(value);
    if (!job || this.#isClosed || !this.#watched.delete(value) || job.isSettled) return;
    const outcome = read(job);
    if (outcome === null) this.#events.onFree(job);
    else this.#events.onAnswer(job, outcome);
  }
}
