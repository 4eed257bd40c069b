import type { Indicator } from '../model/indicator.ts';
import type { ProviderClient } from './provider-client.ts';
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
import type { StoredVerdict } from './verdict-store.ts';

type Rows = ReadonlyMap<ProviderClient, ReadonlyMap<string, StoredVerdict>>;

/** Everything that lists and disk answer goes into `entries`; the rest comes back, with what the disk knows of it. */
export function recallStored(round: Round, indicators: readonly Indicator[], entries: Map<string, RoundEntry>): Open[] {
  const { options, view } = round;
  const toRead = new Map<ProviderClient, string[]>();
  const left: Indicator[] = [];
  for (const indicator of indicators) {
    const refusal = options.guard.refuse(indicator);
    const audience = view.audienceOf(indicator.type);
    const clients = refusal ? [] : audience.clients;
    if (clients.length === 0)
      entries.set(indicator.value, remember(round, indicator, answerAtHome(round, indicator, refusal ?? audience.refusal)));
    else left.push(indicator);
    for (const client of clients) {
      const { value } = view.sentTo(client, indicator);
      const values = toRead.get(client);
      if (values) values.push(value);
      else toRead.set(client, [value]);
    }
  }
  const rowsOf: Rows = new Map([...toRead].map(([client, values]) => [client, options.store.getMany(client.provider.id, values)]));
  const open: Open[] = [];
  for (const indicator of left) {
    const known = recallOnly(round, indicator, rowsOf) ?? recallAll(round, indicator, rowsOf);
    if ('answer' in known) entries.set(indicator.value, remember(round, indicator, known));
    else open.push(known);
  }
  return open;
}

/** The common case, without detours: one provider, whose answer is on disk and fresh. A text that was seen before is not parsed again. */
function recallOnly(round: Round, indicator: Indicator, rowsOf: Rows): RoundEntry | null {
  const { view, pool, nowS } = round;
  const { clients, barred } = view.audienceOf(indicator.type);
  const client = clients[0];
  if (clients.length !== 1 || !client || barred.length > 0 || view.sentTo(client, indicator) !== indicator) return null;
  const row = rowsOf.get(client)?.get(indicator.value);
  if (!row || !isFresh(round, row) || outcomesAtHome(round, indicator).length > 0) return null;
  const answer = pool.fromText({ provider: client.provider.id, text: row.answer }, { type: indicator.type, nowS }, () =>
    fromStore(round, client, indicator, row),
  );
  return { answer, source: 'cache', checkedAtS: row.checkedAtS, expiresAtS: row.expiresAtS };
}

function recallAll(round: Round, indicator: Indicator, rowsOf: Rows): RoundEntry | Open {
  const { clients } = round.view.audienceOf(indicator.type);
  const rows = clients.map((client) => rowsOf.get(client)?.get(round.view.sentTo(client, indicator).value));
  const outcomes = clients.map((client, n) => {
    const row = rows[n];
    return row && isFresh(round, row) ? fromStore(round, client, indicator, row) : null;
  });
  const told = outcomes.filter((outcome) => outcome !== null);
  if (told.length === clients.length) return mergeRound(round, indicator, told);
  return { indicator, clients, rows, outcomes, spared: new Set() };
}
