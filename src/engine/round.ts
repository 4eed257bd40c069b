import { LookupError } from '../model/lookup-error.ts';
import type { AnswerPool } from './cache/answer-pool.ts';
import { epochS } from './clock.ts';
import type { EngineOptions } from './engine-options.ts';
import { readNarrower } from './privacy/redaction.ts';
import type { EnrichOptions } from './enricher.ts';
import type { Outcome } from './score/outcome.ts';
import type { ProviderClient } from './calls/provider-client.ts';
import { answerAtHome, fromStore, mergeRound, type Open, outcomesAtHome, remember, type Round, type RoundEntry } from './round-parts.ts';
import { recallShared } from './recall-shared.ts';
import { canChangeTier } from './score/stop-early.ts';
import type { View } from './cache/provider-view.ts';
import { waitAtMost } from './wait-at-most.ts';

/** What the free providers get of the caller's time before the paid ones are asked, when asking stops early. */
const FREE_SHARE = 1 / 3;
/** The same for callers who have all the time. */
const FREE_MS = 10_000;

/** One provider to be asked about one indicator; `n`: its place among those of the indicator. */
interface Call {
  readonly one: Open;
  readonly n: number;
  readonly client: ProviderClient;
}

/** One question of a caller: what it may cost in time and credits. */
export function startRound(options: EngineOptions, pool: AnswerPool, view: View, wanted: EnrichOptions): Round {
  const deadlineMs = wanted.timeoutMs ? options.clock.monotonicMs() + wanted.timeoutMs : Infinity;
  const budget = wanted.mode === 'cache' ? { remaining: 0 } : wanted.budget;
  return { options, pool, view, wanted, nowS: epochS(options.clock), deadlineMs, budget };
}

/**
 * Answers what lists and disk could not, in the same order, by those who can know, within the caller's time. `hasAsked`: somebody was
 * asked. Rejects only when the signal aborts.
 */
export async function askRound(
  round: Round,
  known: readonly Open[],
): Promise<{ readonly entries: readonly RoundEntry[]; readonly hasAsked: boolean }> {
  const { options, wanted } = round;
  await options.guard.prepare();
  const refused = known.map((one) => refusedEntry(round, one));
  const open = known.filter((_, n) => refused[n] === null);
  if (options.shared && !wanted.isTest) await recallShared(round, options.shared, open);
  const isStaged = options.stopsEarly && wanted.mode !== 'cache';
  const asking = isStaged ? askInStages(round, open) : waitFor(round, open, callsOf(open, everybody));
  await (wanted.stop ? untilStopped(asking, wanted.stop) : asking);
  return { entries: known.map((one, n) => refused[n] ?? conclude(round, one)), hasAsked: open.length > 0 };
}

/** The answer about what may not leave; `null`: it may. */
function refusedEntry(round: Round, { indicator }: Open): RoundEntry | null {
  const refusal = round.options.guard.refuseToSend(indicator);
  return refusal === null ? null : remember(round, indicator, answerAtHome(round, indicator, refusal));
}

const everybody = () => true;
const isFree = ({ provider }: ProviderClient) => provider.cost === 0;

/** The calls to make, not yet made. */
function callsOf(open: readonly Open[], isAsked: (client: ProviderClient) => boolean): Call[] {
  return open.flatMap((one) =>
    one.clients.flatMap((client, n) => {
      if (one.outcomes[n] || one.spared.has(n) || !isAsked(client)) return [];
      return [{ one, n, client }];
    }),
  );
}

/** Makes calls, if there is room for as many to wait; else what is known without them is given at once. */
function make(round: Round, calls: readonly Call[]): Promise<void>[] {
  const { waiting } = round.options;
  if (round.wanted.mode === 'cache') return calls.map(async (call) => tell(call, await ask(round, call)));
  if (calls.length === 0) return [];
  if (!waiting.enter(calls.length)) {
    for (const call of calls) tell(call, staleOr(round, call, noRoom(round, call)));
    return [];
  }
  return calls.map(async (call) => {
    try {
      tell(call, await ask(round, call));
    } finally {
      waiting.leave();
    }
  });
}

function tell({ one, n }: Call, outcome: Outcome): void {
  one.outcomes[n] = outcome;
}

/** Free providers first; then those that cost something, about what they could still move to another tier. */
async function askInStages(round: Round, open: readonly Open[]): Promise<void> {
  const { options, deadlineMs, nowS } = round;
  const free = make(round, callsOf(open, isFree));
  const leftMs = deadlineMs - options.clock.monotonicMs();
  await waitAtMost(free, Number.isFinite(leftMs) ? leftMs * FREE_SHARE : FREE_MS, round.wanted.signal, () => abandonOpen(round, open));
  for (const one of open) {
    const told = [...outcomesAtHome(round, one.indicator), ...one.outcomes.filter((outcome) => outcome !== null)];
    const unasked = one.clients.flatMap((client, n) => (one.outcomes[n] || isFree(client) ? [] : [n]));
    const ids = unasked.map((n) => one.clients[n]?.provider.id ?? '');
    const answered = told.filter(({ kind }) => kind === 'answered');
    // Stryker disable next-line EqualityOperator: where all were asked there is nobody to spare
    if (unasked.length > 0 && !canChangeTier(answered, ids, options.scoring, { type: one.indicator.type, nowS }))
      for (const n of unasked) one.spared.add(n);
  }
  const paid = make(
    round,
    callsOf(open, (client) => !isFree(client)),
  );
  await waitAtMost([...free, ...paid], deadlineMs - options.clock.monotonicMs(), round.wanted.signal, () => abandonOpen(round, open));
}

