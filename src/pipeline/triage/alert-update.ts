import type { Tier } from '../../model/enrichment.ts';
import type { TriageJson } from './triage.ts';

/** The field that says that an alert carries a decision. */
export const DECIDED = 'ismalicious.triage.tier';
/** Kibana's own tags of alerts, which it maps and shows. */
export const WORKFLOW_TAGS = 'kibana.alert.workflow_tags';
const STATUS = 'kibana.alert.workflow_status';
const STATUS_UPDATED = 'kibana.alert.workflow_status_updated_at';

type Source = Readonly<Record<string, unknown>>;

/** What analysts see of a decision in Kibana's list of alerts. */
export function tagOf(tier: Tier): string {
  return `ismalicious: ${tier}`;
}

/**
 * What is written into an alert: the decision under `ismalicious.triage`, and in an alert of Kibana's a workflow tag, beside those that are
 * there. An open one of a tier in `acknowledges` becomes acknowledged. None is ever closed.
 */
export function updateOf(
  source: Source,
  decision: TriageJson,
  { acknowledges, now }: { acknowledges: readonly string[]; now: Date },
): object {
  const { tier, actions, auto_resolve, score, verdict, status, indicator, reasons, note } = decision;
  const triage = {
    tier,
    action: actions,
    auto_resolve,
    ...(score === null ? {} : { score }),
    verdict,
    status,
    ...(indicator === null ? {} : { indicator }),
    reason: reasons,
    note,
  };
  return { ismalicious: { triage }, ...workflowOf(source, tier as Tier, { acknowledges, now }) };
}

function workflowOf(source: Source, tier: Tier, { acknowledges, now }: { acknowledges: readonly string[]; now: Date }): object {
  // Kibana writes names with dots; what wrote them as objects gets them as objects, so that no field is there twice.
  if (!Object.hasOwn(source, 'kibana.alert.uuid')) {
    const nested = alertIn(source);
    if (nested === null) return {};
    const flat = Object.fromEntries(Object.entries(nested).map(([name, value]) => [`kibana.alert.${name}`, value]));
    const changed = Object.entries(changesOf(flat, tier, { acknowledges, now }));
    return { kibana: { alert: Object.fromEntries(changed.map(([name, value]) => [name.slice('kibana.alert.'.length), value])) } };
  }
  return changesOf(source, tier, { acknowledges, now });
}

function changesOf(
  source: Source,
  tier: Tier,
  { acknowledges, now }: { acknowledges: readonly string[]; now: Date },
): Readonly<Record<string, unknown>> {
  const tags = [source[WORKFLOW_TAGS] ?? []].flat().filter((tag) => typeof tag === 'string' && !tag.startsWith('ismalicious: '));
  const isOpen = source[STATUS] === 'open' && acknowledges.includes(tier);
  return {
    [WORKFLOW_TAGS]: [...tags, tagOf(tier)],
    ...(isOpen ? { [STATUS]: 'acknowledged', [STATUS_UPDATED]: now.toISOString() } : {}),
  };
}

function alertIn(source: Source): Source | null {
  const { kibana } = source;
  const alert: unknown = typeof kibana === 'object' && kibana !== null ? Reflect.get(kibana, 'alert') : null;
  return typeof alert === 'object' && alert !== null && Object.hasOwn(alert, 'uuid') ? (alert as Source) : null;
}
