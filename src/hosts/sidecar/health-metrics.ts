import type { EngineHealth } from '../../compose/open-engine.ts';
import type { PipelinePart } from '../../pipeline/pipeline-part.ts';
import { render, renderSightingMetrics } from './engine-metrics.ts';

/** What does not work as it should although calls are answered: one sentence each, with the file and what to do. */
export function faultsOf({ cache, overrides, audit }: EngineHealth, pipeline: Pick<PipelinePart, 'sightings'>): string[] {
  const sightings = pipeline.sightings?.counts()?.fault ?? null;
  const noted = sightings === null ? null : `sightings are not all noted: ${sightings}`;
  return [cache.fault, overrides.fault, audit.fault, noted].filter((fault) => fault !== null);
}

/** The same as series: which part is at fault now, and what that has cost. */
export function renderHealth({ cache, overrides, audit }: EngineHealth, pipeline: Pick<PipelinePart, 'sightings'>): string {
  const part = (name: string, fault: string | null) => [`{part="${name}"}`, fault === null ? 0 : 1] as const;
  const series = [
    {
      name: 'degraded',
      type: 'gauge' as const,
      help: '1 while a file cannot be used: answers are given without it. /readyz says why.',
      samples: [part('cache', cache.fault), part('overrides', overrides.fault), part('audit', audit.fault)],
    },
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
  return series.map(render).join('') + renderSightingMetrics(pipeline.sightings?.counts() ?? null);
}
