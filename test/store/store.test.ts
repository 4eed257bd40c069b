import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { packAnswer, unpackAnswer } from '../../src/store/answer-text.ts';
import { StoreError } from '../../src/store/database.ts';
import { decayedScore } from '../../src/store/decay.ts';
import { openStoreCore, type StoreCore } from '../../src/store/store.ts';
import { openStore } from '../../src/store/store-client.ts';
import { STATUSES, TIERS } from '../../src/model/enrichment.ts';
import { VERDICT_WORDS } from '../../src/model/verdict.ts';
import { answerOf, enrichmentOf, observationOf } from './samples.ts';

const NOW = 1_795_000_000;
const DAY = 86_400;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-store-'));
afterAll(() => rmSync(folder, { recursive: true }));
let n = 0;
const freshPath = () => join(folder, `store-${++n}.db`);
let store: StoreCore;
beforeEach(() => {
  store = openStoreCore(':memory:');
  return () => store.close();
});

describe('observations', () => {
  it('count as new once, and merge sources, tags, times and the strictest TLP', () => {
    expect(
      store.observe(
        [
          observationOf('evil-host.net', {
            tags: ['a'],
            tlp: 'GREEN',
            firstSeen: '2026-11-02T00:00:00Z',
            lastSeen: '2026-11-03T00:00:00Z',
          }),
        ],
        NOW,
      ),
    ).toEqual({ new: 1, updated: 0 });
    const more = observationOf('evil-host.net', {
      source: 'otx',
      tags: ['b', 'a'],
      tlp: 'AMBER',
      firstSeen: '2026-11-01T00:00:00Z',
      lastSeen: '2026-11-02T00:00:00Z',
      confidence: 70,
    });
    expect(store.observe([more, more], NOW + 5)).toEqual({ new: 0, updated: 2 });
    expect(store.get('evil-host.net', NOW)).toMatchObject({
      indicator: { type: 'domain-name', value: 'evil-host.net' },
      sources: ['misp', 'otx'],
      tags: ['a', 'b'],
      tlp: 'AMBER',
      feedConfidence: 70,
      firstSeenS: Date.parse('2026-11-01T00:00:00Z') / 1000,
      lastSeenS: Date.parse('2026-11-03T00:00:00Z') / 1000,
      confirmedS: NOW + 5,
      verdict: null,
    });
  });
  it('of one batch are kept together or not at all', () => {
    const broken = { ...observationOf('x.net'), indicator: { type: 'mutex', value: 'x' } } as never;
    expect(() => store.observe([observationOf('evil-host.net'), broken], NOW)).toThrow(RangeError);
    expect(store.get('evil-host.net', NOW)).toBeNull();
  });
  it('new + updated = observations, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a.net', 'b.net', 'c.net')), (values) => {
        const core = openStoreCore(':memory:');
        const counts = core.observe(
          values.map((value) => observationOf(value)),
          NOW,
        );
        core.close();
        return counts.new === new Set(values).size && counts.new + counts.updated === values.length;
      }),
      { numRuns: 30 },
    );
  });
  it('a revocation ends it, a new listing brings it back, an analyst outranks both', () => {
    const state = () => store.get('evil-host.net', NOW)?.state;
    store.observe([observationOf('evil-host.net')], NOW);
    store.observe([observationOf('evil-host.net', { isRevoked: true })], NOW + 9);
    expect([state(), store.get('evil-host.net', NOW)?.confirmedS]).toEqual(['revoked', NOW]);
    store.observe([observationOf('evil-host.net')], NOW);
    expect(state()).toBe('active');
    expect(store.markOverrides([{ value: 'evil-host.net', verdict: 'clean' }], NOW)).toBe(1);
    store.observe([observationOf('evil-host.net')], NOW);
    expect(state()).toBe('false_positive');
  });
});

describe('decisions of analysts', () => {
  const due = () => store.due(NOW + 1, 10).map(({ indicator }) => indicator.value);
  it('mark what they are about until they end, and make it due each time', () => {
    store.observe([observationOf('evil-host.net'), observationOf('other-host.net')], NOW);
    store.record(
      ['evil-host.net', 'other-host.net'].map((value) => [value, enrichmentOf({})] as const),
      NOW,
    );
    expect(due()).toEqual([]);
    const decided = [
      { value: 'evil-host.net', verdict: 'clean' },
      { value: 'never-host.net', verdict: 'clean' },
    ] as const;
    expect([store.markOverrides(decided, NOW), store.markOverrides(decided, NOW), due()]).toEqual([1, 0, ['evil-host.net']]);
    store.record([['evil-host.net', enrichmentOf({ verdict: 'clean', score: 0 })]], NOW);
    expect([store.markOverrides([{ value: 'evil-host.net', verdict: 'malicious' }], NOW), store.get('evil-host.net', NOW)?.state]).toEqual([
      1,
      'confirmed',
    ]);
    expect([store.markOverrides([], NOW), store.get('evil-host.net', NOW)?.state]).toEqual([1, 'active']);
  });
});

