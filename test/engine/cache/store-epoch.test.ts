import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteVerdictStore } from '../../../src/engine/cache/sqlite-verdict-store.ts';
import { readEpoch } from '../../../src/engine/cache/store-epoch.ts';
import type { VerdictStore } from '../../../src/engine/cache/verdict-store.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const NOW_S = Math.trunc(Date.now() / 1000);
let path = '';
let store: VerdictStore;
beforeEach(async () => {
  path = join(newStateFolder(), 'verdicts.sqlite');
  store = await openSqliteVerdictStore(path);
  put('{"a":1}', NOW_S, NOW_S + 100);
});
afterEach(() => store.close());

function put(answer: string, checkedAtS: number, expiresAtS: number, value = '12.0.0.1'): void {
  store.put('ismalicious', value, { answer, checkedAtS, expiresAtS });
  store.flush();
}

describe('the epoch of the verdict cache', () => {
  it.each([
    ['another value', () => put('{"a":1}', NOW_S, NOW_S + 100, '12.0.0.2'), false],
    ['the same answer once more', () => put('{"a":1}', NOW_S + 50, NOW_S + 150), false],
    ['another answer in time', () => put('{"a":2}', NOW_S + 50, NOW_S + 150), true],
    ['another answer after the first one expired', () => put('{"a":2}', NOW_S + 101, NOW_S + 150), false],
    ['a purge of what is good', () => void store.purge(NOW_S + 1000), true],
    ['a purge of what is out of date', () => void store.purge(NOW_S - 1000), false],
  ])('%s', (_, change, changes) => {
    const before = store.epoch();
    change();
    expect(store.epoch()?.epoch !== before?.epoch).toBe(changes);
  });

  it('is read beside others that write, and is that of this very file', async () => {
    const { epoch } = store.epoch() ?? {};
    expect(await readEpoch(path)).toBe(epoch);
    put('{"a":2}', NOW_S, NOW_S + 100);
    expect(await readEpoch(path)).not.toBe(epoch);
    const other = await openSqliteVerdictStore(join(newStateFolder(), 'verdicts.sqlite'));
    expect(other.epoch()?.epoch).not.toBe(epoch);
    other.close();
  });

  it('of a file that is not there cannot be read', async () => {
    await expect(readEpoch(`${path}.none`)).rejects.toThrow(/unable to open/);
  });
});
