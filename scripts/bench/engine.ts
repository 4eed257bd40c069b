import { systemClock } from '../../src/engine/clock.ts';
import { Engine } from '../../src/engine/engine.ts';
import { createLruMemory } from '../../src/engine/cache/lru-memory.ts';
import { createMemoryVerdictStore } from '../../src/engine/cache/memory-verdict-store.ts';
import { createWaitingLimit } from '../../src/engine/calls/jobs/waiting-limit.ts';
import type { ProviderClient } from '../../src/engine/calls/provider-client.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { ismalicious } from '../../src/providers/ismalicious.ts';
import type { Print } from './figure.ts';
import { median } from './median.ts';

const VERDICTS = 1_000_000;
const BATCH = 10_000;
const PEEKS = 200_000;
const ROUNDS = 7;
const CATEGORIES = ['malware', 'phishing', 'c2', 'botnet', 'scanner', 'spam'];

const addressOf = (n: number) => `${11 + (n % 80)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

/** As varied as the answers of the stand-in API: one in twenty malicious, scores and confidences over their whole range. */
function verdictOf(n: number): Verdict {
  const isBad = n % 20 === 0;
  const nothing = { sightings: null, firstSeen: null, lastSeen: null, tlp: 'CLEAR' as const, reference: null, isPending: false };
  const score = isBad ? 40 + (n % 61) : n % 40;
  return {
    provider: 'ismalicious',
    verdict: isBad ? 'malicious' : 'clean',
    score,
    confidence: 30 + (n % 71),
    categories: isBad ? [CATEGORIES[n % 6] ?? ''] : [],
    attributes: [],
    ...nothing,
  };
}

/** A provider that answers at once: what is measured is our side. */
function instantClient(): ProviderClient {
  let n = 0;
  return {
    provider: ismalicious as unknown as ProviderClient['provider'],
    quotas: [],
    lookup: () =>
      Promise.resolve({
        kind: 'answered',
        provider: 'ismalicious',
        verdict: verdictOf(n++),
        source: 'live',
        checkedAtS: 1_795_000_000,
        expiresAtS: 1_995_000_000,
        isStale: false,
      }),
    abandon: () => {},
    estimateMs: () => null,
    delay: () => null,
    finish: () => Promise.resolve(),
    callsFor: (lookups) => lookups,
    notice: () => {},
    stats: () => ({
      provider: 'ismalicious',
      calls: 0,
      lookups: 0,
      answered: 0,
      retries: 0,
      failures: {},
      queued: 0,
      inFlight: 0,
      breaker: 'closed',
      blockedUntilMs: null,
      refusal: null,
      spentToday: 0,
      budgetPerDay: null,
      spentThisMonth: 0,
      budgetPerMonth: null,
      notices: [],
      nextCallInMs: 0,
      quotas: [],
    }),
    close: () => {},
  };
}

function openEngine(): Engine {
  const store = createMemoryVerdictStore(null);
  return new Engine({
    createMemory: createLruMemory,
    providers: [{ client: instantClient(), maxTlp: 'RED' }],
    local: { lookup: () => null, allowance: () => null, onChange: () => {}, stats: () => ({ lists: [] }), close: () => {} },
    guard: {
      refuse: () => null,
      prepare: () => Promise.resolve(),
      refuseToSend: () => null,
      sendsEmailAddresses: true,
      isCleared: () => true,
      refuseEmail: () => ({ status: 'skipped_private', message: '' }),
      refuseTlp: () => ({ status: 'skipped_tlp', message: '' }),
    },
    waiting: createWaitingLimit(Infinity),
    stopsEarly: false,
    store: { ...store, put: () => {}, getMany: () => new Map(), readMany: () => {} },
    scoring: {
      formula: 'weighted',
      tiers: { p1: 80, p2: 60, watch: 40 },
      autoResolveConfidence: 80,
      weights: {},
      allowlistMaxScore: 59,
      halfLifeDays: null,
    },
    clock: systemClock,
    memoryEntries: VERDICTS,
    staleS: 0,
    revalidateS: 0,
    onClose: () => Promise.resolve(),
  });
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function cpuUsOf(work: () => number): number {
  const start = process.cpuUsage();
  if (work() === 0) throw new Error('nothing was found');
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function printPeek(engine: Engine, distinct: number, print: Print): void {
  // Made anew from bytes each time, as a host reads them.
  const values = Array.from({ length: PEEKS }, (_, n) => Buffer.from(addressOf((n * 7919) % distinct)));
  const work = () => values.reduce((sum, value) => sum + (engine.peek(value.toString('latin1'))?.answer.score ?? 0), 0);
  const costs = Array.from({ length: ROUNDS }, () => cpuUsOf(work) / PEEKS);
  print({ name: `peek, ${distinct} verdicts in memory`, value: Number(median(costs).toFixed(3)), unit: 'µs CPU' });
}

/** Memory a cached verdict takes at a million, and CPU time of the whole warm path (`peek`: classify, normalise, look up, answer). */
export async function run(print: Print): Promise<void> {
  const engine = openEngine();
  await engine.enrichMany([addressOf(1)]);
  const before = heapBytes();
  for (let at = 0; at < VERDICTS; at += BATCH) {
    await engine.enrichMany(Array.from({ length: BATCH }, (_, n) => addressOf(at + n)));
    if (at === 0) printPeek(engine, BATCH, print);
  }
  const rows = engine.stats().memoryEntries;
  print({ name: `cached verdict at ${rows}`, value: Math.round((heapBytes() - before) / rows), unit: 'B heap and arrays' });
  printPeek(engine, VERDICTS, print);
  await engine.close();
}
