import { useState } from 'preact/hooks';
import { CallError, callJson, wordsFor } from '../page/call.ts';
import { Said, type SaidState } from '../page/said.tsx';
import { counted } from './words.ts';

interface ValueHistory {
  readonly listed_by: readonly string[];
  readonly verdicts: readonly { readonly at: string; readonly verdict: string; readonly score: number | null; readonly tier: string }[];
  readonly sightings: readonly { readonly asset: string; readonly times: number; readonly first_at: string; readonly last_at: string }[];
}

/** Who of our own was seen with a value, and how its verdict changed; read when it is opened. */
export function History({ value }: { readonly value: string }) {
  const [history, setHistory] = useState<ValueHistory | null>(null);
  const [said, setSaid] = useState<SaidState>(null);
  const read = async () => {
    try {
      const found = await callJson<ValueHistory>(`v1/history?indicator=${encodeURIComponent(value)}`);
      setHistory(found);
      setSaid({ isFault: false, text: isEmpty(found) ? 'No feed lists it, it was not seen here, and no earlier verdict is kept.' : '' });
    } catch (error) {
      const isWithout = error instanceof CallError && error.code === 'no_store';
      setSaid({
        isFault: !isWithout,
        text: isWithout ? 'No pipeline runs with this sidecar: sightings and history are not kept.' : wordsFor(error),
      });
    }
  };
  return (
    <details
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && history === null) void read();
      }}
    >
      <summary>Sightings and history</summary>
      <Said said={said} />
      {history && history.listed_by.length > 0 && <p>Listed by {history.listed_by.join(', ')}.</p>}
      {history && history.sightings.length > 0 && (
        <ul aria-label="Sightings">
          {history.sightings.map(({ asset, times, last_at: last }) => (
            <li key={asset}>
              {asset}: {counted(times, 'time')}, last {last.slice(0, 16).replace('T', ' ')}
            </li>
          ))}
        </ul>
      )}
      {history && history.verdicts.length > 0 && (
        <ul aria-label="Earlier verdicts">
          {history.verdicts.map(({ at, verdict, score, tier }) => (
            <li key={at}>
              {at.slice(0, 16).replace('T', ' ')}: <strong class={`v-${verdict}`}>{verdict}</strong>
              {score === null ? '' : `, score ${score}`}, tier {tier}
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

function isEmpty({ listed_by: lists, verdicts, sightings }: ValueHistory): boolean {
  return lists.length + verdicts.length + sightings.length === 0;
}
