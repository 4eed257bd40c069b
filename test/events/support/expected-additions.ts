import { createHash } from 'node:crypto';
import { createWantedFields, DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { relatedListOf } from '../../../src/mapping/ecs-indicator.ts';
import { matchId } from '../../../src/mapping/ecs.ts';
import { placeOf } from '../../../src/model/worst-answer.ts';
import { isFailure } from '../../../src/model/enrichment.ts';
import type { Enrichment } from '../../../src/model/enrichment.ts';
import type { LosslessNode } from './lossless-json.ts';

/** What has to be added to an event, found on its parsed tree. */
export interface ExpectedAdditions {
  readonly worst: { readonly enrichment: Enrichment; readonly field: string } | null;
  /** `matched.id` of the entries, each once. */
  readonly ids: readonly string[];
  readonly related: readonly (readonly [list: string, value: string])[];
  readonly hasFailure: boolean;
}

const isLoose = createWantedFields(DEFAULT_FIELDS).isLoose;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Finds values by joining keys with dots, as Elasticsearch does. */
export function expectedAdditions(event: LosslessNode, peek: (text: string) => Enrichment | undefined): ExpectedAdditions {
  const found = valuesIn(event, '')
    .map(({ field, value }) => ({ field, enrichment: peek(value)! }))
    .filter(({ enrichment }) => enrichment.answer.status !== 'skipped_empty')
    .filter(({ field, enrichment }) => enrichment.answer.status !== 'invalid' || !isLoose[DEFAULT_FIELDS.indexOf(field)]);
  const sorted = [...found].sort((a, b) => placeOf(a.enrichment.answer) - placeOf(b.enrichment.answer));
  const threats = found.filter(({ enrichment: { answer } }) => answer.verdict === 'malicious' || answer.verdict === 'suspicious');
  return {
    worst: sorted[0] ?? null,
    ids: [...new Set(threats.map(({ enrichment, field }) => matchId(enrichment, { field, digest: sha256 })))],
    related: found.flatMap(({ enrichment: { indicator } }) => {
      const list = indicator === null ? null : relatedListOf(indicator);
      return list === null || indicator === null ? [] : [[list, indicator.value] as const];
    }),
    hasFailure: found.some(({ enrichment: { answer } }) => isFailure(answer.status)),
  };
}

function valuesIn(node: LosslessNode, prefix: string): { field: string; value: string }[] {
  if (node.kind !== 'object') return [];
  return node.members.flatMap(({ key, value }) => {
    const path = `${prefix}${JSON.parse(key) as string}`;
    if (DEFAULT_FIELDS.includes(path)) return leavesOf(value).map((leaf) => ({ field: path, value: leaf }));
    if (!DEFAULT_FIELDS.some((field) => field.startsWith(`${path}.`))) return [];
    return objectsOf(value).flatMap((child) => valuesIn(child, `${path}.`));
  });
}

function leavesOf(node: LosslessNode): string[] {
  if (node.kind === 'array') return node.items.flatMap(({ value }) => leavesOf(value));
  return node.kind === 'scalar' && node.text.startsWith('"') ? [JSON.parse(node.text) as string].filter((value) => value !== '') : [];
}

/** The objects that a list stands for, however deep. */
function objectsOf(node: LosslessNode): LosslessNode[] {
  return node.kind === 'array' ? node.items.flatMap(({ value }) => objectsOf(value)) : [node];
}
