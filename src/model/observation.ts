import type { Indicator } from './indicator.ts';
import type { OwnJudgement } from './formats/own-export.ts';
import type { Tlp } from './tlp.ts';

/** What one source says about one indicator that it lists: a feed's item, a watched value. `null` always means "not said". */
export interface Observation {
  readonly indicator: Indicator;
  /** Feed id. */
  readonly source: string;
  readonly tags: readonly string[];
  readonly tlp: Tlp | null;
  /** How sure the source is that it is bad, 0 to 100. It is no score of ours. */
  readonly confidence: number | null;
  /** ISO 8601, UTC. */
  readonly firstSeen: string | null;
  /** ISO 8601, UTC. */
  readonly lastSeen: string | null;
  /** From when the source itself no longer vouches for it; ISO 8601, UTC. */
  readonly validUntil: string | null;
  /** Page an analyst can open. Never carries a key. */
  readonly reference: string | null;
  /** The source has withdrawn it. */
  readonly isRevoked: boolean;
  /** What this pack said of it, here or in another house, where the source only repeats that; `null`: the source's own word. */
  readonly judged: OwnJudgement | null;
}

/** An observation that says nothing more than that the value is listed. */
export const BARE_OBSERVATION: Omit<Observation, 'indicator' | 'source' | 'tags'> = {
  tlp: null,
  confidence: null,
  firstSeen: null,
  lastSeen: null,
  validUntil: null,
  reference: null,
  isRevoked: false,
  judged: null,
};
