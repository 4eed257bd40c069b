import * as z from 'zod/mini';
import { type declareSettings } from '../../config/setting.ts';
import { TIERS, type Tier } from '../../model/enrichment.ts';
import { factsOf } from './item-summary.ts';
import type { OutputItem } from '../output.ts';

/** Facts that become labels, for teams that route by them. */
const LABEL_FACTS = ['tier', 'verdict', 'type', 'categories', 'sources', 'tlp'] as const;
const MAX_LABEL_CHARS = 60;
const MAX_LABELS = 30;

type Declare = ReturnType<typeof declareSettings>;

/** One text for each tier; what a tier has none for is left out. */
export function byTier(fallback: Partial<Record<Tier, string>> = {}) {
  return z._default(z.partialRecord(z.enum(TIERS), z.string()), fallback);
}

/** Where the evidence is. */
export function evidenceUrlSetting(setting: Declare) {
  return setting(
    'evidenceUrl',
    z.optional(z.string().check(z.regex(/^https?:\/\/\S+$/))),
    'Page with the evidence, for example a search in Splunk or Kibana; `{value}`, `{type}` and `{id}` (SHA-256 of both) are filled in.',
  );
}

/** Settings of what people see and click in a ticket. */
export function evidenceSettings(setting: Declare) {
  return {
    evidenceUrl: evidenceUrlSetting(setting),
    resolve: setting(
      'resolve',
      z._default(z.boolean(), true),
      'End the ticket when the verdict turns to clean, by all who answered or by an analyst; false: only say so in it.',
    ),
  };
}

/** Settings of labels. */
export function labelSettings(setting: Declare) {
  return {
    labels: setting('labels', z._default(z.array(z.string()), []), 'Labels for every ticket.'),
    labelsByTier: setting('labelsByTier', byTier(), 'One more label by tier, for example `p1: soc-urgent`.'),
    labelFacts: setting(
      'labelFacts',
      z._default(z.array(z.enum(LABEL_FACTS)), []),
      'Facts that become labels too (`category-c2`): tier, verdict, type, categories, sources, tlp.',
    ),
  };
}

/** The labels of a ticket; none of them has a blank in it. */
export function labelsOf(
  item: OutputItem,
  {
    labels,
    labelsByTier,
    labelFacts,
  }: {
    readonly labels: readonly string[];
    readonly labelsByTier: Partial<Record<Tier, string>>;
    readonly labelFacts: readonly (typeof LABEL_FACTS)[number][];
  },
): string[] {
  const { answer } = item.enrichment;
  const facts: Record<(typeof LABEL_FACTS)[number], readonly string[]> = {
    tier: [`tier-${answer.tier}`],
    verdict: [`verdict-${answer.verdict}`],
    type: [`type-${item.indicator.type}`],
    categories: answer.categories.map((category) => `category-${category}`),
    sources: item.sources.map((source) => `source-${source}`),
    tlp: item.tlp === null ? [] : [`tlp-${item.tlp}`],
  };
  const all = [...labels, labelsByTier[answer.tier] ?? '', ...labelFacts.flatMap((fact) => facts[fact])];
  const clean = all
    .map((label) =>
      label
        .trim()
        .replace(/[\s,:]+/g, '-')
        .slice(0, MAX_LABEL_CHARS),
    )
    .filter((label) => label !== '');
  return [...new Set(clean)].slice(0, MAX_LABELS);
}

/** Whether the ticket on this indicator has no more reason: everybody who answered, or an analyst, calls it clean. */
export function isOver({ event, enrichment: { answer } }: OutputItem): boolean {
  return event === 'verdict_changed' && answer.verdict === 'clean' && answer.status === 'ok';
}

/** The page with the evidence; `null`: nobody said where it is. */
export function evidenceOf({ indicator, id }: OutputItem, template: string | undefined): string | null {
  if (template === undefined) return null;
  const parts = { '{value}': indicator.value, '{type}': indicator.type, '{id}': id };
  return template.replace(/\{(?:value|type|id)\}/g, (name) => encodeURIComponent(Reflect.get(parts, name) as string));
}

/** The facts of a ticket, the evidence among them. */
export function ticketFacts(item: OutputItem, evidenceUrl: string | undefined): [name: string, text: string][] {
  const evidence = evidenceOf(item, evidenceUrl);
  return [...factsOf(item), ...(evidence === null ? [] : [['Evidence', evidence] as [string, string]])];
}
