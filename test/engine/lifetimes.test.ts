import { describe, expect, it } from 'vitest';
import { keepAnswer } from '../../src/engine/cache/keep-answer.ts';
import { createMemoryVerdictStore } from '../../src/engine/cache/memory-verdict-store.ts';
import type { StoredVerdict } from '../../src/engine/cache/verdict-store.ts';
import type { ClientOptions, ProviderClient, Wanted } from '../../src/engine/calls/provider-client.ts';
import { CLOCK_SKEW_S, dayOf, epochS, isYounger, monthOf, shortClock } from '../../src/engine/clock.ts';
import type { EnrichOptions } from '../../src/engine/enricher.ts';
import { askRound } from '../../src/engine/round.ts';
import { answerAtHome, fromStore, isFresh, mergeRound, type Open, remember } from '../../src/engine/round-parts.ts';
import { type Outcome, verdictToText } from '../../src/engine/score/outcome.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { INDICATOR, NOW_S, roundOf, verdictOf, type World } from './round-samples.ts';
import { answered } from './score/score-samples.ts';

const rowOf = (checkedAtS: number, expiresAtS: number): StoredVerdict => ({ answer: verdictToText(verdictOf({})), checkedAtS, expiresAtS });

describe('time', () => {
  it.each([
    [0, 1, true],
    [59, 60, true],
    [60, 60, false],
    [61, 60, false],
    [-CLOCK_SKEW_S, 60, true],
    [-CLOCK_SKEW_S - 1, 60, false],
  ])('what was written %i s ago is younger than %i s: %j', (ageS, maxAgeS, expected) => {
    expect(isYounger(NOW_S - ageS, NOW_S, maxAgeS)).toBe(expected);
  });

  it('clocks may differ by five minutes', () => expect(CLOCK_SKEW_S).toBe(300));

  it('is told in whole seconds, by day and by month of UTC', () => {
    const at = (text: string) => ({ monotonicMs: () => 0, epochMs: () => Date.parse(text) });
    expect(epochS(at('1970-01-01T00:00:01.999Z'))).toBe(1);
    expect([dayOf(at('2026-11-30T23:59:59.999Z')), monthOf(at('2026-11-30T23:59:59.999Z'))]).toEqual(['2026-11-30', '2026-11']);
    expect([dayOf(at('2026-12-01T00:00:00Z')), monthOf(at('2026-12-01T00:00:00Z'))]).toEqual(['2026-12-01', '2026-12']);
  });

  it('of a short program is counted in milliseconds, too', () => {
    const before = process.uptime() * 1000;
    const now = shortClock.monotonicMs();
    expect([now >= before, now <= process.uptime() * 1000]).toEqual([true, true]);
  });
});

it.each<[string, Verdict | null, number]>([
  ['listed', verdictOf({}), 30],
  ['without a judgement', verdictOf({ verdict: 'unknown' }), 20],
  ['not listed', null, 20],
  ['still being worked on', verdictOf({ isPending: true }), 10],
])('a fresh answer (%s) goes to the cache for its time', (_name, verdict, lifetimeS) => {
  const store = createMemoryVerdictStore(null);
  const clock = { monotonicMs: () => 0, epochMs: () => NOW_S * 1000 + 500 };
  const lifetimes = { listedS: 30, unknownS: 20, pendingS: 10 };
  const outcome = keepAnswer({ provider: { id: 'p' }, store, clock, lifetimes } as unknown as ClientOptions, INDICATOR, verdict);
  const times = { checkedAtS: NOW_S, expiresAtS: NOW_S + lifetimeS };
  expect(outcome).toEqual({ kind: 'answered', provider: 'p', verdict, source: 'live', isStale: false, ...times });
  expect(store.getMany('p', ['9.9.9.9'])).toEqual(new Map([['9.9.9.9', { answer: verdictToText(verdict), ...times }]]));
});