describe('look-ups', () => {
  const due = (at = NOW) => store.due(at, 10).map(({ indicator }) => indicator.value);
  beforeEach(() => void store.observe([observationOf('evil-host.net'), observationOf('other-host.net')], NOW));

  it('are due once for a new indicator, and again only when it is seen after the answer expired', () => {
    expect(due()).toEqual(['evil-host.net', 'other-host.net']);
    store.record([['evil-host.net', enrichmentOf({ score: 90 }, { expiresAtS: NOW + DAY })]], NOW);
    expect(due()).toEqual(['other-host.net']);
    store.observe([observationOf('evil-host.net')], NOW + 60);
    expect(due(NOW + 60)).toEqual(['other-host.net']);
    expect(due(NOW + 2 * DAY)).toEqual(['other-host.net']);
    store.observe([observationOf('evil-host.net')], NOW + 2 * DAY);
    expect(due(NOW + 2 * DAY)).toEqual(['other-host.net', 'evil-host.net']);
  });
  it.each(['rate_limited', 'quota_exhausted', 'timeout', 'unauthorized', 'unavailable', 'bad_response', 'over_budget'] as const)(
    'that failed (%s) leave no judgement and come again later',
    (status) => {
      expect(store.record([['evil-host.net', enrichmentOf({ status, verdict: 'unknown', score: null })]], NOW)).toMatchObject({
        failed: 1,
      });
      expect(store.get('evil-host.net', NOW)).toMatchObject({ verdict: null, score: null, checkedS: null });
      expect([due(NOW + 899), due(NOW + 900)]).toEqual([['other-host.net'], ['other-host.net', 'evil-host.net']]);
    },
  );
  it('that are partial or pending come again when they expire', () => {
    store.record([['evil-host.net', enrichmentOf({ status: 'pending' }, { expiresAtS: NOW + 60 })]], NOW);
    expect([due(NOW + 59), due(NOW + 60)]).toEqual([['other-host.net'], ['other-host.net', 'evil-host.net']]);
  });
  it('that were refused leave nothing to do', () => {
    expect(store.record([['evil-host.net', enrichmentOf({ status: 'skipped_tlp', verdict: 'unknown', score: null })]], NOW)).toMatchObject({
      skipped: 1,
    });
    expect([due(NOW + DAY), store.get('evil-host.net', NOW)?.verdict]).toEqual([['other-host.net'], null]);
  });
  it('count a change only when verdict, score or tier differ, and keep the history of changes', () => {
    const say = (score: number, atS: number) =>
      store.record([['evil-host.net', enrichmentOf({ score, verdict: score >= 70 ? 'malicious' : 'suspicious' })]], atS);
    expect(say(90, NOW)).toMatchObject({ changed: 1, unchanged: 0 });
    expect(say(90, NOW + 1)).toMatchObject({ changed: 0, unchanged: 1 });
    expect(say(50, NOW + 2)).toMatchObject({ changed: 1 });
    expect(store.history('evil-host.net', 9).map(({ atS, verdict, score }) => [atS, verdict, score])).toEqual([
      [NOW + 2, 'suspicious', 50],
      [NOW, 'malicious', 90],
    ]);
    expect(store.enriched('evil-host.net', NOW)).toMatchObject({
      revision: 2,
      before: { verdict: 'malicious', score: 90 },
      answer: { score: 50 },
    });
  });
});

describe('decay', () => {
  it.each([
    [90, 0, 30, 90],
    [90, 30 * DAY, 30, 45],
    [90, 60 * DAY, 30, 23],
    [90, 900 * DAY, 30, 0],
    [90, 900 * DAY, null, 90],
    [null, 30 * DAY, 30, null],
    [90, -5, 30, 90],
  ])('score %j after %j s with a half-life of %j days is %j', (score, age, halfLife, decayed) =>
    expect(decayedScore(score, age, halfLife)).toBe(decayed),
  );

  it('counts from the last confirmation, not from the last sighting', () => {
    store.observe([observationOf('45.83.64.7', { type: 'ipv4-addr', lastSeen: '2020-01-01T00:00:00Z' })], NOW);
    store.record([['45.83.64.7', enrichmentOf({ score: 80 }, { checkedAtS: NOW })]], NOW);
    expect(store.get('45.83.64.7', NOW + 30 * DAY)).toMatchObject({ score: 80, currentScore: 40 });
    store.observe([observationOf('45.83.64.7', { type: 'ipv4-addr' })], NOW + 30 * DAY);
    expect(store.get('45.83.64.7', NOW + 30 * DAY)).toMatchObject({ score: 80, currentScore: 80 });
  });
});

