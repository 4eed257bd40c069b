import { asLookupError, LookupError } from '../../model/lookup-error.ts';
import type { Verdict } from '../../model/verdict.ts';
import { keepAnswer } from '../cache/keep-answer.ts';
import type { Outcome } from '../score/outcome.ts';
import { askBulkCap, knownBulkCap } from './bulk-cap.ts';
import { createFaults, createReport, type Reach } from './call-faults.ts';
import type { Job } from './jobs/job.ts';
import { createLeases } from './leases.ts';
import { type CallState, nextStep } from './next-step.ts';
import type { ClientOptions } from './provider-client.ts';
import type { DispatcherParts } from './dispatcher-parts.ts';
import { SharedCalls } from './shared/shared-calls.ts';
import { isWait, LONGEST_WAIT_MS, type Refusal } from './standing-refusals.ts';

/** Makes the calls to one provider: when `nextStep` says so, for as many look-ups as one call may carry, and never without their leases. */
export class CallDispatcher {
  readonly #options: ClientOptions;
  readonly #parts: DispatcherParts;
  readonly #reach: Reach;
  readonly #state: CallState;
  readonly #leases;
  readonly #faults;
  readonly #report;
  /** `null`: this machine is alone. */
  readonly #sharedCalls: SharedCalls | null;
  #inFlight = 0;
  #wakeTimer: NodeJS.Timeout | null = null;
  #isPumpDue = false;
  #isClosed = false;
  /** When the next call may be made, on the monotonic clock; 0: none is waited for. */
  #wakesAtMs = 0;
  #idle: (() => void)[] = [];

