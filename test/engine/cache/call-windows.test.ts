import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lastCallInMs, windowWaitMs } from '../../../src/engine/cache/call-windows.ts';
import { loadSqlite } from '../../../src/engine/cache/load-sqlite.ts';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import { SqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import { openVerdictDatabase } from '../../../src/engine/cache/verdict-database.ts';

const MINUTE_MS = 60_000;

/** Makes the calls one by one, each when the windows let it. */
function byOneAndOne(
  before: readonly number[],
  windows: readonly { requests: number; perMs: number }[],
  calls: number,
  nowMs: number,
): number {
  const made = [...before];
  let at = nowMs;
  for (let n = 0; n < calls; n++) {
    at += windowWaitMs(made, windows, 1, at);
    made.push(at);
  }
  return at - nowMs;
}

describe('when the last of several calls goes out', () => {
  it.each([
    ['the first window lets its calls through at once', [], 30, 0],
    ['the next one goes after a whole window', [], 31, MINUTE_MS],
    ['61 at 30 a minute take two minutes', [], 61, 2 * MINUTE_MS],
    ['calls of other processes are counted: 25 were made 20 s ago, five more go at once', Array.from({ length: 25 }, () => -20_000), 5, 0],
    ['and the sixth goes when the first of them has left the window', Array.from({ length: 25 }, () => -20_000), 6, 40_000],
    ['a call from before the window is not', [-61_000], 30, 0],
    ['no call takes no time', [-1], 0, 0],
  ])('%s', (_name, before, calls, expected) => {
    for (const nowMs of [0, 500_000]) {
      const earlier = before.map((at) => at + nowMs);
      expect(lastCallInMs(earlier, [{ requests: 30, perMs: MINUTE_MS }], calls, nowMs)).toBe(expected);
    }
  });

  it('is what making them one by one comes to', () => {
    const window = fc.record({ requests: fc.integer({ min: 1, max: 8 }), perMs: fc.integer({ min: 1, max: 500 }) });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -400, max: 0 }), { maxLength: 8 }),
        window,
        fc.integer({ min: 1, max: 30 }),
        (before, one, calls) => {
          // No more than a window holds were ever made in one.
          const past = before.sort((a, b) => a - b).slice(-one.requests);
          expect(lastCallInMs(past, [one], calls, 0)).toBe(byOneAndOne(past, [one], calls, 0));
        },
      ),
    );
  });
});

describe('the windows that processes share in the file of the cache', () => {
  it('let calls through when those of one process would', async () => {
    // Calls that a shared cache has let through are only noted here: without a bound.
    const requests = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(Infinity));
    const window = fc.record({ requests, perMs: fc.integer({ min: 1, max: 400 }) });
    const call = fc.record({ afterMs: fc.integer({ min: -50, max: 200 }), calls: fc.integer({ min: 1, max: 4 }) });
    const folder = mkdtempSync(join(tmpdir(), 'call-windows-'));
    const store = new SqliteVerdictStore(openVerdictDatabase(await loadSqlite(), join(folder, 'cache.sqlite')), folder, () => 1000);
    onTestFinished(() => {
      store.close();
      rmSync(folder, { recursive: true });
    });
    let run = 0;
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.array(call, { maxLength: 20 }), (windows, steps) => {
        const alone = createMemoryVerdictStore(null);
        const account = `p${run++}`;
        let nowMs = 1_000_000;
        for (const { afterMs, calls } of steps) {
          nowMs += afterMs;
          expect(store.book(account, windows, calls, nowMs)).toBe(alone.book(account, windows, calls, nowMs));
        }
      }),
      { numRuns: 200 },
    );
  });
});
