import { callJson } from '../page/call.ts';

/** What a look-up would cost, as `/v1/lookup` says it. */
export interface Plan {
  readonly unique: number;
  readonly refused: number;
  readonly local: number;
  readonly cached: number;
  readonly to_pay: number;
  readonly credits_by_provider?: Readonly<Record<string, number>>;
  readonly over_budget?: Readonly<Record<string, number>>;
  readonly credits_left: Readonly<Record<string, number | null>>;
  readonly estimated_s: number | null;
}

/** The price of values that wait for a click. */
export interface Price {
  readonly values: number;
  readonly toPay: number;
  readonly credits: Readonly<Record<string, number>>;
  readonly overBudget: Readonly<Record<string, number>>;
  readonly creditsLeft: Readonly<Record<string, number | null>>;
  readonly seconds: number | null;
}

/** Nothing waits. */
export const NO_PRICE: Price = { values: 0, toPay: 0, credits: {}, overBudget: {}, creditsLeft: {}, seconds: null };

/** Asks what values would cost; nothing is spent. */
export async function planOf(indicators: readonly string[], signal: AbortSignal): Promise<Plan> {
  return (await callJson<{ plan: Plan }>('v1/lookup', { body: { indicators, plan: true }, signal })).plan;
}

/** The price with one more plan in it. */
export function addPlan(price: Price, plan: Plan, values: number): Price {
  return {
    values: price.values + values,
    toPay: price.toPay + plan.to_pay,
    credits: sum(price.credits, plan.credits_by_provider),
    overBudget: sum(price.overBudget, plan.over_budget),
    creditsLeft: { ...price.creditsLeft, ...plan.credits_left },
    seconds: plan.estimated_s === null ? price.seconds : (price.seconds ?? 0) + plan.estimated_s,
  };
}

function sum(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>> = {}): Record<string, number> {
  const all = new Map(Object.entries(one));
  for (const [name, count] of Object.entries(other)) all.set(name, (all.get(name) ?? 0) + count);
  return Object.fromEntries(all);
}
