import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../support/fixtures.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn } from '../../support/stand-in-api.ts';

const ALL_THE_TIME = { timeoutMs: 0 };
/** `ISMALICIOUS_PROCESSES=8 ISMALICIOUS_VALUES=1500` is the whole of it. */
const PROCESSES = Number(process.env['ISMALICIOUS_PROCESSES'] ?? 4);
const VALUES = Number(process.env['ISMALICIOUS_VALUES'] ?? 60);

function startChild(env: Record<string, string>, values: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--no-warnings', join(projectRoot, 'test/support/look-up-child.ts'), '0', ...values], {
    env: { PATH: process.env['PATH'], ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The same order every time, another one for every process. */
function shuffled(values: readonly string[], n: number): string[] {
  return values
    .map((value, at) => [(at * (7 + 2 * n) + n) % 1511, value] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, value]) => value);
}

/** Answers a call when it is told to, the oldest first. */
async function startPatient() {
  const waiting: (() => void)[] = [];
  const api = await startStandIn((call, response, attempt) => void waiting.push(() => healthy(call, response, attempt)));
  return {
    api,
    arrived: (count: number) => expect.poll(() => waiting.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count),
    answerAll: () => waiting.splice(0).forEach((answer) => answer()),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

describe('what another process was answered since it was queued here', () => {
  it('is not asked again, and costs neither credits nor budget', async () => {
    await using patient = await startPatient();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONCURRENCY: '1', ISMALICIOUS_BUDGET_PER_DAY: '100' };
    const [one, other] = [await openTestEngine(patient.api.url, env), await openTestEngine(patient.api.url, env)];
    const values = publicAddresses(6);
    const budgets = [{ remaining: 6 }, { remaining: 6 }] as const;
    const found = [
      one.engine.enrichMany(values, { ...ALL_THE_TIME, budget: budgets[0] }),
      other.engine.enrichMany(values.toReversed(), { ...ALL_THE_TIME, budget: budgets[1] }),
    ];
    let isDone = false;
    const all = Promise.all(found).finally(() => (isDone = true));
    await patient.arrived(2);
    while (!isDone) {
      patient.answerAll();
      await sleep(5);
    }
    for (const answers of await all) expect([...answers.values()].map(({ answer }) => answer.status)).toEqual(values.map(() => 'ok'));
    expect(patient.api.asked().toSorted()).toEqual(values.toSorted());
    expect(one.engine.stats().providers[0]).toMatchObject({ spentToday: 6 });
    expect(budgets[0].remaining + budgets[1].remaining).toBe(6);
    await one.engine.close();
    await other.engine.close();
  });

  it('is asked again by who wants a younger answer', async () => {
    await using api = await startStandIn();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const { engine } = await openTestEngine(api.url, env);
    const checkedAtS = Math.floor(Date.now() / 1000) - 500;
    engine.store.put('ismalicious', '11.22.33.44', { answer: 'n', checkedAtS, expiresAtS: checkedAtS + 86_400 });
    const young = await engine.enrichMany(['11.22.33.44'], { ...ALL_THE_TIME, maxAgeS: 100 });
    expect(young.get('11.22.33.44')?.source).toBe('live');
    expect(api.calls).toHaveLength(1);
    await engine.close();
  });
});

describe.each([
  ['one by one', 0],
  ['in bulk', 8],
])('several processes that ask %s, each in its own order', (_name, bulkCap) => {
  it('make one call for each value, whatever is not listed included', { timeout: 120_000 + 400 * VALUES }, async () => {
    await using api = await startStandIn();
    api.bulkCap = bulkCap;
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_BASE_URL: api.url };
    const values = publicAddresses(VALUES);
    const children = Array.from({ length: PROCESSES }, (_, n) => startChild(env, shuffled(values, n)));
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(api.asked().toSorted()).toEqual(values.toSorted());
  });
});

