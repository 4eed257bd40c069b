import { histogramLines, metricLines, type Sample } from '../model/formats/prometheus-text.ts';

/** Upper bounds of the buckets of a batch's time, in seconds. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Span over which the rate is taken. */
const RATE_MS = 10_000;

/** What became of records: `enriched` may have had nothing to add; `passed` are no events and went on as they were. */
export const OUTCOMES = ['enriched', 'passed', 'dead_letter', 'too_large'] as const;

/** A finished batch. */
export interface BatchFigures {
  readonly records: Readonly<Partial<Record<(typeof OUTCOMES)[number], number>>>;
  readonly bytesIn: number;
  readonly ms: number;
}

/** What is counted of the providers. */
export interface ProviderFigures {
  readonly provider: string;
  readonly calls: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** Figures of one run, as Prometheus reads them. */
export interface StreamMetrics {
  batch(figures: BatchFigures): void;
  committed(): void;
  add(counter: 'send_failures' | 'reconnects' | 'rebalances'): void;
  /** Records that wait, by topic and partition; negative: not ours. */
  setLag(lag: ReadonlyMap<string, readonly bigint[]>): void;
  /** All records that were written, of whatever outcome. */
  total(): number;
  render(): string;
}

/** Figures at zero. `nowMs`: a clock that only grows. */
export function createStreamMetrics(nowMs: () => number, providers: () => readonly ProviderFigures[]): StreamMetrics {
  const records = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  const counters = new Map([
    ['send_failures', 0],
    ['reconnects', 0],
    ['rebalances', 0],
  ]);
  const buckets = BUCKETS_S.map(() => 0);
  const rate = createRate(nowMs);
  let lag: ReadonlyMap<string, readonly bigint[]> = new Map();
  let batches = 0;
  let sumS = 0;
  let bytesIn = 0;
  let committedAtS = 0;
  return {
    batch(figures) {
      let count = 0;
      for (const [outcome, amount] of Object.entries(figures.records)) {
        records.set(outcome, (records.get(outcome) ?? 0) + amount);
        count += amount;
      }
      rate.add(count);
      batches++;
      bytesIn += figures.bytesIn;
      sumS += figures.ms / 1000;
      const bucket = BUCKETS_S.findIndex((bound) => figures.ms / 1000 <= bound);
      if (bucket >= 0) buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    },
    committed: () => void (committedAtS = Date.now() / 1000),
    add: (counter) => void counters.set(counter, (counters.get(counter) ?? 0) + 1),
    setLag: (seen) => void (lag = seen),
    total: () => [...records.values()].reduce((sum, amount) => sum + amount, 0),
    render() {
      const lines = [
        ...family('records_total', 'counter', 'Records written and acknowledged, by what became of them.', labelled('outcome', records)),
        ...family('bytes_total', 'counter', 'Bytes of the values that were read.', [['', bytesIn]]),
        ...family('records_per_second', 'gauge', 'Records a second over the last ten seconds.', [['', rate.perSecond()]]),
        ...family('lag_records', 'gauge', 'Records that wait, in the partitions this worker has.', lagSeries(lag)),
        ...family('send_failures_total', 'counter', 'Batches that the brokers did not take at once.', [
          ['', counters.get('send_failures') ?? 0],
        ]),
        ...family('reconnects_total', 'counter', 'Times the group was joined again after a fault.', [
          ['', counters.get('reconnects') ?? 0],
        ]),
        ...family('rebalances_total', 'counter', 'Times partitions were shared out again.', [['', counters.get('rebalances') ?? 0]]),
        ...family('last_commit_timestamp_seconds', 'gauge', 'When offsets were last committed, since 1970; 0: not yet.', [
          ['', committedAtS],
        ]),
        ...histogram(buckets, sumS, batches),
        ...providerLines(providers()),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}

/** Counts over two spans, so that the rate of the last whole one can be told. */
function createRate(nowMs: () => number): { add(count: number): void; perSecond(): number } {
  let sinceMs = nowMs();
  let count = 0;
  let last = 0;
  const turn = () => {
    const spanMs = nowMs() - sinceMs;
    if (spanMs < RATE_MS) return;
    last = count / (spanMs / 1000);
    count = 0;
    sinceMs = nowMs();
  };
  return {
    add(amount) {
      turn();
      count += amount;
    },
    perSecond() {
      turn();
      return Math.round(last * 10) / 10;
    },
  };
}

function labelled(label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([name, value]) => [`{${label}="${name}"}`, value]);
}

/** Topics have no character that a label would have to escape. */
function lagSeries(lag: ReadonlyMap<string, readonly bigint[]>): Sample[] {
  return [...lag].flatMap(([topic, partitions]) =>
    partitions.flatMap((waiting, partition): Sample[] =>
      waiting < 0n ? [] : [[`{topic="${topic}",partition="${partition}"}`, Number(waiting)]],
    ),
  );
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string[] {
  return metricLines(`ismalicious_stream_${name}`, { type, help, samples });
}

function histogram(buckets: readonly number[], sumS: number, count: number): string[] {
  const name = 'ismalicious_stream_batch_seconds';
  return [
    `# HELP ${name} Time from the reading of a batch to its acknowledgement.`,
    `# TYPE ${name} histogram`,
    ...histogramLines(name, '', BUCKETS_S, { buckets, sum: sumS, count }),
  ];
}

/** Under the names that the sidecar has for them. */
function providerLines(providers: readonly ProviderFigures[]): string[] {
  if (providers.length === 0) return [];
  const calls = providers.map((one): Sample => [`{provider="${one.provider}"}`, one.calls]);
  const failures = providers.flatMap(({ provider, failures: counts }) =>
    Object.entries(counts).map(([status, count]): Sample => [`{provider="${provider}",status="${status}"}`, count]),
  );
  return [
    ...metricLines('ismalicious_provider_calls_total', { type: 'counter', help: 'Calls made.', samples: calls }),
    ...metricLines('ismalicious_provider_failures_total', {
      type: 'counter',
      help: 'Look-ups without an answer, by status.',
      samples: failures,
    }),
  ];
}
