/** One value of a metric and its labels, as `{a="b"}`; empty: it has none. */
export type Sample = readonly [labels: string, value: number];

/** What a histogram has counted: `buckets` each on their own, not added up. */
export interface HistogramFigures {
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** The lines of one metric in Prometheus' text format (version 0.0.4). */
export function metricLines(
  name: string,
  { type, help, samples }: { readonly type: 'counter' | 'gauge'; readonly help: string; readonly samples: readonly Sample[] },
): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([labels, value]) => `${name}${labels} ${value}`)];
}

/** The lines of one series of a histogram, without its head. `label`: `a="b"`, or empty; `bounds`: upper ones of the buckets. */
export function histogramLines(name: string, label: string, bounds: readonly number[], figures: HistogramFigures): string[] {
  const [before, only] = label === '' ? ['', ''] : [`${label},`, `{${label}}`];
  let below = 0;
  return [
    ...bounds.map((bound, n) => `${name}_bucket{${before}le="${bound}"} ${(below += figures.buckets[n] ?? 0)}`),
    `${name}_bucket{${before}le="+Inf"} ${figures.count}`,
    `${name}_sum${only} ${figures.sum}`,
    `${name}_count${only} ${figures.count}`,
  ];
}
