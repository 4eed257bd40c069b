import * as z from 'zod/mini';
import type { Store } from '../../engine/store/store-client.ts';
import type { Watch } from '../../engine/store/watchlist.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { VERDICT_WORDS } from '../../model/verdict.ts';

const MAX_LISTED = 10_000;
const MAX_VALUES = 1000;
const HOUR_S = 3600;

/** What a route answers; `body` becomes JSON. */
export interface RouteAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What the routes work with. */
export interface RouteContext {
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
const FeedbackBody = z.object({
  indicator: z.string(),
  verdict: z.enum(VERDICT_WORDS),
  note: z._default(z.string().check(z.maxLength(2000)), ''),
  by: z._default(name, 'api'),
});

/** `GET /v1/watchlist`. */
export async function listWatchlist({ store }: RouteContext): Promise<RouteAnswer> {
  const watches = await store.watched(MAX_LISTED);
  return { status: 200, body: { total: await store.countWatched(), watchlist: watches.map(toJson) } };
}

/** `POST /v1/watchlist` `{"indicators":[…],"reason":"…","by":"…","every_hours":24,"days":90}`; each value is answered for itself, in order. */
export async function addToWatchlist(body: unknown, context: RouteContext): Promise<RouteAnswer> {
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
  return { status: 200, body: { results } };
}

/** `DELETE /v1/watchlist?indicator=…` (or `{"indicators":[…]}`). */
export async function removeFromWatchlist(values: readonly string[], { store }: RouteContext): Promise<RouteAnswer> {
  const results: unknown[] = [];
  for (const input of values.slice(0, MAX_VALUES)) {
    const observable = parseIndicator(input);
    results.push({ input, removed: observable.kind === 'invalid' ? false : await store.unwatch(observable.indicator.value) });
  }
  return { status: 200, body: { results } };
}

/** `POST /v1/feedback` `{"indicator":"…","verdict":"clean|malicious|suspicious|unknown","note":"…","by":"…"}`: an analyst's word; `unknown` takes it back. */
export async function giveFeedback(body: unknown, { store, nowS }: RouteContext): Promise<RouteAnswer> {
  const parsed = FeedbackBody.safeParse(body);
  if (!parsed.success) return badRequest(parsed.error);
  const { verdict, note, by } = parsed.data;
  const observable = parseIndicator(parsed.data.indicator);
  if (observable.kind === 'invalid') return { status: 422, body: { error: observable.reason } };
  const { value } = observable.indicator;
  await store.giveFeedback({ value, verdict, note, by }, nowS);
  return { status: 200, body: { indicator: value, verdict, note, by } };
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

function badRequest(error: z.core.$ZodError): RouteAnswer {
  return { status: 400, body: { error: error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ') } };
}
