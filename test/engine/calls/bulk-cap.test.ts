import { expect, it } from 'vitest';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import { askBulkCap, knownBulkCap } from '../../../src/engine/calls/bulk-cap.ts';
import type { ClientOptions } from '../../../src/engine/calls/provider-client.ts';

const NOW_S = 1_795_000_000;

function optionsOf({ useBulk = true, bulk = {} as object | undefined, told = 7 } = {}) {
  const store = createMemoryVerdictStore(null);
  const clock = { monotonicMs: () => 0, epochMs: () => NOW_S * 1000 + 999 };
  const exchange = { bulkCap: () => Promise.resolve(told) };
  return { options: { account: 'p', provider: { bulk }, limits: { useBulk }, store, clock, exchange } as unknown as ClientOptions, store };
}

it.each([
  ['100', 0, 100],
  ['0', 0, 0],
  ['100', 86_399, 100],
  ['100', 86_400, null],
  ['100', -300, 100],
  ['100', -301, null],
  ['-1', 0, null],
  ['1.5', 0, null],
  ['many', 0, null],
])('that one call may carry %j, told %i s ago, is believed as %j', (text, ageS, cap) => {
  const { options, store } = optionsOf();
  store.setNote('p.bulk-cap', text, NOW_S - ageS);
  expect(knownBulkCap(options)).toBe(cap);
});

it('nobody asks for it where there is no bulk form, or it is switched off', () => {
  expect(knownBulkCap(optionsOf({ useBulk: false }).options)).toBe(0);
  const { options, store } = optionsOf();
  Reflect.deleteProperty(options.provider, 'bulk');
  store.setNote('p.bulk-cap', '100', NOW_S);
  expect(knownBulkCap(options)).toBe(0);
  expect(knownBulkCap(optionsOf().options)).toBeNull();
});

it('what the provider tells is kept for the next process', async () => {
  const { options, store } = optionsOf({ told: 42 });
  expect(await askBulkCap(options, new AbortController().signal)).toBe(42);
  expect(store.note('p.bulk-cap')).toEqual({ text: '42', atS: NOW_S });
  expect(knownBulkCap(options)).toBe(42);
});
