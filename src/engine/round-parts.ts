import { CLOCK_SKEW_S } from './clock.ts';
import type { Answer, Origin, Source } from '../model/enrichment.ts';
import type { Indicator } from '../model/indicator.ts';
import type { AnswerPool } from './cache/answer-pool.ts';
import type { EngineOptions } from './engine-options.ts';
import { readNarrower } from './privacy/redaction.ts';
import type { EnrichOptions } from './enricher.ts';
import { type Outcome, verdictFromText } from './score/outcome.ts';
import type { Refusal } from './privacy/privacy-guard.ts';
import type { ProviderClient } from './calls/provider-client.ts';
import type { StoredVerdict } from './cache/verdict-store.ts';
import type { View } from './cache/provider-view.ts';

/** What memory keeps when nobody outside was asked: until the lists change. */
const LOCAL_LIFETIME_S = 86_400;
const NOTHING: readonly never[] = [];

/** What a round found out about one indicator. */
export interface RoundEntry {
  readonly answer: Answer;
  readonly source: Source;
  readonly checkedAtS: number | null;
  readonly expiresAtS: number | null;
  /** See `TraceFacts.origins`; left out where it is `null`. */
  readonly origins?: readonly Origin[];
}

/** One question to all providers about many indicators. */
export interface Round {
  readonly options: EngineOptions;
  readonly pool: AnswerPool;
  readonly view: View;
  readonly wanted: EnrichOptions;
  readonly nowS: number;
  readonly deadlineMs: number;
  readonly budget: { remaining: number } | undefined;
}

/** An indicator with what its providers have said so far, in their order; `null`: still being asked. */
export interface Open {
  readonly indicator: Indicator;
  readonly clients: readonly ProviderClient[];
  /** What the disk knows of it, also when it is too old. */
  readonly rows: readonly (StoredVerdict | undefined)[];
  readonly outcomes: (Outcome | null)[];
  /** Places of providers that need not be asked: nothing they could say would change the tier. */
  readonly spared: Set<number>;
}

/** Whether a row may be given without asking. One from the future was written by a clock that was wrong: it would be fresh for ever. */
export function isFresh({ nowS, wanted }: Round, row: StoredVerdict): boolean {
  if (wanted.isTest) return false;
  return row.expiresAtS > nowS && row.checkedAtS >= nowS - (wanted.maxAgeS ?? Infinity) && row.checkedAtS <= nowS + CLOCK_SKEW_S;
}

/** A provider's row as an outcome about `indicator`; it may have been asked about something wider. `null`: the row cannot be read. */
export function fromStore(
  { nowS, view }: Round,
  client: ProviderClient,
  indicator: Indicator,
  row: StoredVerdict,
): (Outcome & { kind: 'answered' }) | null {
  const provider = client.provider.id;
  const { checkedAtS, expiresAtS } = row;
  const said = verdictFromText(provider, row.answer);
  if (said === undefined) return null;
  const sent = view.sentTo(client, indicator);
  const verdict = sent === indicator ? said : readNarrower(said, provider, sent);
  return { kind: 'answered', provider, verdict, source: 'cache', checkedAtS, expiresAtS, isStale: expiresAtS <= nowS };
}

/** What is known without asking anybody: analysts' overrides, then own lists. */
export function outcomesAtHome(
  { view, options, nowS }: Pick<Round, 'view' | 'options' | 'nowS'>,
  indicator: Indicator,
): readonly (Outcome & { kind: 'answered' })[] {
  const override = options.feedback?.lookup(indicator, nowS) ?? null;
  const listed = view.asksLocal ? options.local.lookup(indicator) : null;
  // The common case, on hot paths.
  if (override === null && listed === null) return NOTHING;
  const at = { source: 'local' as const, checkedAtS: nowS, expiresAtS: Infinity, isStale: false };
  return [
    ...(override ? [{ kind: 'answered' as const, provider: 'feedback', verdict: override, ...at }] : []),
    ...(listed ? [{ kind: 'answered' as const, provider: 'local', verdict: listed, ...at }] : []),
  ];
}