describe('a row of the cache', () => {
  it.each<[string, number, number, EnrichOptions, boolean]>([
    ['in its last second', NOW_S - 60, NOW_S + 1, {}, true],
    ['at its end', NOW_S - 60, NOW_S, {}, false],
    ['as old as may be', NOW_S - 60, NOW_S + 9, { maxAgeS: 60 }, true],
    ['older than may be', NOW_S - 61, NOW_S + 9, { maxAgeS: 60 }, false],
    ['of this second, where none may be older', NOW_S, NOW_S + 9, { maxAgeS: 0 }, true],
    ['of the second before, where none may be older', NOW_S - 1, NOW_S + 9, { maxAgeS: 0 }, false],
    ['by a clock that is five minutes ahead', NOW_S + 300, NOW_S + 900, {}, true],
    ['by a clock that is further ahead', NOW_S + 301, NOW_S + 900, {}, false],
    ['in a test of the key', NOW_S - 60, NOW_S + 9, { isTest: true }, false],
  ])('%s is fresh or not', (_name, checkedAtS, expiresAtS, wanted, expected) => {
    expect(isFresh(roundOf({ wanted }).round, rowOf(checkedAtS, expiresAtS))).toBe(expected);
  });

  it('says itself that it is stale, from its end on', () => {
    const { round } = roundOf();
    const client = { provider: { id: 'p' } } as ProviderClient;
    const isStale = [NOW_S - 1, NOW_S, NOW_S + 1].map((endS) => fromStore(round, client, INDICATOR, rowOf(NOW_S - 60, endS))?.isStale);
    expect(isStale).toEqual([true, true, false]);
    expect(fromStore(round, client, INDICATOR, { answer: '{', checkedAtS: 1, expiresAtS: 2 })).toBeNull();
    expect(fromStore(round, client, INDICATOR, rowOf(5, 6))).toMatchObject({
      source: 'cache',
      checkedAtS: 5,
      expiresAtS: 6,
      provider: 'p',
    });
  });
});

