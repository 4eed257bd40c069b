import type { Indicator } from '../../model/indicator.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { addressOf } from '../../model/tables/prefix-tree.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { AskAsNumber, LocalSource, SystemLists } from '../privacy/local-source.ts';
import type { AsDatabase } from './as-database.ts';

/** Lists whose AS numbers match the addresses in them. What is said of a value, or of a network around it, comes first. */
export function withAsNumbers(lists: SystemLists, { numberOf }: Pick<AsDatabase, 'numberOf'>): LocalSource {
  return {
    ...lists,
    lookup(indicator) {
      const said = lists.lookup(indicator);
      if (said !== null && isJudgement(said)) return said;
      const system = lists.lookupSystem(askFor(indicator, numberOf));
      if (system === null || lists.isNamed(indicator)) return said;
      return said === null ? system : { ...system, attributes: [...new Set([...system.attributes, ...said.attributes])] };
    },
    allowance: (indicator) => lists.allowance(indicator) ?? lists.allowanceOfSystem(askFor(indicator, numberOf)),
  };
}

/** What only tells what a value is (a resolver, the member of a warning list) leaves room for what is said of its system. */
function isJudgement({ verdict, score }: Verdict): boolean {
  return verdict !== 'unknown' || score !== null;
}

/** Addresses of the own network belong to no system of others, whatever a file says. */
function askFor(indicator: Indicator, numberOf: AsDatabase['numberOf']): AskAsNumber {
  return () => {
    const address = addressOf(indicator);
    const parsed = address === null ? null : parseIndicator(address);
    return parsed?.kind === 'public' ? numberOf(parsed.indicator.value) : null;
  };
}
