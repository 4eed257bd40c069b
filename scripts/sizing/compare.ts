import type { Plan } from './capacity.ts';
import { hitsOf } from './hits.ts';
import { bucketsOf, distinctAmong } from './popularity.ts';
import { type RealRun, runReally } from './real-run.ts';

/** A real run beside what was reckoned for it. */
export interface Compared {
  readonly real: RealRun;
  /** Reckoned: the share of look-ups that memory answers. */
  readonly memory: number;
  /** Reckoned: values asked for. */
  readonly calls: number;
  /** Reckoned: different values drawn. */
  readonly unique: number;
}

/** `cache.memory_entries` takes no less. */
const LEAST_ENTRIES = 1000;
/** Answers run out long after the run. */
const NEVER = [{ days: 1e6, share: 1 }];

/**
 * Looks up a day that is `scale` times smaller in everything, memory too, by one engine that knows nothing at its start. `null`: such a load
 * cannot be, see `bucketsOf`.
 */
export async function compareWithRealRun(plan: Plan, exponent: number, scale: number): Promise<Compared | null> {
  const lookups = Math.max(1, Math.round((plan.eventsPerDay * plan.valuesPerEvent) / scale));
  const uniquePerDay = Math.max(1, Math.min(lookups, Math.round(plan.uniquePerDay / scale)));
  const buckets = bucketsOf({ lookupsPerDay: lookups, uniquePerDay, exponent });
  if (buckets === null) return null;
  const memoryEntries = Math.max(LEAST_ENTRIES, Math.round(plan.memoryEntries / scale));
  const { memoryFirstDay, callsFirstDay } = hitsOf(buckets, lookups, { replicas: 1, memoryEntries, lifetimes: NEVER });
  const unique = distinctAmong(buckets, lookups);
  const real = await runReally({ buckets, lookups, memoryEntries, seed: 1 });
  return { real, memory: memoryFirstDay, calls: callsFirstDay, unique };
}
