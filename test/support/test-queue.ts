import type { Clock } from '../../src/engine/clock.ts';
import { createMemoryVerdictStore } from '../../src/engine/cache/memory-verdict-store.ts';
import type { ClientLimits, ClientOptions } from '../../src/engine/calls/provider-client.ts';
import { ProviderQueue } from '../../src/engine/calls/provider-queue.ts';
import type { VerdictStore } from '../../src/engine/cache/verdict-store.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { ismalicious } from '../../src/providers/ismalicious.ts';

/** A clock whose two hands are moved by hand. */
export interface HandClock extends Clock {
  /** Time goes by. */
  pass(ms: number): void;
  /** Somebody sets the wall clock. */
  set(byMs: number): void;
}

export const NOON_MS = Date.parse('2026-11-21T12:00:00Z');

export function handClock(): HandClock {
  let monotonicMs = 1_000_000;
  let epochMs = NOON_MS;
  return {
    // A millisecond goes by between two looks: pacing waits for it.
    monotonicMs() {
      epochMs += 1;
      return (monotonicMs += 1);
    },
    epochMs: () => epochMs,
    pass(ms) {
      monotonicMs += ms;
      epochMs += ms;
    },
    set: (byMs) => void (epochMs += byMs),
  };
}

/** One process's queue in front of a provider that answers as told; `asked` are the values it was called for. */
export function openTestQueue(
  answer: (value: string) => Verdict | null | Promise<Verdict | null>,
  { clock, store, key, limits }: { clock: HandClock; store?: VerdictStore; key?: string; limits?: Partial<ClientLimits> },
) {
  const asked: string[] = [];
  const single = async ({ value }: Indicator) => {
    asked.push(value);
    return await answer(value);
  };
  const queue = new ProviderQueue({
    provider: ismalicious as unknown as ClientOptions['provider'],
    account: 'ismalicious',
    key: () => key ?? 'fingerprint',
    exchange: { single, bulk: () => Promise.reject(new Error('no bulk')), bulkCap: () => Promise.resolve(0) },
    limits: { concurrency: 10, timeoutMs: 10_000, quotas: [], budgetPerDay: null, budgetPerMonth: null, useBulk: false, ...limits },
    lifetimes: { listedS: 86_400, unknownS: 86_400, pendingS: 60 },
    store: store ?? createMemoryVerdictStore(null),
    clock,
    random: () => 0,
  });
  /** Looks up a value, a little later, for somebody who has so much time. */
  const lookUp = async (value: string, timeoutMs = 1) => {
    clock.pass(100);
    const outcome = await queue.lookup({ type: 'ipv4-addr', value }, { deadlineMs: clock.monotonicMs() + timeoutMs });
    return outcome.kind === 'failed' ? outcome.error.code : outcome.kind;
  };
  return { queue, asked, lookUp, [Symbol.dispose]: () => queue.close() };
}
