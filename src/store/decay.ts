import type { IndicatorType } from '../model/indicator.ts';

const DAY_S = 86_400;

/** After how many days without confirmation a score counts half, by type; `null`: never. */
export type HalfLives = Readonly<Record<IndicatorType, number | null>>;

/**
 * Addresses change hands in days, URLs are cleaned up, names are re-registered after a year; a file stays the file it is, and a vulnerability what
 * it is.
 * (MISP's default decaying models: 30 to 120 days for network indicators.)
 */
export const DEFAULT_HALF_LIVES: HalfLives = {
  'ipv4-addr': 30,
  'ipv6-addr': 30,
  'domain-name': 60,
  url: 30,
  'file:md5': null,
  'file:sha1': null,
  'file:sha256': null,
  'file:sha512': null,
  'email-addr': 90,
  cve: null,
};

/** A score as it counts today: halved for every half-life since it was last confirmed. `null` stays `null`: nobody said. */
export function decayedScore(score: number | null, ageS: number, halfLifeDays: number | null): number | null {
  if (score === null || halfLifeDays === null || ageS <= 0) return score;
  return Math.round(score * 0.5 ** (ageS / DAY_S / halfLifeDays));
}
