import { createAnswerPool } from '../../src/engine/cache/answer-pool.ts';
import type { MemoryEntry, View } from '../../src/engine/cache/provider-view.ts';
import type { ProviderClient } from '../../src/engine/calls/provider-client.ts';
import { createWaitingLimit } from '../../src/engine/calls/jobs/waiting-limit.ts';
import type { EngineOptions } from '../../src/engine/engine-options.ts';
import type { EnrichOptions } from '../../src/engine/enricher.ts';
import { startRound } from '../../src/engine/round.ts';
import type { Round } from '../../src/engine/round-parts.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { BARE_VERDICT, type Verdict } from '../../src/model/verdict.ts';
import { RULES } from './score/score-samples.ts';

export const NOW_S = 1_795_000_000;
export const INDICATOR: Indicator = { type: 'ipv4-addr', value: '9.9.9.9' };
/** A malicious verdict of score 90 by `p`. */
export const verdictOf = (facts: Partial<Verdict>): Verdict => ({
  ...BARE_VERDICT,
  provider: 'p',
  verdict: 'malicious',
  score: 90,
  ...facts,
});

/** What a round is made of, where it matters. */
export interface World {
  readonly options?: Partial<EngineOptions>;
  readonly wanted?: EnrichOptions;
  readonly barred?: readonly string[];
  readonly listed?: Verdict;
  /** What providers are asked in place of the indicator; `sentBy`: that one only. */
  readonly sent?: Indicator;
  readonly sentBy?: string;
  readonly clients?: readonly ProviderClient[];
}

/** A round of one indicator; `kept` is what memory was given. */
export function roundOf({ options = {}, wanted = {}, barred = [], listed, sent, sentBy, clients = [] }: World = {}) {
  const kept = new Map<string, MemoryEntry>();
  const view = {
    memory: {
      size: 0,
      get: () => undefined,
      set: (value: string, entry: MemoryEntry) => void kept.set(value, entry),
      delete: () => false,
      clear: () => {},
    },
    asksLocal: true,
    audienceOf: () => ({ clients, barred, refusal: null }),
    forget: () => false,
    sentTo: ({ provider }: ProviderClient, indicator: Indicator) =>
      sent !== undefined && (sentBy === undefined || sentBy === provider.id) ? sent : indicator,
  } as View;
  const engine = {
    clock: { monotonicMs: () => 1000, epochMs: () => NOW_S * 1000 + 999 },
    local: { lookup: () => listed ?? null },
    guard: { prepare: () => Promise.resolve(), refuseToSend: () => null },
    scoring: RULES,
    staleS: 600,
    revalidateS: 0,
    waiting: createWaitingLimit(1000),
    stopsEarly: false,
    ...options,
  } as unknown as EngineOptions;
  const round: Round = startRound(engine, createAnswerPool(RULES), view, wanted);
  return { round, kept };
}
