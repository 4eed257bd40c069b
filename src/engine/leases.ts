import type { Job } from './job.ts';
import { type Outcome, verdictFromText } from './outcome.ts';
import type { ClientOptions } from './provider-client.ts';

/** How soon another process's answer is looked for. */
const POLL_MS = 25;
/** A process that died gives its look-ups free after the time of one call and this. */
const MARGIN_S = 5;

/** Single flight across the processes that share a store: each look-up is made by whoever holds its lease. */
export interface Leases {
  /** The jobs that are ours to ask; the others are watched until their answer is there. */
  take(batch: readonly Job[]): Job[];
  release(batch: readonly Job[]): void;
  close(): void;
}

interface LeaseEvents {
  /** Another process has the answer. */
  readonly onAnswer: (job: Job, outcome: Outcome) => void;
  /** The other process gave up: ours to try. */
  readonly onFree: (job: Job) => void;
}

export function createLeases({ provider, limits, store, clock }: ClientOptions, events: LeaseEvents): Leases {
  const watched = new Map<string, Job>();
  let timer: NodeJS.Timeout | null = null;
  const nowS = () => Math.floor(clock.epochMs() / 1000);
  const leaseEndS = () => nowS() + Math.ceil(limits.timeoutMs / 1000) + MARGIN_S;

  function poll(): void {
    timer = null;
    const answers = store.getMany(provider.id, [...watched.keys()]);
    for (const [value, row] of answers) {
      const job = watched.get(value);
      const verdict = verdictFromText(provider.id, row.answer);
      if (!job || row.expiresAtS <= nowS() || verdict === undefined) continue;
      watched.delete(value);
      const { checkedAtS, expiresAtS } = row;
      events.onAnswer(job, {
        kind: 'answered',
        provider: provider.id,
        verdict,
        source: 'coalesced',
        checkedAtS,
        expiresAtS,
        isStale: false,
      });
    }
    for (const value of store.lease(provider.id, [...watched.keys()], leaseEndS())) {
      const job = watched.get(value);
      watched.delete(value);
      if (job) events.onFree(job);
    }
    watch();
  }
  function watch(): void {
    if (watched.size > 0) timer ??= setTimeout(poll, POLL_MS);
  }

  return {
    take(batch) {
      if (batch.length === 0) return [];
      const won = store.lease(
        provider.id,
        batch.map((job) => job.indicator.value),
        leaseEndS(),
      );
      if (won.size < batch.length) {
        for (const job of batch) if (!won.has(job.indicator.value)) watched.set(job.indicator.value, job);
        watch();
      }
      return batch.filter((job) => won.has(job.indicator.value));
    },
    release: (batch) =>
      store.release(
        provider.id,
        batch.map((job) => job.indicator.value),
      ),
    close() {
      if (timer) clearTimeout(timer);
      watched.clear();
    },
  };
}
