import type { ConfigFault } from '../config/config-error.ts';
import type { Scoring } from '../engine/score/scoring.ts';
import type { Core } from './core-blocks.ts';
import type { WantedProvider } from './wanted-providers.ts';

type Settings = Core['scoring'];

/** Tiers by preset. `pipeline` knows three queues: high is p1, medium is p2, the rest is log; its watch tier is empty. */
const PRESET_TIERS: Readonly<Record<Settings['preset'], Scoring['tiers']>> = {
  siem: { p1: 80, p2: 60, watch: 40 },
  pipeline: { p1: 70, p2: 40, watch: 40 },
  seed: { p1: 80, p2: 60, watch: 40 },
};

/** Own lists and analysts always count in full: their weight is not a setting. */
const OWN_WEIGHTS = { local: 1, feedback: 1 };

/** The rules of the score as configured: the preset, what was set on top of it, and the weights of those who are asked. */
export function scoringOf(settings: Settings, wanted: readonly WantedProvider[]): Scoring {
  const weights = wanted.map(({ provider, common }) => [provider.id, common.weight ?? provider.weight ?? 1] as const);
  return {
    formula: settings.preset === 'seed' ? 'seed' : 'weighted',
    tiers: tiersOf(settings),
    autoResolveConfidence: settings.autoResolveConfidence,
    weights: { ...OWN_WEIGHTS, ...Object.fromEntries(weights) },
    allowlistMaxScore: settings.allowlistMaxScore,
    halfLifeDays: settings.decay ? halfLives(settings) : null,
  };
}

/** Tiers that do not fall. */
export function tierFaults(settings: Settings): ConfigFault[] {
  const { p1, p2, watch } = tiersOf(settings);
  if (p1 > p2 && p2 >= watch) return [];
  return [
    { key: 'scoring.p1, scoring.p2, scoring.watch', place: 'configuration', message: 'have to fall: p1 above p2, watch not above p2' },
  ];
}

function tiersOf({ preset, p1, p2, watch }: Settings): Scoring['tiers'] {
  const tiers = PRESET_TIERS[preset];
  return { p1: p1 ?? tiers.p1, p2: p2 ?? tiers.p2, watch: watch ?? tiers.watch };
}

function halfLives(settings: Settings): Scoring['halfLifeDays'] {
  const days = (value: number) => (value === 0 ? null : value);
  const address = days(settings.halfLifeIpDays);
  const file = days(settings.halfLifeFileDays);
  return {
    'ipv4-addr': address,
    'ipv6-addr': address,
    'domain-name': days(settings.halfLifeDomainDays),
    url: days(settings.halfLifeUrlDays),
    'email-addr': days(settings.halfLifeEmailDays),
    'file:md5': file,
    'file:sha1': file,
    'file:sha256': file,
    'file:sha512': file,
    // A vulnerability stays one.
    cve: null,
  };
}
