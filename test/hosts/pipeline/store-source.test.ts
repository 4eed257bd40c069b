import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalSource } from '../../../src/engine/local-source.ts';
import { openStoreCore } from '../../../src/engine/store/store.ts';
import { withStore } from '../../../src/hosts/pipeline/store-source.ts';
import { observationOf } from '../../engine/store/samples.ts';

const NOW = 1_795_000_000;
const DAY = 86_400;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-source-'));
const path = join(folder, 'pipeline.sqlite');
const lists: LocalSource = {
  lookup: () => null,
  allowance: () => 'ours',
  onChange: () => undefined,
  stats: () => ({ lists: [] }),
  close: () => undefined,
};
const domain = (value: string) => ({ type: 'domain-name' as const, value });
let nowS = NOW;
let source: LocalSource;
beforeAll(() => {
  const store = openStoreCore(path);
  store.observe(
    [
      observationOf('sure.evil-host.net', { confidence: 90, source: 'threatfox' }),
      observationOf('unsure.evil-host.net', { tlp: 'GREEN' }),
      observationOf('over.evil-host.net', { validUntil: '2026-01-01T00:00:00Z' }),
      observationOf('revoked.evil-host.net', { isRevoked: true }),
      observationOf('watched.good-host.net', { source: 'watchlist' }),
      observationOf('ours.evil-host.net', { confidence: 100 }),
    ],
    NOW,
  );
  store.giveFeedback({ value: 'ours.evil-host.net', verdict: 'clean', note: 'CDN', by: 'ann' }, NOW);
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
    ['ours.evil-host.net', 'clean', 0],
  ])('%s is %s with score %i', (value, verdict, score) =>
    expect(source.lookup(domain(value))).toMatchObject({ provider: 'local', verdict, score }),
  );
  it.each(['over.evil-host.net', 'revoked.evil-host.net', 'watched.good-host.net', 'never.evil-host.net'])('%s: nobody lists it', (value) =>
    expect(source.lookup(domain(value))).toBeNull(),
  );
  it('a listing that nobody confirms fades, and then says nothing', () => {
    nowS = NOW + 60 * DAY;
    expect(source.lookup(domain('sure.evil-host.net'))).toMatchObject({ verdict: 'suspicious', score: 45 });
    nowS = NOW + 400 * DAY;
    expect(source.lookup(domain('sure.evil-host.net'))).toBeNull();
    nowS = NOW;
  });
  it('without a store the lists answer alone', () =>
    expect(withStore(lists, { path: join(folder, 'none'), nowS: () => NOW, watches: false })).toBe(lists));
  it('its lists still decide what is never asked', () => expect(source.allowance(domain('x.net'))).toBe('ours'));
});
