// src/engine/score/: from verdicts to one score, one confidence, one tier.
import type { ProviderResult, Tier } from '../../model/enrichment.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import type { VerdictWord } from '../../model/verdict.ts';

/** How verdicts become one score and one decision: the settings of `scoring`, with the weights of the providers. */
export interface Scoring {
  /** `seed`: the published formula over VirusTotal and AbuseIPDB, for comparison; all others are shown and not counted. */
  readonly formula: 'weighted' | 'seed';
  /** Lowest score of each tier; what is below `watch` is `log`. */
  readonly tiers: { readonly p1: number; readonly p2: number; readonly watch: number };
  /** Lowest confidence with which a clean, low answer may be resolved without a person. */
  readonly autoResolveConfidence: number;
  /** Weight by provider id; 1 where none is given; 0: shown, not counted. */
  readonly weights: Readonly<Record<string, number>>;
  /** What others say counts at most this while somebody has the value on an allow list. */
  readonly allowlistMaxScore: number;
  /** Days without a sighting after which a score counts half, by type (`null`: it never does); `null`: nothing decays. */
  readonly halfLifeDays: Readonly<Record<IndicatorType, number | null>> | null;
}

/** What scoring has to know besides the verdicts. */
export interface Subject {
  readonly type: IndicatorType;
  /** Seconds since 1970 (UTC). */
  readonly nowS: number;
}

/** One provider's score as it counts in the merged one. */
export interface Signal {
  /** Place of the provider among the results. */
  readonly at: number;
  readonly provider: string;
  readonly weight: number;
  /** The provider's score after decay and allow-list cap, 0 to 100. */
  readonly score: number;
  /** As the provider said it; `null`: it did not. */
  readonly confidence: number | null;
  /** What changed the provider's own score, for people. */
  readonly notes: readonly string[];
}

/** The merged score, and each provider's part of it. */
export interface MergedScore {
  /** 0 to 100, whole; `null`: nobody whose word counts gave one. */
  readonly score: number | null;
  /** Whole points by result; they add up to the score exactly. */
  readonly contributions: readonly number[];
  /** Whether an allow list or age lowered what somebody said. */
  readonly isLowered: boolean;
  /** How it came about, one line each, for people. */
  readonly lines: readonly string[];
}

/** Providers whose score is never argued down: the customer's own lists and analysts. */
export const OWN_WORD: ReadonlySet<string> = new Set(['local', 'feedback']);

/**
 * The word for a value that sources call clean and yet score so high: they contradict themselves (`malicious: false`, risk 95), and the
 * worse half is believed, so that verdict, score and tier say the same.
 */
export function cleanInKeeping(score: number, { p1, p2 }: Scoring['tiers']): VerdictWord {
  if (score >= p1) return 'malicious';
  return score >= p2 ? 'suspicious' : 'clean';
}

/** The tier of a score. No score: an analyst has to look. */
export function tierOf(score: number | null, tiers: Scoring['tiers']): Tier {
  if (score === null) return 'review';
  if (score >= tiers.p1) return 'p1';
  if (score >= tiers.p2) return 'p2';
  return score >= tiers.watch ? 'watch' : 'log';
}

/** Weight of a provider's word. */
export function weightOf(scoring: Scoring, { provider }: Pick<ProviderResult, 'provider'>): number {
  return Object.hasOwn(scoring.weights, provider) ? (scoring.weights[provider] ?? 1) : 1;
}

/** Splits a whole score into whole parts by their weighted scores, so that the parts add up exactly (largest remainder). */
export function contributionsOf(score: number, parts: readonly number[]): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total === 0) return parts.map(() => 0);
  const exact = parts.map((part) => (score * part) / total);
  const whole = exact.map(Math.floor);
  const missing = score - whole.reduce((sum, part) => sum + part, 0);
  const byRemainder = exact.map((part, n) => [part - Math.floor(part), n] as const).sort((a, b) => b[0] - a[0]);
  for (const [, n] of byRemainder.slice(0, missing)) whole[n] = (whole[n] ?? 0) + 1;
  return whole;
}