it('who waits for the answer of another process only reads until there is something to take', async () => {
  await using patient = await startPatient();
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_TIMEOUT_MS: '120000' };
  const [one, other] = [await openTestEngine(patient.api.url, env), await openTestEngine(patient.api.url, env)];
  const given = one.engine.enrichMany(['11.22.33.44'], ALL_THE_TIME);
  await patient.arrived(1);
  let [leases, looks] = [0, 0];
  const { store } = other.engine;
  const { lease, leasable } = store;
  store.lease = (...asked) => (leases++, lease.apply(store, asked));
  store.leasable = (...asked) => (looks++, leasable.apply(store, asked));
  const found = other.engine.enrichMany(['11.22.33.44'], ALL_THE_TIME);
  await expect.poll(() => looks, { timeout: 15_000 }).toBeGreaterThan(5);
  expect(leases).toBe(1);
  patient.answerAll();
  const answers = [(await given).get('11.22.33.44')?.source, (await found).get('11.22.33.44')?.source];
  expect([answers, patient.api.calls.length]).toEqual([['live', 'coalesced'], 1]);
  await one.engine.close();
  await other.engine.close();
});

describe('when the process that asks is killed', () => {
  it.each([
    ['a value', 1],
    ['many values in one call', 8],
  ])('another one asks in its place at once, long before the lease has ended: %s', { timeout: 60_000 }, async (_name, count) => {
    await using patient = await startPatient();
    patient.api.bulkCap = count > 1 ? count : 0;
    // The lease is longer than this test may take.
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_TIMEOUT_MS: '120000' };
    const values = publicAddresses(count);
    const child = startChild({ ...env, ISMALICIOUS_BASE_URL: patient.api.url }, values);
    await patient.arrived(1);
    const { engine } = await openTestEngine(patient.api.url, env);
    let looks = 0;
    const { leasable } = engine.store;
    engine.store.leasable = (...asked) => (looks++, leasable.apply(engine.store, asked));
    const found = engine.enrichMany(values, ALL_THE_TIME);
    // It has looked several times whether the holder is gone: it waits.
    await expect.poll(() => looks, { timeout: 15_000 }).toBeGreaterThan(2);
    expect(patient.api.calls).toHaveLength(1);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await patient.arrived(2);
    patient.answerAll();
    expect([...(await found).values()].map(({ answer }) => answer.status)).toEqual(values.map(() => 'ok'));
    expect(patient.api.asked().toSorted()).toEqual([...values, ...values].toSorted());
    await engine.close();
  });

  it('what it holds is free when it ends in order, too', async () => {
    await using patient = await startPatient();
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_TIMEOUT_MS: '120000' };
    const [one, other] = [await openTestEngine(patient.api.url, env), await openTestEngine(patient.api.url, env)];
    const given = one.engine.enrichMany(['11.22.33.44'], ALL_THE_TIME);
    await patient.arrived(1);
    await one.engine.close();
    expect((await given).get('11.22.33.44')?.answer.status).toBe('unavailable');
    const found = other.engine.enrichMany(['11.22.33.44'], ALL_THE_TIME);
    await patient.arrived(2);
    patient.answerAll();
    expect((await found).get('11.22.33.44')?.answer.status).toBe('ok');
    await other.engine.close();
  });
});

it('a value that is wanted again while its lease is given back is not asked for by others meanwhile', async () => {
  await using api = await startStandIn((call, response) =>
    sendJson(response, 200, { malicious: false, sources: [], query: call.values[0] }),
  );
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
  const { engine } = await openTestEngine(api.url, env);
  const { store } = engine;
  const nowS = Math.floor(Date.now() / 1000);
  expect([...store.lease('p', ['a'], nowS + 15, nowS)]).toEqual(['a']);
  store.release('p', ['a']);
  expect([...store.lease('p', ['a'], nowS + 15, nowS)]).toEqual(['a']);
  store.flush();
  const other = await openTestEngine(api.url, env);
  expect([...other.engine.store.lease('p', ['a'], nowS + 15, nowS)]).toEqual([]);
  await other.engine.close();
  await engine.close();
});
