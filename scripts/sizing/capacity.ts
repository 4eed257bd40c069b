import { bucketsOf } from './popularity.ts';
import { type Hits, hitsOf } from './hits.ts';

/**
 * How events reach a sidecar or worker, and what one costs in microseconds of a core. `batches` and `single`: two cores by the rates of
 * docs/performance.md, load generator included; `gateway` and `stream`: estimates, not measured on an idle machine.
 */
export const EVENT_US = { batches: 10.5, single: 160, gateway: 50, stream: 40 } as const;
/** Microseconds of a core that a value takes that has to be asked for: an estimate. */
const CALL_US = 100;
/** Microseconds of a core that a value takes that memory does not have and the cache file or Redis has: an estimate. */
const SHARED_US = 10;
/** Cores are planned to be at most so busy at the peak. */
const BUSY = 0.5;
const BASE_BYTES = 200e6;
const MEMORY_ENTRY_BYTES = 260;
const REDIS_ENTRY_BYTES = 250;
const DISK_ENTRY_BYTES = 100;
const DAY_S = 86_400;
const MINUTES_A_DAY = 1440;

/** Most replicas that are planned. */
const MOST_REPLICAS = 1000;

/** What is to be carried, and by what. `null`: no limit. */
export interface Plan {
  readonly eventsPerDay: number;
  readonly uniquePerDay: number;
  readonly valuesPerEvent: number;
  /** The busiest minute beside the mean one. */
  readonly peak: number;
  readonly way: keyof typeof EVENT_US;
  readonly cores: number;
  /** `null`: as many as the cores need. */
  readonly replicas: number | null;
  readonly memoryEntries: number;
  /** Share of values that the provider lists, and seconds that answers are reused: `cache.listed_ttl_s`, `cache.unknown_ttl_s`. */
  readonly listed: number;
  readonly listedTtlS: number;
  readonly unknownTtlS: number;
  /** What a thousand values cost that are asked for. */
  readonly pricePerThousand: number;
  readonly perMinute: number | null;
  readonly perDay: number | null;
  readonly memoryMb: number;
  readonly redisMb: number | null;
  readonly diskGb: number | null;
}

/** What one exponent comes to. */
export interface Sizing extends Hits {
  readonly exponent: number;
  readonly replicas: number;
  /** Calls in the busiest minute. */
  readonly callsPerMinute: number;
  readonly costPerDay: number;
  readonly memoryMb: number;
  readonly redisMb: number;
  readonly diskGb: number;
  /** How far each part is used at the peak, 1: wholly; the fullest first. */
  readonly used: readonly { readonly part: string; readonly share: number }[];
}

/** Reckons one exponent; `null`: such a load cannot be, see `bucketsOf`. */
export function sizeOf(plan: Plan, exponent: number): Sizing | null {
  const lookupsPerDay = plan.eventsPerDay * plan.valuesPerEvent;
  const buckets = bucketsOf({ lookupsPerDay, uniquePerDay: plan.uniquePerDay, exponent });
  if (buckets === null) return null;
  const lifetimes = [
    { days: plan.listedTtlS / DAY_S, share: plan.listed },
    { days: plan.unknownTtlS / DAY_S, share: 1 - plan.listed },
  ];
  const hitsBy = (replicas: number) => hitsOf(buckets, lookupsPerDay, { replicas, memoryEntries: plan.memoryEntries, lifetimes });
  let replicas = plan.replicas ?? 1;
  let hits = hitsBy(replicas);
  // More replicas hit their own memories less, so the number is looked for step by step.
  while (plan.replicas === null && replicas < MOST_REPLICAS && coresOf(plan, hits) > replicas * plan.cores * BUSY)
    hits = hitsBy(++replicas);
  const memoryMb = (BASE_BYTES + Math.min(plan.memoryEntries, hits.kept) * MEMORY_ENTRY_BYTES) / 1e6;
  const redisMb = (hits.kept * REDIS_ENTRY_BYTES) / 1e6;
  const diskGb = (hits.kept * DISK_ENTRY_BYTES) / 1e9;
  const callsPerMinute = (hits.callsPerDay / MINUTES_A_DAY) * plan.peak;
  const parts: readonly (readonly [part: string, used: number, limit: number | null])[] = [
    ['cores', coresOf(plan, hits), replicas * plan.cores],
    ['calls a minute', callsPerMinute, plan.perMinute],
    ['calls a day', hits.callsPerDay, plan.perDay],
    ['memory of a sidecar', memoryMb, plan.memoryMb],
    ['memory of Redis', redisMb, plan.redisMb],
    ['disk', diskGb, plan.diskGb],
  ];
  return {
    ...hits,
    exponent,
    replicas,
    callsPerMinute,
    costPerDay: (hits.callsPerDay * plan.pricePerThousand) / 1000,
    memoryMb,
    redisMb,
    diskGb,
    used: parts
      .flatMap(([part, used, limit]) => (limit === null ? [] : [{ part, share: used / limit }]))
      .toSorted((one, other) => other.share - one.share),
  };
}

/** Cores that are busy at the peak. */
function coresOf({ eventsPerDay, valuesPerEvent, peak, way }: Plan, { shared, asked }: Hits): number {
  const us = EVENT_US[way] + valuesPerEvent * (shared * SHARED_US + asked * CALL_US);
  return ((eventsPerDay / DAY_S) * peak * us) / 1e6;
}
