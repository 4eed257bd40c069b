import type { EngineHealth } from '../open-engine.ts';
import type { PipelinePart } from '../../pipeline/pipeline-part.ts';
import { render, renderSightingMetrics } from './engine-metrics.ts';

/** What does not work as it should although calls are answered: one sentence each, with the file and what to do. */
export function faultsOf(
  { cache, shared, overrides, audit }: EngineHealth,
  pipeline: Pick<PipelinePart, 'sightings' | 'delivery'>,
): string[] {
  const sightings = pipeline.sightings?.counts()?.fault ?? null;
  const noted = sightings === null ? null : `sightings are not all noted: ${sightings}`;
  return [cache.fault, shared?.fault ?? null, overrides.fault, audit.fault, noted, ...(pipeline.delivery?.faults() ?? [])].filter(
    (fault) => fault !== null,
  );
}

/** The same as series: which part is at fault now, and what that has cost. */
export function renderHealth(
  { cache, shared, overrides, audit }: EngineHealth,
  pipeline: Pick<PipelinePart, 'sightings' | 'delivery'>,
): string {
  const part = (name: string, fault: string | null) => [`{part="${name}"}`, fault === null ? 0 : 1] as const;
  const series = [
    {
      name: 'degraded',
      type: 'gauge' as const,
      help: '1 while a file, or Redis, cannot be used: answers are given without it. /readyz says why.',
      samples: [
        part('cache', cache.fault),
        ...(shared === null ? [] : [part('redis', shared.fault)]),
        part('overrides', overrides.fault),
        part('audit', audit.fault),
      ],
    },
    ...(shared === null ? [] : sharedSeries(shared)),
    { name: 'cache_faults_total', type: 'counter' as const, help: 'Faults of the verdict cache.', samples: [['', cache.faults] as const] },
    {
      name: 'cache_set_aside_total',
      type: 'counter' as const,
      help: 'Damaged verdict caches that were set aside.',
      samples: [['', cache.setAside] as const],
    },
    {
      name: 'override_bad_rows',
      type: 'gauge' as const,
      help: 'Overrides that cannot be read and do not count.',
      samples: [['', overrides.badRows] as const],
    },
    {
      name: 'audit_lost_total',
      type: 'counter' as const,
      help: 'Calls that left and are in no audit log.',
      samples: [['', audit.lost] as const],
    },
  ];
  return series.map(render).join('') + renderSightingMetrics(pipeline.sightings?.counts() ?? null) + renderDelivery(pipeline.delivery);
}

/** How Redis fares, where there is one. */
function sharedSeries({ fault, losses, replicas }: NonNullable<EngineHealth['shared']>) {
  return [
    {
      name: 'redis_up',
      type: 'gauge' as const,
      help: '1 while answers and limits are shared through Redis; 0: new look-ups wait for it, or this machine keeps to its share. /readyz says which.',
      samples: [['', fault === null ? 1 : 0] as const],
    },
    { name: 'redis_losses_total', type: 'counter' as const, help: 'How often Redis went away.', samples: [['', losses] as const] },
    {
      name: 'redis_replicas',
      type: 'gauge' as const,
      help: 'Processes that the limits are shared among while Redis is away.',
      samples: [['', replicas] as const],
    },
  ];
}

/** How the journal stands, and what this process made of it; nothing where others deliver. */
function renderDelivery(delivery: PipelinePart['delivery']): string {
  if (!delivery) return '';
  const figures = delivery.figures();
  const each = (pick: (of: (typeof figures)[number]) => number) => figures.map((of) => [`{output="${of.output}"}`, pick(of)] as const);
  const series = [
    {
      name: 'delivery_pending',
      type: 'gauge' as const,
      help: 'Messages that wait for an output.',
      samples: each(({ pending }) => pending),
    },
    {
      name: 'delivery_oldest_seconds',
      type: 'gauge' as const,
      help: 'Age of the oldest message that waits.',
      samples: each(({ oldestS }) => oldestS),
    },
    {
      name: 'delivery_sent_total',
      type: 'counter' as const,
      help: 'Messages delivered by this process.',
      samples: each(({ sent }) => sent),
    },
    {
      name: 'delivery_retries_total',
      type: 'counter' as const,
      help: 'Tries of this process that failed; the message goes again.',
      samples: each(({ retried }) => retried),
    },
    {
      name: 'delivery_failed_total',
      type: 'counter' as const,
      help: 'Messages that this process gave up: ismalicious store quarantine shows them.',
      samples: each(({ givenUp }) => givenUp),
    },
    {
      name: 'delivery_held',
      type: 'gauge' as const,
      help: '1 while an output waits for a person: /readyz says why.',
      samples: each(({ fault }) => (fault === null ? 0 : 1)),
    },
  ];
  return series.map(render).join('');
}
