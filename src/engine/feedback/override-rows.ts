import type { SQLOutputValue } from 'node:sqlite';
import { INDICATOR_TYPES, type IndicatorType } from '../../model/indicator.ts';
import { VERDICT_WORDS, type VerdictWord } from '../../model/verdict.ts';
import {
  MAX_AUTHOR_CHARS,
  MAX_REASON_CHARS,
  MAX_VALUE_CHARS,
  type Override,
  OVERRIDE_VERDICTS,
  type OverrideVerdict,
} from './overrides.ts';

/** The last second of the year 9999: every date up to it can be written. */
const LAST_S = 253_402_300_799;

/** Why an override must not be stored; `null`: it can be read again. */
export function faultOfOverride(override: Omit<Override, 'endedAtS' | 'endedBy'>): string | null {
  const { value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore } = override;
  if (!isText(value, MAX_VALUE_CHARS)) return `the value has to be 1 to ${MAX_VALUE_CHARS} characters`;
  if (!isOneOf(INDICATOR_TYPES, type)) return 'the type of the value is not known';
  if (!isOneOf(OVERRIDE_VERDICTS, verdict)) return `verdict has to be one of ${OVERRIDE_VERDICTS.join(', ')}`;
  if (!isScore(score)) return 'score has to be a whole number from 0 to 100';
  if (!isText(author, MAX_AUTHOR_CHARS)) return `author has to be 1 to ${MAX_AUTHOR_CHARS} characters`;
  if (!isText(reason, MAX_REASON_CHARS)) return `reason has to be 1 to ${MAX_REASON_CHARS} characters`;
  if (!isTime(atS) || !(untilS === null || isTime(untilS))) return 'its times have to lie between 1970 and 9999';
  const isSaid = (saidVerdict === null || isOneOf(VERDICT_WORDS, saidVerdict)) && (saidScore === null || isScore(saidScore));
  return isSaid ? null : 'what was said before is not known';
}

/** A row of the file, read with whole numbers as `bigint`; `null`: it cannot be read, whoever wrote it. */
export function overrideOf(row: Readonly<Record<string, SQLOutputValue>>): Override | null {
  const override = {
    value: textOf(row['value']),
    type: textOf(row['type']) as IndicatorType,
    verdict: textOf(row['verdict']) as OverrideVerdict,
    score: numberOf(row['score']) ?? Number.NaN,
    author: textOf(row['author']),
    reason: textOf(row['reason']),
    atS: numberOf(row['at']) ?? Number.NaN,
    untilS: numberOf(row['until']),
    saidVerdict: row['said_verdict'] === null ? null : (textOf(row['said_verdict']) as VerdictWord),
    saidScore: numberOf(row['said_score']),
    endedAtS: numberOf(row['ended_at']),
    endedBy: row['ended_by'] === null ? null : textOf(row['ended_by']),
  };
  if (override.endedAtS !== null && !isTime(override.endedAtS)) return null;
  return faultOfOverride(override) === null ? override : null;
}

/** The columns of a row, as another machine is told. */
export function rowOfOverride(override: Override): Readonly<Record<string, SQLOutputValue>> {
  const { value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore, endedAtS, endedBy } = override;
  const said = { said_verdict: saidVerdict, said_score: saidScore };
  return { value, type, verdict, score, author, reason, at: atS, until: untilS, ...said, ended_at: endedAtS, ended_by: endedBy };
}

/** Whether both say the same in every column. */
export function isSameOverride(one: Override | null, other: Override | null): boolean {
  if (one === null || other === null) return one === other;
  return JSON.stringify(rowOfOverride(one)) === JSON.stringify(rowOfOverride(other));
}

function isText(text: unknown, maxChars: number): boolean {
  return typeof text === 'string' && text.trim() !== '' && text.length <= maxChars;
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word);
}

function isScore(score: number): boolean {
  return Number.isInteger(score) && score >= 0 && score <= 100;
}

function isTime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 0 && seconds <= LAST_S;
}

function textOf(value: SQLOutputValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `NaN` for what is no number: it is in no range. */
function numberOf(value: SQLOutputValue | undefined): number | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN;
}
