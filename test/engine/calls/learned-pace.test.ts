import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import type { VerdictStore } from '../../../src/engine/cache/verdict-store.ts';
import { createPaceMemory } from '../../../src/engine/calls/pace/learned-pace.ts';
import { createPacer } from '../../../src/engine/calls/pace/pacer.ts';
import type { ClientOptions } from '../../../src/engine/calls/provider-client.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;

/** What one process knows of its key's pace when it makes its first call. */
function begin(store: VerdictStore, { key = 'one', nowMs = NOW_MS, quotas = [] as object[] } = {}) {
  const pacer = createPacer(10, 0);
  const clock = { epochMs: () => nowMs, monotonicMs: () => 5000 };
  const memory = createPaceMemory({ account: 'p', key: () => key, store, clock, limits: { quotas } } as unknown as ClientOptions, pacer);
  memory.begin();
  return { pacer, memory };
}

it('what a refusal taught is known to the next process with the same key, for a day, and to those that run beside it', async () => {
  const path = join(newStateFolder(), 'verdicts.sqlite');
  const [one, other] = await Promise.all([openSqliteVerdictStore(path), openSqliteVerdictStore(path)]);
  const beside = begin(other);
  const first = begin(one);
  expect(first.pacer.learned).toBeNull();
  for (let ms = 5000; ms < 6000; ms += 20) first.pacer.sent(ms);
  first.pacer.limited(6000, 1000);
  first.memory.keep();
  const { learned } = first.pacer;
  expect(learned?.perS).toBeGreaterThan(0);

  expect(begin(other).pacer.learned).toMatchObject(learned ?? {});
  expect(begin(other, { key: 'another' }).pacer.learned).toBeNull();
  expect(begin(other, { nowMs: NOW_MS + DAY_MS - 1 }).pacer.learned).toMatchObject(learned ?? {});
  expect(begin(other, { nowMs: NOW_MS + DAY_MS }).pacer.learned).toBeNull();
  expect(beside.pacer.learned).toBeNull();
  beside.memory.recall();
  expect(beside.pacer.learned).toMatchObject(learned ?? {});
  one.close();
  other.close();
});

it('what stands there and is no pace changes nothing', async () => {
  const store = await openSqliteVerdictStore(join(newStateFolder(), 'verdicts.sqlite'));
  const times = `"atMs":${NOW_MS},"untilMs":${NOW_MS + DAY_MS}`;
  const rates = ['"perS":-1,"refusedPerS":1', '"perS":0,"refusedPerS":1', '"perS":1', '"isFree":true,"perS":1,"refusedPerS":1'];
  for (const text of ['nonsense', '{}', ...rates.map((rate) => `{${rate},${times}}`)]) {
    store.setNote('p.one.pace', text, 0);
    const { pacer } = begin(store);
    expect([pacer.learned, pacer.allowance.isOpen], text).toEqual([null, false]);
  }
  store.setNote('p.one.pace', `{"perS":0.5,"refusedPerS":0.5,${times}}`, 0);
  expect(begin(store).pacer.learned).toEqual({ perS: 0.5, refusedPerS: 0.5 });
  store.close();
});

it('that nothing is refused at full pace is known to the next process, too, until one is refused', async () => {
  const path = join(newStateFolder(), 'verdicts.sqlite');
  const [one, other] = await Promise.all([openSqliteVerdictStore(path), openSqliteVerdictStore(path)]);
  const first = begin(one);
  first.pacer.answered(5);
  first.memory.answered();
  expect([first.pacer.allowance.isOpen, begin(other).pacer.allowance.isOpen]).toEqual([false, false]);
  while (!first.pacer.allowance.isOpen) first.pacer.answered(5);
  first.memory.answered();
  expect([begin(other).pacer.allowance.isOpen, begin(other).pacer.learned]).toEqual([true, null]);
  expect(begin(other, { key: 'another' }).pacer.allowance.isOpen).toBe(false);
  expect(begin(other, { nowMs: NOW_MS + DAY_MS + 1 }).pacer.allowance.isOpen).toBe(false);

  const second = begin(other);
  second.pacer.sent(6000);
  second.pacer.limited(6000, 1000);
  second.memory.keep();
  // The first one goes on, and does not say again what is no longer so.
  first.memory.answered();
  expect(begin(one).pacer.learned).toMatchObject(second.pacer.learned ?? {});
  one.close();
  other.close();
});

it('a process that finds another was refused while it began does not say that nothing is', async () => {
  const path = join(newStateFolder(), 'verdicts.sqlite');
  const [one, other] = await Promise.all([openSqliteVerdictStore(path), openSqliteVerdictStore(path)]);
  const slow = begin(one);
  const refused = begin(other);
  refused.pacer.sent(6000);
  refused.pacer.limited(6000, 1000);
  refused.memory.keep();
  while (!slow.pacer.allowance.isOpen) slow.pacer.answered(5);
  slow.memory.answered();
  expect(slow.pacer.learned).toMatchObject(refused.pacer.learned ?? {});
  expect(begin(one).pacer.learned).toMatchObject(refused.pacer.learned ?? {});
  one.close();
  other.close();
});

it('a limit of our own is known: nothing is found out slowly', async () => {
  const store = await openSqliteVerdictStore(join(newStateFolder(), 'verdicts.sqlite'));
  expect(begin(store, { quotas: [{ requests: 4, perMs: 60_000 }] }).pacer.allowance.isOpen).toBe(true);
  store.close();
});
