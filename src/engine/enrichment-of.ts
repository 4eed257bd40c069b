import type { Answer, Enrichment, Tracer } from '../model/enrichment.ts';
import type { Indicator } from '../model/indicator.ts';
import { SHOWN_CHARS } from '../model/read-for-lookup.ts';
import type { RoundEntry } from './round-parts.ts';

/** Longer values are repeated by their beginning only, in characters. */
const LONGEST_SHOWN = 2048;

/** A value as an answer repeats it: what is as long as no indicator, by its beginning. */
export function shown(value: string): string {
  return value.length > LONGEST_SHOWN ? value.slice(0, SHOWN_CHARS) : value;
}

/** What is said of an input whose indicator was answered; `tracer`: see `EngineOptions.tracer`. */
export function enrichmentOf(input: string, indicator: Indicator, entry: RoundEntry | undefined, tracer: Tracer | undefined): Enrichment {
  if (!entry) throw new Error('a round answers every indicator');
  const { answer, source, checkedAtS, expiresAtS, origins = null } = entry;
  if (tracer === undefined) return { input, indicator, answer, source, checkedAtS, expiresAtS };
  return { input, indicator, answer, source, checkedAtS, expiresAtS, trace: { tracer, origins } };
}

/** What is said of an input that was looked up nowhere. */
export function unasked(input: string, indicator: Indicator | null, answer: Answer): Enrichment {
  return { input, indicator, answer, source: 'none', checkedAtS: null, expiresAtS: null };
}
