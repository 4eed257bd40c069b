import { describe, expect, it } from 'vitest';
import { createWaitingLimit } from '../../src/engine/calls/jobs/waiting-limit.ts';
import type { ProviderClient, Wanted } from '../../src/engine/calls/provider-client.ts';
import type { StoredVerdict } from '../../src/engine/cache/verdict-store.ts';
import type { EnrichOptions } from '../../src/engine/enricher.ts';
import { askRound } from '../../src/engine/round.ts';
import type { Open } from '../../src/engine/round-parts.ts';
import { type Outcome, verdictToText } from '../../src/engine/score/outcome.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../support/open-test-engine.ts';
import { startStandIn } from '../support/stand-in-api.ts';
import { NOW_S, roundOf, verdictOf } from './round-samples.ts';

describe('who may wait', () => {
  it('all look-ups of a caller together, as long as there is room', () => {
    const limit = createWaitingLimit(5);
    expect([limit.enter(3), limit.enter(3), limit.enter(2), limit.enter(1)]).toEqual([true, false, true, false]);
    expect(limit.stats()).toEqual({ waiting: 5, most: 5, refused: 4 });
    limit.leave();
    expect([limit.enter(1), limit.stats().waiting]).toEqual([true, 5]);
  });

  it('a caller who is alone, whatever it asks for', () => {
    const limit = createWaitingLimit(5);
    expect([limit.enter(6), limit.enter(1)]).toEqual([true, false]);
  });
});

interface Ask {
  readonly answer: (outcome: Outcome) => void;
  readonly value: string;
}

/** A provider that answers when it is told to. */
function clientOf(id: string, asks: Ask[]): ProviderClient {
  return {
    provider: { id, cost: 1 },
    lookup: ({ value }: Indicator, _wanted: Wanted) => new Promise<Outcome>((answer) => asks.push({ answer, value })),
    abandon: () => undefined,
    delay: () => null,
  } as unknown as ProviderClient;
}

const answered: Outcome = {
  kind: 'answered',
  provider: 'p',
  verdict: verdictOf({}),
  source: 'live',
  checkedAtS: NOW_S,
  expiresAtS: NOW_S + 60,
  isStale: false,
};

function openOf(value: string, client: ProviderClient, row?: StoredVerdict): Open {
  return { indicator: { type: 'ipv4-addr', value }, clients: [client], rows: [row], outcomes: [null], spared: new Set() };
}

const rowOf = (pastS: number): StoredVerdict => ({
  answer: verdictToText(verdictOf({})),
  checkedAtS: NOW_S - pastS - 60,
  expiresAtS: NOW_S - pastS,
});

function fill(most: number) {
  const waiting = createWaitingLimit(most);
  const asks: Ask[] = [];
  const client = clientOf('p', asks);
  const ask = async (open: readonly Open[], wanted: EnrichOptions = {}, revalidateS = 0) => {
    const { entries } = await askRound(roundOf({ options: { waiting, revalidateS }, wanted }).round, open);
    return entries.map(({ answer: { verdict, status } }) => `${verdict} ${status}`);
  };
  return { waiting, asks, client, ask };
}

describe('when as many wait as may', () => {
  it('new values are refused at once, none of them asked about, and let in again as soon as there is room', async () => {
    const { waiting, asks, client, ask } = fill(2);
    const first = ask([openOf('9.9.9.1', client), openOf('9.9.9.2', client)]);
    expect(await ask([openOf('9.9.9.3', client), openOf('9.9.9.4', client)])).toEqual(['unknown unavailable', 'unknown unavailable']);
    expect(asks.map(({ value }) => value)).toEqual(['9.9.9.1', '9.9.9.2']);
    for (const { answer } of asks.splice(0)) answer(answered);
    expect(await first).toEqual(['malicious ok', 'malicious ok']);
    expect(waiting.stats()).toEqual({ waiting: 0, most: 2, refused: 2 });
    const again = ask([openOf('9.9.9.3', client)]);
    await Promise.resolve();
    asks[0]?.answer(answered);
    expect(await again).toEqual(['malicious ok']);
  });

  it('what was known once is given as stale', async () => {
    const { client, ask } = fill(1);
    void ask([openOf('9.9.9.1', client)]);
    expect(await ask([openOf('9.9.9.2', client, rowOf(300)), openOf('9.9.9.3', client, rowOf(900))])).toEqual([
      'malicious stale',
      'unknown unavailable',
    ]);
  });

  it('who spends nothing does not wait, and is told why it has no answer', async () => {
    const { waiting, client, ask } = fill(1);
    void ask([openOf('9.9.9.1', client)]);
    expect(await ask([openOf('9.9.9.2', client)], { mode: 'cache' })).toEqual(['unknown over_budget']);
    expect(waiting.stats()).toEqual({ waiting: 1, most: 1, refused: 0 });
  });

  it('nothing is renewed in the background', async () => {
    const { waiting, asks, client, ask } = fill(2);
    void ask([openOf('9.9.9.1', client)]);
    expect(await ask([openOf('9.9.9.2', client, rowOf(10))], {}, 60)).toEqual(['malicious stale']);
    expect(asks.map(({ value }) => value)).toEqual(['9.9.9.1']);
    expect(waiting.stats().waiting).toBe(1);
  });

  it('a renewal counts until it is answered', async () => {
    const { waiting, asks, client, ask } = fill(2);
    expect(await ask([openOf('9.9.9.2', client, rowOf(10))], {}, 60)).toEqual(['malicious stale']);
    expect(waiting.stats().waiting).toBe(1);
    asks[0]?.answer(answered);
    await new Promise(setImmediate);
    expect(waiting.stats().waiting).toBe(0);
  });
});

it('counts what callers no longer wait for, until it is answered', async () => {
  await using api = await startStandIn(() => undefined);
  const { engine } = await openTestEngine(api.url, { ISMALICIOUS_ENGINE_MAX_WAITING: '1000', ISMALICIOUS_STATE_DIR: newStateFolder() });
  const values = publicAddresses(1000);
  await engine.enrichMany(values.slice(0, 999), { timeoutMs: 20 });
  const found = await engine.enrichMany(values.slice(0, 2));
  expect([...found.values()].map(({ answer }) => answer.status)).toEqual(['unavailable', 'unavailable']);
  expect(engine.stats().waiting).toEqual({ waiting: 999, most: 1000, refused: 2 });
  await engine.close();
});
