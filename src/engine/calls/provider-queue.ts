import type { Indicator } from '../../model/indicator.ts';
import { LookupError, type LookupErrorCode } from '../../model/lookup-error.ts';
import type { QuotaNotice } from '../../providers/provider.ts';
import type { Outcome } from '../score/outcome.ts';
import { createCallCounts } from './call-counts.ts';
import { CallDispatcher } from './call-dispatcher.ts';
import { lastCallInMs } from '../cache/call-windows.ts';
import { createBreaker } from './pace/circuit-breaker.ts';
import { createEarlyRefusals } from './early-refusals.ts';
import { createFurtherCall } from './further-call.ts';
import { cancelCall } from './jobs/job.ts';
import { createPaceMemory } from './pace/learned-pace.ts';
import { createPacer } from './pace/pacer.ts';
import type { ClientOptions, ClientStats, ProviderClient, Wanted } from './provider-client.ts';
import { createSpending } from './spending.ts';
import { LONGEST_WAIT_MS, StandingRefusals } from './standing-refusals.ts';
import { createUnreadableValues } from './unreadable-values.ts';
import { createWaitingJobs } from './jobs/waiting-jobs.ts';

/**
 * The queue in front of one provider: who asks, who waits, who has gone away; its calls are made by the dispatcher. One per provider and
 * process; processes coordinate through the store.
 */
export class ProviderQueue implements ProviderClient {
  readonly provider;
  readonly quotas;
  readonly furtherCall;
  readonly #options: ClientOptions;
  readonly #jobs;
  readonly #breaker = createBreaker();
  readonly #pacer;
  readonly #refusals;
  readonly #earlyRefusals;
  readonly #callCounts;
  readonly #unreadable = createUnreadableValues(() => this.#nowMs());
  readonly #dispatcher: CallDispatcher;
  #isClosed = false;

  constructor(options: ClientOptions) {
    const { provider, limits, clock } = options;
    this.#options = options;
    this.provider = provider;
    this.quotas = limits.quotas;
    const pacer = (this.#pacer = createPacer(limits.concurrency, clock.monotonicMs()));
    const callCounts = (this.#callCounts = createCallCounts(options));
    const spending = createSpending(options);
    const breaker = this.#breaker;
    const refusals = (this.#refusals = new StandingRefusals(options, breaker, (refusal) => this.#dispatcher.obey(refusal)));
    this.furtherCall = createFurtherCall(options, { pacer, spending, callCounts });
    this.#earlyRefusals = createEarlyRefusals(options, { pacer, breaker, refusals });
    // What is in flight is given free by its call.
    const jobs = (this.#jobs = createWaitingJobs((job) => void (job.controller ?? this.#dispatcher.release(job))));
    this.#dispatcher = new CallDispatcher(options, {
      jobs,
      pacer,
      pace: createPaceMemory(options, pacer),
      breaker,
      refusals,
      spending,
      callCounts,
      unreadable: this.#unreadable,
    });
  }

  lookup(indicator: Indicator, wanted: Wanted): Promise<Outcome> {
    this.#callCounts.counts.lookups++;
    if (wanted.isTest) this.#refusals.lift(this.#nowMs());
    const refused = this.#isClosed
      ? this.#error('unavailable', 'shutting down')
      : this.#earlyRefusals.refuse(wanted, this.#dispatcher.inFlight);
    if (refused) return Promise.resolve(this.#dispatcher.failed(refused));
    const unreadable = wanted.isTest ? null : this.#unreadable.of(indicator.value);
    if (unreadable) return Promise.resolve(this.#dispatcher.failed(unreadable));
    let job = this.#jobs.get(indicator.value);
    const isFirst = !job;
    if (!job) {
      const denied = this.#earlyRefusals.denyNew(wanted, this.#jobs.size);
      if (denied) return Promise.resolve(this.#dispatcher.failed(denied));
      job = this.#jobs.open(indicator);
      const { budget } = wanted;
      if (budget && this.provider.cost > 0) job.refund = () => void (budget.remaining += this.provider.cost);
      this.#dispatcher.enqueue(job);
    }
    job.interest++;
    job.sinceS = Math.max(job.sinceS, wanted.isTest ? Infinity : (wanted.sinceS ?? -Infinity));
    const { waiters } = job;
    return new Promise((resolve) => waiters.push({ resolve, deadlineMs: wanted.deadlineMs, isFirst }));
  }

  abandon(indicator: Indicator): void {
    const job = this.#jobs.get(indicator.value);
    if (!job || --job.interest > 0) return;
    this.#jobs.settle(job, this.#dispatcher.failed(this.#error('timeout', 'no caller waits any more')));
    // A bulk call goes on while anybody wants one of its indicators.
    if (job.batch?.every((other) => other.interest <= 0)) job.controller?.abort();
  }

  callsFor(lookups: number): number {
    const { bulkCap } = this.#dispatcher;
    if (lookups <= 1) return lookups;
    return bulkCap === null ? lookups + 1 : Math.ceil(lookups / Math.max(1, bulkCap));
  }

  estimateMs(lookups: number): number | null {
    const { store, account, clock } = this.#options;
    if (this.quotas.length === 0) return null;
    const nowMs = clock.epochMs();
    const longestMs = Math.max(...this.quotas.map(({ perMs }) => perMs));
    return lastCallInMs(store.booked(account, nowMs - longestMs), this.quotas, this.callsFor(lookups), nowMs);
  }

  delay = (): LookupError | null => this.#earlyRefusals.delay();

  notice(notices: readonly QuotaNotice[]): void {
    const burst = this.#callCounts.notice(notices);
    if (burst === null || burst.endsInMs <= 0 || burst.endsInMs >= LONGEST_WAIT_MS) return;
    const endsMs = this.#nowMs() + burst.endsInMs;
    if (burst.left === 0) this.#pacer.blockUntil(endsMs);
    // The call whose answer this is has been counted.
    this.#pacer.allowance.told({ left: burst.left, perWindow: burst.perWindow, endsMs }, Math.max(0, this.#dispatcher.inFlight - 1));
  }

  stats(): ClientStats {
    const refusal = this.#refusals.standing(this.#nowMs());
    const waitMs = Math.max(this.#pacer.blockedUntilMs, refusal?.untilMs ?? 0) - this.#nowMs();
    return {
      ...this.#callCounts.stats(),
      queued: this.#jobs.queue.size,
      inFlight: this.#dispatcher.inFlight,
      breaker: this.#breaker.state(this.#nowMs()),
      blockedUntilMs: waitMs > 0 ? this.#options.clock.epochMs() + waitMs : null,
      refusal: refusal?.error.code ?? (waitMs > 0 ? 'rate_limited' : null),
      nextCallInMs: this.#jobs.queue.size === 0 ? 0 : Math.max(0, this.#dispatcher.wakesAtMs - this.#nowMs()),
      quotas: this.quotas,
    };
  }

  async finish(): Promise<void> {
    this.#isClosed = true;
    await this.#dispatcher.finish(this.#error('unavailable', 'shutting down'));
  }

  close(): void {
    this.#isClosed = true;
    this.#dispatcher.close();
    this.#callCounts.close();
    for (const job of this.#jobs.all()) cancelCall(job);
    this.#dispatcher.failAll(this.#error('unavailable', 'shutting down'));
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #error(code: LookupErrorCode, message: string): LookupError {
    return new LookupError(code, this.provider.id, message);
  }
}
