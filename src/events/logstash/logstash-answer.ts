// src/events/logstash/: what the Logstash `http` filter sends, and what it is answered.
import { createHash } from 'node:crypto';
import { relatedListOf } from '../../mapping/ecs-indicator.ts';
import { hasNothingToSay, toRollUp } from '../../mapping/ecs-roll-up.ts';
import type { EcsDetail } from '../../mapping/ecs-roll-up.ts';
import { toThreatEnrichment } from '../../mapping/ecs.ts';
import { placeOf } from '../../model/worst-answer.ts';
import { isFailure } from '../../model/enrichment.ts';
import type { Enrichment, Status } from '../../model/enrichment.ts';

const NOTHING = 'nothing to look up: no field that was sent holds a value';

/** An enrichment and the field its value stood in. */
export interface FieldEnrichment {
  readonly field: string;
  readonly enrichment: Enrichment;
}

/** How entries of `threat.enrichments` are made. */
export interface AnswerRules {
  readonly matchedType: string | null;
  /** Time of the match, ISO 8601. */
  readonly occurred: string;
  /** Left out: full. */
  readonly detail?: EcsDetail;
}

/**
 * What the filter puts into `target_body`. Lean, with nothing to say: verdict, status and time. Otherwise the worst value's answer flat, `enrichments` ready for `[threat][enrichments]`, and every
 * field's own answer under `fields` when there are several. Nobody's word is left out, not written as null: a filter copies a null.
 */
export function toLogstashAnswer(found: readonly FieldEnrichment[], rules: AnswerRules): Record<string, unknown> {
  const worst = worstOf(found);
  const { detail = 'full' } = rules;
  if (worst === undefined) return toLogstashFailure('invalid', NOTHING, detail);
  if (isQuiet(worst, detail)) return flat(found, detail);
  const fields = [...new Set(found.map(({ field }) => field))];
  const perField = fields.map((field) => [
    field,
    flat(
      found.filter((one) => one.field === field),
      detail,
    ),
  ]);
  const enrichments = entriesOf(found, rules);
  return {
    ...flat(found, detail),
    ...((detail === 'full' || enrichments.length > 0) && { enrichments }),
    related: relatedOf(found),
    ...(fields.length > 1 && { fields: Object.fromEntries(perField) as unknown }),
  };
}

/** The answer when there is none: same shape, so that a pipeline reads it the same way. */
export function toLogstashFailure(status: Status, message: string, detail: EcsDetail = 'full'): Record<string, unknown> {
  return {
    verdict: 'unknown',
    status,
    ...(detail === 'full' && { categories: [], attributes: [] }),
    tier: 'review',
    auto_resolve: false,
    source: 'none',
    failed: true,
    retry: status !== 'invalid',
    message,
    ...(detail === 'full' && { enrichments: [] }),
  };
}

/** The answer to an event that holds nothing to look up, which is no failure: the shipped pipeline leaves it as it is. */
export function toNothingToLookUp(detail: EcsDetail = 'full'): Record<string, unknown> {
  return { ...toLogstashFailure('skipped_empty', NOTHING, detail), tier: 'log', failed: false, retry: false, nothing_to_look_up: true };
}

function isQuiet({ enrichment }: FieldEnrichment, detail: EcsDetail): boolean {
  return detail === 'lean' && hasNothingToSay(enrichment.answer);
}

function flat(found: readonly FieldEnrichment[], detail: EcsDetail): Record<string, unknown> {
  const worst = worstOf(found);
  if (worst === undefined) return {};
  const { enrichment, field } = worst;
  const canResolve = found.every(({ enrichment: { answer } }) => answer.autoResolve || answer.status.startsWith('skipped_'));
  const rollUp = toRollUp(enrichment, field, { canResolve, detail });
  if (isQuiet(worst, detail)) return { ...rollUp };
  return {
    ...rollUp,
    ...(enrichment.indicator !== null && { type: enrichment.indicator.type }),
    failed: found.some(({ enrichment: { answer } }) => isFailure(answer.status)),
    retry: found.some(({ enrichment: { answer } }) => isFailure(answer.status) && answer.status !== 'invalid'),
  };
}

function worstOf(found: readonly FieldEnrichment[]): FieldEnrichment | undefined {
  let worst = found[0];
  for (const one of found) {
    if (worst === undefined || placeOf(one.enrichment.answer) < placeOf(worst.enrichment.answer)) worst = one;
  }
  return worst;
}

function entriesOf(found: readonly FieldEnrichment[], { matchedType, occurred }: AnswerRules): unknown[] {
  const entries = new Map<string, unknown>();
  for (const { enrichment, field } of found) {
    const entry = toThreatEnrichment(enrichment, { field, occurred, type: matchedType, digest });
    if (entry !== null) entries.set(entry.matched.id, entry);
  }
  return [...entries.values()];
}

/** What was looked up, by the lists of `related.*`, each value once. */
function relatedOf(found: readonly FieldEnrichment[]): Record<string, string[]> {
  const lists = new Map<string, Set<string>>();
  for (const { indicator } of found.map(({ enrichment }) => enrichment)) {
    const list = indicator === null ? null : relatedListOf(indicator);
    if (indicator === null || list === null) continue;
    lists.set(list, (lists.get(list) ?? new Set()).add(indicator.value));
  }
  return Object.fromEntries([...lists].map(([list, values]) => [list, [...values]]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
