import type { EngineStats } from '../../engine/engine.ts';
import { metricLines, type Sample } from '../../model/formats/prometheus-text.ts';
import type { SightingCounts } from '../../pipeline/sightings/sighting-recorder.ts';

/** Providers that are not asked for now, by id: why, and until when. */
export type HeldOff = Readonly<Record<string, { readonly status: string; readonly until: string }>>;

interface Series {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** What the engine counts, in the Prometheus text format. Labels are provider ids, error codes and counter names: bounded sets. */
export function renderEngineMetrics(stats: EngineStats, nowMs: number = Date.now()): string {
  return [...providerSeries(stats), ...heldOffSeries(stats, nowMs), ...ownSeries(stats)]
    .filter(({ samples }) => samples.length > 0)
    .map(render)
    .join('');
}

/** Providers that are not asked for now, for `/readyz`. */
export function heldOffProviders({ providers }: EngineStats): HeldOff {
  return Object.fromEntries(
    providers.flatMap(({ provider, refusal, blockedUntilMs }) =>
      refusal === null || blockedUntilMs === null
        ? []
        : [[provider, { status: refusal, until: new Date(Math.round(blockedUntilMs)).toISOString() }]],
    ),
  );
}

/** What was noted of who was seen with what; nothing where nobody notes it. */
export function renderSightingMetrics(counts: SightingCounts | null): string {
  if (counts === null) return '';
  const { rows, droppedBytes, failedRows } = counts;
  const series: readonly Series[] = [
    { name: 'sighting_rows_total', type: 'counter', help: 'Sightings written, by value, asset and day in a batch.', samples: [['', rows]] },
    {
      name: 'sighting_dropped_bytes_total',
      type: 'counter',
      help: 'Bytes of events whose sightings were not noted, because more came than could be read.',
      samples: [['', droppedBytes]],
    },
    { name: 'sighting_failed_rows_total', type: 'counter', help: 'Sightings that could not be written.', samples: [['', failedRows]] },
  ];
  return series.map(render).join('');
}

function providerSeries({ providers }: EngineStats): Series[] {
  const each = (pick: (stats: EngineStats['providers'][number]) => number) =>
    providers.map((stats) => [`{provider="${stats.provider}"}`, pick(stats)] as const);
  return [
    { name: 'provider_calls_total', type: 'counter', help: 'Calls made.', samples: each(({ calls }) => calls) },
    {
      name: 'provider_lookups_total',
      type: 'counter',
      help: 'Look-ups wanted; several may share one call.',
      samples: each(({ lookups }) => lookups),
    },
    { name: 'provider_answers_total', type: 'counter', help: 'Indicators answered.', samples: each(({ answered }) => answered) },
    { name: 'provider_retries_total', type: 'counter', help: 'Calls made again after a failure.', samples: each(({ retries }) => retries) },
    {
      name: 'provider_failures_total',
      type: 'counter',
      help: 'Look-ups without an answer, by status.',
      samples: providers.flatMap(({ provider, failures }) =>
        Object.entries(failures).map(([code, count]) => [`{provider="${provider}",status="${code}"}`, count] as const),
      ),
    },
    { name: 'provider_queued', type: 'gauge', help: 'Look-ups that wait for their turn.', samples: each(({ queued }) => queued) },
    { name: 'provider_in_flight', type: 'gauge', help: 'Calls in progress.', samples: each(({ inFlight }) => inFlight) },
    {
      name: 'provider_credits_spent_today',
      type: 'gauge',
      help: 'Credits spent since midnight UTC, by all processes.',
      samples: each(({ spentToday }) => spentToday),
    },
    {
      name: 'provider_quota_remaining',
      type: 'gauge',
      help: 'What the provider last reported on our account.',
      samples: providers.flatMap(({ provider, notices }) =>
        notices.flatMap(({ window, remaining }) =>
          remaining === null ? [] : [[`{provider="${provider}",window="${window}"}`, remaining] as const],
        ),
      ),
    },
  ];
}

/** Who is left alone for now. */
function heldOffSeries({ providers }: EngineStats, nowMs: number): Series[] {
  const each = (pick: (stats: EngineStats['providers'][number]) => number) =>
    providers.map((stats) => [`{provider="${stats.provider}"}`, pick(stats)] as const);
  return [
    {
      name: 'provider_breaker_open',
      type: 'gauge',
      help: '1 while a failing provider is left alone.',
      samples: each(({ breaker }) => (breaker === 'closed' ? 0 : 1)),
    },
    {
      name: 'provider_blocked_seconds',
      type: 'gauge',
      help: 'Seconds until it is asked again, because it refused us or another process with the same key; 0: it is asked.',
      samples: each(({ blockedUntilMs }) => (blockedUntilMs === null ? 0 : Math.max(0, Math.ceil((blockedUntilMs - nowMs) / 1000)))),
    },
    {
      name: 'provider_refused',
      type: 'gauge',
      help: '1 while a provider is not asked, by why.',
      samples: providers.flatMap(({ provider, refusal }) =>
        refusal === null ? [] : [[`{provider="${provider}",status="${refusal}"}`, 1] as const],
      ),
    },
  ];
}

function ownSeries({ store, memoryEntries, recalled, fetched, waiting, local }: EngineStats): Series[] {
  return [
    { name: 'cache_rows', type: 'gauge', help: 'Answers in the shared verdict cache.', samples: [['', store.rows]] },
    { name: 'cache_bytes', type: 'gauge', help: 'Size of its file.', samples: [['', store.sizeBytes]] },
    {
      name: 'cache_recalled_total',
      type: 'counter',
      help: 'Values answered from memory or the cache in place of a provider; what events are answered from before that (sidecar.front_cache_entries) is not in it.',
      samples: [['', recalled]],
    },
    { name: 'cache_fetched_total', type: 'counter', help: 'Values answered by asking a provider.', samples: [['', fetched]] },
    { name: 'lookups_waiting', type: 'gauge', help: 'Look-ups that wait for providers.', samples: [['', waiting.waiting]] },
    { name: 'lookups_waiting_most', type: 'gauge', help: 'How many may (engine.max_waiting).', samples: [['', waiting.most]] },
    {
      name: 'lookups_refused_for_room_total',
      type: 'counter',
      help: 'Look-ups answered unavailable at once, for as many were waiting as may.',
      samples: [['', waiting.refused]],
    },
    {
      name: 'cache_on_disk',
      type: 'gauge',
      help: '1 when the cache outlives the process.',
      samples: [['', store.kind === 'sqlite' ? 1 : 0]],
    },
    { name: 'memory_entries', type: 'gauge', help: 'Verdicts in memory.', samples: [['', memoryEntries]] },
    {
      name: 'list_entries',
      type: 'gauge',
      help: 'Entries of own lists.',
      samples: [['', local.lists.reduce((sum, { entries }) => sum + entries, 0)]],
    },
  ];
}

/** One series in Prometheus' text format. */
export function render({ name, ...series }: Series): string {
  return `${metricLines(`ismalicious_${name}`, series).join('\n')}\n`;
}
