import type { Tier } from '../model/enrichment.ts';
import type { IndicatorType } from '../model/indicator.ts';
import { TLP_LABELS } from '../model/tlp.ts';
import type { VerdictWord } from '../model/verdict.ts';

/** What became of an indicator: a source may revoke it, an analyst may call it a false positive. */
export type IndicatorState = 'active' | 'revoked' | 'false_positive' | 'confirmed';

/** Words as they are stored: the position is the number. Only ever append. */
export interface Codes<Word extends string> {
  toCode(word: Word): number;
  toWord(code: unknown): Word;
  /** The greatest number. */
  readonly last: number;
}

/** Numbers for the indicator types. */
export const typeCodes = codes<IndicatorType>([
  'ipv4-addr',
  'ipv6-addr',
  'domain-name',
  'url',
  'file:md5',
  'file:sha1',
  'file:sha256',
  'file:sha512',
  'email-addr',
  'cve',
]);

/** Numbers for the verdicts. */
export const verdictCodes = codes<VerdictWord>(['unknown', 'clean', 'suspicious', 'malicious']);

/** Numbers for the tiers. */
export const tierCodes = codes<Tier>(['review', 'log', 'watch', 'p2', 'p1']);

/** Numbers for the states. */
export const stateCodes = codes<IndicatorState>(['active', 'revoked', 'false_positive', 'confirmed']);

/** Numbers for the TLP labels. */
export const tlpCodes = codes(TLP_LABELS);

/** What `read` makes of rows; one that holds what no program of ours has written is left out, not the end of all. */
export function soundRows<Row, Result>(rows: readonly Row[], read: (row: Row) => Result): Result[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [];
    }
  });
}

/** A stored list of words; empty text is the empty list. */
export function splitList(text: unknown): string[] {
  return text === '' ? [] : String(text).split('\n');
}

/** The list as it is stored. Words hold no line feeds by then. */
export function joinList(words: readonly string[]): string {
  return words.map((word) => word.replaceAll('\n', ' ')).join('\n');
}

function codes<Word extends string>(words: readonly Word[]): Codes<Word> {
  const byWord = new Map(words.map((word, code) => [word, code]));
  return {
    last: words.length - 1,
    toCode(word) {
      const code = byWord.get(word);
      if (code === undefined) throw new RangeError(`no code for ${word}`);
      return code;
    },
    toWord(code) {
      const word = words[Number(code)];
      if (word === undefined) throw new RangeError(`no word for code ${String(code)}`);
      return word;
    },
  };
}
