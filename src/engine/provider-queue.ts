import type { Indicator } from '../model/indicator.ts';
import { asLookupError, LookupError, type LookupErrorCode } from '../model/lookup-error.ts';
import type { Verdict } from '../model/verdict.ts';
import type { QuotaNotice } from '../providers/provider.ts';
import { createAdmission } from './admission.ts';
import { createBreaker } from './breaker.ts';
import { askBulkCap, knownBulkCap } from './bulk-cap.ts';
import { createFurtherCall } from './further-call.ts';
import { cancelCall, createJob, dismissHurried, type Job, settleJob } from './job.ts';
import { createJobQueue } from './job-queue.ts';
import { createLeases } from './leases.ts';
import { keepAnswer } from './keep-answer.ts';
import type { Outcome } from './outcome.ts';
import { createPacer } from './pacer.ts';
import { createTally } from './tally.ts';
import type { ClientOptions, ClientStats, ProviderClient, Wanted } from './provider-client.ts';
import { createRefusals, delayAfter, LONGEST_WAIT_MS } from './refusals.ts';

/** The queue in front of one provider. One per provider and process; processes coordinate through the store. */
export class ProviderQueue implements ProviderClient {
  readonly provider;
  readonly quotas;
  readonly furtherCall;
  readonly #options: ClientOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #queue = createJobQueue();
  readonly #breaker = createBreaker();
  readonly #pacer;
  readonly #refusals;
  readonly #leases;
  readonly #admission;
  readonly #tally;
  #inFlight = 0;
  /** Until a first answer came, one call at a time: a wrong key or a dead host costs one call, not ten. */
  #hasContact = false;
  #bulkCap: number | null = null;
  #wakeTimer: NodeJS.Timeout | null = null;
  #isPumpDue = false;
  #isClosed = false;

  constructor(options: ClientOptions) {
    const { provider, limits, clock } = options;
    this.#options = options;
    this.provider = provider;
    this.quotas = limits.quotas;
    this.#pacer = createPacer(limits.concurrency, clock.monotonicMs());
    this.#tally = createTally(options);
    this.#refusals = createRefusals(options);
    this.furtherCall = createFurtherCall(options, { pacer: this.#pacer, refusals: this.#refusals, tally: this.#tally });
    this.#admission = createAdmission(options, { pacer: this.#pacer, breaker: this.#breaker, refusals: this.#refusals });
    this.#leases = createLeases(options, {
      onAnswer: (job, outcome) => this.#settle(job, outcome),
      onFree: (job) => this.#enqueue(job),
    });
    this.#bulkCap = knownBulkCap(options);
  }

  lookup(indicator: Indicator, wanted: Wanted): Promise<Outcome> {
    this.#tally.counts.lookups++;
    const refused = this.#isClosed ? this.#error('unavailable', 'shutting down') : this.#admission.refuse(wanted, this.#inFlight);
    if (refused) return Promise.resolve(this.#failed(refused));
    let job = this.#jobs.get(indicator.value);
    const isFirst = !job;
    if (!job) {
      const denied = this.#admission.denyNew(wanted, this.#jobs.size);
      if (denied) return Promise.resolve(this.#failed(denied));
      job = createJob(indicator);
      this.#jobs.set(indicator.value, job);
      this.#enqueue(job);
    }
    job.interest++;
    const { waiters } = job;
    return new Promise((resolve) => waiters.push({ resolve, deadlineMs: wanted.deadlineMs, isFirst }));
  }

  abandon(indicator: Indicator): void {
    const job = this.#jobs.get(indicator.value);
    if (!job || --job.interest > 0) return;
    this.#settle(job, this.#failed(this.#error('timeout', 'nobody waits any more')));
    // A bulk call goes on while anybody wants one of its indicators.
    if (job.batch?.every((other) => other.interest <= 0)) job.controller?.abort();
  }

  delay = (): LookupError | null => this.#admission.delay();

  notice(notices: readonly QuotaNotice[]): void {
    const waitMs = this.#tally.notice(notices);
    if (waitMs > 0 && waitMs < LONGEST_WAIT_MS) this.#pacer.blockUntil(this.#nowMs() + waitMs);
  }

  stats(): ClientStats {
    const waitMs = this.#pacer.blockedUntilMs - this.#nowMs();
    return {
      ...this.#tally.stats(),
      queued: this.#queue.size,
      inFlight: this.#inFlight,
      breaker: this.#breaker.state(this.#nowMs()),
      blockedUntilMs: waitMs > 0 ? this.#options.clock.epochMs() + waitMs : null,
    };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#leases.close();
    this.#tally.close();
    for (const job of this.#jobs.values()) cancelCall(job);
    this.#failAll(this.#error('unavailable', 'shutting down'));
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #error(code: LookupErrorCode, message: string, retryAfterMs: number | null = null): LookupError {
    return new LookupError(code, this.provider.id, message, { retryAfterMs });
  }

  #failed(error: LookupError): Outcome {
    this.#tally.failed(error.code);
    return { kind: 'failed', provider: this.provider.id, error };
  }

  #enqueue(job: Job): void {
    this.#queue.push(job);
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    // After the poll phase: an answer that has arrived, a refusal above all, is seen before the next call goes out.
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #wakeAfter(waitMs: number): void {
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#wakeTimer = setTimeout(() => this.#pumpSoon(), Math.min(waitMs, LONGEST_WAIT_MS));
  }

  #pump(): void {
    while (this.#queue.size > 0 && !this.#isClosed) {
      const nowMs = this.#nowMs();
      const state = this.#breaker.state(nowMs);
      if (state === 'open') return this.#wakeAfter(this.#breaker.reopensAtMs - nowMs);
      const allowed = this.#hasContact && state === 'closed' ? this.#options.limits.concurrency : 1;
      if (this.#inFlight >= allowed) return;
      const waitMs = this.#pacer.waitMs(nowMs);
      if (waitMs > 0) return this.#wakeAfter(waitMs);
      const dueMs = this.#queue.nextDueMs(nowMs);
      if (dueMs !== null) return this.#wakeAfter(dueMs - nowMs);
      if (this.#bulkCap === null && this.#queue.size > 1 && this.#refusals.bookCall() === 0) {
        this.#pacer.sent(nowMs);
        return void this.#call(this.#learnBulkCap());
      }
      const most = Math.min(this.#bulkCap ?? 1, this.#refusals.affordable());
      const batch = this.#queue.take(Math.max(1, most), nowMs).filter((job) => job.interest > 0);
      const won = this.#leases.take(batch);
      if (won.length === 0) continue;
      const denied = this.#refusals.book(won, nowMs);
      if (denied) {
        this.#leases.release(won);
        // Another process was faster: what is left pays for fewer.
        const isTooMany = denied.code === 'over_budget' && this.#refusals.affordable() > 0;
        if (!isTooMany) return this.#postpone(won, nowMs + (denied.retryAfterMs ?? Infinity), denied);
        for (const job of won) this.#queue.push(job);
        continue;
      }
      this.#pacer.sent(nowMs);
      void this.#call(this.#ask(won));
    }
  }

  /** Nothing goes out before `untilMs`: the jobs go back, those who cannot wait are told; a wait that is too long ends all. */
  #postpone(batch: readonly Job[], untilMs: number, error: LookupError): void {
    for (const job of batch) this.#queue.push(job);
    const waitMs = untilMs - this.#nowMs();
    if (waitMs > LONGEST_WAIT_MS) return this.#failAll(error);
    for (const job of this.#jobs.values()) if (!job.controller) dismissHurried(job, untilMs, error);
    return this.#wakeAfter(waitMs);
  }

  async #call(work: Promise<void>): Promise<void> {
    this.#inFlight++;
    this.#tally.counts.calls++;
    try {
      await work;
    } finally {
      this.#inFlight--;
      this.#pumpSoon();
    }
  }

  async #learnBulkCap(): Promise<void> {
    try {
      this.#bulkCap = await askBulkCap(this.#options, AbortSignal.timeout(LONGEST_WAIT_MS));
      this.#hasContact = true;
    } catch (error) {
      this.#bulkCap = 0;
      this.#fault([], asLookupError(this.provider.id, error));
    }
  }

