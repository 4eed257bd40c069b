import { CLOCK_SKEW_S, epochS } from '../clock.ts';
import type { Job } from './jobs/job.ts';
import { type Outcome, verdictFromText } from '../score/outcome.ts';
import type { ClientOptions } from './provider-client.ts';
import type { StoredVerdict } from '../cache/verdict-store.ts';

/** How soon another process's answer is looked for. */
const POLL_MS = 25;
/** Looking at many takes time: it is rested so many times as long. */
const REST_SHARE = 8;
/** A process that hangs gives its look-ups free after the time of one call and this; one that has ended does so at once. */
export const LEASE_MARGIN_S = 5;
/** A look-up of several calls may take longer than one: its lease is renewed this often within its time. */
const RENEWALS = 3;

/** Single flight across the processes that share a store: each look-up is made by whoever holds its lease. */
export interface Leases {
  /** The jobs that are ours to ask. What another process has answered meanwhile is handed over, what it is asking is watched. */
  take(batch: readonly Job[]): Job[];
  /** Gives free what we hold of these; answers have to be in the store before. */
  release(batch: readonly Job[]): void;
  close(): void;
}

interface LeaseEvents {
  /** Another process has the answer. */
  readonly onAnswer: (job: Job, outcome: Outcome) => void;
  /** The other process gave up: ours to try. */
  readonly onFree: (job: Job) => void;
  /** Something threw that nobody expected, with no caller to throw it at. */
  readonly onThrow: (error: unknown) => void;
}

export function createLeases(options: ClientOptions, events: LeaseEvents): Leases {
  const held = createHeldLeases(options, events.onThrow);
  const watched = new Map<string, Job>();
  let timer: NodeJS.Timeout | null = null;

  function poll(): void {
    timer = null;
    for (const [value, job] of watched) if (job.isSettled || job.interest <= 0) watched.delete(value);
    if (watched.size === 0) return;
    const startMs = options.clock.monotonicMs();
    // Reads hold up nobody; a crowd of processes that all tried to write here would.
    tell(answersTo(options, watched));
    const leasable = held.leasable([...watched.keys()]);
    const won = leasable.length === 0 ? [] : [...held.lease(leasable)].flatMap((value) => watched.get(value) ?? []);
    const told = answersTo(options, new Map(won.map((job) => [job.indicator.value, job])));
    // Held again by those that are asked in their turn.
    held.release(won.map(({ indicator }) => indicator.value));
    tell(told);
    for (const job of won) {
      if (!watched.delete(job.indicator.value)) continue;
      events.onFree(job);
    }
    watch(Math.max(POLL_MS, (options.clock.monotonicMs() - startMs) * REST_SHARE));
  }
  function tell(told: ReadonlyMap<string, Outcome>): void {
    for (const [value, outcome] of told) {
      const job = watched.get(value);
      watched.delete(value);
      if (job) events.onAnswer(job, outcome);
    }
  }
  function watch(waitMs = POLL_MS): void {
    if (watched.size > 0) timer ??= setTimeout(guarded(poll, events.onThrow), waitMs);
  }

  return {
    take(batch) {
      if (batch.length === 0) return [];
      const won = held.lease(batch.map((job) => job.indicator.value));
      const mine = new Map<string, Job>();
      for (const job of batch) (won.has(job.indicator.value) ? mine : watched).set(job.indicator.value, job);
      watch();
      if (mine.size === 0) return [];
      const told = answersTo(options, mine);
      held.release([...told.keys()]);
      for (const [value, outcome] of told) {
        events.onAnswer(mine.get(value) as Job, outcome);
        mine.delete(value);
      }
      held.keep([...mine.keys()]);
      return [...mine.values()];
    },
    release: (batch) => held.giveBack(batch.map(({ indicator }) => indicator.value)),
    close() {
      if (timer) clearTimeout(timer);
      watched.clear();
      held.close();
    },
  };
}

/** For timers: what is thrown there would end the process, or be heard by nobody who waits. */
export function guarded(work: () => void, onThrow: LeaseEvents['onThrow']): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      onThrow(error);
    }
  };
}

/** The leases of this process. */
function createHeldLeases({ provider, limits, store, clock }: ClientOptions, onThrow: LeaseEvents['onThrow']) {
  const leaseS = Math.ceil(limits.timeoutMs / 1000) + LEASE_MARGIN_S;
  const kept = new Set<string>();
  let renewal: NodeJS.Timeout | null = null;

  function lease(values: readonly string[]): Set<string> {
    const nowS = epochS(clock);
    return store.lease(provider.id, values, nowS + leaseS, nowS);
  }
  function release(values: readonly string[]): void {
    if (values.length > 0) store.release(provider.id, values);
  }
  function renew(): void {
    if (kept.size > 0) lease([...kept]);
    else stop();
  }
  function stop(): void {
    if (renewal) clearInterval(renewal);
    renewal = null;
  }
  return {
    lease,
    leasable: (values: readonly string[]) => store.leasable(provider.id, values, epochS(clock)),
    release,
    /** Renews these until they are given back. */
    keep(values: readonly string[]): void {
      for (const value of values) kept.add(value);
      if (values.length > 0) renewal ??= setInterval(guarded(renew, onThrow), (leaseS * 1000) / RENEWALS).unref();
    },
    giveBack: (values: readonly string[]) => release(values.filter((value) => kept.delete(value))),
    close(): void {
      stop();
      release([...kept]);
      kept.clear();
    },
  };
}

/** What the store knows by now. Asked when the leases are won: whoever held one before had put its answer there. */
function answersTo({ provider, store, clock }: ClientOptions, jobs: ReadonlyMap<string, Job>): Map<string, Outcome> {
  const nowS = epochS(clock);
  const told = new Map<string, Outcome>();
  store.readMany(provider.id, [...jobs.keys()], (value, answer, checkedAtS, expiresAtS) => {
    const job = jobs.get(value);
    const row = { answer, checkedAtS, expiresAtS };
    const outcome = job && answersJob(job, row, nowS) ? outcomeOf(provider.id, row) : null;
    if (outcome !== null) told.set(value, outcome);
  });
  return told;
}

/** What a row says to who waits; `null`: it is too old for that, or cannot be read. */
export function answerOf({ provider, clock }: ClientOptions, job: Job, row: StoredVerdict): Outcome | null {
  return answersJob(job, row, epochS(clock)) ? outcomeOf(provider.id, row) : null;
}

function answersJob(job: Job, { checkedAtS, expiresAtS }: StoredVerdict, nowS: number): boolean {
  return expiresAtS > nowS && checkedAtS >= job.sinceS && checkedAtS <= nowS + CLOCK_SKEW_S;
}

/** `null`: the row cannot be read. */
function outcomeOf(provider: string, { answer, checkedAtS, expiresAtS }: StoredVerdict): Outcome | null {
  const verdict = verdictFromText(provider, answer);
  if (verdict === undefined) return null;
  return { kind: 'answered', provider, verdict, source: 'coalesced', checkedAtS, expiresAtS, isStale: false };
}
