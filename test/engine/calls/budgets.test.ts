import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { FOUR, startFourProviders } from '../../support/four-providers.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../../support/stand-in-api.ts';

describe('budgets', () => {
  it('of a month and of a day both hold, over several processes, down to the last credit', async () => {
    await using api = await startStandIn();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_BUDGET_PER_MONTH: '7', ISMALICIOUS_BUDGET_PER_DAY: '100' };
    const values = publicAddresses(30);
    const engines = await Promise.all([1, 2, 3].map(() => openTestEngine(api.url, env)));
    const found = await Promise.all(engines.map(({ engine }, n) => engine.enrichMany(values.slice(n * 10, n * 10 + 10))));
    expect(api.asked()).toHaveLength(7);
    const statuses = found.flatMap((one) => [...one.values()].map(({ answer }) => answer.status));
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(7);
    expect(statuses.filter((status) => status === 'over_budget')).toHaveLength(23);
    expect(engines[0]?.engine.stats().providers[0]).toMatchObject({ spentToday: 7, spentThisMonth: 7, budgetPerMonth: 7 });
    await Promise.all(engines.map(({ engine }) => engine.close()));
  });

  it('are used up by bulk calls too: the last call carries what is left', async () => {
    await using api = await startStandIn();
    api.bulkCap = 10;
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_BUDGET_PER_DAY: '23' });
    const found = await engine.enrichMany(publicAddresses(60));
    expect(api.calls.map((call) => call.values.length).reduce((sum, size) => sum + size, 0)).toBe(23);
    expect([...found.values()].filter(({ answer }) => answer.status === 'ok')).toHaveLength(23);
    await engine.close();
  });

  it('of one provider end its own look-ups only: the others answer, and the answer is partial', async () => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env({ VIRUSTOTAL_BUDGET_PER_DAY: '3', ABUSEIPDB_BUDGET_PER_MONTH: '5' }) });
    const values = publicAddresses(8);
    const found = await engine.enrichMany(values, { timeoutMs: 15_000 });
    expect(FOUR.map((id) => four.asked[id].length)).toEqual([8, 3, 5, 8]);
    const statuses = values.map((value) => found.get(value)?.answer.status);
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(3);
    expect(statuses.filter((status) => status === 'partial')).toHaveLength(5);
    for (const { answer } of found.values()) {
      expect(answer.verdict).toBe('malicious');
      for (const { status } of answer.providers) expect(['ok', 'over_budget']).toContain(status);
    }
    await engine.close();
  });
});

describe('a plan', () => {
  it('says credits, what is left of them, what would end over budget, and the time at the limits', async () => {
    await using four = await startFourProviders();
    const env = four.env({
      VIRUSTOTAL_PER_MINUTE: '4',
      VIRUSTOTAL_BUDGET_PER_MONTH: '20',
      ABUSEIPDB_BUDGET_PER_DAY: '1000',
      GREYNOISE_ENABLED: 'false',
    });
    const { engine } = await openEngine({ env });
    const plan = await engine.plan(publicAddresses(30));
    expect(plan).toMatchObject({
      unique: 30,
      toPay: 90,
      creditsByProvider: { ismalicious: 30, virustotal: 30, abuseipdb: 30 },
      creditsLeft: { ismalicious: null, virustotal: 20, abuseipdb: 1000 },
      overBudget: { virustotal: 10 },
      // The last four of thirty go out after seven whole minutes.
      estimatedS: 420,
    });
    expect(Object.values(four.asked).flat()).toEqual([]);
    await engine.close();
  });

  it('in a fresh process knows what the provider last told of the account', async () => {
    await using api = await startStandIn((call, response, attempt) => {
      response.setHeader('x-monthly-limit', '500');
      response.setHeader('x-monthly-usage', String(440 + api.calls.length));
      return healthy(call, response, attempt);
    });
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_BULK: 'false' };
    const first = await openTestEngine(api.url, env);
    await first.engine.enrichMany(publicAddresses(5));
    await first.engine.close();
    const second = await openTestEngine(api.url, env);
    const plan = await second.engine.plan(publicAddresses(80));
    expect(plan).toMatchObject({ cached: 5, toPay: 75, creditsLeft: { ismalicious: 55 }, overBudget: { ismalicious: 20 } });
    await second.engine.close();
  });
});

it('a call that was refused for its window is not paid', async () => {
  await using api = await startStandIn((_call, response) => sendJson(response, 200, { malicious: false, riskScore: { score: 1 } }));
  const { engine } = await openTestEngine(api.url, {
    ISMALICIOUS_PER_MINUTE: '2',
    ISMALICIOUS_BUDGET_PER_DAY: '10',
    ISMALICIOUS_BULK: 'false',
  });
  await engine.enrichMany(publicAddresses(6), { timeoutMs: 3000 });
  expect(api.calls).toHaveLength(2);
  expect(engine.stats().providers[0]?.spentToday).toBe(2);
  await engine.close();
});
