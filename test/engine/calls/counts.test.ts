import { describe, expect, it } from 'vitest';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../../support/stand-in-api.ts';

describe('upstream calls', () => {
  it('are exactly the distinct public indicators, also when many ask at once', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_CONCURRENCY: '64' });
    const values = publicAddresses(200);
    const spellings = values.flatMap((value) => [value, value.replace('.', '[.]'), ` ${value}`]);
    const rounds = await Promise.all(Array.from({ length: 8 }, () => engine.enrichMany([...spellings, '10.0.0.1', 'junk value'])));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    for (const found of rounds) for (const spelling of spellings) expect(found.get(spelling)?.answer.status).toBe('ok');
    expect(rounds.flatMap((found) => values.map((value) => found.get(value)?.source)).filter((source) => source === 'live')).toHaveLength(
      200,
    );
    await engine.close();
  });

  it('are none when the answers are on disk already, in another process too', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const values = publicAddresses(50);
    const first = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
    const live = await first.engine.enrichMany(values);
    await first.engine.close();
    const second = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
    const cached = await second.engine.enrichMany(values);
    expect(api.calls).toHaveLength(50);
    for (const value of values) {
      expect(cached.get(value)).toEqual({ ...live.get(value), source: 'cache' });
      expect(second.engine.peek(value)?.answer).toEqual(live.get(value)?.answer);
    }
    await second.engine.close();
  });

  it('are one for a value in many spellings, however far apart they stand; each spelling is handed over once, by the map or one by one', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_CONCURRENCY: '64' });
    const values = publicAddresses(1500);
    // More than is looked for on disk at once stands between the spellings of a value.
    const spellings = [...values, ...values.map((value) => ` ${value}`), '10.0.0.1', 'junk value'];
    const live = await engine.enrichMany(spellings);
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    expect(live.size).toBe(spellings.length);
    const handed: string[] = [];
    const rest = await engine.enrichMany(spellings, {
      take(value, enrichment) {
        handed.push(value);
        expect(enrichment).toMatchObject({ input: value, answer: live.get(value)?.answer });
      },
    });
    expect(handed.toSorted()).toEqual(spellings.toSorted());
    expect(rest.size).toBe(0);
    expect(api.asked()).toHaveLength(values.length);
    await engine.close();
  });

  it('are shared by two engines that look up the same values at the same time', async () => {
    await using api = await startStandIn((call, response, attempt) => setTimeout(() => healthy(call, response, attempt), 20));
    const folder = newStateFolder();
    const engines = await Promise.all([1, 2].map(() => openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder })));
    const values = publicAddresses(60);
    const found = await Promise.all(engines.map(({ engine }) => engine.enrichMany(values)));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
    for (const one of found) expect([...one.values()].every(({ answer }) => answer.status === 'ok')).toBe(true);
    await Promise.all(engines.map(({ engine }) => engine.close()));
  });

  it('use the bulk form up to the cap of the plan, and every row finds its indicator', async () => {
    await using api = await startStandIn();
    api.bulkCap = 50;
    const { engine } = await openTestEngine(api.url);
    const values = publicAddresses(120);
    const found = await engine.enrichMany(values);
    expect(api.calls.map((call) => call.values.length)).toEqual([50, 50, 20]);
    expect(values.map((value) => found.get(value)?.answer.verdict)).toEqual(
      values.map((value) => (Number.parseInt(value, 10) % 2 === 0 ? 'malicious' : 'clean')),
    );
    await engine.close();
  });

  it('ask alone what a bulk answer leaves out', async () => {
    await using api = await startStandIn((call, response, attempt) => {
      if (call.method === 'GET') return healthy(call, response, attempt);
      return healthy({ ...call, values: call.values.slice(1) }, response, attempt);
    });
    api.bulkCap = 10;
    const { engine } = await openTestEngine(api.url);
    const values = publicAddresses(10);
    const found = await engine.enrichMany(values);
    expect(api.calls.map((call) => [call.method, call.values.length])).toEqual([
      ['POST', 10],
      ['GET', 1],
    ]);
    expect([...found.values()].every(({ answer }) => answer.status === 'ok')).toBe(true);
    await engine.close();
  });

  it('split a batch that is refused, so that one bad value spoils no other', async () => {
    const bad = '13.0.2.15';
    await using api = await startStandIn((call, response, attempt) => {
      if (call.values.includes(bad)) return sendJson(response, 400, { success: false, errors: ['plan limit'] });
      return healthy(call, response, attempt);
    });
    api.bulkCap = 8;
    const { engine } = await openTestEngine(api.url);
    const values = [...publicAddresses(8).filter((value) => value !== bad), bad];
    const found = await engine.enrichMany(values);
    expect(values.map((value) => found.get(value)?.answer.status)).toEqual(values.map((value) => (value === bad ? 'bad_response' : 'ok')));
    await engine.close();
  });

  it('stop at a wrong key after one call', async () => {
    await using api = await startStandIn((_call, response) => sendJson(response, 401, { error: 'Unauthorized' }));
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_BULK: 'false' });
    const found = await engine.enrichMany(publicAddresses(500));
    expect(new Set([...found.values()].map(({ answer }) => answer.status))).toEqual(new Set(['unauthorized']));
    expect(api.calls).toHaveLength(1);
    await engine.close();
  });

  it('stop at an exhausted quota, and the next process believes it', async () => {
    let isUsedUp = false;
    await using api = await startStandIn((call, response, attempt) => {
      if (isUsedUp) return sendJson(response, 429, { error: 'Monthly quota exceeded', upgradeRequired: true });
      return healthy(call, response, attempt);
    });
    const folder = newStateFolder();
    const first = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CONCURRENCY: '1', ISMALICIOUS_BULK: 'false' });
    await first.engine.enrichMany(['11.0.0.1']);
    isUsedUp = true;
    const found = await first.engine.enrichMany(publicAddresses(100).slice(1));
    expect(new Set([...found.values()].map(({ answer }) => answer.status))).toEqual(new Set(['quota_exhausted']));
    await first.engine.close();
    const second = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
    expect((await second.engine.enrichMany(['14.0.0.1'])).get('14.0.0.1')?.answer.status).toBe('quota_exhausted');
    expect((await second.engine.enrichMany(['11.0.0.1'])).get('11.0.0.1')?.answer.status).toBe('ok');
    expect(api.calls).toHaveLength(2);
    await second.engine.close();
  });

  it('obey Retry-After: nobody calls before it is over', async () => {
    let refusedAtMs = 0;
    await using api = await startStandIn((call, response, attempt) => {
      if (api.calls.length !== 5) return healthy(call, response, attempt);
      refusedAtMs = performance.now();
      return sendJson(response, 429, { error: 'rate limit' }, { 'retry-after': '1' });
    });
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_CONCURRENCY: '1', ISMALICIOUS_BULK: 'false' });
    const found = await engine.enrichMany(publicAddresses(12));
    expect([...found.values()].every(({ answer }) => answer.status === 'ok')).toBe(true);
    expect(api.calls.filter(({ atMs }) => atMs > refusedAtMs && atMs < refusedAtMs + 1000)).toEqual([]);
    await engine.close();
  });

  it('spend a budget down to the last credit, and no more', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url);
    const budget = { remaining: 7 };
    const found = await engine.enrichMany(publicAddresses(20), { budget });
    expect(api.calls).toHaveLength(7);
    expect(budget.remaining).toBe(0);
    const statuses = [...found.values()].map(({ answer }) => answer.status);
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(7);
    expect(statuses.filter((status) => status === 'over_budget')).toHaveLength(13);
    await engine.close();
  });

  it('keep a daily budget over several processes', async () => {
    await using api = await startStandIn();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_BUDGET_PER_DAY: '10' };
    const values = publicAddresses(30);
    const engines = await Promise.all([1, 2, 3].map(() => openTestEngine(api.url, env)));
    await Promise.all(engines.map(({ engine }, n) => engine.enrichMany(values.slice(n * 10, n * 10 + 10))));
    expect(api.calls).toHaveLength(10);
    await Promise.all(engines.map(({ engine }) => engine.close()));
  });

  it('never exceed a documented window, by all processes together', async () => {
    await using api = await startStandIn();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_PER_MINUTE: '4', ISMALICIOUS_BULK: 'false' };
    const engines = await Promise.all([1, 2, 3, 4].map(() => openTestEngine(api.url, env)));
    const values = publicAddresses(40);
    const found = await Promise.all(
      engines.map(({ engine }, n) => engine.enrichMany(values.slice(n * 10, n * 10 + 10), { timeoutMs: 400 })),
    );
    expect(api.calls).toHaveLength(4);
    const statuses = found.flatMap((one) => [...one.values()].map(({ answer }) => answer.status));
    expect(statuses.filter((status) => status === 'ok')).toHaveLength(4);
    expect(new Set(statuses)).toEqual(new Set(['ok', 'rate_limited']));
    await Promise.all(engines.map(({ engine }) => engine.close()));
  });

  it('are none for mode=cache, and what is missing says so', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url);
    await engine.enrichMany(['11.0.0.1']);
    const found = await engine.enrichMany(['11.0.0.1', '11.0.0.2'], { mode: 'cache' });
    expect([...found.values()].map(({ answer }) => answer.status)).toEqual(['ok', 'over_budget']);
    expect(api.calls).toHaveLength(1);
    await engine.close();
  });

  it('are none for a plan, which tells them beforehand', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url);
    await engine.enrichMany(publicAddresses(5));
    const plan = await engine.plan([...publicAddresses(12), ...publicAddresses(3), '10.0.0.1', 'junk value']);
    expect(plan).toMatchObject({
      values: 17,
      unique: 14,
      invalid: 1,
      refused: 1,
      local: 0,
      cached: 5,
      toPay: 7,
      byProvider: { ismalicious: 7 },
    });
    expect(api.calls).toHaveLength(5);
    await engine.close();
  });
});

