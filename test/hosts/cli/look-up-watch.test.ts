import { describe, expect, it } from 'vitest';
import { forecast } from '../../../src/compose/check/quota-of.ts';
import { describeLookUps } from '../../../src/hosts/cli/waiting/look-up-watch.ts';

type Stats = Parameters<typeof describeLookUps>[0][number];

function stats(more: Partial<Stats>): Stats {
  const none = { calls: 0, retries: 0, failures: {}, inFlight: 0, blockedUntilMs: null, refusal: null, notices: [] };
  const spent = { spentToday: 0, budgetPerDay: null, spentThisMonth: 0, budgetPerMonth: null };
  return {
    provider: 'virustotal',
    lookups: 0,
    answered: 0,
    queued: 0,
    breaker: 'closed',
    nextCallInMs: 0,
    quotas: [],
    ...none,
    ...spent,
    ...more,
  };
}

const LIMITED = { quotas: [{ requests: 30, perMs: 60_000 }] };

describe('the line on a run that waits', () => {
  it('says how much is answered, paid and known, how fast, how long it takes, and what is waited for', () => {
    const waiting = stats({ lookups: 60, answered: 30, queued: 30, nextCallInMs: 57_600, ...LIMITED });
    const { text, share } = describeLookUps([waiting], { paid: new Set(['virustotal']), values: 63, seconds: 15 });
    expect(text).toBe(
      "30 of 60 answers, waiting 58 s for virustotal's rate limit (30 a minute), 30 paid, 3 from cache or lists, 2.0/s, about 58 s left",
    );
    expect(share).toBe(0.5);
  });

  it.each([
    [{ lookups: 60, answered: 0, queued: 59, ...LIMITED }, '0 of 60 answers, about 60 s left'],
    [{ lookups: 4, answered: 1, failures: { timeout: 1 } }, '2 of 4 answers, 1.0/s, about 2 s left'],
    [
      { lookups: 1, queued: 1, nextCallInMs: 8000, breaker: 'open' },
      '0 of 1 answers, waiting 8 s for virustotal, which does not answer, about 8 s left',
    ],
    [{ lookups: 0 }, ''],
  ] as const)('%j is "%s"', (more, text) => {
    expect(describeLookUps([stats(more as Partial<Stats>)], { paid: new Set(), values: null, seconds: 2 }).text).toBe(text);
  });
});

describe('the forecast of a month', () => {
  it.each([
    [100, '2026-11-11T00:00:00Z', 300],
    [10, '2026-11-01T01:00:00Z', 300],
    [0, '2026-11-20T00:00:00Z', 0],
  ])('%i credits by %s are %i by its end', (spent, now, expected) => {
    expect(forecast(spent, Date.parse(now))).toBe(expected);
  });
});
