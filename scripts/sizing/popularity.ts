// scripts/sizing/: what a load takes: hits of the caches, calls, machines, money. Reckoned, not measured; `real-run.ts` checks it.

/** How often values come. */
export interface Load {
  /** Values looked up a day: events times the values in each. */
  readonly lookupsPerDay: number;
  /** Different ones among them, a day. */
  readonly uniquePerDay: number;
  /** Of Zipf's law: the n-th most frequent value comes n^exponent times more rarely than the first. 0: all come alike. */
  readonly exponent: number;
}

/** Values that come about equally often. */
export interface Bucket {
  readonly values: number;
  /** Share of all look-ups that each of them has. */
  readonly share: number;
}

/** Ranks up to this have a bucket of their own; later ones share one, ever larger. */
const SINGLE_RANKS = 1000;
const GROWTH = 1.01;
/** The largest catalogue that is tried, as a multiple of the different values of a day. */
const LARGEST_CATALOGUE = 1e6;

/** The values of Zipf's law by how often they come: `values` of them, the frequent ones first. */
export function zipfBuckets(values: number, exponent: number): Bucket[] {
  const buckets: { values: number; weight: number }[] = [];
  const singles = Math.min(values, SINGLE_RANKS);
  for (let rank = 1; rank <= singles; rank++) buckets.push({ values: 1, weight: rank ** -exponent });
  for (let from = singles + 1; from <= values;) {
    const to = Math.min(values, Math.max(from, Math.floor(from * GROWTH)));
    buckets.push({ values: to - from + 1, weight: integral(from - 0.5, to + 0.5, exponent) });
    from = to + 1;
  }
  const all = buckets.reduce((sum, { weight }) => sum + weight, 0);
  return buckets.map(({ values: count, weight }) => ({ values: count, share: weight / all / count }));
}

/** Of x^-exponent: what the ranks between weigh together. */
function integral(from: number, to: number, exponent: number): number {
  if (Math.abs(exponent - 1) < 1e-9) return Math.log(to / from);
  return (to ** (1 - exponent) - from ** (1 - exponent)) / (1 - exponent);
}

/** How many different values are among so many look-ups, on average. */
export function distinctAmong(buckets: readonly Bucket[], lookups: number): number {
  return sumOf(buckets, ({ share }) => 1 - Math.exp(-share * lookups));
}

/** A sum over all values. */
export function sumOf(buckets: readonly Bucket[], of: (bucket: Bucket) => number): number {
  return buckets.reduce((sum, bucket) => sum + bucket.values * of(bucket), 0);
}

/**
 * All values that may come, so many of them that a day shows `uniquePerDay` different ones: the rare ones do not come every day. `null`: by
 * this exponent so few look-ups never show so many different values.
 */
export function bucketsOf({ lookupsPerDay, uniquePerDay, exponent }: Load): Bucket[] | null {
  const shows = (values: number) => distinctAmong(zipfBuckets(values, exponent), lookupsPerDay);
  let high = uniquePerDay;
  while (shows(high) < uniquePerDay * (1 - TOLERANCE)) {
    if (high > uniquePerDay * LARGEST_CATALOGUE) return null;
    high *= 2;
  }
  let low = high === uniquePerDay ? high : high / 2;
  while (high - low > Math.max(1, low * TOLERANCE)) {
    const middle = Math.round((low + high) / 2);
    if (shows(middle) < uniquePerDay) low = middle;
    else high = middle;
  }
  return zipfBuckets(high, exponent);
}

const TOLERANCE = 1e-4;
