import { inertText } from '../../model/formats/inert-text.ts';
import { counted } from '../look-up/words.ts';

/** How the pipeline stands, as `/v1/pipeline` says it. */
export interface PipelineState {
  readonly runs: readonly {
    readonly finished_at: string;
    readonly feeds: Readonly<Record<string, { readonly items: number; readonly accepted: number; readonly quarantined: number }>>;
    readonly enriched: number;
    readonly failures: readonly string[];
  }[];
  readonly indicators: number;
  readonly watched: number;
  readonly sightings: number;
  readonly quarantined_items: number;
  readonly given_up: readonly { readonly output: string; readonly total: number; readonly reasons: readonly string[] }[];
}

/** The pipeline's last run, and what it could not deliver. */
export function Pipeline({ state }: { readonly state: PipelineState | null }) {
  if (state === null) return null;
  const [last] = state.runs;
  return (
    <section class="read" aria-label="Pipeline">
      <h2>Pipeline</h2>
      <p>
        {counted(state.indicators, 'indicator')}, {counted(state.watched, 'watched value')}, {counted(state.sightings, 'sighting')}.{' '}
        {last === undefined
          ? 'It has not run yet.'
          : `Last run ${last.finished_at.slice(0, 16).replace('T', ' ')}: ${counted(last.enriched, 'value')} enriched.`}
      </p>
      <ul>
        {Object.entries(last?.feeds ?? {}).map(([feed, { items, accepted, quarantined }]) => (
          <li key={feed}>
            {feed}: {counted(items, 'item')}, {accepted.toLocaleString('en-US')} accepted, {quarantined.toLocaleString('en-US')} in
            quarantine
          </li>
        ))}
        {last?.failures.map((failure) => (
          <li key={failure} class="fault">
            {inertText(failure)}
          </li>
        ))}
        {state.given_up.map(({ output, total, reasons }) => (
          <li key={output} class="fault">
            {output}: {counted(total, 'message')} given up ({inertText(reasons.join('; '))}). Send them again with{' '}
            <code>ismalicious store replay --output {output}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
