import { describe, expect, it } from 'vitest';
import { scoringOf, tierFaults } from '../../src/compose/scoring-settings.ts';
import type { WantedProvider } from '../../src/compose/wanted-providers.ts';
import { ScoringSettings } from '../../src/config/core-settings.ts';

const settingsOf = (said: object = {}) => ScoringSettings.parse(said);
const wanted = (id: string, own?: number, set?: number) =>
  ({ provider: { id, weight: own }, common: { weight: set } }) as unknown as WantedProvider;

it.each([
  ['siem', { p1: 80, p2: 60, watch: 40 }, 'weighted'],
  ['pipeline', { p1: 70, p2: 40, watch: 40 }, 'weighted'],
  ['seed', { p1: 80, p2: 60, watch: 40 }, 'seed'],
])('preset %s has tiers %j and its formula: %s', (preset, tiers, formula) => {
  expect(scoringOf(settingsOf({ preset }), [])).toMatchObject({ tiers, formula });
});

it('says nothing else unless set: clean resolves from confidence 80, allow lists cap at 59, nothing decays', () => {
  expect(scoringOf(settingsOf(), [])).toEqual({
    formula: 'weighted',
    tiers: { p1: 80, p2: 60, watch: 40 },
    autoResolveConfidence: 80,
    weights: { local: 1, feedback: 1 },
    allowlistMaxScore: 59,
    halfLifeDays: null,
  });
});

it('a tier that is set stands beside those of the preset', () => {
  expect(scoringOf(settingsOf({ p1: 91 }), []).tiers).toEqual({ p1: 91, p2: 60, watch: 40 });
  expect(scoringOf(settingsOf({ p2: 55 }), []).tiers).toEqual({ p1: 80, p2: 55, watch: 40 });
  expect(scoringOf(settingsOf({ watch: 0 }), []).tiers).toEqual({ p1: 80, p2: 60, watch: 0 });
});

it("a provider weighs what is set, else what it brings, else 1; the house's own word weighs 1", () => {
  const { weights } = scoringOf(settingsOf(), [wanted('a', 0.5, 0), wanted('b', 0.5), wanted('c')]);
  expect(weights).toEqual({ local: 1, feedback: 1, a: 0, b: 0.5, c: 1 });
});

it('half-lives go by type; 0 days: it never decays', () => {
  const { halfLifeDays } = scoringOf(
    settingsOf({ decay: true, halfLifeIpDays: 1, halfLifeDomainDays: 2, halfLifeUrlDays: 3, halfLifeEmailDays: 0, halfLifeFileDays: 5 }),
    [],
  );
  expect(halfLifeDays).toEqual({
    cve: null,
    'ipv4-addr': 1,
    'ipv6-addr': 1,
    'domain-name': 2,
    url: 3,
    'email-addr': null,
    'file:md5': 5,
    'file:sha1': 5,
    'file:sha256': 5,
    'file:sha512': 5,
  });
});

describe('tiers have to fall', () => {
  it.each([
    [{}, true],
    [{ p1: 61, p2: 60 }, true],
    [{ p1: 60, p2: 60 }, false],
    [{ p1: 59, p2: 60 }, false],
    [{ p2: 40, watch: 40 }, true],
    [{ p2: 41, watch: 40 }, true],
    [{ p2: 39, watch: 40 }, false],
  ])('%j: %j', (said, isSound) => {
    const faults = tierFaults(settingsOf(said));
    expect(faults.map(({ key }) => key)).toEqual(isSound ? [] : ['scoring.p1, scoring.p2, scoring.watch']);
    for (const { place, message } of faults) expect([place, message]).toEqual(['configuration', expect.stringContaining('p1 above p2')]);
  });
});

it.each([
  ['p1', 0, 100],
  ['p2', 0, 100],
  ['watch', 0, 100],
  ['autoResolveConfidence', 0, 100],
  ['allowlistMaxScore', 0, 100],
  ['halfLifeIpDays', 0, 36_500],
  ['halfLifeDomainDays', 0, 36_500],
  ['halfLifeUrlDays', 0, 36_500],
  ['halfLifeEmailDays', 0, 36_500],
  ['halfLifeFileDays', 0, 36_500],
])('%s takes whole numbers from %i to %i', (key, least, most) => {
  for (const value of [least, most]) expect(settingsOf({ [key]: value })).toMatchObject({ [key]: value });
  for (const value of [least - 1, most + 1]) expect(ScoringSettings.safeParse({ [key]: value }).success).toBe(false);
});
