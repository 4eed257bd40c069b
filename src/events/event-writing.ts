import type { Clock } from '../engine/clock.ts';
import type { EcsDetail } from '../mapping/ecs-roll-up.ts';
import type { RelatedEditing } from './related-fields.ts';
import type { RenderedVerdict } from './rendered-verdict.ts';

/** What was found out about one event's values. It is one for all events, filled anew for each. */
export interface Finding {
  /** The worst value's answer and field; `null`: no value counts. */
  worst: RenderedVerdict | null;
  worstField: number;
  /** Whether the worst answer's `auto_resolve` holds for the whole event: every value that was asked about agrees. */
  canResolve: boolean;
  hasFailure: boolean;
  /** See `VerdictMemory.prefetch`. */
  prefetched: number;
  /** Numbers of the values that are threats, in order, and what is known of each. */
  readonly threats: number[];
  readonly threatKnowns: RenderedVerdict[];
  /** 1 for each of the first values that counts. */
  readonly counted: Uint8Array;
}

/** How answers are written into events. */
export interface WritingRules {
  readonly fields: readonly string[];
  /** See `EcsMatch.type`. */
  readonly matchedType: string | null;
  /** Whether the playbook's `threat.enrichment` is written too. */
  readonly writesPlaybook: boolean;
  /** How much is written of an event about which there is nothing to say; left out: everything. */
  readonly detail?: EcsDetail;
}

/** An event in the writing. `now`: the time of the match, written out when first needed. */
export interface EventWriting extends RelatedEditing {
  readonly rules: WritingRules;
  readonly finding: Finding;
  readonly clock: Clock;
  /** Whether this one is written in full whatever the rules say. */
  isInFull: boolean;
  now: Buffer | null;
  nowMs: number;
}