  async #ask(batch: readonly Job[]): Promise<void> {
    const { exchange } = this.#options;
    const controller = new AbortController();
    const [first] = batch as [Job, ...Job[]];
    for (const job of batch) Object.assign(job, { controller, batch });
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
      this.#hasContact = true;
      this.#pacer.answered(this.#nowMs() - sentMs);
      this.#breaker.succeeded();
    } catch (error) {
      for (const job of batch) job.controller = null;
      if (!controller.signal.aborted) this.#fault(batch, asLookupError(this.provider.id, error));
    } finally {
      this.#leases.release(batch);
    }
  }

  #answer(job: Job, verdict: Verdict | null): void {
    this.#tally.counts.answered++;
    this.#settle(job, keepAnswer(this.#options, job.indicator, verdict));
  }

  /** A call failed: decides what becomes of its jobs, and of all others. */
  #fault(batch: readonly Job[], error: LookupError): void {
    const nowMs = this.#nowMs();
    switch (error.code) {
      case 'rate_limited':
        this.#pacer.limited(nowMs, error.retryAfterMs);
        return this.#postpone(batch, this.#pacer.blockedUntilMs, error);
      case 'unauthorized':
      case 'quota_exhausted':
        this.#refusals.stand(error, nowMs);
        return this.#failAll(error);
      case 'invalid':
        this.#hasContact = true;
        return this.#faultInvalid(batch, error);
      default:
        return this.#breaker.failed(nowMs) ? this.#faultOpen(batch, error) : this.#retry(batch, error);
    }
  }

  /** One bad value makes the whole batch fail: ask each alone, and never again so many at once. */
  #faultInvalid(batch: readonly Job[], error: LookupError): void {
    if (batch.length === 1) return batch.forEach((job) => this.#settle(job, this.#failed(error)));
    this.#bulkCap = Math.floor(batch.length / 2);
    for (const job of batch) {
      job.isAlone = batch.length <= 2;
      this.#enqueue(job);
    }
    return undefined;
  }

  /** The breaker has just opened, or its probe failed: the hurried are told, the others wait for the next probe once. */
  #faultOpen(batch: readonly Job[], error: LookupError): void {
    if (!this.#hasContact || this.#breaker.probes > 1) return this.#failAll(error);
    return this.#postpone(batch, this.#breaker.reopensAtMs, error);
  }

  #retry(batch: readonly Job[], error: LookupError): void {
    for (const job of batch) {
      const delayMs = delayAfter(++job.attempts, error, this.#options.random);
      if (delayMs === null) this.#settle(job, this.#failed(error));
      else {
        this.#tally.counts.retries++;
        job.notBeforeMs = this.#nowMs() + delayMs;
        dismissHurried(job, job.notBeforeMs, error);
        this.#enqueue(job);
      }
    }
  }

  /** Ends what waits; what is in flight has been paid for and gets its own answer. */
  #failAll(error: LookupError): void {
    this.#queue.clear();
    for (const job of this.#jobs.values()) if (!job.controller) this.#settle(job, this.#failed(error));
  }

  #settle(job: Job, outcome: Outcome): void {
    this.#jobs.delete(job.indicator.value);
    settleJob(job, outcome);
  }
}
