import { describe, expect, it } from 'vitest';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import { LookupError, type LookupErrorCode } from '../../../src/model/lookup-error.ts';
import { heldOffProviders, renderEngineMetrics } from '../../../src/compose/figures/engine-metrics.ts';
import { newStateFolder, openTestEngine } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn, type StandInReply } from '../../support/stand-in-api.ts';
import { handClock, openTestQueue } from '../../support/test-queue.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const refusing =
  (code: LookupErrorCode, retryAfterMs: number | null = null) =>
  () =>
    Promise.reject(new LookupError(code, 'ismalicious', 'says no', { retryAfterMs }));
const json =
  (status: number, headers: Record<string, string> = {}): StandInReply =>
  (_call, response) =>
    sendJson(response, status, { error: 'no' }, headers);

describe('what one process was refused holds for those that come after it', () => {
  it.each([
    ['Retry-After: 30', json(429, { 'retry-after': '30' }), 'rate_limited'],
    ['Retry-After: 3600', json(429, { 'retry-after': '3600' }), 'rate_limited'],
    ['Retry-After: 1000000000', json(429, { 'retry-after': '1000000000' }), 'rate_limited'],
    ['503 with Retry-After', json(503, { 'retry-after': '3600' }), 'unavailable'],
    ['401', json(401), 'unauthorized'],
    ['403', json(403), 'unauthorized'],
  ])('%s: one call by five processes', async (_name, reply, status) => {
    await using api = await startStandIn(reply);
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const statuses: unknown[] = [];
    for (let n = 1; n <= 5; n++) {
      const { engine } = await openTestEngine(api.url, env);
      const found = await engine.enrichMany([`9.9.9.${n}`], { timeoutMs: 4000 });
      statuses.push(found.get(`9.9.9.${n}`)?.answer.status);
      await engine.close();
    }
    expect(statuses).toEqual([status, status, status, status, status]);
    expect(api.calls).toHaveLength(1);
  });

  it('and for those that run beside it', async () => {
    await using api = await startStandIn(json(401));
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const [one, other] = [await openTestEngine(api.url, env), await openTestEngine(api.url, env)];
    for (const { engine } of [other, one, other]) await engine.enrichMany(['11.22.33.44'], { timeoutMs: 4000 });
    expect(api.calls).toHaveLength(1);
    await one.engine.close();
    await other.engine.close();
  });

  it('but not for another key, which is tried at once, and no key is written down', async () => {
    await using api = await startStandIn((call, response, attempt) =>
      call.headers['x-api-key'] === 'Z29vZDprZXk=' ? healthy(call, response, attempt) : sendJson(response, 401, {}),
    );
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const wrong = await openTestEngine(api.url, env);
    await wrong.engine.enrichMany(['11.22.33.44'], { timeoutMs: 4000 });
    await wrong.engine.close();
    const right = await openTestEngine(api.url, { ...env, ISMALICIOUS_X_API_KEY: 'Z29vZDprZXk=' });
    expect((await right.engine.enrichMany(['11.22.33.44'], { timeoutMs: 4000 })).get('11.22.33.44')?.answer.status).toBe('ok');
    await right.engine.close();
    expect(api.calls).toHaveLength(2);
  });

  it('a test of the key asks for real, and its success counts for all', async () => {
    let isGood = false;
    await using api = await startStandIn((call, response, attempt) => (isGood ? healthy : json(401))(call, response, attempt));
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const [one, other] = [await openTestEngine(api.url, env), await openTestEngine(api.url, env)];
    const statusOf = async ({ engine }: typeof one, isTest: boolean) =>
      (await engine.enrichMany(['11.22.33.44'], { timeoutMs: 4000, isTest })).get('11.22.33.44')?.answer.status;
    expect([await statusOf(one, false), await statusOf(other, false)]).toEqual(['unauthorized', 'unauthorized']);
    expect([await statusOf(other, true), api.calls.length]).toEqual(['unauthorized', 2]);
    isGood = true;
    expect([await statusOf(other, true), api.calls.length]).toEqual(['ok', 3]);
    expect([await statusOf(other, true), api.calls.length]).toEqual(['ok', 4]);
    expect((await one.engine.enrichMany(['11.22.33.45'], { timeoutMs: 4000 })).get('11.22.33.45')?.answer.status).toBe('ok');
    await one.engine.close();
    await other.engine.close();
  });

  it('a provider that is down is left alone by all: five calls, then one try every ten seconds', async () => {
    const store = createMemoryVerdictStore(null);
    const clock = handClock();
    let calls = 0;
    const statuses: string[] = [];
    const lookUpAnew = async () => {
      using process = openTestQueue(refusing('bad_response'), { clock, store });
      statuses.push(await process.lookUp(`9.9.9.${statuses.length}`));
      calls += process.asked.length;
    };
    for (let n = 0; n < 8; n++) await lookUpAnew();
    expect(calls).toBe(5);
    clock.pass(10_000);
    for (let n = 0; n < 3; n++) await lookUpAnew();
    expect(calls).toBe(6);
    clock.pass(10_000);
    using back = openTestQueue(() => null, { clock, store });
    expect(await back.lookUp('9.9.9.200')).toBe('answered');
    using next = openTestQueue(() => null, { clock, store });
    expect(await next.lookUp('9.9.9.201')).toBe('answered');
  });
});

