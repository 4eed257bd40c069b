import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ProviderClient } from '../../src/engine/calls/provider-client.ts';
import { shortClock, systemClock } from '../../src/engine/clock.ts';
import { askRound, startRound } from '../../src/engine/round.ts';
import { answerAtHome, fromStore, mergeRound, type Open, outcomesAtHome, remember } from '../../src/engine/round-parts.ts';
import { type Outcome, verdictToText } from '../../src/engine/score/outcome.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { INDICATOR, NOW_S, roundOf, verdictOf, type World } from './round-samples.ts';

interface Asked {
  readonly calls: string[];
  readonly abandoned: string[];
}

/** A provider that answers at once, or never (`undefined`); every call is noted. */
function clientOf(id: string, cost: number, said: Verdict | null | undefined, { calls, abandoned }: Asked): ProviderClient {
  const outcome: Outcome = {
    kind: 'answered',
    provider: id,
    verdict: said ?? null,
    source: 'live',
    checkedAtS: NOW_S,
    expiresAtS: NOW_S + 60,
    isStale: false,
  };
  return {
    provider: { id, cost },
    lookup: ({ value }: Indicator) => {
      calls.push(`${id} ${value}`);
      return said === undefined ? new Promise(() => {}) : Promise.resolve(outcome);
    },
    abandon: ({ value }: Indicator) => void abandoned.push(`${id} ${value}`),
    delay: () => null,
  } as unknown as ProviderClient;
}

function start(world: World, providers: readonly (readonly [string, number, Verdict | null | undefined])[]) {
  const asked: Asked = { calls: [], abandoned: [] };
  const clients = providers.map(([id, cost, said]) => clientOf(id, cost, said, asked));
  const open: Open = { indicator: INDICATOR, clients, rows: [], outcomes: clients.map(() => null), spared: new Set() };
  const { round } = roundOf(world);
  let isOver = false;
  const ended = askRound(round, [open]).then(({ entries, hasAsked }) => {
    isOver = true;
    return { answer: entries[0]!.answer, hasAsked };
  });
  return { ...asked, ended, isOver: () => isOver };
}

const by = (provider: string, facts: Partial<Verdict>) => verdictOf({ provider, confidence: 100, ...facts });
afterEach(() => void vi.useRealTimers());
const stopTime = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

