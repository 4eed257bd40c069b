import type { Answer, Source } from '../model/enrichment.ts';
import type { Indicator } from '../model/indicator.ts';
import { LookupError } from '../model/lookup-error.ts';
import type { AnswerPool } from './answer-pool.ts';
import { epochS } from './clock.ts';
import type { EngineOptions } from './engine.ts';
import type { EnrichOptions } from './enricher.ts';
import { type Outcome, verdictFromText } from './outcome.ts';
import type { Refusal } from './privacy-guard.ts';
import type { ProviderClient } from './provider-client.ts';
import type { StoredVerdict } from './verdict-store.ts';
import type { View } from './view.ts';
import { within } from './within.ts';

/** What memory keeps when nobody outside was asked: until the lists change. */
const LOCAL_LIFETIME_S = 86_400;

/** What a round found out about one indicator. */
export interface RoundEntry {
  readonly answer: Answer;
  readonly source: Source;
  readonly checkedAtS: number | null;
  readonly expiresAtS: number | null;
}

/** One question to all providers about many indicators. */
interface Round {
  readonly options: EngineOptions;
  readonly pool: AnswerPool;
  readonly view: View;
  readonly wanted: EnrichOptions;
  readonly nowS: number;
  readonly deadlineMs: number;
  readonly budget: { remaining: number } | undefined;
}

/** An indicator with what its providers have said so far, in their order; `null`: still being asked. */
interface Open {
  readonly indicator: Indicator;
  readonly clients: readonly ProviderClient[];
  readonly outcomes: (Outcome | null)[];
}

/** Answers every indicator: lists and disk first, then those who can know, within the caller's time. Rejects only when the signal aborts. */
export async function runRound(
  options: EngineOptions,
  pool: AnswerPool,
  view: View,
  { indicators, wanted }: { readonly indicators: readonly Indicator[]; readonly wanted: EnrichOptions },
): Promise<Map<string, RoundEntry>> {
  const deadlineMs = wanted.timeoutMs ? options.clock.monotonicMs() + wanted.timeoutMs : Infinity;
  const budget = wanted.mode === 'cache' ? { remaining: 0 } : wanted.budget;
  const round: Round = { options, pool, view, wanted, nowS: epochS(options.clock), deadlineMs, budget };
  const entries = new Map<string, RoundEntry>();
  const open = recallStored(round, indicators, entries);
  if (open.length === 0) return entries;
  await options.guard.prepare();
  const asked = open.flatMap((one) => askAll(round, one, entries));
  await within(
    asked.map((call) => call()),
    deadlineMs - options.clock.monotonicMs(),
    wanted.signal,
    () => abandonOpen(open),
  );
  for (const one of open) if (!entries.has(one.indicator.value)) entries.set(one.indicator.value, conclude(round, one));
  return entries;
}

/** Everything that lists and disk answer goes into `entries`; the rest comes back, with what the disk knows of it. */
function recallStored(
  round: Round,
  indicators: readonly Indicator[],
  entries: Map<string, RoundEntry>,
): (Open & { rows: (StoredVerdict | undefined)[] })[] {
  const { options, view } = round;
  const toRead = new Map<ProviderClient, string[]>();
  const left: Indicator[] = [];
  for (const indicator of indicators) {
    const refusal = options.guard.refuse(indicator);
    const clients = refusal ? [] : view.clientsFor(indicator.type);
    if (clients.length === 0) entries.set(indicator.value, remember(round, indicator, answerAtHome(round, indicator, refusal)));
    else left.push(indicator);
    for (const client of clients) {
      const values = toRead.get(client);
      if (values) values.push(indicator.value);
      else toRead.set(client, [indicator.value]);
    }
  }
  const rowsOf = new Map([...toRead].map(([client, values]) => [client, options.store.getMany(client.provider.id, values)]));
  const open: (Open & { rows: (StoredVerdict | undefined)[] })[] = [];
  for (const indicator of left) {
    const clients = view.clientsFor(indicator.type);
    const known = recallOnly(round, indicator, clients, rowsOf);
    if (known) {
      entries.set(indicator.value, remember(round, indicator, known));
      continue;
    }
    const rows = clients.map((client) => rowsOf.get(client)?.get(indicator.value));
    const outcomes = rows.map((row, n) => (row && isFresh(round, row) ? fromStore(round, clients[n] as ProviderClient, row) : null));
    const isWhole = outcomes.every((outcome) => outcome !== null);
    if (isWhole) entries.set(indicator.value, remember(round, indicator, merge(round, indicator, outcomes)));
    else open.push({ indicator, clients, rows, outcomes });
  }
  return open;
}

/** The common case, without detours: one provider, whose answer is on disk and fresh. A text that was seen before is not parsed again. */
function recallOnly(
  round: Round,
  indicator: Indicator,
  clients: readonly ProviderClient[],
  rowsOf: ReadonlyMap<ProviderClient, ReadonlyMap<string, StoredVerdict>>,
): RoundEntry | null {
  const { view, options, pool } = round;
  const client = clients[0];
  if (clients.length !== 1 || !client) return null;
  const row = rowsOf.get(client)?.get(indicator.value);
  if (!row || !isFresh(round, row) || (view.asksLocal && options.local.lookup(indicator) !== null)) return null;
  const answer = pool.fromText({ provider: client.provider.id, text: row.answer }, { type: indicator.type, nowS: round.nowS }, () =>
    fromStore(round, client, row),
  );
  return { answer, source: 'cache', checkedAtS: row.checkedAtS, expiresAtS: row.expiresAtS };
}

