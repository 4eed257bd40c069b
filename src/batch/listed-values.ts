import type { Enricher } from '../engine/enricher.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { placeOf } from '../model/worst-answer.ts';

const BETWEEN = /\s*[,;|]\s*|\s+/;
/** A longer text is no list of indicators. */
const MAX_LIST = 16_384;
/** Values of one list. */
const MAX_VALUES = 256;

/** The values of a text that is nothing but indicators with blanks, commas, semicolons or bars between them; `null` for any other text. */
export function listedValues(text: string): string[] | null {
  if (text.length > MAX_LIST || !BETWEEN.test(text.trim()) || parseIndicator(text).kind !== 'invalid') return null;
  const values = [...new Set(text.trim().split(BETWEEN))].filter((value) => value !== '');
  const isList = values.length > 0 && values.length <= MAX_VALUES && values.every((value) => parseIndicator(value).kind !== 'invalid');
  return isList ? values : null;
}

/** The enricher, which answers a cell that lists several values by the worst of their answers. */
export function enricherOfLists(enricher: Enricher): Enricher {
  return {
    ...enricher,
    peek(text) {
      const listed = listedValues(text);
      if (listed === null) return enricher.peek(text);
      const known = listed.map((value) => enricher.peek(value));
      return known.every((enrichment) => enrichment !== undefined) ? worstOf(text, known) : undefined;
    },
    async enrichMany(texts, options) {
      const wanted = new Set<string>();
      const lists = new Map<string, readonly string[]>();
      for (const text of texts) {
        const listed = listedValues(text);
        if (listed !== null) lists.set(text, listed);
        for (const value of listed ?? [text]) wanted.add(value);
      }
      const found = await enricher.enrichMany(wanted, options);
      if (lists.size === 0) return found;
      const all = new Map(found);
      for (const [text, listed] of lists) {
        const answered = listed.flatMap((value) => found.get(value) ?? []);
        if (answered.length === listed.length) all.set(text, worstOf(text, answered));
      }
      return all;
    },
  };
}

function worstOf(input: string, [first, ...rest]: readonly Enrichment[]): Enrichment {
  if (first === undefined) throw new Error('a list holds a value');
  let worst = first;
  for (const enrichment of rest) if (placeOf(enrichment.answer) < placeOf(worst.answer)) worst = enrichment;
  return { ...worst, input };
}