describe('the time of a caller', () => {
  it('is as long as it says: who has not answered by then is named, and goes on for the cache', async () => {
    stopTime();
    const one = start({ wanted: { timeoutMs: 50 } }, [
      ['a', 1, undefined],
      ['b', 1, by('b', {})],
    ]);
    await vi.advanceTimersByTimeAsync(49);
    expect(one.isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const { answer } = await one.ended;
    const message = 'a: no answer within 50 ms; a late one goes to the cache';
    expect([answer.status, answer.message, one.abandoned]).toEqual(['partial', message, []]);
  });

  it('ends when it says stop, before or while it waits', async () => {
    for (const isBefore of [true, false]) {
      const stop = new AbortController();
      if (isBefore) stop.abort();
      const one = start({ wanted: { stop: stop.signal } }, [['a', 1, undefined]]);
      const removed = vi.spyOn(stop.signal, 'removeEventListener');
      stop.abort();
      const { answer } = await one.ended;
      expect([answer.status, answer.message]).toEqual(['timeout', 'a: stopped before it answered']);
      expect(removed).toHaveBeenCalledTimes(1);
    }
  });

  it.each([false, true])('ends when it goes away: what nobody has answered is given up (asking stops early: %j)', async (stopsEarly) => {
    const away = new AbortController();
    const one = start({ wanted: { signal: away.signal }, options: { stopsEarly } }, [
      ['a', 0, by('a', {})],
      ['b', 0, undefined],
    ]);
    const ended = expect(one.ended).rejects.toThrow('gone');
    await new Promise((resolve) => setImmediate(resolve));
    away.abort(new Error('gone'));
    await ended;
    expect(one.abandoned).toEqual(['b 9.9.9.9']);
  });

  it('with mode=cache has no credit; else what it says', () => {
    const budget = { remaining: 7 };
    const { round } = roundOf();
    const of = (wanted: object) => startRound(round.options, round.pool, round.view, wanted).budget;
    expect([of({ mode: 'cache', budget }), of({ budget }), of({ mode: 'enrich', budget }), of({})]).toEqual([
      { remaining: 0 },
      budget,
      budget,
      undefined,
    ]);
  });
});

describe('somebody was asked', () => {
  it('when one value at least was open and may leave', async () => {
    expect((await start({}, [['a', 1, null]]).ended).hasAsked).toBe(true);
    expect((await askRound(roundOf().round, [])).hasAsked).toBe(false);
    const guard = { prepare: () => Promise.resolve(), refuseToSend: () => ({ status: 'skipped_private', message: 'internal' }) };
    const refused = start({ options: { guard } as never }, [['a', 1, null]]);
    const { answer, hasAsked } = await refused.ended;
    expect([answer.status, hasAsked, refused.calls]).toEqual(['skipped_private', false, []]);
  });
});

describe('where asking stops early', () => {
  const early = (wanted: World['wanted'] = {}, more: object = {}): World => ({ options: { stopsEarly: true, ...more }, wanted });
  const weights = { weights: { free: 1, paid: 0 } };

  it('who costs something is not asked when nothing could change the tier', async () => {
    const scoring = { ...roundOf().round.options.scoring, ...weights };
    const one = start(early({}, { scoring }), [
      ['free', 0, by('free', {})],
      ['paid', 1, by('paid', {})],
    ]);
    const { answer } = await one.ended;
    expect([one.calls, answer.providers.map(({ provider }) => provider), answer.status]).toEqual([['free 9.9.9.9'], ['free'], 'ok']);
  });

  it('who costs something is asked when it could', async () => {
    const one = start(early(), [
      ['paid', 0.5, by('paid', {})],
      ['free', 0, by('free', {})],
    ]);
    const { answer } = await one.ended;
    expect([one.calls, answer.providers.map(({ provider }) => provider)]).toEqual([
      ['free 9.9.9.9', 'paid 9.9.9.9'],
      ['paid', 'free'],
    ]);
  });

  it('the free ones alone are asked once where nobody costs anything', async () => {
    const one = start(early(), [['free', 0, by('free', {})]]);
    await one.ended;
    expect(one.calls).toEqual(['free 9.9.9.9']);
  });

  it('with mode=cache nobody is asked', async () => {
    const one = start(early({ mode: 'cache' }), [
      ['free', 0, null],
      ['paid', 1, null],
    ]);
    expect([(await one.ended).answer.status, one.calls]).toEqual(['over_budget', []]);
  });

  it.each([
    ['a third of the time', { timeoutMs: 300 }, 100],
    ['ten seconds of all the time', {}, 10_000],
  ])('the free ones get %s before the others are asked', async (_name, wanted, freeMs) => {
    stopTime();
    const one = start(early(wanted), [
      ['free', 0, undefined],
      ['paid', 1, by('paid', {})],
    ]);
    await vi.advanceTimersByTimeAsync(freeMs - 1);
    expect(one.calls).toEqual(['free 9.9.9.9']);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.calls).toEqual(['free 9.9.9.9', 'paid 9.9.9.9']);
  });

  it('all together get no more than the time of the caller', async () => {
    stopTime();
    const one = start(early({ timeoutMs: 300 }), [
      ['free', 0, null],
      ['paid', 1, undefined],
    ]);
    await vi.advanceTimersByTimeAsync(299);
    expect(one.isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await one.ended).answer.status).toBe('timeout');
  });
});

describe('where less is sent than is looked up', () => {
  const sent: Indicator = { type: 'domain-name', value: 'evil-host.net' };
  it('a clean answer about that is none about the value, from the provider and from the cache', async () => {
    const clean = by('a', { verdict: 'clean', score: 0 });
    const one = start({ sent }, [['a', 1, clean]]);
    expect([(await one.ended).answer.verdict, one.calls]).toEqual(['unknown', ['a evil-host.net']]);
    const row = { answer: verdictToText(clean), checkedAtS: NOW_S, expiresAtS: NOW_S + 9 };
    const client = { provider: { id: 'a' } } as ProviderClient;
    expect(fromStore(roundOf({ sent }).round, client, INDICATOR, row)?.verdict?.verdict ?? 'unknown').toBe('unknown');
    expect(fromStore(roundOf().round, client, INDICATOR, row)?.verdict?.verdict).toBe('clean');
  });
});