it('a stored answer comes back whole', () => {
  const words = fc.array(fc.string({ maxLength: 9 }), { maxLength: 3 });
  const number = fc.option(fc.nat(100));
  const text = fc.option(fc.string({ maxLength: 9 }));
  const judged = {
    verdict: fc.constantFrom(...VERDICT_WORDS),
    score: number,
    confidence: number,
    categories: words,
    attributes: words,
    sightings: number,
    firstSeen: text,
    lastSeen: text,
    reference: text,
    message: text,
  };
  const provider = fc.record({
    ...judged,
    provider: fc.string(),
    status: fc.constantFrom('ok' as const, 'not_listed' as const, 'timeout' as const),
    contribution: fc.nat(100),
  });
  const answer = fc.record({
    ...judged,
    status: fc.constantFrom(...STATUSES),
    tier: fc.constantFrom(...TIERS),
    autoResolve: fc.boolean(),
    providers: fc.array(provider, { maxLength: 3 }),
  });
  fc.assert(fc.property(answer, (whole) => void expect(unpackAnswer(packAnswer(whole))).toEqual(whole)));
});

describe('the file', () => {
  it('is for its owner only, survives closing, and passes its own check', () => {
    const path = freshPath();
    const core = openStoreCore(path);
    core.observe([observationOf('evil-host.net')], NOW);
    core.close();
    expect(statSync(path).mode & 0o077).toBe(0);
    const again = openStoreCore(path);
    expect([again.get('evil-host.net', NOW)?.sources, again.check()]).toEqual([['misp'], []]);
    expect(again.stats()).toMatchObject({ indicators: 1, byType: { 'domain-name': 1 }, unenriched: 1 });
    again.close();
  });
  it('of another program, of a newer version, or damaged is refused with advice', () => {
    const foreign = freshPath();
    const db = new DatabaseSync(foreign);
    db.exec('CREATE TABLE theirs (x)');
    db.close();
    const newer = freshPath();
    openStoreCore(newer).close();
    const raw = new DatabaseSync(newer);
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    const damaged = freshPath();
    writeFileSync(damaged, 'not a database at all, but long enough to be read as one'.repeat(40));
    for (const [path, advice] of [
      [foreign, /another program/],
      [newer, /newer version/],
      [damaged, /restore it from a backup/],
    ] as const) {
      expect(() => openStoreCore(path)).toThrow(StoreError);
      expect(() => openStoreCore(path)).toThrow(advice);
    }
  });
  it('purges what was not confirmed for long, but nothing that waits to be delivered', () => {
    store.observe([observationOf('old-host.net'), observationOf('waiting-host.net')], NOW - 100 * DAY);
    store.observe([observationOf('new-host.net')], NOW);
    store.route([{ routed: null, deliveries: [{ output: 'o', key: 'k', subject: 'waiting-host.net', payload: '{}' }] }], NOW, 10);
    expect(store.purge(NOW - 90 * DAY)).toBe(1);
    expect(store.page(0, 10, NOW).map(({ indicator }) => indicator.value)).toEqual(['waiting-host.net', 'new-host.net']);
  });
});

describe('from another thread', () => {
  it('does the same, passes errors on, and lets readers in meanwhile', async () => {
    const path = freshPath();
    const client = await openStore(path);
    expect(await client.observe([observationOf('evil-host.net')], NOW)).toEqual({ new: 1, updated: 0 });
    await expect(client.observe([{ ...observationOf('x.net'), indicator: { type: 'mutex', value: 'x' } } as never], NOW)).rejects.toThrow(
      /mutex/,
    );
    const reader = openStoreCore(path, { readOnly: true });
    expect(reader.get('evil-host.net', NOW)?.sources).toEqual(['misp']);
    reader.close();
    expect(await client.countDue(NOW)).toBe(1);
    await client.close();
  });
  it('reports a file that cannot be opened', async () => {
    const path = freshPath();
    writeFileSync(path, 'x'.repeat(4096));
    await expect(openStore(path)).rejects.toThrow(/restore it/);
  });
});

it('samples are whole answers', () => expect(unpackAnswer(packAnswer(answerOf({})))).toEqual(answerOf({})));
