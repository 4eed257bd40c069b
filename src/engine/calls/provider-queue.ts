import type { Indicator } from '../../model/indicator.ts';
import { asLookupError, LookupError, type LookupErrorCode } from '../../model/lookup-error.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { QuotaNotice } from '../../providers/provider.ts';
import { createEarlyRefusals } from './early-refusals.ts';
import { createBreaker } from './circuit-breaker.ts';
import { askBulkCap, knownBulkCap } from './bulk-cap.ts';
import { createFaults, type Reach } from './call-faults.ts';
import { createFurtherCall } from './further-call.ts';
import { cancelCall, type Job } from './job.ts';
import { createLeases } from './leases.ts';
import { keepAnswer } from '../cache/keep-answer.ts';
import type { Outcome } from '../score/outcome.ts';
import { createPacer } from './pacer.ts';
import { createSpending } from './spending.ts';
import { createCallCounts } from './call-counts.ts';
import type { ClientOptions, ClientStats, ProviderClient, Wanted } from './provider-client.ts';
import { isWait, LONGEST_WAIT_MS, type Refusal, StandingRefusals } from './standing-refusals.ts';
import { wordsOf } from './fault-words.ts';
import { createWaitingJobs } from './waiting-jobs.ts';

/** The queue in front of one provider. One per provider and process; processes coordinate through the store. */
export class ProviderQueue implements ProviderClient {
  readonly provider;
  readonly quotas;
  readonly furtherCall;
  readonly #options: ClientOptions;
  readonly #jobs;
  readonly #breaker = createBreaker();
  readonly #pacer;
  readonly #refusals;
  readonly #spending;
  readonly #leases;
  readonly #earlyRefusals;
  readonly #callCounts;
  #inFlight = 0;
  readonly #reach: Reach;
  readonly #faults;
  #wakeTimer: NodeJS.Timeout | null = null;
  #isPumpDue = false;
  #isClosed = false;
  #lastFault = '';

