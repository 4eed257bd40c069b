import { type Enrichment, isFailure, type Tier } from '../../model/enrichment.ts';
import type { AlertFacts } from './read-alert.ts';
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
 * The playbook's table: the worst indicator gives the tier; an alert that was blocked goes one down, an allowed flow that sent much out one
 * up. An alert about which somebody could not answer is never resolved by itself.
 */
export function decideTriage(facts: AlertFacts, enrichments: readonly Enrichment[], rules: TriageRules): TriageDecision {
  const asked = enrichments.filter(
    ({ answer }) => answer.status !== 'invalid' && answer.status !== 'skipped_private' && answer.status !== 'skipped_allowlist',
  );
  const decisive = worstOf(asked);
  if (!decisive) {
    const reason = enrichments.length === 0 ? 'no indicator in the alert' : 'only private, allow-listed or invalid values in the alert';
    return { tier: 'review', actions: rules.review, autoResolve: false, decisive: null, reasons: [reason] };
  }
  const { answer, indicator } = decisive;
  const reasons = [
    `${indicator?.value ?? decisive.input} is ${answer.verdict}, ${answer.score === null ? 'no score' : `score ${answer.score}`}, tier ${answer.tier}`,
  ];
  const failed = asked.filter(
    (enrichment) => isFailure(enrichment.answer.status) || enrichment.answer.status === 'partial' || enrichment.answer.status === 'pending',
  );
  if (failed.length > 0) reasons.push(`${failed.length} of ${asked.length} look-ups gave no whole answer: not resolved by itself`);
  // A failed look-up beside a low answer may hide something worse.
  const isBlind = answer.tier === 'log' && failed.some((enrichment) => enrichment.answer.score === null);
  const tier = isBlind ? 'review' : shifted(answer.tier, facts, { rules, reasons });
  const autoResolve = tier === 'log' && failed.length === 0 && asked.every((enrichment) => enrichment.answer.autoResolve);
  if (autoResolve) reasons.push(`safe to resolve: clean with confidence ${answer.confidence ?? 'unknown'}`);
  return { tier, actions: rules[tier], autoResolve, decisive, reasons };
}

function shifted(tier: Tier, { action, bytesOut }: AlertFacts, { rules, reasons }: { rules: TriageRules; reasons: string[] }): Tier {
  const at = LADDER.indexOf(tier);
  if (at < 0 || action === null) return tier;
  const said = action.toLowerCase().split(/[^a-z]+/);
  if (rules.blockedWords.some((word) => said.includes(word))) {
    if (at === 0) return tier;
    const lower = LADDER[at - 1] ?? tier;
    reasons.push(`action "${action}": it was stopped, ${tier} → ${lower}`);
    return lower;
  }
  const isAllowed = rules.allowedWords.some((word) => said.includes(word));
  // Only what is suspect anyway is raised: much traffic to a clean place is a backup.
  if (isAllowed && bytesOut !== null && bytesOut >= rules.bytesOut && at >= 1 && at < LADDER.length - 1) {
    const higher = LADDER[at + 1] ?? tier;
    reasons.push(`action "${action}" and ${bytesOut} bytes out: ${tier} → ${higher}`);
    return higher;
  }
  return tier;
}

/** Highest score first; without one, what could not be answered comes before what is known to be harmless. */
function worstOf(enrichments: readonly Enrichment[]): Enrichment | null {
  const rank = ({ answer }: Enrichment) => (answer.score === null ? (answer.verdict === 'clean' ? -2 : -1) : answer.score);
  return enrichments.reduce<Enrichment | null>((worst, one) => (worst === null || rank(one) > rank(worst) ? one : worst), null);
}
