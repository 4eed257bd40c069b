import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Routing } from '../../src/store/outbox.ts';
import { openStoreCore, type StoreCore } from '../../src/store/store.ts';
import { enrichmentOf, observationOf } from './samples.ts';

const NOW = 1_795_000_000;
const MS = NOW * 1000;
let store: StoreCore;
beforeEach(() => {
  store = openStoreCore(':memory:');
  return () => store.close();
});
const routing = (key: string, subject = key, output = 'hec'): Routing => ({
  routed: null,
  deliveries: [{ output, key, subject, payload: `{"k":"${key}"}` }],
});
const keys = (limit = 10, at = MS) => store.next('hec', limit, at).map(({ key }) => key);

describe('the journal', () => {
  it('takes a key once, whatever became of it', () => {
    expect(store.route([routing('a'), routing('a'), routing('b')], NOW, 10).accepted).toEqual({ hec: 2 });
    store.settle([{ id: store.next('hec', 1, MS)[0]!.id, to: 'delivered' }], NOW);
    expect(store.route([routing('a'), routing('b')], NOW, 10).accepted).toEqual({});
    expect(store.counts('hec')).toEqual({ accepted: 2, delivered: 1, pending: 1, quarantined: 0 });
  });
  it('gives the oldest first, at most one a subject, and none past an older one that waits', () => {
    store.route([routing('a1', 'a'), routing('a2', 'a'), routing('b1', 'b')], NOW, 10);
    expect(keys()).toEqual(['a1', 'b1']);
    const [a1] = store.next('hec', 1, MS);
    store.settle([{ id: a1!.id, to: 'retry', atMs: MS + 5000, reason: 'busy' }], NOW);
    expect([keys(), keys(10, MS + 5000), store.nextAtMs('hec')]).toEqual([['b1'], ['a1', 'b1'], 0]);
    store.settle([{ id: a1!.id, to: 'quarantined', reason: 'gave up' }], NOW);
    expect(keys()).toEqual(['a2', 'b1']);
  });
  it('keeps the reason of what it gave up, and replays it as fresh', () => {
    store.route([routing('a')], NOW, 10);
    store.settle([{ id: store.next('hec', 1, MS)[0]!.id, to: 'quarantined', reason: 'HTTP 400: no' }], NOW);
    expect(store.quarantined('hec', 9)).toMatchObject([{ reason: 'HTTP 400: no', subject: 'a', attempts: 1 }]);
    expect([keys(), store.replay('hec', 9), keys()]).toEqual([[], 1, ['a']]);
    expect(store.next('hec', 1, MS)[0]?.attempts).toBe(0);
  });
  it('gives at once what was put off while the clock was years ahead', () => {
    store.route([routing('a'), routing('b')], NOW, 10);
    const [a, b] = store.next('hec', 2, MS);
    store.settle([{ id: a!.id, to: 'retry', atMs: MS + 400 * 86_400_000, reason: 'busy' }], NOW);
    store.settle([{ id: b!.id, to: 'retry', atMs: MS + 86_400_000, reason: 'busy' }], NOW);
    expect([keys(), keys(10, MS + 86_400_000)]).toEqual([['a'], ['a', 'b']]);
  });
  it('settles nothing twice', () => {
    store.route([routing('a')], NOW, 10);
    const [a] = store.next('hec', 1, MS);
    store.settle([{ id: a!.id, to: 'delivered' }], NOW);
    store.settle([{ id: a!.id, to: 'quarantined', reason: 'late' }], NOW);
    expect(store.counts('hec')).toEqual({ accepted: 1, delivered: 1, pending: 0, quarantined: 0 });
  });
  it('remembers the count of what it forgets', () => {
    store.route([routing('a'), routing('b')], NOW, 10);
    store.settle([{ id: store.next('hec', 1, MS)[0]!.id, to: 'delivered' }], NOW);
    expect([store.prune(NOW), store.prune(NOW + 1), store.counts('hec')]).toEqual([
      0,
      1,
      { accepted: 2, delivered: 1, pending: 1, quarantined: 0 },
    ]);
  });
});

describe('backpressure', () => {
  it('holds what does not fit; the judgement stays unrouted and goes later, to each output once', () => {
    store.observe([observationOf('evil-host.net')], NOW);
    store.record([['evil-host.net', enrichmentOf({})]], NOW);
    store.route([routing('first')], NOW, 10);
    const [stored] = store.unrouted(0, 10, NOW);
    const both: Routing = {
      routed: { id: stored!.id, revision: stored!.revision },
      deliveries: [...routing('x', 'e', 'hec').deliveries, ...routing('x', 'e', 'misp').deliveries],
    };
    expect(store.route([both], NOW, 1)).toEqual({ accepted: { misp: 1 }, held: { hec: 1 } });
    expect(store.unrouted(0, 10, NOW)).toHaveLength(1);
    expect(store.route([both], NOW, 2)).toEqual({ accepted: { hec: 1 }, held: {} });
    expect(store.unrouted(0, 10, NOW)).toEqual([]);
  });
});

it('accepted = delivered + pending + quarantined after any sequence of events', () => {
  const event = fc.record({
    do: fc.constantFrom('route', 'deliver', 'retry', 'quarantine', 'replay', 'prune'),
    key: fc.nat(20),
    subject: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const core = openStoreCore(':memory:');
      const accepted = new Set<string>();
      for (const { do: what, key, subject } of events) {
        const [head] = core.next('hec', 1, Number.MAX_SAFE_INTEGER);
        if (what === 'route') {
          const before = core.counts('hec').accepted;
          core.route([routing(`k${key}`, `s${subject}`)], NOW, 8);
          if (core.counts('hec').accepted > before) accepted.add(`k${key}`);
        } else if (what === 'replay') core.replay('hec', 2);
        else if (what === 'prune') core.prune(NOW - 1);
        else if (head)
          core.settle(
            [
              what === 'deliver'
                ? { id: head.id, to: 'delivered' }
                : what === 'retry'
                  ? { id: head.id, to: 'retry', atMs: MS, reason: 'r' }
                  : { id: head.id, to: 'quarantined', reason: 'q' },
            ],
            NOW,
          );
      }
      const counts = core.counts('hec');
      core.close();
      expect(counts.accepted).toBe(counts.delivered + counts.pending + counts.quarantined);
      expect(counts.accepted).toBe(accepted.size);
    }),
    { numRuns: 60 },
  );
});
