import * as z from 'zod/mini';
import type { Store } from '../../store/store-client.ts';
import type { Watch } from '../../store/watchlist.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';

const MAX_LISTED = 10_000;
const MAX_VALUES = 1000;
const HOUR_S = 3600;

/** What was done, or why nothing was; `body` becomes JSON. */
export interface WatchlistAnswer {
  readonly isRefused: boolean;
  readonly body: unknown;
}

/** What the watchlist is edited with. */
export interface WatchlistContext {
  readonly store: Store;
  readonly nowS: number;
  /** Most indicators on the watchlist. */
  readonly maxWatched: number;
  /** How often one is checked unless it says otherwise, in hours. */
  readonly everyHours: number;
}

const name = z.string().check(z.minLength(1), z.maxLength(200));
const AddBody = z.object({
  indicators: z.array(z.string()).check(z.minLength(1), z.maxLength(MAX_VALUES)),
  reason: z._default(name, 'watched'),
  by: z._default(name, 'api'),
  every_hours: z.optional(z.number().check(z.gte(1), z.lte(8760))),
  days: z.optional(z.number().check(z.gte(1), z.lte(3650))),
});

/** Everything on the watchlist. */
export async function listWatchlist({ store }: WatchlistContext): Promise<WatchlistAnswer> {
  const watches = await store.watched(MAX_LISTED);
  return { isRefused: false, body: { total: await store.countWatched(), watchlist: watches.map(toJson) } };
}

/** Adds `{"indicators":[…],"reason":"…","by":"…","every_hours":24,"days":90}`; each value is answered for itself, in order. */
export async function addToWatchlist(body: unknown, context: WatchlistContext): Promise<WatchlistAnswer> {
  const parsed = AddBody.safeParse(body);
  if (!parsed.success) return badRequest(parsed.error);
  const { store, nowS, maxWatched, everyHours } = context;
  const { indicators, reason, by, every_hours: hours, days } = parsed.data;
  let room = maxWatched - (await store.countWatched());
  const results: unknown[] = [];
  for (const input of indicators) {
    const observable = parseIndicator(input);
    if (observable.kind !== 'public') {
      results.push({ input, added: false, message: observable.reason });
      continue;
    }
    const { indicator } = observable;
    if (room <= 0) {
      results.push({ input, added: false, message: `the watchlist is full (${maxWatched}): remove some or raise watchlist.max_watched` });
      continue;
    }
    const added = await store.watch(
      {
        indicator,
        reason,
        by,
        everyS: Math.round((hours ?? everyHours) * HOUR_S),
        untilS: days === undefined ? null : nowS + days * 24 * HOUR_S,
      },
      nowS,
    );
    if (added) room -= 1;
    results.push({ input, indicator: indicator.value, type: indicator.type, added });
  }
  return { isRefused: false, body: { results } };
}

/** Takes these off the watchlist. */
export async function removeFromWatchlist(values: readonly string[], { store }: WatchlistContext): Promise<WatchlistAnswer> {
  const results: unknown[] = [];
  for (const input of values.slice(0, MAX_VALUES)) {
    const observable = parseIndicator(input);
    results.push({ input, removed: observable.kind === 'invalid' ? false : await store.unwatch(observable.indicator.value) });
  }
  return { isRefused: false, body: { results } };
}

function toJson(watch: Watch) {
  const iso = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString());
  return {
    indicator: watch.indicator.value,
    type: watch.indicator.type,
    reason: watch.reason,
    by: watch.by,
    added_at: iso(watch.addedS),
    every_hours: watch.everyS / HOUR_S,
    next_check_at: iso(watch.dueS),
    until: iso(watch.untilS),
    verdict: watch.verdict,
    score: watch.score,
    checked_at: iso(watch.checkedS),
  };
}

function badRequest(error: z.core.$ZodError): WatchlistAnswer {
  const message = error.issues.map(({ path, message: fault }) => `${path.join('.') || 'body'}: ${fault}`).join('; ');
  return { isRefused: true, body: { error: { code: 'invalid_request', message } } };
}
