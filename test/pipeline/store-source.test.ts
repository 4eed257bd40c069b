import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withAsNumbers } from '../../src/engine/as-numbers/with-as-numbers.ts';
import type { SystemLists } from '../../src/engine/privacy/local-source.ts';
import { openStoreCore } from '../../src/store/store.ts';
import { withStore } from '../../src/pipeline/store-source.ts';
import { observationOf } from '../store/samples.ts';

const NOW = 1_795_000_000;
const DAY = 86_400;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-source-'));
const path = join(folder, 'pipeline.sqlite');
const lists: SystemLists = {
  lookup: () => null,
  allowance: () => 'ours',
  isNamed: () => false,
  lookupSystem: () => null,
  allowanceOfSystem: () => null,
  onChange: () => undefined,
  stats: () => ({ lists: [] }),
  close: () => undefined,
};
const domain = (value: string) => ({ type: 'domain-name' as const, value });
let nowS = NOW;
let source: SystemLists;
beforeAll(() => {
  const store = openStoreCore(path);
  store.observe(
    [
      observationOf('sure.evil-host.net', { confidence: 90, source: 'threatfox' }),
      observationOf('unsure.evil-host.net', { tlp: 'GREEN' }),
      observationOf('over.evil-host.net', { validUntil: '2026-01-01T00:00:00Z' }),
      observationOf('revoked.evil-host.net', { isRevoked: true }),
      observationOf('watched.good-host.net', { source: 'watchlist' }),
    ],
    NOW,
  );
  const network = (name: string, more: object) => {
    const { indicator: _, ...rest } = observationOf('x', more);
    return { ...rest, network: name };
  };
  store.observeNetworks(
    [
      network('45.83.0.0/16', { confidence: 90, source: 'csv' }),
      network('45.83.64.0/24', { source: 'stix' }),
      network('45.84.0.0/16', { isRevoked: true }),
      network('192.0.0.0/8', { source: 'csv' }),
      network('2a00:1450::/32', { confidence: 80 }),
      network('AS64500', { confidence: 90, source: 'csv' }),
      network('AS701', { isRevoked: true }),
    ],
    NOW,
  );
  store.close();
  source = withStore(lists, { path, nowS: () => nowS, watches: false });
});
afterAll(() => {
  source.close();
  rmSync(folder, { recursive: true });
});