describe('no refusal lasts for ever', () => {
  it('an absurd Retry-After is believed for a day; then one call tries', async () => {
    const clock = handClock();
    using one = openTestQueue(refusing('rate_limited', 1e15), { clock });
    await one.lookUp('9.9.9.1');
    clock.pass(DAY_MS - 60_000);
    expect(await one.lookUp('9.9.9.2')).toBe('rate_limited');
    expect(one.asked).toHaveLength(1);
    clock.pass(60_001);
    await one.lookUp('9.9.9.3');
    expect(one.asked).toHaveLength(2);
  });
  it('a refused key is tried again after a minute, then after twice as long each time', async () => {
    const clock = handClock();
    using one = openTestQueue(refusing('unauthorized'), { clock });
    const tries: number[] = [];
    for (let minute = 0; minute < 60; minute++) {
      await one.lookUp(`9.9.9.${minute}`);
      if (one.asked.length > tries.length) tries.push(minute);
      clock.pass(60_000);
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 30, 45]);
  });
  it('an exhausted quota is found to be raised without a restart', async () => {
    const clock = handClock();
    let isRaised = false;
    using one = openTestQueue(() => (isRaised ? null : refusing('quota_exhausted')()), { clock });
    expect([await one.lookUp('9.9.9.1'), await one.lookUp('9.9.9.2')]).toEqual(['quota_exhausted', 'quota_exhausted']);
    isRaised = true;
    clock.pass(HOUR_MS / 2);
    expect(await one.lookUp('9.9.9.3')).toBe('answered');
  });
});

describe('a provider that refuses and says that no wait is needed', () => {
  it.each([0, -5000])('is not asked again in a loop (%i ms)', async (retryAfterMs) => {
    const clock = handClock();
    using one = openTestQueue(refusing('rate_limited', retryAfterMs), { clock });
    for (let n = 0; n < 300; n++) await one.lookUp('9.9.9.1');
    // 30 s: after 1, 2, 4, 8 and 16 s.
    expect(one.asked.length).toBeLessThanOrEqual(6);
    expect(one.asked.length).toBeGreaterThan(3);
  });
  it('makes no warning about timers on stderr', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => void warnings.push(name);
    process.on('warning', onWarning);
    await using api = await startStandIn((call, response, attempt) =>
      (attempt === 1 ? json(429, { 'retry-after': '0' }) : healthy)(call, response, attempt),
    );
    const { engine } = await openTestEngine(api.url);
    const found = await engine.enrichMany(['11.22.33.44'], { timeoutMs: 15_000 });
    expect(found.get('11.22.33.44')?.answer.status).toBe('ok');
    await engine.close();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});

it('metrics and readiness tell who is held off, why and until when', async () => {
  await using api = await startStandIn(json(429, { 'retry-after': '1000000000' }));
  const { engine } = await openTestEngine(api.url);
  expect(renderEngineMetrics(engine.stats())).toContain('ismalicious_provider_blocked_seconds{provider="ismalicious"} 0');
  expect(heldOffProviders(engine.stats())).toEqual({});
  await engine.enrichMany(['11.22.33.44'], { timeoutMs: 4000 });
  const stats = engine.stats();
  expect(renderEngineMetrics(stats)).toMatch(/ismalicious_provider_blocked_seconds\{provider="ismalicious"\} 8\d{4}\n/);
  expect(renderEngineMetrics(stats)).toContain('ismalicious_provider_refused{provider="ismalicious",status="rate_limited"} 1');
  const { until } = heldOffProviders(stats)['ismalicious']!;
  expect(Date.parse(until) - Date.now()).toBeLessThanOrEqual(DAY_MS);
  await engine.close();
});
