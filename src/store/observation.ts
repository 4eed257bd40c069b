import type { Answer, Tier } from '../model/enrichment.ts';
import type { Indicator } from '../model/indicator.ts';
import type { Observation } from '../model/observation.ts';
import type { OwnJudgement } from '../model/formats/own-export.ts';
import type { Tlp } from '../model/tlp.ts';
import type { VerdictWord } from '../model/verdict.ts';
import type { IndicatorState } from './codes.ts';

/** One source telling about a network. */
export interface NetworkObservation extends Omit<Observation, 'indicator'> {
  /** In CIDR form. */
  readonly network: string;
}

/** A network as the store knows it. Times are seconds since 1970 (UTC). */
export interface StoredNetwork {
  readonly network: string;
  readonly state: IndicatorState;
  readonly firstSeenS: number;
  readonly lastSeenS: number;
  readonly confirmedS: number;
  readonly validUntilS: number | null;
  readonly sources: readonly string[];
  readonly tlp: Tlp | null;
  readonly feedConfidence: number | null;
  readonly reference: string | null;
}

/** What a batch of observations did: `new` + `updated` = observations. */
export interface ObserveCounts {
  readonly new: number;
  readonly updated: number;
}

/** An indicator as the store knows it. Times are seconds since 1970 (UTC). */
export interface StoredIndicator {
  readonly id: number;
  readonly indicator: Indicator;
  readonly state: IndicatorState;
  readonly addedS: number;
  /** Earliest time any source claims. */
  readonly firstSeenS: number;
  /** Latest time any source claims to have seen it at work. */
  readonly lastSeenS: number;
  /** When a source last listed it or a look-up last found it bad: decay counts from here. */
  readonly confirmedS: number;
  readonly validUntilS: number | null;
  readonly sources: readonly string[];
  readonly tags: readonly string[];
  /** Strictest label any source gave. */
  readonly tlp: Tlp | null;
  readonly feedConfidence: number | null;
  /** What this pack said of it in another house, where nobody else lists it; `null`: those who list it speak for themselves. */
  readonly judged: OwnJudgement | null;
  readonly reference: string | null;
  /** `null`: never enriched. */
  readonly verdict: VerdictWord | null;
  readonly score: number | null;
  /** `score` after decay, today. */
  readonly currentScore: number | null;
  readonly confidence: number | null;
  readonly tier: Tier | null;
  readonly checkedS: number | null;
  /** When the answer came into the store: later than `checkedS` for one from a cache. */
  readonly judgedS: number | null;
  readonly expiresS: number | null;
  /** Counts up whenever verdict, score or tier change. */
  readonly revision: number;
}

/** A stored indicator with the whole answer of its last enrichment. */
export interface EnrichedIndicator extends StoredIndicator {
  readonly answer: Answer;
  /** What the last enrichment changed; `null` before the second one. */
  readonly before: Judgement | null;
}

/** What was thought of an indicator at a time. */
export interface Judgement {
  readonly atS: number;
  readonly verdict: VerdictWord;
  readonly score: number | null;
  readonly tier: Tier;
}