describe('a caller who goes away', () => {
  it('stops what nobody else waits for', async () => {
    await using api = await startStandIn((call, response, attempt) => void setTimeout(() => healthy(call, response, attempt), 30));
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_CONCURRENCY: '1', ISMALICIOUS_BULK: 'false' });
    const controller = new AbortController();
    const asked = engine.enrichMany(publicAddresses(100), { signal: controller.signal });
    const stays = engine.enrichMany(['11.0.0.1']);
    controller.abort(new Error('job cancelled'));
    await expect(asked).rejects.toThrow('job cancelled');
    expect((await stays).get('11.0.0.1')?.answer.status).toBe('ok');
    expect(api.calls.length).toBeLessThanOrEqual(2);
    await engine.close();
  });
});

describe('lifetimes', () => {
  it('an answer past its lifetime is asked again, and given as stale while the provider is down', async () => {
    let isDown = false;
    await using api = await startStandIn((call, response, attempt) =>
      isDown ? sendJson(response, 503, {}) : healthy(call, response, attempt),
    );
    const folder = newStateFolder();
    const env = { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_CACHE_LISTED_TTL_S: '1' };
    const first = await openTestEngine(api.url, env);
    await first.engine.enrichMany(['12.0.0.1']);
    await first.engine.close();
    await expect.poll(() => Date.now() % 1000, { interval: 20 }).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    isDown = true;
    const second = await openTestEngine(api.url, env);
    const found = await second.engine.enrichMany(['12.0.0.1'], { timeoutMs: 5000 });
    expect(found.get('12.0.0.1')).toMatchObject({ answer: { status: 'stale', verdict: 'malicious', autoResolve: false }, source: 'cache' });
    isDown = false;
    const again = await second.engine.enrichMany(['12.0.0.1'], { timeoutMs: 5000 });
    expect(again.get('12.0.0.1')).toMatchObject({ answer: { status: 'ok' }, source: 'live' });
    await second.engine.close();
  });

  it('a pending answer is given as pending and kept for a minute only', async () => {
    await using api = await startStandIn((_call, response) =>
      sendJson(response, 200, { malicious: false, riskScore: { score: 3 }, confidenceScore: 95, pending: ['whois'] }),
    );
    const { engine } = await openTestEngine(api.url);
    const found = (await engine.enrichMany(['13.0.0.1'])).get('13.0.0.1')!;
    expect(found.answer).toMatchObject({ status: 'pending', autoResolve: false });
    expect(found.expiresAtS! - found.checkedAtS!).toBe(60);
    await engine.close();
  });

  it('max age asks again what is too old for this caller', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url);
    await engine.enrichMany(['13.0.0.1']);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await engine.enrichMany(['13.0.0.1'], { maxAgeS: 3600 });
    expect(api.calls).toHaveLength(1);
    await engine.enrichMany(['13.0.0.1'], { maxAgeS: 0 });
    expect(api.calls).toHaveLength(2);
    await engine.close();
  });
});
