import { isFailure } from '../model/enrichment.ts';
import type { Answer, Enrichment } from '../model/enrichment.ts';

/** Fields of one enrichment in Splunk, without the prefix, in the order of the reply. */
export const SPLUNK_FIELDS = [
  'verdict',
  'malicious',
  'score',
  'confidence',
  'category',
  'status',
  'tier',
  'auto_resolve',
  'source',
  'type',
  'indicator',
  'field',
  'providers',
  'reference',
  'first_seen',
  'last_seen',
  'message',
] as const;

/** Fields added per looked-up field by `details=t`, with the cells of the same names: `<prefix><field>_<name>`. */
export const SPLUNK_DETAIL_FIELDS = ['verdict', 'score', 'status', 'confidence', 'category', 'message'] as const;

/** Cells that are the same for every indicator that shares the answer, on both sides of those that are not. */
export interface AnswerCells {
  /** `verdict` to `auto_resolve`. */
  readonly before: readonly string[];
  /** `providers` to `message`. */
  readonly after: readonly string[];
}

/** The part of `SPLUNK_FIELDS` that depends on the answer alone. An empty cell means "not said". */
export function toAnswerCells(answer: Answer): AnswerCells {
  return {
    before: [
      answer.verdict,
      toMaliciousCell(answer),
      toNumberCell(answer.score),
      toNumberCell(answer.confidence),
      toCategoryCell(answer),
      answer.status,
      answer.tier,
      toBooleanCell(answer.autoResolve),
    ],
    after: [
      answer.providers
        .filter((result) => result.status === 'ok' || result.status === 'not_listed')
        .map((result) => result.provider)
        .join(', '),
      answer.reference ?? '',
      answer.firstSeen ?? '',
      answer.lastSeen ?? '',
      toLine(answer.message),
    ],
  };
}

/** The cell `indicator`: the canonical value; one that is no indicator is shown as it was given. */
export function toIndicatorCell(enrichment: Enrichment): string {
  return enrichment.indicator === null ? enrichment.input : enrichment.indicator.value;
}

/** All cells of one enrichment, in the order of `SPLUNK_FIELDS`. `field`: name of the field that held the value. */
export function toSplunkCells(enrichment: Enrichment, field: string): string[] {
  const { before, after } = toAnswerCells(enrichment.answer);
  return [...before, enrichment.source, enrichment.indicator?.type ?? '', toIndicatorCell(enrichment), field, ...after];
}

/** What the playbook's searches compare with: `True`, `False`, or empty when nobody knows: a failure never reads as clean. */
export function toMaliciousCell(answer: Answer): string {
  if (answer.verdict === 'malicious') return 'True';
  if (answer.verdict === 'unknown' || isFailure(answer.status)) return '';
  return 'False';
}

/** Categories as the playbook joins them. */
export function toCategoryCell(answer: Answer): string {
  return toLine(answer.categories.join(', '));
}

function toBooleanCell(value: boolean): string {
  return value ? 'True' : 'False';
}

function toNumberCell(value: number | null): string {
  return value === null ? '' : String(value);
}

/** One line: a line break in a cell would read as a multivalue. */
function toLine(text: string | null): string {
  if (text === null) return '';
  return text.includes('\n') || text.includes('\r') ? text.replaceAll(/\s*[\r\n]+\s*/g, ' ') : text;
}
