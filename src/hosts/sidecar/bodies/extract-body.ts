import type { Extraction } from '../../../extract/extract-indicators.ts';
import type { Extracted } from '../../../extract/extracted.ts';

/** Characters read in one step: at most some milliseconds' work, also where everything is an indicator. */
const STEP = 4096;

/** What to look for in a text. */
export interface Reading {
  /** Each indicator once. */
  readonly isUnique: boolean;
  /** Reading ends once so many were found. */
  readonly max: number;
}

/** What `/v1/extract` answers. */
export interface ExtractAnswer {
  readonly indicators: readonly Pick<Extracted, 'type' | 'value' | 'original' | 'offset'>[];
  /** Only when the text was not read to its end, and where to go on. */
  readonly truncated?: true;
  readonly read_until?: number;
}

/** Reads a text a step at a time; every step is yielded, and the answer is returned. Who stops asking stops the reading. */
export function* extractInSteps(extraction: Extraction, length: number, { isUnique, max }: Reading): Generator<void, ExtractAnswer> {
  const found: Extracted[] = [];
  const seen = new Set<string>();
  while (extraction.at < length && found.length < max) {
    for (const one of extraction.readUntil(extraction.at + STEP)) {
      const key = isUnique ? `${one.type} ${one.value}` : '';
      if (isUnique && seen.has(key)) continue;
      if (isUnique) seen.add(key);
      found.push(one);
    }
    yield;
  }
  const indicators = found.map(({ type, value, original, offset }) => ({ type, value, original, offset }));
  return extraction.at >= length ? { indicators } : { indicators, truncated: true, read_until: extraction.at };
}
