import { type Enrichment, isFailure, isLeftAlone, type Tier } from '../../model/enrichment.ts';
import { placeOf } from '../../model/worst-answer.ts';
import type { AlertFacts } from './read-alert.ts';
import { outcomeOf } from './read-outcome.ts';
import type { TriageAction, TriageRules } from './triage-settings.ts';

/** What triage says about an alert, and why. It asks for actions; it takes none that blocks or deletes. */
export interface TriageDecision {
  readonly tier: Tier;
  readonly actions: readonly TriageAction[];
  /** Only ever with a complete clean answer about every indicator in it. */
  readonly autoResolve: boolean;
  /** The enrichment that decided; `null`: no indicator in the alert. */
  readonly decisive: Enrichment | null;
  /** One line each, for people. */
  readonly reasons: readonly string[];
}

/** From the least to do to the most. `review` stands apart: nobody knows how bad it is. */
const LADDER: readonly Tier[] = ['log', 'watch', 'p2', 'p1'];

/**
 * The playbook's table: the worst value gives the tier, by the same order as in every host; an alert that was blocked goes one down, an
 * allowed flow that sent much out one up. What failed, cannot be read or is unknown is never hidden by a clean neighbour. An alert with
 * nothing to look up, or with internal values only, is left alone.
 */
export function decideTriage(facts: AlertFacts, enrichments: readonly Enrichment[], rules: TriageRules): TriageDecision {
  const decisive = worstOf(enrichments);
  if (decisive === null) return leftAlone(rules, null, 'no indicator in the alert');
  const { answer, indicator } = decisive;
  if (isLeftAlone(answer.status) && facts.unread === 0)
    return leftAlone(rules, decisive, 'only private or allow-listed values in the alert');
  const score = answer.score === null ? 'no score' : `score ${answer.score}`;
  const reasons = [`${indicator?.value ?? decisive.input} is ${answer.verdict}, ${score}, tier ${answer.tier}`];
  const failed = enrichments.filter(({ answer: { status } }) => isFailure(status) || status === 'partial' || status === 'pending');
  if (failed.length > 0) reasons.push(`${failed.length} of ${enrichments.length} look-ups gave no whole answer: not resolved by itself`);
  if (facts.unread > 0) reasons.push(`${facts.unread} more values in the alert were not looked up: not resolved by itself`);
  if (answer.message !== null && answer.status === 'ok') reasons.push(answer.message);
  // What was not looked up may be worse than what was.
  const isBlind = facts.unread > 0 && (answer.tier === 'log' || answer.tier === 'watch');
  const tier = isBlind ? 'review' : shifted(answer.tier, facts, { rules, reasons });
  const isClean = enrichments.every((one) => one.answer.autoResolve || isLeftAlone(one.answer.status));
  const autoResolve = tier === 'log' && facts.unread === 0 && isClean;
  if (autoResolve) reasons.push(`safe to resolve: clean with confidence ${answer.confidence ?? 'unknown'}`);
  return { tier, actions: rules[tier], autoResolve, decisive, reasons };
}

function leftAlone(rules: TriageRules, decisive: Enrichment | null, reason: string): TriageDecision {
  return { tier: 'log', actions: rules.log, autoResolve: false, decisive, reasons: [reason] };
}

function shifted(tier: Tier, facts: AlertFacts, { rules, reasons }: { rules: TriageRules; reasons: string[] }): Tier {
  const at = LADDER.indexOf(tier);
  if (at < 1) return tier;
  const { word, said } = outcomeOf(facts, rules);
  if (word === 'stopped') {
    const lower = LADDER[at - 1] ?? tier;
    reasons.push(`action "${said}": it was stopped, ${tier} → ${lower}`);
    return lower;
  }
  const { bytesOut } = facts;
  // Only what is suspect anyway is raised: much traffic to a clean place is a backup.
  if (word === 'passed' && bytesOut !== null && bytesOut >= rules.bytesOut && at < LADDER.length - 1) {
    const higher = LADDER[at + 1] ?? tier;
    reasons.push(`action "${said}" and ${bytesOut} bytes out: ${tier} → ${higher}`);
    return higher;
  }
  return tier;
}

function worstOf(enrichments: readonly Enrichment[]): Enrichment | null {
  return enrichments.reduce<Enrichment | null>(
    (worst, one) => (worst === null || placeOf(one.answer) < placeOf(worst.answer) ? one : worst),
    null,
  );
}
