/** One series of `/metrics`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was read of `/metrics` at one time. */
export interface Reading {
  readonly atMs: number;
  readonly samples: readonly Sample[];
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? (\S+)$/;

/** Reads Prometheus' text format (0.0.4), as far as the sidecar writes it. */
export function readMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    return name === undefined ? [] : [{ name, labels: readLabels(labels), value: Number(value) }];
  });
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')]),
  );
}

/** The sum of the series of a name that have these labels; `null`: there are none. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number | null {
  const wanted = Object.entries(labels);
  let sum: number | null = null;
  for (const sample of samples)
    if (sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value)) sum = (sum ?? 0) + sample.value;
  return sum;
}

/** The values of a label that the series of a name have. */
export function labelsOf(samples: readonly Sample[], name: string, label: string): string[] {
  return [...new Set(samples.filter((sample) => sample.name === name).map(({ labels }) => labels[label] ?? ''))].filter(
    (value) => value !== '',
  );
}

/** The bound below which this share of the calls between two readings was answered, in seconds; `null`: there were none. */
export function quantileBetween(now: readonly Sample[], before: readonly Sample[], share: number): number | null {
  const name = 'ismalicious_sidecar_request_duration_seconds_bucket';
  const counts = labelsOf(now, name, 'le').map((le) => {
    const count = (sumOf(now, name, { le }) ?? 0) - (sumOf(before, name, { le }) ?? 0);
    return [le === '+Inf' ? Infinity : Number(le), count] as const;
  });
  const all = counts.find(([le]) => le === Infinity)?.[1] ?? 0;
  if (all <= 0) return null;
  return counts.toSorted(([a], [b]) => a - b).find(([, count]) => count >= share * all)?.[0] ?? null;
}

/** Counters that start again within a day say nothing of how long credits last. */
const SHORT_WINDOWS = new Set(['burst', 'minute', 'hourly', 'daily']);

/** The credits of a source's plan that do not start again within a day, the fewest; `null`: it says nothing of them. */
export function creditsLeft(samples: readonly Sample[], provider: string): number | null {
  const left = samples.filter(
    ({ name, labels }) =>
      name === 'ismalicious_provider_quota_remaining' && labels['provider'] === provider && !SHORT_WINDOWS.has(labels['window'] ?? ''),
  );
  return left.length === 0 ? null : Math.min(...left.map(({ value }) => value));
}
