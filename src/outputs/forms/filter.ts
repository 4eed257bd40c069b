import type { Tier } from '../../model/enrichment.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import { isWithinTlp, type Tlp } from '../../model/tlp.ts';
import type { Output, OutputEvent, OutputItem } from '../output.ts';

/** What is let through to an output. `null` and empty lists let everything through. */
export interface OutputFilter {
  readonly minScore: number | null;
  readonly tiers: readonly Tier[];
  readonly types: readonly IndicatorType[];
  readonly events: readonly OutputEvent[];
  readonly maxTlp: Tlp;
}

/** Whether an item goes to an output. No score passes no minimum; a verdict that turned passes when it did before, so that its end is told too. */
export function passesFilter(item: OutputItem, output: Output, filter: OutputFilter): boolean {
  const { minScore, tiers, types, events, maxTlp } = filter;
  const { indicator, event, before, enrichment } = item;
  if (output.types && !output.types.includes(indicator.type)) return false;
  if (output.accepts && !output.accepts(item)) return false;
  if (types.length > 0 && !types.includes(indicator.type)) return false;
  if (events.length > 0 && !events.includes(event)) return false;
  // Unmarked is for the house: it counts as AMBER wherever a limit is set.
  if (!isWithinTlp(item.tlp ?? 'AMBER', maxTlp)) return false;
  const isWanted = ({ score, tier }: { readonly score: number | null; readonly tier: Tier }) =>
    (minScore === null || (score !== null && score >= minScore)) && (tiers.length === 0 || tiers.includes(tier));
  return (
    isWanted(enrichment.answer) ||
    (event === 'verdict_changed' && output.defaults.tellsTurns === true && before !== null && isWanted(before))
  );
}
