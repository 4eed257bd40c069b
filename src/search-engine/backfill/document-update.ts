import { createHash } from 'node:crypto';
import { relatedListOf } from '../../mapping/ecs-indicator.ts';
import { type EcsDetail, FAILURE_TAG, hasNothingToSay, ROLL_UP_MEMBERS, toRollUp } from '../../mapping/ecs-roll-up.ts';
import { type ThreatEnrichment, toThreatEnrichment } from '../../mapping/ecs.ts';
import { placeOf } from '../../model/worst-answer.ts';
import { type Answer, type Enrichment, isFailure } from '../../model/enrichment.ts';
import type { Source } from './document-values.ts';

/** An enrichment and the field its value stands in. */
export interface FieldEnrichment {
  readonly field: string;
  readonly enrichment: Enrichment;
}

/** How findings are written into documents. */
export interface UpdateRules {
  /** See `EcsMatch.type`. */
  readonly matchedType: string | null;
  /** Time of the match, ISO 8601 with milliseconds, UTC. */
  readonly occurred: string;
  /** How much is written into a document about which there is nothing to say; left out: everything. */
  readonly detail?: EcsDetail;
}

/** What a document needs. */
export type DocumentUpdate =
  /** Members to be merged into it by an `update`. */
  | { readonly kind: 'write'; readonly doc: Readonly<Record<string, unknown>> }
  /** Something failed and nothing bad is known: left as it is for another run, so that no failure is written down as final. */
  | { readonly kind: 'later' }
  /** There is no place for it: an `ismalicious` of somebody else that is no object. */
  | { readonly kind: 'conflict' };

/** Tags of a look-up that failed on the way in; they go when it has been made up for. */
const FAILURE_TAGS: readonly unknown[] = [FAILURE_TAG, '_ismalicious_unavailable'];

/** The partial document that adds findings to a source. An update replaces lists, so they are given whole, with what is there. */
export function toDocumentUpdate(source: Source, found: readonly FieldEnrichment[], rules: UpdateRules): DocumentUpdate {
  const { detail = 'full' } = rules;
  const [worst] = found.toSorted((a, b) => placeOf(a.enrichment.answer) - placeOf(b.enrichment.answer));
  if (worst === undefined) return { kind: 'later' };
  if ('ismalicious' in source && !isObject(source.ismalicious)) return { kind: 'conflict' };
  const hasFailure = found.some(({ enrichment }) => isRepeatable(enrichment.answer));
  if (hasFailure && !isThreat(worst.enrichment)) return { kind: 'later' };
  return {
    kind: 'write',
    doc: {
      ...threatPart(source, found, rules),
      ismalicious: rollUpPart(source, found, { worst, detail }),
      ...(detail === 'lean' && hasNothingToSay(worst.enrichment.answer) ? {} : relatedPart(source, found)),
      ...tagsPart(source, hasFailure),
    },
  };
}

/** A failure that another time may mend. A value that is no indicator stays none. */
function isRepeatable({ status }: Answer): boolean {
  return status !== 'invalid' && isFailure(status);
}

function isThreat({ answer, indicator }: Enrichment): boolean {
  return indicator !== null && (answer.verdict === 'malicious' || answer.verdict === 'suspicious');
}

/** `threat` that is no object, or a name with a dot, is kept in the form it has; text there is the document's own business. */
function threatPart(source: Source, found: readonly FieldEnrichment[], rules: UpdateRules): Record<string, unknown> {
  const dotted = source['threat.enrichments'];
  if (dotted === undefined && 'threat' in source && !isObject(source.threat)) return {};
  const there = listOf(dotted ?? memberOf(source.threat, 'enrichments'));
  const ids = new Set(there.map((entry) => memberOf(memberOf(entry, 'matched'), 'id')));
  const entries = new Map<string, ThreatEnrichment>();
  for (const { enrichment, field } of found) {
    const entry = toThreatEnrichment(enrichment, { field, occurred: rules.occurred, type: rules.matchedType, digest });
    if (entry !== null && !ids.has(entry.matched.id)) entries.set(entry.matched.id, entry);
  }
  if (entries.size === 0) return {};
  const all = [...there, ...entries.values()];
  return dotted === undefined ? { threat: { enrichments: all } } : { 'threat.enrichments': all };
}

/** Members of an earlier, failed look-up that have no new value are emptied: an update cannot take a member away. */
function rollUpPart(
  source: Source,
  found: readonly FieldEnrichment[],
  { worst, detail }: { readonly worst: FieldEnrichment; readonly detail: EcsDetail },
): Record<string, unknown> {
  const canResolve = found.every(({ enrichment: { answer } }) => answer.autoResolve || answer.status.startsWith('skipped_'));
  const rollUp = toRollUp(worst.enrichment, worst.field, { canResolve, detail });
  const outdated = ROLL_UP_MEMBERS.filter((member) => !(member in rollUp) && memberOf(source.ismalicious, member) !== undefined);
  return { ...rollUp, ...Object.fromEntries(outdated.map((member) => [member, null])) };
}

function relatedPart(source: Source, found: readonly FieldEnrichment[]): Record<string, unknown> {
  if ('related' in source && !isObject(source.related)) return {};
  const nested: Record<string, unknown> = {};
  const dotted: Record<string, unknown> = {};
  for (const { enrichment } of found) {
    const list = enrichment.indicator === null ? null : relatedListOf(enrichment.indicator);
    if (list === null || enrichment.indicator === null) continue;
    const isDotted = `related.${list}` in source;
    const [target, name] = isDotted ? [dotted, `related.${list}`] : [nested, list];
    const there = listOf(target[name] ?? (isDotted ? source[name] : memberOf(source.related, list)));
    if (!there.includes(enrichment.indicator.value)) target[name] = [...there, enrichment.indicator.value];
  }
  return { ...(Object.keys(nested).length > 0 && { related: nested }), ...dotted };
}

function tagsPart(source: Source, hasFailure: boolean): Record<string, unknown> {
  const there = listOf(source.tags);
  const kept = there.filter((tag) => !FAILURE_TAGS.includes(tag));
  if (hasFailure) return { tags: [...kept, FAILURE_TAG] };
  return kept.length === there.length ? {} : { tags: kept };
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
