import type { Plan } from '../../../engine/enricher.ts';

/** What a look-up would cost, as the API spells it. Counts are of distinct indicators. */
export interface PlanJson {
  readonly values: number;
  readonly unique: number;
  readonly invalid: number;
  readonly refused: number;
  readonly local: number;
  readonly cached: number;
  readonly to_pay: number;
  readonly by_provider: Readonly<Record<string, number>>;
  readonly credits_left: Readonly<Record<string, number | null>>;
  readonly estimated_s: number | null;
}

/** Spells a plan for the API. */
export function toPlanJson({ toPay, byProvider, creditsLeft, estimatedS, ...counts }: Plan): PlanJson {
  return { ...counts, to_pay: toPay, by_provider: byProvider, credits_left: creditsLeft, estimated_s: estimatedS };
}