  constructor(options: ClientOptions) {
    const { provider, limits, clock } = options;
    this.#options = options;
    this.provider = provider;
    this.quotas = limits.quotas;
    this.#pacer = createPacer(limits.concurrency, clock.monotonicMs());
    this.#callCounts = createCallCounts(options);
    this.#spending = createSpending(options);
    this.#refusals = new StandingRefusals(options, this.#breaker, (refusal) => this.#obey(refusal));
    this.furtherCall = createFurtherCall(options, { pacer: this.#pacer, spending: this.#spending, callCounts: this.#callCounts });
    this.#earlyRefusals = createEarlyRefusals(options, { pacer: this.#pacer, breaker: this.#breaker, refusals: this.#refusals });
    this.#leases = createLeases(options, {
      onAnswer: (job, outcome) => this.#jobs.settle(job, outcome),
      onFree: (job) => this.#enqueue(job),
      onThrow: (error) => this.#endAfter(error),
    });
    // What is in flight is given free by its call.
    this.#jobs = createWaitingJobs((job) => void (job.controller ?? this.#leases.release([job])));
    this.#reach = { hasContact: false, bulkCap: knownBulkCap(options) };
    const parts = { pacer: this.#pacer, breaker: this.#breaker, refusals: this.#refusals, callCounts: this.#callCounts, jobs: this.#jobs };
    this.#faults = createFaults(options, parts, {
      reach: this.#reach,
      enqueue: (job) => this.#enqueue(job),
      postpone: (batch, untilMs, error) => this.#postpone(batch, untilMs, error),
      failAll: (error) => this.#failAll(error),
      failed: (error) => this.#failed(error),
      obey: (refusal) => this.#obey(refusal),
    });
  }

  lookup(indicator: Indicator, wanted: Wanted): Promise<Outcome> {
    this.#callCounts.counts.lookups++;
    if (wanted.isTest) this.#refusals.lift(this.#nowMs());
    const refused = this.#isClosed ? this.#error('unavailable', 'shutting down') : this.#earlyRefusals.refuse(wanted, this.#inFlight);
    if (refused) return Promise.resolve(this.#failed(refused));
    let job = this.#jobs.get(indicator.value);
    const isFirst = !job;
    if (!job) {
      const denied = this.#earlyRefusals.denyNew(wanted, this.#jobs.size);
      if (denied) return Promise.resolve(this.#failed(denied));
      job = this.#jobs.open(indicator);
      const { budget } = wanted;
      if (budget && this.provider.cost > 0) job.refund = () => void (budget.remaining += this.provider.cost);
      this.#enqueue(job);
    }
    job.interest++;
    job.sinceS = Math.max(job.sinceS, wanted.isTest ? Infinity : (wanted.sinceS ?? -Infinity));
    const { waiters } = job;
    return new Promise((resolve) => waiters.push({ resolve, deadlineMs: wanted.deadlineMs, isFirst }));
  }

  abandon(indicator: Indicator): void {
    const job = this.#jobs.get(indicator.value);
    if (!job || --job.interest > 0) return;
    this.#jobs.settle(job, this.#failed(this.#error('timeout', 'nobody waits any more')));
    // A bulk call goes on while anybody wants one of its indicators.
    if (job.batch?.every((other) => other.interest <= 0)) job.controller?.abort();
  }

  delay = (): LookupError | null => this.#earlyRefusals.delay();

  notice(notices: readonly QuotaNotice[]): void {
    const waitMs = this.#callCounts.notice(notices);
    if (waitMs > 0 && waitMs < LONGEST_WAIT_MS) this.#pacer.blockUntil(this.#nowMs() + waitMs);
  }

  stats(): ClientStats {
    const refusal = this.#refusals.standing(this.#nowMs());
    const waitMs = Math.max(this.#pacer.blockedUntilMs, refusal?.untilMs ?? 0) - this.#nowMs();
    return {
      ...this.#callCounts.stats(),
      queued: this.#jobs.queue.size,
      inFlight: this.#inFlight,
      breaker: this.#breaker.state(this.#nowMs()),
      blockedUntilMs: waitMs > 0 ? this.#options.clock.epochMs() + waitMs : null,
      refusal: refusal?.error.code ?? (waitMs > 0 ? 'rate_limited' : null),
    };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#leases.close();
    this.#callCounts.close();
    for (const job of this.#jobs.all()) cancelCall(job);
    this.#failAll(this.#error('unavailable', 'shutting down'));
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #error(code: LookupErrorCode, message: string, retryAfterMs: number | null = null): LookupError {
    return new LookupError(code, this.provider.id, message, { retryAfterMs });
  }

  #failed(error: LookupError): Outcome {
    this.#callCounts.failed(error.code);
    return { kind: 'failed', provider: this.provider.id, error };
  }

  #enqueue(job: Job): void {
    this.#jobs.queue.push(job);
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    // After the poll phase: an answer that has arrived, a refusal above all, is seen before the next call goes out.
    setImmediate(() => {
      this.#isPumpDue = false;
      try {
        this.#pump();
      } catch (error) {
        this.#endAfter(error);
      }
    });
  }

  #wakeAfter(waitMs: number): void {
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#wakeTimer = setTimeout(() => this.#pumpSoon(), Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS));
  }

  #pump(): void {
    const { queue } = this.#jobs;
    while (queue.size > 0 && !this.#isClosed) {
      const nowMs = this.#nowMs();
      const standing = this.#refusals.standing(nowMs);
      if (standing && !isWait(standing.error.code)) return this.#failAll(standing.error);
      const state = this.#breaker.state(nowMs);
      if (state === 'open') return this.#wakeAfter(this.#breaker.reopensAtMs - nowMs);
      const allowed = this.#reach.hasContact && state === 'closed' ? this.#options.limits.concurrency : 1;
      if (this.#inFlight >= allowed) return;
      const waitMs = this.#pacer.waitMs(nowMs);
      if (waitMs > 0) return this.#wakeAfter(waitMs);
      const dueMs = queue.nextDueMs(nowMs);
      if (dueMs !== null) return this.#wakeAfter(dueMs - nowMs);
      if (this.#reach.bulkCap === null && queue.size > 1 && this.#spending.bookCall() === 0) {
        this.#pacer.sent(nowMs);
        return void this.#call(this.#learnBulkCap());
      }
      const most = Math.min(this.#reach.bulkCap ?? 1, this.#spending.affordable());
      const batch = queue.take(Math.max(1, most), nowMs).filter((job) => job.interest > 0);
      const won = this.#leases.take(batch);
      if (won.length === 0) continue;
      const denied = this.#spending.book(won);
      if (denied) {
        this.#leases.release(won);
        // Another process was faster: what is left pays for fewer.
        const isTooMany = denied.code === 'over_budget' && this.#spending.affordable() > 0;
        if (!isTooMany) return this.#postpone(won, nowMs + (denied.retryAfterMs ?? Infinity), denied);
        for (const job of won) queue.push(job);
        continue;
      }
      if (state === 'probe') this.#refusals.probes();
      this.#pacer.sent(nowMs);
      void this.#call(this.#ask(won));
    }
  }

  /** Nothing goes out before `untilMs`: the jobs go back, those who cannot wait are told; a wait that is too long ends all. */
  #postpone(batch: readonly Job[], untilMs: number, error: LookupError): void {
    for (const job of batch) this.#jobs.queue.push(job);
    const waitMs = untilMs - this.#nowMs();
    if (waitMs > LONGEST_WAIT_MS) return this.#failAll(error);
    this.#jobs.dismiss(untilMs, error);
    return this.#wakeAfter(waitMs);
  }

  async #call(work: Promise<void>): Promise<void> {
    this.#inFlight++;
    this.#callCounts.counts.calls++;
    try {
      await work;
    } catch (error) {
      this.#endAfter(error);
    } finally {
      this.#inFlight--;
      this.#pumpSoon();
    }
  }

  /** A throw that nobody expected: whoever waits is told, and the next look-up begins anew. */
  #endAfter(error: unknown): void {
    this.#tell(error);
    try {
      this.#failAll(new LookupError('unavailable', this.provider.id, 'a fault of the program ended the look-up', { cause: error }));
    } catch (second) {
      this.#tell(second);
    }
  }

  #tell(error: unknown): void {
    const message = `${this.provider.id}: a fault of the program, please report it: ${wordsOf(error)}`;
    if (message !== this.#lastFault) this.#options.onFault?.(message);
    this.#lastFault = message;
  }

  async #learnBulkCap(): Promise<void> {
    try {
      this.#reach.bulkCap = await askBulkCap(this.#options, AbortSignal.timeout(LONGEST_WAIT_MS));
      this.#reach.hasContact = true;
    } catch (error) {
      this.#reach.bulkCap = 0;
      this.#faults.judge([], asLookupError(this.provider.id, error));
    }
  }

  async #ask(batch: readonly Job[]): Promise<void> {
    const { exchange } = this.#options;
    const controller = new AbortController();
    const [first] = batch as [Job, ...Job[]];
    for (const job of batch) Object.assign(job, { controller, batch, refund: null });
    const sentMs = this.#nowMs();
    try {
      if (batch.length === 1) this.#answer(first, await exchange.single(first.indicator, controller.signal));
      else {
        const indicators = batch.map((job) => job.indicator);
        const verdicts = await exchange.bulk(indicators, controller.signal);
        for (const job of batch) {
          const verdict = verdicts.get(job.indicator.value);
          job.isAlone = verdict === undefined;
          if (verdict !== undefined) this.#answer(job, verdict);
          else this.#enqueue(Object.assign(job, { controller: null }));
        }
      }
      this.#reach.hasContact = true;
      this.#pacer.answered(this.#nowMs() - sentMs);
      this.#refusals.succeeded();
    } catch (error) {
      for (const job of batch) job.controller = null;
      if (!controller.signal.aborted) this.#faults.judge(batch, asLookupError(this.provider.id, error));
    } finally {
      this.#leases.release(batch);
    }
  }

  #answer(job: Job, verdict: Verdict | null): void {
    this.#callCounts.counts.answered++;
    this.#jobs.settle(job, keepAnswer(this.#options, job.indicator, verdict));
  }

  /** The provider wants to be left alone, or refuses us; another process may have been told. */
  #obey({ error, untilMs }: Refusal): void {
    this.#reach.hasContact = false;
    if (!isWait(error.code)) return this.#failAll(error);
    this.#pacer.blockUntil(untilMs);
    return this.#postpone([], untilMs, error);
  }

  #failAll(error: LookupError): void {
    this.#jobs.settleIdle(() => this.#failed(error));
  }
}
