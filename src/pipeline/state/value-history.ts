import type { Store } from '../../store/store-client.ts';

/** Rows that are given of each kind. */
const MAX_ROWS = 50;
/** How far back it is asked who was seen with a value. */
const SIGHTING_S = 90 * 86_400;

/** What the store knows of one indicator beside the newest answer. Times are ISO 8601, UTC. */
export interface ValueHistory {
  readonly indicator: string;
  /** Feeds that list it. */
  readonly listed_by: readonly string[];
  /** How its verdict changed, newest first. */
  readonly verdicts: readonly { readonly at: string; readonly verdict: string; readonly score: number | null; readonly tier: string }[];
  /** Own machines and users that were seen with it in the last 90 days, latest first. */
  readonly sightings: readonly { readonly asset: string; readonly times: number; readonly first_at: string; readonly last_at: string }[];
}

/** Reads the history of a canonical value. */
export async function readValueHistory(store: Store, value: string, nowS: number): Promise<ValueHistory> {
  const [known, verdicts, sightings] = await Promise.all([
    store.get(value, nowS),
    store.history(value, MAX_ROWS),
    store.whoSaw(value, nowS - SIGHTING_S, MAX_ROWS),
  ]);
  return {
    indicator: value,
    listed_by: known?.sources ?? [],
    verdicts: verdicts.map(({ atS, verdict, score, tier }) => ({ at: iso(atS), verdict, score, tier })),
    sightings: sightings.map(({ asset, times, firstS, lastS }) => ({ asset, times, first_at: iso(firstS), last_at: iso(lastS) })),
  };
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
