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
function begin(store: VerdictStore, { key = 'one', nowMs = NOW_MS } = {}) {
  const pacer = createPacer(10, 0);
  const clock = { epochMs: () => nowMs, monotonicMs: () => 5000 };
  const memory = createPaceMemory({ account: 'p', key: () => key, store, clock } as unknown as ClientOptions, pacer);
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
  expect(begin(other, { nowMs: NOW_MS + DAY_MS + 1 }).pacer.learned).toBeNull();
  expect(beside.pacer.learned).toBeNull();
  beside.memory.recall();
  expect(beside.pacer.learned).toMatchObject(learned ?? {});
  one.close();
  other.close();
});

it('what stands there and is no pace changes nothing', async () => {
  const store = await openSqliteVerdictStore(join(newStateFolder(), 'verdicts.sqlite'));
  for (const text of ['nonsense', '{}', `{"perS":-1,"refusedPerS":1,"atMs":${NOW_MS},"untilMs":${NOW_MS + DAY_MS}}`]) {
    store.setNote('p.one.pace', text, 0);
    expect(begin(store).pacer.learned).toBeNull();
  }
  store.close();
});
