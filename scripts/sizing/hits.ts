import { type Bucket, distinctAmong, sumOf } from './popularity.ts';

/** What keeps answers, and how long. */
export interface Caches {
  /** Sidecars that share one cache; a balancer spreads the look-ups evenly among them. */
  readonly replicas: number;
  /** `cache.memory_entries` of each. */
  readonly memoryEntries: number;
  /** Days until an answer has to be asked for again, and the share of values that have it. */
  readonly lifetimes: readonly { readonly days: number; readonly share: number }[];
}

/** Where look-ups are answered, each as a share of all of them. */
export interface Hits {
  /** From the memory of the process. */
  readonly memory: number;
  /** The same on the first day, when nothing is known, if no answer runs out on it. */
  readonly memoryFirstDay: number;
  /** From the cache file, or Redis. */
  readonly shared: number;
  /** By the provider. */
  readonly asked: number;
  /** Values asked for a day, in the long run. */
  readonly callsPerDay: number;
  /** Values asked for on the first day, when nothing is known. */
  readonly callsFirstDay: number;
  /** Values whose answers are kept. */
  readonly kept: number;
}

/** Days past its lifetime that an answer stays: `cache.stale_s`. */
const STALE_DAYS = 7;

/**
 * Look-ups come at random, each value at its rate. A value is asked for when it comes and its answer has run out; memory forgets what was not
 * looked up for the longest time (Che, Tung and Wang 2002).
 */
export function hitsOf(buckets: readonly Bucket[], lookupsPerDay: number, caches: Caches): Hits {
  const rate = (bucket: Bucket) => bucket.share * lookupsPerDay;
  const overLifetimes = (of: (days: number) => number) => caches.lifetimes.reduce((sum, { days, share }) => sum + share * of(days), 0);
  const callsPerDay = sumOf(buckets, (bucket) => overLifetimes((days) => rate(bucket) / (1 + rate(bucket) * days)));
  const callsFirstDay = sumOf(buckets, (bucket) => overLifetimes((days) => firstDay(rate(bucket), days)));
  const keptDays = forgottenAfter(buckets, lookupsPerDay / caches.replicas, caches.memoryEntries);
  const inMemory = sumOf(buckets, (bucket) => {
    const own = rate(bucket) / caches.replicas;
    return rate(bucket) * (1 - Math.exp(-own * keptDays)) * overLifetimes((days) => freshInMemory(own, days));
  });
  const inMemoryFirst = sumOf(buckets, (bucket) => {
    const own = rate(bucket) / caches.replicas;
    return caches.replicas * (own - (1 - Math.exp(-own))) * (1 - Math.exp(-own * keptDays));
  });
  const asked = callsPerDay / lookupsPerDay;
  const memory = Math.min(inMemory / lookupsPerDay, 1 - asked);
  return {
    memory,
    memoryFirstDay: inMemoryFirst / lookupsPerDay,
    shared: 1 - asked - memory,
    asked,
    callsPerDay,
    callsFirstDay,
    kept: overLifetimes((days) => distinctAmong(buckets, lookupsPerDay * (days + STALE_DAYS))),
  };
}

/** Calls about a value on a day that begins without its answer. */
function firstDay(rate: number, days: number): number {
  const atLeastOnce = 1 - Math.exp(-rate);
  return days >= 1 ? atLeastOnce : atLeastOnce + (rate * (1 - days)) / (1 + rate * days);
}

/** Share of a value's look-ups in one process that find its answer there not run out. */
function freshInMemory(rate: number, days: number): number {
  return (rate * days) / (1 + rate * days);
}

/** Days without a look-up after which memory has no room for a value any more. */
function forgottenAfter(buckets: readonly Bucket[], lookupsPerDay: number, entries: number): number {
  if (sumOf(buckets, () => 1) <= entries) return Infinity;
  let [low, high] = [0, 1];
  while (distinctAmong(buckets, lookupsPerDay * high) < entries) high *= 2;
  while (high - low > high * 1e-6) {
    const middle = (low + high) / 2;
    if (distinctAmong(buckets, lookupsPerDay * middle) < entries) low = middle;
    else high = middle;
  }
  return high;
}