async function waitFor(round: Round, open: readonly Open[], calls: readonly Call[]): Promise<void> {
  await waitAtMost(make(round, calls), round.deadlineMs - round.options.clock.monotonicMs(), round.wanted.signal, () =>
    abandonOpen(round, open),
  );
}

/** Asks one provider about one indicator; an answer past its lifetime is better than none. */
async function ask(round: Round, call: Call): Promise<Outcome> {
  const { options, view, nowS, deadlineMs, budget, wanted } = round;
  const { one, n, client } = call;
  const { indicator } = one;
  const { isTest } = wanted;
  const sinceS = wanted.maxAgeS === undefined ? undefined : nowS - wanted.maxAgeS;
  const row = one.rows[n];
  const sent = view.sentTo(client, indicator);
  if (row && !isTest && row.expiresAtS <= nowS && row.expiresAtS > nowS - options.revalidateS) {
    const known = fromStore(round, client, indicator, row);
    if (known !== null) {
      renew(options, () => client.lookup(sent, { deadlineMs: Infinity, budget }));
      return known;
    }
  }
  const outcome = wanted.mode === 'cache' ? notAsked(client) : await client.lookup(sent, { deadlineMs, budget, sinceS, isTest });
  if (outcome.kind === 'answered')
    return sent === indicator ? outcome : { ...outcome, verdict: readNarrower(outcome.verdict, outcome.provider, sent) };
  return staleOr(round, call, outcome);
}

/** Asks in the background, unless as many wait as may: whoever wants to know next asks again. */
function renew({ waiting }: EngineOptions, lookUp: () => Promise<Outcome>): void {
  if (waiting.enter(1)) void lookUp().finally(() => waiting.leave());
}

/** What was known once, if that is not too long ago; else the failure. */
function staleOr(round: Round, { one, n, client }: Call, failure: Outcome): Outcome {
  const { options, nowS, wanted } = round;
  const row = one.rows[n];
  const isUsable = row !== undefined && !wanted.isTest && row.expiresAtS > nowS - options.staleS;
  const stale = isUsable ? fromStore(round, client, one.indicator, row) : null;
  return stale === null ? failure : { ...stale, isStale: true };
}

function notAsked(client: ProviderClient): Outcome {
  const provider = client.provider.id;
  return { kind: 'failed', provider, error: new LookupError('over_budget', provider, 'not in the cache, and mode=cache spends nothing') };
}

function noRoom({ options }: Round, { client }: Call): Outcome {
  const provider = client.provider.id;
  const message = `${options.waiting.stats().most} look-ups are waiting already (engine.max_waiting): not asked`;
  return { kind: 'failed', provider, error: new LookupError('unavailable', provider, message) };
}

/** What is known when the time is up. */
function conclude(round: Round, { indicator, clients, outcomes, spared }: Open): RoundEntry {
  const told = outcomes.flatMap((outcome, n) => (spared.has(n) ? [] : [outcome ?? lateOutcome(round, clients[n] as ProviderClient)]));
  const entry = mergeRound(round, indicator, told);
  return told.every((outcome) => outcome.kind === 'answered' && !outcome.isStale) ? remember(round, indicator, entry) : entry;
}

async function untilStopped(asking: Promise<void>, stop: AbortSignal): Promise<void> {
  let end: (() => void) | undefined;
  const stopped = new Promise<void>((resolve) => {
    end = resolve;
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', end, { once: true });
  });
  try {
    await Promise.race([asking, stopped]);
  } finally {
    if (end) stop.removeEventListener('abort', end);
  }
}

function lateOutcome({ wanted }: Round, client: ProviderClient): Outcome {
  const provider = client.provider.id;
  if (wanted.stop?.aborted === true)
    return { kind: 'failed', provider, error: new LookupError('timeout', provider, 'stopped before it answered') };
  const error =
    client.delay() ?? new LookupError('timeout', provider, `no answer within ${wanted.timeoutMs} ms; a late one goes to the cache`);
  return { kind: 'failed', provider, error };
}

function abandonOpen({ view }: Round, open: readonly Open[]): void {
  for (const { indicator, outcomes, clients } of open) {
    clients.forEach((client, n) => {
      if (outcomes[n] === null) client.abandon(view.sentTo(client, indicator));
    });
  }
}