/** The answer when nobody outside is asked: what lists and analysts say, or why not. */
export function answerAtHome(round: Round, indicator: Indicator, refusal: Refusal | null): RoundEntry {
  const { pool, nowS, view } = round;
  const known = outcomesAtHome(round, indicator);
  if (known.length === 0 && refusal)
    return { answer: pool.unasked(refusal.status, refusal.message), source: 'none', checkedAtS: null, expiresAtS: null };
  const expiresAtS = nowS + LOCAL_LIFETIME_S;
  const silent: Outcome = {
    kind: 'answered',
    provider: 'local',
    verdict: null,
    source: 'local',
    checkedAtS: nowS,
    expiresAtS,
    isStale: false,
  };
  const outcomes = [...(known.length > 0 ? known : [silent]), ...barredOutcomes(view, indicator)];
  return { answer: pool.merge(outcomes, { type: indicator.type, nowS }), source: 'local', checkedAtS: nowS, expiresAtS };
}

/** Everything that was said about one indicator, merged; who was not cleared is shown. */
export function mergeRound(round: Round, indicator: Indicator, outcomes: readonly Outcome[]): RoundEntry {
  const { view, pool, nowS } = round;
  const home = outcomesAtHome(round, indicator);
  const answer = pool.merge([...home, ...outcomes, ...barredOutcomes(view, indicator)], { type: indicator.type, nowS });
  const answered = outcomes.filter((outcome) => outcome.kind === 'answered');
  const isHome = home.length > 0;
  if (answered.length === 0) return { answer, source: isHome ? 'local' : 'none', checkedAtS: isHome ? nowS : null, expiresAtS: null };
  const source = (['live', 'coalesced', 'cache'] as const).find((word) => answered.some((outcome) => outcome.source === word)) ?? 'cache';
  const origins = round.options.tracer === undefined ? null : originsOf(round, indicator, [...home, ...answered]);
  return {
    answer,
    source,
    checkedAtS: Math.min(...answered.map((outcome) => outcome.checkedAtS)),
    expiresAtS: Math.min(...answered.map((outcome) => outcome.expiresAtS)),
    ...(origins === null ? {} : { origins }),
  };
}

type Answered = Extract<Outcome, { kind: 'answered' }>;

/** `null`: all answered at the same time, about the indicator itself. */
function originsOf({ view }: Round, indicator: Indicator, answered: readonly Answered[]): readonly Origin[] | null {
  const { clients } = view.audienceOf(indicator.type);
  const origins = answered.map(({ provider, checkedAtS, source }) => {
    const client = clients.find((one) => one.provider.id === provider);
    const sent = source === 'local' || client === undefined ? null : view.sentTo(client, indicator).value;
    return { provider, checkedAtS, sent };
  });
  const isPlain = origins.every(
    ({ checkedAtS, sent }) => checkedAtS === origins[0]?.checkedAtS && (sent ?? indicator.value) === indicator.value,
  );
  return isPlain ? null : origins;
}

/** Only whole answers get here: what failed is asked again next time. */
export function remember({ view, nowS }: Round, indicator: Indicator, entry: RoundEntry): RoundEntry {
  const { answer, source, checkedAtS, expiresAtS, origins } = entry;
  if (checkedAtS !== null && expiresAtS !== null && expiresAtS > nowS) {
    const known = { answer, source: source === 'local' ? ('local' as const) : ('cache' as const), checkedAtS, expiresAtS };
    view.memory.set(indicator.value, origins === undefined ? known : { ...known, origins });
  }
  return entry;
}

function barredOutcomes(view: View, indicator: Indicator): Outcome[] {
  const message = 'not cleared for what is looked up (max_tlp): not asked';
  return view
    .audienceOf(indicator.type)
    .barred.map((provider) => ({ kind: 'skipped', provider, status: 'skipped_tlp', message: `${provider}: ${message}` }));
}
