import type { Indicator } from '../model/indicator.ts';
import type { ProviderClient } from './calls/provider-client.ts';
import {
  answerAtHome,
  fromStore,
  isFresh,
  mergeRound,
  type Open,
  outcomesAtHome,
  remember,
  type Round,
  type RoundEntry,
} from './round-parts.ts';
import type { StoredVerdict } from './cache/verdict-store.ts';

type Rows = ReadonlyMap<ProviderClient, ReadonlyMap<string, StoredVerdict>>;

/** Indicators that are looked for together, and the place of each by its value. */
export interface Sought {
  readonly indicators: readonly Indicator[];
  readonly places: ReadonlyMap<string, number>;
}

/** Everything that lists and disk answer goes into `entries`, by place; the rest comes back, with what the disk knows of it. */
export function recallStored(round: Round, sought: Sought, entries: (RoundEntry | undefined)[]): Open[] {
  const { options, view } = round;
  const { indicators } = sought;
  const single = new Map<ProviderClient, number[]>();
  const several: number[] = [];
  for (let at = 0; at < indicators.length; at++) {
    const indicator = indicators[at] as Indicator;
    const refusal = options.guard.refuse(indicator);
    const audience = view.audienceOf(indicator.type);
    const clients = refusal ? [] : audience.clients;
    const [client] = clients;
    if (client === undefined) entries[at] = remember(round, indicator, answerAtHome(round, indicator, refusal ?? audience.refusal));
    else if (clients.length > 1 || audience.barred.length > 0 || view.sentTo(client, indicator) !== indicator) several.push(at);
    else {
      const same = single.get(client);
      if (same) same.push(at);
      else single.set(client, [at]);
    }
  }
  const open: Open[] = [];
  for (const [client, mine] of single) recallSingle(round, { client, mine, ...sought }, entries, open);
  recallSeveral(round, { mine: several, indicators }, entries, open);
  return open;
}

/** The common case, without detours: one provider, asked as is. A text that was seen before is not parsed again. */
function recallSingle(
  round: Round,
  { client, mine, indicators, places }: Sought & { readonly client: ProviderClient; readonly mine: readonly number[] },
  entries: (RoundEntry | undefined)[],
  open: Open[],
): void {
  const { pool, nowS, options } = round;
  const provider = client.provider.id;
  const values = mine.map((at) => (indicators[at] as Indicator).value);
  const old = new Map<number, StoredVerdict>();
  options.store.readMany(provider, values, (value, answer, checkedAtS, expiresAtS) => {
    const at = places.get(value);
    // A damaged file may give what nobody asked for.
    if (at === undefined) return;
    const indicator = indicators[at] as Indicator;
    const row = { answer, checkedAtS, expiresAtS };
    if (!isFresh(round, row) || outcomesAtHome(round, indicator).length > 0) {
      old.set(at, row);
      return;
    }
    const merged = pool.fromText({ provider, text: answer }, { type: indicator.type, nowS }, () =>
      fromStore(round, client, indicator, row),
    );
    // It cannot be read: somebody is asked.
    if (merged === null) return;
    entries[at] = remember(round, indicator, { answer: merged, source: 'cache', checkedAtS, expiresAtS });
  });
  for (const at of mine) {
    if (entries[at] === undefined) settle(round, { at, indicator: indicators[at] as Indicator, rows: [old.get(at)] }, entries, open);
  }
}

function recallSeveral(
  round: Round,
  { mine, indicators }: Pick<Sought, 'indicators'> & { readonly mine: readonly number[] },
  entries: (RoundEntry | undefined)[],
  open: Open[],
): void {
  const { options, view } = round;
  const toRead = new Map<ProviderClient, string[]>();
  for (const at of mine) {
    const indicator = indicators[at] as Indicator;
    for (const client of view.audienceOf(indicator.type).clients) {
      const { value } = view.sentTo(client, indicator);
      const values = toRead.get(client);
      if (values) values.push(value);
      else toRead.set(client, [value]);
    }
  }
  const rowsOf: Rows = new Map([...toRead].map(([client, values]) => [client, options.store.getMany(client.provider.id, values)]));
  for (const at of mine) {
    const indicator = indicators[at] as Indicator;
    const { clients } = view.audienceOf(indicator.type);
    const rows = clients.map((client) => rowsOf.get(client)?.get(view.sentTo(client, indicator).value));
    settle(round, { at, indicator, rows }, entries, open);
  }
}

/** An answer when the disk has a fresh one of everybody; else somebody has to be asked. */
function settle(
  round: Round,
  { at, indicator, rows }: Pick<Open, 'indicator' | 'rows'> & { readonly at: number },
  entries: (RoundEntry | undefined)[],
  open: Open[],
): void {
  const { clients } = round.view.audienceOf(indicator.type);
  const outcomes = clients.map((client, n) => {
    const row = rows[n];
    return row && isFresh(round, row) ? fromStore(round, client, indicator, row) : null;
  });
  const told = outcomes.filter((outcome) => outcome !== null);
  if (told.length === clients.length) entries[at] = remember(round, indicator, mergeRound(round, indicator, told));
  else open.push({ indicator, clients, rows, outcomes, spared: new Set() });
}
