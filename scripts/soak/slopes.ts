/** One figure over time: minutes since the soak began, and its value then. */
export interface Point {
  readonly minute: number;
  readonly value: number;
}

/** What a series does: by how much it grows a minute, and whether that is more than chance. */
export interface Trend {
  /** Units a minute: the median of the slopes between all pairs (Theil and Sen), which single peaks do not move. */
  readonly perMinute: number;
  /** Whether it rises, by the test of Mann and Kendall at 95 %. */
  readonly rises: boolean;
}

/** One-sided 95 % quantile of the normal distribution. */
const Z_95 = 1.645;
/** With fewer points a trend cannot be told from chance. */
const LEAST_POINTS = 8;

/** The trend of a series. Throws when there are too few points to say. */
export function trendOf(points: readonly Point[]): Trend {
  if (points.length < LEAST_POINTS) throw new Error(`${points.length} points, ${LEAST_POINTS} at least: a longer soak`);
  const slopes: number[] = [];
  let sum = 0;
  for (const [n, later] of points.entries()) {
    for (const earlier of points.slice(0, n)) {
      slopes.push((later.value - earlier.value) / (later.minute - earlier.minute));
      sum += Math.sign(later.value - earlier.value);
    }
  }
  const count = points.length;
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5) - tiesIn(points)) / 18);
  return { perMinute: medianOf(slopes), rises: deviation > 0 && (sum - 1) / deviation > Z_95 };
}

/** Equal values say nothing about a direction, and make chance smaller. */
function tiesIn(points: readonly Point[]): number {
  const counts = new Map<number, number>();
  for (const { value } of points) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + count * (count - 1) * (2 * count + 5), 0);
}

/** The lowest value of each `size` points: what is left of a sawtooth when its teeth are taken off. */
export function floorsOf(points: readonly Point[], size: number): Point[] {
  return Array.from({ length: Math.floor(points.length / size) }, (_, n) => {
    const some = points.slice(n * size, (n + 1) * size);
    return some.reduce((least, point) => (point.value < least.value ? point : least));
  });
}

/** Medians of the first and the last fifth. */
export function fifthsOf(points: readonly Point[]): { readonly first: number; readonly last: number } {
  const size = Math.max(1, Math.floor(points.length / 5));
  const values = points.map(({ value }) => value);
  return { first: medianOf(values.slice(0, size)), last: medianOf(values.slice(-size)) };
}

/** The middle value; `NaN` of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