/** The calls to make about one indicator, not yet made; a value that may not leave is answered instead. */
function askAll(
  round: Round,
  open: Open & { rows: (StoredVerdict | undefined)[] },
  entries: Map<string, RoundEntry>,
): (() => Promise<void>)[] {
  const { indicator, clients, rows, outcomes } = open;
  const refusal = round.options.guard.refuseToSend(indicator);
  if (refusal) {
    entries.set(indicator.value, remember(round, indicator, answerAtHome(round, indicator, refusal)));
    return [];
  }
  return clients.flatMap((client, n) => {
    if (outcomes[n]) return [];
    const row = rows[n];
    return [async () => void (outcomes[n] = await ask(round, client, indicator, row))];
  });
}

/** Asks one provider about one indicator; an answer past its lifetime is better than none. */
async function ask(round: Round, client: ProviderClient, indicator: Indicator, row: StoredVerdict | undefined): Promise<Outcome> {
  const { options, nowS, deadlineMs, budget, wanted } = round;
  if (row && row.expiresAtS <= nowS && row.expiresAtS > nowS - options.revalidateS) {
    void client.lookup(indicator, { deadlineMs: Infinity, budget });
    return fromStore(round, client, row);
  }
  const outcome = wanted.mode === 'cache' ? notAsked(client) : await client.lookup(indicator, { deadlineMs, budget });
  const isUsable = row !== undefined && row.expiresAtS > nowS - options.staleS;
  return outcome.kind === 'failed' && isUsable ? { ...fromStore(round, client, row), isStale: true } : outcome;
}

function isFresh({ nowS, wanted }: Round, row: StoredVerdict): boolean {
  return row.expiresAtS > nowS && row.checkedAtS >= nowS - (wanted.maxAgeS ?? Infinity);
}

function fromStore({ nowS }: Round, client: ProviderClient, row: StoredVerdict): Outcome & { kind: 'answered' } {
  const provider = client.provider.id;
  const { checkedAtS, expiresAtS } = row;
  return {
    kind: 'answered',
    provider,
    verdict: verdictFromText(provider, row.answer),
    source: 'cache',
    checkedAtS,
    expiresAtS,
    isStale: expiresAtS <= nowS,
  };
}

function notAsked(client: ProviderClient): Outcome {
  const provider = client.provider.id;
  return { kind: 'failed', provider, error: new LookupError('over_budget', provider, 'not in the cache, and mode=cache spends nothing') };
}

function answerAtHome({ view, options, pool, nowS }: Round, indicator: Indicator, refusal: Refusal | null): RoundEntry {
  const verdict = view.asksLocal ? options.local.lookup(indicator) : null;
  if (verdict === null && refusal)
    return { answer: pool.unasked(refusal.status, refusal.message), source: 'none', checkedAtS: null, expiresAtS: null };
  const expiresAtS = nowS + LOCAL_LIFETIME_S;
  const outcome: Outcome = { kind: 'answered', provider: 'local', verdict, source: 'local', checkedAtS: nowS, expiresAtS, isStale: false };
  return { answer: pool.merge([outcome], { type: indicator.type, nowS }), source: 'local', checkedAtS: nowS, expiresAtS };
}

/** What is known when the time is up. */
function conclude(round: Round, { indicator, clients, outcomes }: Open): RoundEntry {
  const told = outcomes.map((outcome, n) => outcome ?? lateOutcome(round, clients[n] as ProviderClient));
  const entry = merge(round, indicator, told);
  return told.every((outcome) => outcome.kind === 'answered' && !outcome.isStale) ? remember(round, indicator, entry) : entry;
}

function lateOutcome({ wanted }: Round, client: ProviderClient): Outcome {
  const provider = client.provider.id;
  const error =
    client.delay() ?? new LookupError('timeout', provider, `no answer within ${wanted.timeoutMs} ms; a late one goes to the cache`);
  return { kind: 'failed', provider, error };
}

function merge({ view, options, pool, nowS }: Round, indicator: Indicator, outcomes: readonly Outcome[]): RoundEntry {
  const listed = view.asksLocal ? options.local.lookup(indicator) : null;
  const home: Outcome[] = listed
    ? [{ kind: 'answered', provider: 'local', verdict: listed, source: 'local', checkedAtS: nowS, expiresAtS: Infinity, isStale: false }]
    : [];
  const answer = pool.merge([...home, ...outcomes], { type: indicator.type, nowS });
  const answered = outcomes.filter((outcome) => outcome.kind === 'answered');
  if (answered.length === 0) return { answer, source: listed ? 'local' : 'none', checkedAtS: listed ? nowS : null, expiresAtS: null };
  const source = (['live', 'coalesced', 'cache'] as const).find((word) => answered.some((outcome) => outcome.source === word)) ?? 'cache';
  return {
    answer,
    source,
    checkedAtS: Math.min(...answered.map((outcome) => outcome.checkedAtS)),
    expiresAtS: Math.min(...answered.map((outcome) => outcome.expiresAtS)),
  };
}

/** Only whole answers get here: what failed is asked again next time. */
function remember({ view, nowS }: Round, indicator: Indicator, entry: RoundEntry): RoundEntry {
  const { answer, source, checkedAtS, expiresAtS } = entry;
  if (checkedAtS !== null && expiresAtS !== null && expiresAtS > nowS) {
    view.memory.set(indicator.value, { answer, source: source === 'local' ? 'local' : 'cache', checkedAtS, expiresAtS });
  }
  return entry;
}

function abandonOpen(open: readonly Open[]): void {
  for (const { indicator, outcomes, clients } of open) {
    clients.forEach((client, n) => {
      if (outcomes[n] === null) client.abandon(indicator);
    });
  }
}
