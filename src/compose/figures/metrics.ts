// src/compose/figures/: what a process counts, as Prometheus reads it.
import { getHeapStatistics } from 'node:v8';
import { UNENRICHED } from '../../events/bulk/unenriched.ts';
import type { UnenrichedReason } from '../../events/bulk/unenriched.ts';
import { histogramLines, metricLines, type Sample } from '../../model/formats/prometheus-text.ts';
import { VERDICT_WORDS } from '../../model/verdict.ts';

/** Upper bounds of the duration buckets, in seconds. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Names of the counters besides those of calls, and what they count. */
const COUNTERS = {
  events: 'Events received for enrichment.',
  invalid_lines: 'NDJSON lines that were no JSON object and passed through unchanged.',
  body_bytes: 'Bytes of bodies received, inflated.',
  lookups: 'Values looked up for callers of /v1/lookup, /v1/logstash and /check.',
  ingest_refused: 'Events of /v1/ingest that the engine refused: they are in the index for refused ones.',
  ingest_failure_store: 'Events of /v1/ingest that the engine refused and put into the failure store of their data stream.',
  gateway_documents: 'Documents of bulk requests that the gateway read, and enriched where there was something to look up.',
  gateway_failure_store: 'Documents of bulk requests that the engine refused and put into the failure store of their data stream.',
  faults: 'Unexpected errors; each costs one call at most, and the log has each kind of them.',
  refused_for_room: 'Bodies and answers there was no room for (sidecar.max_held_bytes): refused with 503, or a failure of the route.',
  extract_truncated: 'Texts of /v1/extract that were not read to their end (sidecar.max_extracted).',
} as const;

export type CounterName = keyof typeof COUNTERS;

interface RouteFigures {
  readonly buckets: number[];
  sumS: number;
  count: number;
  /** Answers 200, which nearly all are. */
  fine: number;
  readonly byCode: Map<number, number>;
}

/** Counters of the process, as Prometheus reads them. Labels come from fixed lists, so that no caller can make series. */
export interface Metrics {
  inFlight: number;
  /** Bytes of long bodies and answers that are held now. */
  heldBytes: number;
  /** Counts an answered call. `route`: a registered path, or `other`. */
  observe(route: string, code: number, ms: number): void;
  add(counter: CounterName, amount: number): void;
  addUnenriched(reason: UnenrichedReason, amount: number): void;
  /** Counts events by the verdict of their worst value; in the order of `VERDICT_WORDS`. */
  addVerdicts(counts: readonly number[]): void;
  /** All series in the text format (version 0.0.4). */
  render(): string;
}

/** Counters at zero. `extra`: series of others, in the same format. */
export function createMetrics(extra: () => string = () => ''): Metrics {
  const routes = new Map<string, RouteFigures>();
  const counters = new Map<CounterName, number>(Object.keys(COUNTERS).map((name) => [name as CounterName, 0]));
  const verdicts = VERDICT_WORDS.map(() => 0);
  const unenriched = new Map<UnenrichedReason, number>(UNENRICHED.map((reason) => [reason, 0]));

  function figuresOf(route: string): RouteFigures {
    const known = routes.get(route);
    if (known) return known;
    const fresh = { buckets: BUCKETS_S.map(() => 0), sumS: 0, count: 0, fine: 0, byCode: new Map<number, number>() };
    routes.set(route, fresh);
    return fresh;
  }

  return {
    inFlight: 0,
    heldBytes: 0,
    observe(route, code, ms) {
      const figures = figuresOf(route);
      const seconds = ms / 1000;
      figures.sumS += seconds;
      figures.count++;
      if (code === 200) figures.fine++;
      else figures.byCode.set(code, (figures.byCode.get(code) ?? 0) + 1);
      let bucket = 0;
      while (seconds > (BUCKETS_S[bucket] ?? Infinity)) bucket++;
      if (bucket < BUCKETS_S.length) figures.buckets[bucket] = (figures.buckets[bucket] ?? 0) + 1;
    },
    add(counter, amount) {
      counters.set(counter, (counters.get(counter) ?? 0) + amount);
    },
    addUnenriched(reason, amount) {
      unenriched.set(reason, (unenriched.get(reason) ?? 0) + amount);
    },
    addVerdicts(counts) {
      for (let n = 0; n < verdicts.length; n++) verdicts[n] = (verdicts[n] ?? 0) + (counts[n] ?? 0);
    },
    render() {
      const lines = [
        ...renderRoutes(routes),
        ...family('ismalicious_sidecar_requests_in_flight', 'gauge', 'Calls being worked on.', [['', this.inFlight]]),
        ...family('ismalicious_sidecar_held_bytes', 'gauge', 'Bytes of long bodies and answers that are held.', [['', this.heldBytes]]),
        ...[...counters].flatMap(([name, value]) => family(`ismalicious_sidecar_${name}_total`, 'counter', COUNTERS[name], [['', value]])),
        ...family(
          'ismalicious_sidecar_gateway_unenriched_total',
          'counter',
          'Documents that went through the gateway as they were, by the reason (behind a broken action: lines; of an unknown coding: bodies).',
          [...unenriched].map(([reason, value]) => [`{reason="${reason}"}`, value]),
        ),
        ...family(
          'ismalicious_sidecar_event_verdicts_total',
          'counter',
          'Enriched events by the verdict of their worst value.',
          VERDICT_WORDS.map((verdict, n) => [`{verdict="${verdict}"}`, verdicts[n] ?? 0]),
        ),
        ...renderProcess(),
      ];
      return `${lines.join('\n')}\n${extra()}`;
    },
  };
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string[] {
  return metricLines(name, { type, help, samples });
}

function renderRoutes(routes: ReadonlyMap<string, RouteFigures>): string[] {
  const calls = [...routes].flatMap(([route, { fine, byCode }]) =>
    [...(fine > 0 ? [[200, fine] as const] : []), ...byCode].map(([code, count]): Sample => [`{route="${route}",code="${code}"}`, count]),
  );
  const name = 'ismalicious_sidecar_request_duration_seconds';
  const durations = [...routes].flatMap(([route, { buckets, sumS, count }]) =>
    histogramLines(name, `route="${route}"`, BUCKETS_S, { buckets, sum: sumS, count }),
  );
  return [
    ...family('ismalicious_sidecar_requests_total', 'counter', 'Calls answered.', calls),
    `# HELP ${name} Time from the head of a call to its answer.`,
    `# TYPE ${name} histogram`,
    ...durations,
  ];
}

function renderProcess(): string[] {
  const { user, system } = process.cpuUsage();
  return [
    ...family('process_cpu_seconds_total', 'counter', 'Processor time used.', [['', (user + system) / 1e6]]),
    ...family('process_resident_memory_bytes', 'gauge', 'Memory in use.', [['', process.memoryUsage.rss()]]),
    ...family('nodejs_heap_size_used_bytes', 'gauge', 'Heap in use, with what the next collection will free.', [
      ['', getHeapStatistics().used_heap_size],
    ]),
    ...family('process_start_time_seconds', 'gauge', 'Start of the process since 1970.', [
      ['', (Date.now() - process.uptime() * 1000) / 1000],
    ]),
  ];
}
