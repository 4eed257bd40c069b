// src/console/health/: how the sidecar and its sources are.
import { inertText } from '../../model/formats/inert-text.ts';
import { counted, sizeOf } from '../look-up/words.ts';
import { Chart } from './chart.tsx';
import { SampleMode, Settings, Spenders, Weeks } from './insight.tsx';
import { quantileBetween, type Sample, sumOf } from './metrics-text.ts';
import { Pipeline } from './pipeline.tsx';
import { type Health, type Quarantine, type Reading, useHealth } from './poll.ts';
import { Sources } from './sources.tsx';
import { percentOf } from './week.ts';

/** How the sidecar is, refreshed every few seconds. */
export function HealthPage() {
  const health = useHealth();
  const now = health.readings.at(-1)?.samples ?? [];
  return (
    <section class="health" aria-label="Health">
      <p role="alert" class="fault">
        {health.fault ?? ''}
      </p>
      <State health={health} />
      {health.settings !== null && <SampleMode settings={health.settings} />}
      {now.length > 0 && (
        <>
          <Charts readings={health.readings} />
          <Sources samples={now} before={health.readings[0]?.samples ?? []} ready={health.ready} report={health.report} />
          {health.report !== null && <Spenders report={health.report} />}
          {health.report !== null && <Weeks report={health.report} />}
          <Rest samples={now} />
        </>
      )}
      <Pipeline state={health.pipeline} />
      <Refused quarantine={health.quarantine} />
      {health.settings !== null && <Settings settings={health.settings} />}
    </section>
  );
}

function State({ health: { ready } }: { readonly health: Health }) {
  if (ready === null) return <p>Reading the state …</p>;
  const faults = ready.degraded ?? [];
  const isFine = ready.status === 'ready' && faults.length === 0;
  return (
    <>
      <p class="state">
        <strong class={isFine ? 'v-clean' : 'v-suspicious'}>{faults.length > 0 ? 'ready, with faults' : ready.status}</strong>
        {ready.reason === undefined ? '' : `: ${ready.reason}`}
      </p>
      <ul>
        {faults.map((fault) => (
          <li key={fault} class="fault">
            {inertText(fault)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** What a counter gained a second, between each reading and the one before. */
function rates(readings: readonly Reading[], pick: (samples: readonly Sample[]) => number): (number | null)[] {
  return readings.slice(1).map((reading, n) => {
    const before = readings[n];
    if (before === undefined) return null;
    // A sidecar that was started anew counts from zero.
    return Math.max(0, pick(reading.samples) - pick(before.samples)) / ((reading.atMs - before.atMs) / 1000);
  });
}

function Charts({ readings }: { readonly readings: readonly Reading[] }) {
  const sum = (name: string) => (samples: readonly Sample[]) => sumOf(samples, `ismalicious_sidecar_${name}_total`) ?? 0;
  const events = (samples: readonly Sample[]) => sum('events')(samples) + sum('gateway_documents')(samples);
  const slow = readings.slice(1).map(({ samples }, n) => {
    const seconds = quantileBetween(samples, readings[n]?.samples ?? [], 0.95);
    return seconds === null || seconds === Infinity ? null : seconds * 1000;
  });
  return (
    <div class="charts">
      <Chart title="Events" values={rates(readings, events)} unit="a second" />
      <Chart title="Values looked up" values={rates(readings, sum('lookups'))} unit="a second" />
      <Chart title="Calls" values={rates(readings, sum('requests'))} unit="a second" />
      <Chart title="95 % of calls within" values={slow} unit="ms" />
    </div>
  );
}

function Rest({ samples }: { readonly samples: readonly Sample[] }) {
  const value = (name: string) => sumOf(samples, `ismalicious_${name}`) ?? 0;
  const startedS = sumOf(samples, 'process_start_time_seconds');
  const recalled = value('cache_recalled_total');
  const fetched = value('cache_fetched_total');
  const outputs = samples.filter(({ name }) => name === 'ismalicious_delivery_pending');
  const facts: readonly (readonly [string, string])[] = [
    ['Running since', startedS === null ? '–' : new Date(startedS * 1000).toISOString().slice(0, 19).replace('T', ' ')],
    ['Memory', sizeOf(sumOf(samples, 'process_resident_memory_bytes') ?? 0)],
    [
      'Answers in the cache',
      `${value('cache_rows').toLocaleString('en-US')} ${value('cache_on_disk') === 1 ? 'on disk' : 'in memory only'}`,
    ],
    ['Size of the cache', sizeOf(value('cache_bytes'))],
    ['Answered from the cache', recalled + fetched === 0 ? '–' : `${percentOf(recalled / (recalled + fetched))} since the start`],
    ['Entries of local lists', value('list_entries').toLocaleString('en-US')],
    ['Unexpected errors', value('sidecar_faults_total').toLocaleString('en-US')],
    ['Refused for want of memory', value('sidecar_refused_for_room_total').toLocaleString('en-US')],
    ...outputs.map(({ labels, value: pending }): readonly [string, string] => [
      `Output ${labels['output'] ?? ''}`,
      `${counted(pending, 'message')} waiting${sumOf(samples, 'ismalicious_delivery_held', labels) === 1 ? ', held: see above' : ''}`,
    ]),
  ];
  return (
    <dl class="facts wide">
      {facts.map(([title, text]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What feeds sent that could not be taken, with the reasons. */
function Refused({ quarantine }: { readonly quarantine: Quarantine | null }) {
  if (quarantine === null) return <p class="dim">No feeds run with this sidecar’s state folder: there is no quarantine to show.</p>;
  return (
    <details>
      <summary>Quarantine: {counted(quarantine.total, 'item')} of feeds could not be taken</summary>
      <ul>
        {quarantine.items.map(({ feed, reason, raw, times, last_at: last }, n) => (
          <li key={n}>
            <strong>{feed}</strong>: {reason} ({counted(times, 'time')}, last {last}) <code>{inertText(raw).slice(0, 200)}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
