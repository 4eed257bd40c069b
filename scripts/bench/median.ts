/** The middle one of some values, of two the greater; `NaN`: there are none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The value of sorted ones that this share of them stays below; `NaN`: there are none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

/** To hundredths: ratios, and costs of some microseconds. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