describe('the store as local provider', () => {
  it.each([
    ['sure.evil-host.net', 'malicious', 90],
    ['unsure.evil-host.net', 'suspicious', 55],
  ])('%s is %s with score %i', (value, verdict, score) =>
    expect(source.lookup(domain(value))).toMatchObject({ provider: 'local', verdict, score }),
  );
  it.each(['over.evil-host.net', 'revoked.evil-host.net', 'watched.good-host.net', 'never.evil-host.net'])('%s: nobody lists it', (value) =>
    expect(source.lookup(domain(value))).toBeNull(),
  );
  it.each([
    ['45.83.1.1', 'ipv4-addr', 'malicious', 'in 45.83.0.0/16'],
    ['45.83.64.7', 'ipv4-addr', 'suspicious', 'in 45.83.64.0/24'],
    ['http://45.83.1.1/a', 'url', 'malicious', 'in 45.83.0.0/16'],
    ['2a00:1450::1', 'ipv6-addr', 'malicious', 'in 2a00:1450::/32'],
  ] as const)('%s lies in a network that is listed', (value, type, verdict, note) =>
    expect(source.lookup({ type, value })).toMatchObject({ verdict, note: expect.stringContaining(note) }),
  );
  it.each([
    ['45.90.1.1', 'ipv4-addr', 'malicious', 'listed by csv, in AS64500'],
    ['http://45.90.1.1/a', 'url', 'malicious', 'listed by csv, in AS64500'],
    ['2a03::1', 'ipv6-addr', 'malicious', 'listed by csv, in AS64500'],
    ['45.83.64.7', 'ipv4-addr', 'suspicious', 'listed by stix, in 45.83.64.0/24'],
  ] as const)('%s lies in an autonomous system that is listed, and a network knows better', (value, type, verdict, note) => {
    const numbered = withAsNumbers(source, { numberOf: () => 64_500 });
    expect(numbered.lookup({ type, value })).toMatchObject({ verdict, note });
  });
  it.each([
    ['10.0.0.1', 'ipv4-addr'],
    ['http://10.0.0.1/', 'url'],
    ['evil-host.net', 'domain-name'],
  ] as const)('%s lies in none, whatever a file says', (value, type) => {
    const numbered = withAsNumbers(source, { numberOf: () => 64_500 });
    expect(numbered.lookup({ type, value })).toBeNull();
  });
  it('an autonomous system that was withdrawn, or that nobody lists, says nothing', () => {
    for (const asNumber of [701, 64_501]) expect(source.lookupSystem(() => asNumber)).toBeNull();
  });
  it('AS numbers that nobody can match are said, and only then', () => {
    const stats = (hasAsNumbers: boolean) => withStore(lists, { path, nowS: () => NOW, watches: false, hasAsNumbers }).stats().lists[0];
    expect(stats(false)?.note).toMatch(/match nothing: 1 \(set local\.asn_database\)/);
    expect([stats(true)?.note, stats(true)?.faults]).toEqual([null, []]);
  });
  it.each(['45.82.1.1', '45.84.1.1', '192.168.1.1'])('%s lies in none', (value) =>
    expect(source.lookup({ type: 'ipv4-addr', value })).toBeNull(),
  );
  it('a listing that nobody confirms fades, and then says nothing', () => {
    nowS = NOW + 60 * DAY;
    expect(source.lookup(domain('sure.evil-host.net'))).toMatchObject({ verdict: 'suspicious', score: 45 });
    nowS = NOW + 400 * DAY;
    expect(source.lookup(domain('sure.evil-host.net'))).toBeNull();
    nowS = NOW;
  });
  it('names the feeds, and what it holds', () => {
    expect(source.lookup(domain('sure.evil-host.net'))?.attributes).toEqual(['feed:threatfox']);
    expect(source.stats().lists).toMatchObject([{ name: 'pipeline store', entries: 12, faults: [] }]);
  });
  it('without a store the lists answer alone', () => {
    const alone = withStore(lists, { path: join(folder, 'none'), nowS: () => NOW, watches: false });
    expect([alone.lookup(domain('sure.evil-host.net')), alone.stats().lists]).toEqual([null, []]);
  });
  it('a file of somebody else is a fault of the list, not the end of the program', () => {
    const foreign = join(folder, 'foreign.sqlite');
    writeFileSync(foreign, 'no database');
    const alone = withStore(lists, { path: foreign, nowS: () => NOW, watches: false });
    expect([alone.lookup(domain('sure.evil-host.net')), alone.stats().lists[0]?.faults]).toEqual([
      null,
      [expect.stringContaining('foreign.sqlite')],
    ]);
  });
  it('in a program that stays, a store that comes later is found, and what feeds add to it', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const late = join(folder, 'late.sqlite');
    const staying = withStore(lists, { path: late, nowS: () => NOW, watches: true });
    let changes = 0;
    staying.onChange(() => (changes += 1));
    const store = openStoreCore(late);
    store.observe([observationOf('sure.evil-host.net')], NOW);
    vi.advanceTimersByTime(30_000);
    expect([changes, staying.lookup(domain('sure.evil-host.net'))?.verdict]).toEqual([1, 'suspicious']);
    store.recordSightings([{ value: 'sure.evil-host.net', asset: 'pc', times: 1, firstS: NOW, lastS: NOW }]);
    vi.advanceTimersByTime(30_000);
    expect(changes).toBe(1);
    store.observe([observationOf('more.evil-host.net')], NOW);
    vi.advanceTimersByTime(30_000);
    expect(changes).toBe(2);
    store.close();
    staying.close();
    vi.useRealTimers();
  });
  it('its lists still decide what is never asked', () => expect(source.allowance(domain('x.net'))).toBe('ours'));
});
