import { beforeEach, describe, expect, it } from 'vitest';
import { openStoreCore, type StoreCore } from '../../src/store/store.ts';

const NOW = 1_795_000_000;
const DAY = 86_400;
let store: StoreCore;
beforeEach(() => {
  store = openStoreCore(':memory:');
  return () => store.close();
});
const request = (value: string, everyS = DAY, untilS: number | null = null) => ({
  indicator: { type: 'domain-name' as const, value },
  reason: 'crown jewels',
  by: 'ann',
  everyS,
  untilS,
});

describe('the watchlist', () => {
  it('takes an indicator once, and lets it go', () => {
    expect([store.watch(request('a.net'), NOW), store.watch(request('a.net', 60), NOW), store.countWatched()]).toEqual([true, false, 1]);
    expect(store.watched(9)).toMatchObject([{ everyS: 60, reason: 'crown jewels', by: 'ann', verdict: null }]);
    expect([store.unwatch('a.net'), store.unwatch('a.net')]).toEqual([true, false]);
  });
  it('is due at once, then every so often; a failed check comes sooner and forgets nothing', () => {
    store.watch(request('a.net'), NOW);
    expect(store.dueWatches(NOW, 9)).toHaveLength(1);
    store.saveChecks([{ value: 'a.net', verdict: 'malicious', score: 90 }], { nowS: NOW, retryS: 900 });
    expect([store.dueWatches(NOW + DAY - 1, 9).length, store.dueWatches(NOW + DAY, 9).length]).toEqual([0, 1]);
    store.saveChecks([{ value: 'a.net', verdict: null, score: null }], { nowS: NOW + DAY, retryS: 900 });
    expect([store.dueWatches(NOW + DAY + 899, 9), store.dueWatches(NOW + DAY + 900, 9)]).toMatchObject([
      [],
      [{ verdict: 'malicious', score: 90 }],
    ]);
  });
  it('ends when it was meant to', () => {
    store.watch(request('a.net', DAY, NOW + 10), NOW);
    expect([store.dueWatches(NOW + 9, 9).length, store.dueWatches(NOW + 10, 9).length, store.countWatched()]).toEqual([1, 0, 0]);
  });
});

const sighting = (value: string, asset: string, atS: number, times = 1) => ({ value, asset, times, firstS: atS, lastS: atS });

describe('the sighting index', () => {
  it('tells who was seen with a value in the last days, latest first', () => {
    store.recordSightings([
      sighting('evil-host.net', 'pc-1', NOW - 10 * DAY),
      sighting('evil-host.net', 'pc-1', NOW - DAY),
      sighting('evil-host.net', 'pc-2', NOW - 60),
      sighting('other-host.net', 'pc-3', NOW),
    ]);
    expect(store.whoSaw('evil-host.net', NOW - 30 * DAY, 9)).toEqual([
      { asset: 'pc-2', times: 1, firstS: NOW - 60, lastS: NOW - 60 },
      { asset: 'pc-1', times: 2, firstS: NOW - 10 * DAY, lastS: NOW - DAY },
    ]);
    expect(store.whoSaw('evil-host.net', NOW - 2 * DAY, 9).map(({ asset, times }) => [asset, times])).toEqual([
      ['pc-2', 1],
      ['pc-1', 1],
    ]);
    expect(store.whoSaw('never-host.net', 0, 9)).toEqual([]);
  });
  it('keeps within its age and its rows, oldest days first', () => {
    store.recordSightings(Array.from({ length: 30 }, (_, n) => sighting(`h${n}.net`, 'pc', NOW - n * DAY)));
    expect([store.forgetSightings(NOW - 19 * DAY, 1000), store.countSightings()]).toEqual([10, 20]);
    expect([store.forgetSightings(0, 5), store.countSightings()]).toEqual([15, 5]);
    expect(store.whoSaw('h0.net', 0, 9)).toHaveLength(1);
  });
});

describe('run state', () => {
  it('holds one leader at a time, until its lease ends', () => {
    const take = (holder: string, nowMs: number) => store.takeLease('pipeline', holder, { nowMs, untilMs: nowMs + 1000 });
    expect([take('a', 0), take('b', 500), take('a', 900), take('b', 1500), take('b', 1900), take('a', 2000)]).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    store.releaseLease('pipeline', 'a');
    expect(take('a', 2001)).toBe(false);
    store.releaseLease('pipeline', 'b');
    expect(take('a', 2002)).toBe(true);
  });
  it('keeps cursors, reports and bad items; the same bad item counts up', () => {
    store.saveCursor('misp', '1', NOW);
    store.saveCursor('misp', '2', NOW);
    expect([store.cursor('misp'), store.cursor('otx')]).toEqual(['2', null]);
    store.quarantineItems(
      'misp',
      [
        { raw: 'x', reason: 'a' },
        { raw: 'x', reason: 'a' },
        { raw: 'y', reason: 'b' },
      ],
      NOW,
    );
    expect(store.quarantinedItems('misp', 9).map(({ raw, times }) => [raw, times])).toEqual([
      ['y', 1],
      ['x', 2],
    ]);
    store.saveRun('{"n":1}', NOW);
    store.saveRun('{"n":2}', NOW);
    expect(store.runs(1)).toEqual([{ atS: NOW, report: '{"n":2}' }]);
  });
});
