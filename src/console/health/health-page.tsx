// src/console/health/: how the sidecar and its sources are.
import { inertText } from '../../model/formats/inert-text.ts';
import { counted, sizeOf } from '../look-up/words.ts';
import { LiveCharts, SpendingCharts, WeekCharts } from './charts.tsx';
import { SampleMode, Settings, Spenders, Weeks } from './insight.tsx';
import { type Sample, sumOf } from './metrics-text.ts';
import { Pipeline } from './pipeline.tsx';
import { type Health, type Quarantine, useHealth } from './poll.ts';
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
          <LiveCharts readings={health.readings} />
          <Sources samples={now} before={health.readings[0]?.samples ?? []} ready={health.ready} report={health.report} />
          {health.report !== null && (
            <>
              <SpendingCharts report={health.report} samples={now} />
              <Spenders report={health.report} />
              <Weeks report={health.report} />
              <WeekCharts report={health.report} />
            </>
          )}
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
