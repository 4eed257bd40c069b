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
  readonly credits_by_provider: Readonly<Record<string, number>>;
  /** Look-ups that would end over budget, by provider id. */
  readonly over_budget: Readonly<Record<string, number>>;
  readonly credits_left: Readonly<Record<string, number | null>>;
  readonly estimated_s: number | null;
}

/** Spells a plan for the API. */
export function toPlanJson({ toPay, byProvider, creditsByProvider, overBudget, creditsLeft, estimatedS, ...counts }: Plan): PlanJson {
  const credits = { credits_by_provider: creditsByProvider ?? {}, over_budget: overBudget ?? {}, credits_left: creditsLeft };
  return { ...counts, to_pay: toPay, by_provider: byProvider, ...credits, estimated_s: estimatedS };
}