  constructor(options: ClientOptions, parts: DispatcherParts) {
    const { jobs, pacer, breaker, refusals } = parts;
    this.#options = options;
    this.#report = createReport(options);
    this.#parts = parts;
    this.#reach = { hasContact: false, bulkCap: knownBulkCap(options) };
    this.#state = { queue: jobs.queue, refusals, breaker, pacer, reach: this.#reach, concurrency: options.limits.concurrency };
    const events = {
      onAnswer: (job: Job, outcome: Outcome) => jobs.settle(job, outcome),
      onFree: (job: Job) => this.enqueue(job),
      onThrow: (error: unknown) => this.#endAfter(error),
    };
    this.#leases = createLeases(options, events);
    this.#sharedCalls = options.shared
      ? new SharedCalls({ ...options, shared: options.shared }, parts, {
          ...events,
          onRefused: (job, error) => jobs.settle(job, this.failed(error)),
          onTheWay: (work) => this.#onTheWay(work),
          ask: (batch) => void this.#call(this.#ask(batch)),
          learnBulkCap: () => this.#call(this.#learnBulkCap()),
          giveBack: (left, nowMs, denied) => void this.#giveBack(left, nowMs, denied),
          postpone: (untilMs, error) => this.#postpone([], untilMs, error),
          releaseHere: (batch) => this.#leases.release(batch),
        })
      : null;
    this.#faults = createFaults(options, parts, {
      reach: this.#reach,
      enqueue: (job) => this.enqueue(job),
      postpone: (batch, untilMs, error) => this.#postpone(batch, untilMs, error),
      failAll: (error) => this.failAll(error),
      failed: (error) => this.failed(error),
      obey: (refusal) => this.obey(refusal),
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** When the next call may be made, on the monotonic clock; 0: none is waited for. */
  get wakesAtMs(): number {
    return this.#wakesAtMs;
  }

  /** Look-ups that one call may carry; `null`: nobody knows yet, 0: one. */
  get bulkCap(): number | null {
    return this.#reach.bulkCap;
  }

  /** Makes no new call; ends what waits with `error`, and resolves when the calls that are out have ended. */
  async finish(error: LookupError): Promise<void> {
    this.#isClosed = true;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.failAll(error);
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Takes a look-up: it is asked when its turn comes. */
  enqueue(job: Job): void {
    this.#parts.jobs.queue.push(job);
    this.#pumpSoon();
  }

  /** A look-up has ended: other processes may ask. */
  release(job: Job): void {
    this.#leases.release([job]);
  }

  /** The outcome of a look-up that failed, counted. */
  failed(error: LookupError): Outcome {
    this.#parts.callCounts.failed(error.code);
    return { kind: 'failed', provider: this.#options.provider.id, error };
  }

  /** Ends all look-ups but those that are in flight. */
  failAll(error: LookupError): void {
    this.#parts.jobs.settleIdle(() => this.failed(error));
  }

  /** The provider wants to be left alone, or refuses us; another process may have been told. */
  obey({ error, untilMs }: Refusal): void {
    this.#reach.hasContact = false;
    if (!isWait(error.code)) return this.failAll(error);
    this.#parts.pace.recall();
    this.#parts.pacer.blockUntil(untilMs);
    return this.#postpone([], untilMs, error);
  }

  /** Nothing goes out any more. */
  close(): void {
    this.#isClosed = true;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#leases.close();
    this.#sharedCalls?.close();
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
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
    this.#wakesAtMs = this.#nowMs() + waitMs;
    this.#wakeTimer = setTimeout(() => this.#pumpSoon(), Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS));
  }

  #pump(): void {
    const { queue } = this.#parts.jobs;
    this.#parts.pace.begin();
    while (queue.size > 0 && !this.#isClosed) {
      const nowMs = this.#nowMs();
      const step = nextStep(this.#state, this.#inFlight, nowMs);
      if (step.does === 'fail-all') return this.failAll(step.error);
      if (step.does === 'wait') return this.#wakeAfter(step.waitMs);
      if (step.does === 'call' && this.#sharedCalls?.isHeld(nowMs) === true) return;
      if (step.does === 'none' || !this.#send(nowMs, step.isProbe)) return;
    }
  }

  /** Sends one call, if leases and budgets let it; false: nothing more can be sent for now. */
  #send(nowMs: number, isProbe: boolean): boolean {
    const { jobs, pacer, refusals, spending } = this.#parts;
    const { queue } = jobs;
    if (this.#sharedCalls !== null) this.#reach.bulkCap ??= knownBulkCap(this.#options);
    if (this.#reach.bulkCap === null && queue.size > 1 && (this.#sharedCalls !== null || spending.bookCall() === 0)) {
      pacer.sent(nowMs);
      if (this.#sharedCalls === null) void this.#call(this.#learnBulkCap());
      else this.#sharedCalls.learn();
      return false;
    }
    const most = Math.min(this.#reach.bulkCap ?? 1, spending.affordable());
    const batch = queue.take(Math.max(1, most), nowMs).filter((job) => job.interest > 0);
    const won = this.#leases.take(batch);
    if (won.length === 0) return true;
    const denied = this.#sharedCalls === null ? spending.book(won) : null;
    if (denied) return this.#giveBack(won, nowMs, denied);
    if (isProbe) refusals.probes();
    pacer.sent(nowMs);
    if (this.#sharedCalls === null) void this.#call(this.#ask(won));
    else this.#sharedCalls.send(won);
    return true;
  }

  /** Limits or budgets do not let this call out; whether one for fewer look-ups may be tried: another process was faster. */
  #giveBack(won: readonly Job[], nowMs: number, denied: LookupError): boolean {
    this.#leases.release(won);
    const isTooMany = denied.code === 'over_budget' && this.#parts.spending.affordable() > 0;
    if (isTooMany) for (const job of won) this.#parts.jobs.queue.push(job);
    else this.#postpone(won, nowMs + (denied.retryAfterMs ?? Infinity), denied);
    return isTooMany;
  }

  /** Nothing goes out before `untilMs`: the jobs go back, those who cannot wait are told; a wait that is too long ends all. */
  #postpone(batch: readonly Job[], untilMs: number, error: LookupError): void {
    for (const job of batch) this.#parts.jobs.queue.push(job);
    const waitMs = untilMs - this.#nowMs();
    if (waitMs > LONGEST_WAIT_MS) return this.failAll(error);
    this.#parts.jobs.dismiss(untilMs, error);
    return this.#wakeAfter(waitMs);
  }

  async #call(work: Promise<void>): Promise<void> {
    this.#parts.callCounts.counts.calls++;
    await this.#onTheWay(() => work);
  }

  async #onTheWay(work: () => Promise<void>): Promise<void> {
    this.#inFlight++;
    try {
      await work();
    } catch (error) {
      this.#endAfter(error);
    } finally {
      this.#inFlight--;
      this.#pumpSoon();
      if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** A throw that nobody expected: whoever waits is told, and the next look-up begins anew. */
  #endAfter(error: unknown): void {
    this.#report(error);
    try {
      this.failAll(new LookupError('unavailable', this.#options.provider.id, 'a fault of the program ended the look-up', { cause: error }));
    } catch (second) {
      this.#report(second);
    }
  }

  async #learnBulkCap(): Promise<void> {
    try {
      this.#reach.bulkCap = await askBulkCap(this.#options, AbortSignal.timeout(LONGEST_WAIT_MS));
      this.#reach.hasContact = true;
    } catch (error) {
      this.#reach.bulkCap = 0;
      this.#faults.judge([], asLookupError(this.#options.provider.id, error));
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
          if (verdict instanceof LookupError) {
            this.#parts.unreadable.note(job.indicator.value, verdict);
            this.#parts.jobs.settle(job, this.failed(verdict));
          } else if (verdict !== undefined) this.#answer(job, verdict);
          else this.enqueue(Object.assign(job, { controller: null }));
        }
      }
      this.#reach.hasContact = true;
      this.#parts.pacer.answered(this.#nowMs() - sentMs);
      this.#parts.pace.answered();
      this.#parts.refusals.succeeded();
    } catch (error) {
      for (const job of batch) job.controller = null;
      const fault = asLookupError(this.#options.provider.id, error);
      if (fault.code === 'bad_response') for (const { indicator } of batch) this.#parts.unreadable.note(indicator.value, fault);
      if (!controller.signal.aborted) this.#faults.judge(batch, fault);
    } finally {
      this.#sharedCalls?.release(batch);
      this.#leases.release(batch);
    }
  }

  #answer(job: Job, verdict: Verdict | null): void {
    this.#parts.callCounts.counts.answered++;
    this.#parts.jobs.settle(job, keepAnswer(this.#options, job.indicator, verdict));
  }
}