describe('what is known at home', () => {
  it('is an override, then the own list; nothing where neither says anything', () => {
    const feedback = { lookup: () => by('feedback', { verdict: 'clean', score: 0 }) };
    const listed = by('local', {});
    const providers = (world: World) => outcomesAtHome(roundOf(world).round, INDICATOR).map(({ provider }) => provider);
    expect(providers({ listed, options: { feedback } as never })).toEqual(['feedback', 'local']);
    expect(providers({ options: { feedback } as never })).toEqual(['feedback']);
    expect(providers({ listed })).toEqual(['local']);
    expect(providers({})).toEqual([]);
  });
  it('and is nothing is said by the list that was looked into', () => {
    expect(answerAtHome(roundOf().round, INDICATOR, null).answer.providers).toMatchObject([{ provider: 'local', status: 'not_listed' }]);
  });
});

describe('where an answer comes from', () => {
  const tracer = { settings: 'aaa', idOf: () => 'r1' };
  const clients = ['a', 'b'].map((id) => ({ provider: { id } }) as ProviderClient);
  const answered = (provider: string, checkedAtS: number, source: 'live' | 'cache' | 'local' = 'live'): Outcome => ({
    kind: 'answered',
    provider,
    verdict: by(provider, {}),
    source,
    checkedAtS,
    expiresAtS: NOW_S + 60,
    isStale: false,
  });
  const originsOf = (world: World, ...outcomes: readonly Outcome[]) => mergeRound(roundOf(world).round, INDICATOR, outcomes).origins;
  const traced = { options: { tracer }, clients } as never as World;

  it('is each source with its time, where these differ', () => {
    expect(originsOf(traced, answered('a', NOW_S - 5), answered('b', NOW_S))).toEqual([
      { provider: 'a', checkedAtS: NOW_S - 5, sent: '9.9.9.9' },
      { provider: 'b', checkedAtS: NOW_S, sent: '9.9.9.9' },
    ]);
  });
  it('is what was sent, where that is not the value; a list at home was sent nothing', () => {
    const sent: Indicator = { type: 'domain-name', value: 'evil-host.net' };
    const outcomes = [answered('a', NOW_S), answered('b', NOW_S), answered('local', NOW_S, 'local')];
    expect(originsOf({ ...traced, sent, sentBy: 'b' }, ...outcomes)).toEqual([
      { provider: 'a', checkedAtS: NOW_S, sent: '9.9.9.9' },
      { provider: 'b', checkedAtS: NOW_S, sent: 'evil-host.net' },
      { provider: 'local', checkedAtS: NOW_S, sent: null },
    ]);
  });
  it('is not said where all answered at once about the value, nor where nobody traces', () => {
    expect(originsOf(traced, answered('a', NOW_S), answered('b', NOW_S))).toBeUndefined();
    const untraced = mergeRound(roundOf({ clients }).round, INDICATOR, [answered('a', NOW_S - 5), answered('b', NOW_S)]);
    expect('origins' in untraced).toBe(false);
  });
  it('is remembered with the answer', () => {
    const { round, kept } = roundOf(traced);
    const entry = mergeRound(round, INDICATOR, [answered('a', NOW_S - 5), answered('b', NOW_S)]);
    remember(round, INDICATOR, entry);
    expect(kept.get('9.9.9.9')).toMatchObject({ source: 'cache', origins: entry.origins });
    const plain = mergeRound(round, INDICATOR, [answered('a', NOW_S)]);
    remember(round, INDICATOR, plain);
    expect(Object.keys(kept.get('9.9.9.9')!)).not.toContain('origins');
  });
});

it('a whole answer is remembered, one in which somebody failed is asked again', async () => {
  const said: Record<string, Outcome> = {
    a: { kind: 'answered', provider: 'a', verdict: by('a', {}), source: 'live', checkedAtS: NOW_S, expiresAtS: NOW_S + 60, isStale: false },
    b: { kind: 'failed', provider: 'b', error: new LookupError('unavailable', 'b', 'down') },
  };
  for (const [ids, isKept] of [
    [['a'], true],
    [['a', 'b'], false],
  ] as const) {
    const { round, kept } = roundOf();
    const clients = ids.map((id) => ({ provider: { id }, lookup: () => Promise.resolve(said[id]) }) as unknown as ProviderClient);
    await askRound(round, [{ indicator: INDICATOR, clients, rows: [], outcomes: clients.map(() => null), spared: new Set() }]);
    expect(kept.has('9.9.9.9')).toBe(isKept);
  }
});

it('clocks tell the time of day', () => {
  for (const clock of [shortClock, systemClock]) {
    const before = Date.now();
    const now = clock.epochMs();
    expect([now >= before, now <= Date.now()]).toEqual([true, true]);
  }
});