describe('memory', () => {
  const entryOf = (checkedAtS: number | null, expiresAtS: number | null, source: 'live' | 'local' = 'live') => {
    const { round, kept } = roundOf();
    const { answer } = answerAtHome(round, INDICATOR, null);
    remember(round, INDICATOR, { answer, source, checkedAtS, expiresAtS });
    return kept.get('9.9.9.9');
  };
  it('keeps what has a lifetime left, and no answer without times', () => {
    expect(entryOf(NOW_S, NOW_S + 1)).toMatchObject({ source: 'cache', checkedAtS: NOW_S, expiresAtS: NOW_S + 1 });
    expect(entryOf(NOW_S, NOW_S + 1, 'local')).toMatchObject({ source: 'local' });
    expect([entryOf(NOW_S, NOW_S), entryOf(null, NOW_S + 9), entryOf(NOW_S, null)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('an answer', () => {
  it('of our own lists alone counts for a day', () => {
    const { round } = roundOf({ listed: verdictOf({ provider: 'local' }) });
    expect(answerAtHome(round, INDICATOR, null)).toMatchObject({
      source: 'local',
      checkedAtS: NOW_S,
      expiresAtS: NOW_S + 86_400,
      answer: { verdict: 'malicious', score: 90 },
    });
  });

  it('about what nobody lists and nobody may be asked about says why, and has no times', () => {
    const refusal = { status: 'skipped_private' as const, message: 'internal' };
    expect(answerAtHome(roundOf().round, INDICATOR, refusal)).toMatchObject({
      source: 'none',
      checkedAtS: null,
      expiresAtS: null,
      answer: { status: 'skipped_private', message: 'internal' },
    });
    expect(answerAtHome(roundOf().round, INDICATOR, null)).toMatchObject({ source: 'local', answer: { status: 'ok', verdict: 'unknown' } });
  });

  it('of several is as old as the oldest, ends with the first, and is as live as the liveliest', () => {
    const one = (source: 'live' | 'coalesced' | 'cache', checkedAtS: number, expiresAtS: number, provider: string) =>
      ({ ...answered(provider, { score: 1 }), source, checkedAtS, expiresAtS }) as Outcome;
    const { round } = roundOf({ barred: ['q'] });
    const merged = mergeRound(round, INDICATOR, [one('cache', 5, 9, 'a'), one('coalesced', 6, 8, 'b')]);
    expect(merged).toMatchObject({ source: 'coalesced', checkedAtS: 5, expiresAtS: 8 });
    expect(merged.answer.providers.map(({ provider, status }) => [provider, status])).toEqual([
      ['a', 'ok'],
      ['b', 'ok'],
      ['q', 'skipped_tlp'],
    ]);
    expect(mergeRound(round, INDICATOR, [one('cache', 5, 9, 'a')]).source).toBe('cache');
    expect(mergeRound(round, INDICATOR, [one('cache', 5, 9, 'a'), one('live', 7, 9, 'b')]).source).toBe('live');
  });

  it('of nobody but our own list is from now, and ends with nothing', () => {
    const failed: Outcome = { kind: 'failed', provider: 'a', error: new LookupError('timeout', 'a', 'no') };
    const { round } = roundOf({ listed: verdictOf({ provider: 'local' }) });
    expect(mergeRound(round, INDICATOR, [failed])).toMatchObject({ source: 'local', checkedAtS: NOW_S, expiresAtS: null });
    expect(mergeRound(roundOf().round, INDICATOR, [failed])).toMatchObject({ source: 'none', checkedAtS: null, expiresAtS: null });
  });
});

describe('an answer past its lifetime', () => {
  /** Asks one provider about one indicator with such a row; it fails, or answers `live`. */
  async function ask(row: StoredVerdict | undefined, world: World, live: Verdict | null = null) {
    const { round, kept } = roundOf(world);
    const asked: Wanted[] = [];
    const client = {
      provider: { id: 'p', cost: 1 },
      lookup: (_indicator: Indicator, how: Wanted) => {
        asked.push(how);
        const outcome: Outcome = live
          ? { kind: 'answered', provider: 'p', verdict: live, source: 'live', checkedAtS: NOW_S, expiresAtS: NOW_S + 60, isStale: false }
          : { kind: 'failed', provider: 'p', error: new LookupError('unavailable', 'p', 'down') };
        return Promise.resolve(outcome);
      },
      abandon: () => {},
      delay: () => null,
    } as unknown as ProviderClient;
    const open: Open = { indicator: INDICATOR, clients: [client], rows: [row], outcomes: [null], spared: new Set() };
    const { entries } = await askRound(round, [open]);
    return { entry: entries[0], asked, kept };
  }

  it.each([
    ['just within', 599, 'stale', 90],
    ['just beyond', 600, 'unavailable', null],
  ])('stands in while its provider is down, as stale: %s the time it is kept', async (_name, lateS, status, score) => {
    const { entry, kept } = await ask(rowOf(NOW_S - 9000, NOW_S - lateS), {});
    expect(entry?.answer).toMatchObject({ status, score });
    expect(kept.size).toBe(0);
  });

  it('that a caller finds too old stands in, too, and is called stale although its lifetime is not over', async () => {
    const { entry, asked } = await ask(rowOf(NOW_S - 90, NOW_S + 90), { wanted: { maxAgeS: 30 } });
    expect(entry?.answer).toMatchObject({ status: 'stale', score: 90 });
    expect(asked).toEqual([expect.objectContaining({ sinceS: NOW_S - 30 })]);
  });

  it('does not stand in for the answer of a test', async () => {
    const { entry } = await ask(rowOf(NOW_S - 90, NOW_S - 1), { wanted: { isTest: true }, options: { revalidateS: 600 } });
    expect(entry?.answer.status).toBe('unavailable');
  });

  it.each([
    ['at its end', 0, Infinity, 'stale'],
    ['just within the time', 299, Infinity, 'stale'],
    ['just beyond it', 300, 1500, 'ok'],
    ['before its end, when it was too old for the caller', -1, 1500, 'ok'],
  ])('is given at once and renewed behind it, where that is wished: %s', async (_name, lateS, deadlineMs, status) => {
    const world = { options: { revalidateS: 300 }, wanted: { timeoutMs: 500 } };
    const { entry, asked } = await ask(rowOf(NOW_S - 9000, NOW_S - lateS), world, verdictOf({ score: 12 }));
    expect([entry?.answer.status, asked.map((how) => how.deadlineMs)]).toEqual([status, [deadlineMs]]);
    expect(entry?.answer.score).toBe(status === 'ok' ? 12 : 90);
  });

  it('a fresh answer goes to memory; without any row the provider is asked', async () => {
    const { entry, kept, asked } = await ask(undefined, {}, verdictOf({ score: 12 }));
    expect([entry?.answer.status, asked.length, kept.size]).toEqual(['ok', 1, 1]);
    expect(asked[0]).toMatchObject({ deadlineMs: Infinity, sinceS: undefined });
  });

  it('with mode=cache nobody is asked', async () => {
    const { entry, asked } = await ask(undefined, { wanted: { mode: 'cache' } }, verdictOf({}));
    expect([entry?.answer.status, asked]).toEqual(['over_budget', []]);
  });
});
