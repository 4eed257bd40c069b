import type { Answer, Enrichment } from '../model/enrichment.ts';
import type { LookupReading } from '../model/indicator.ts';
import { placeOf } from '../model/worst-answer.ts';

/** A value that is asked about by its parts. */
export type PartsReading = Extract<LookupReading, { kind: 'parts' }>;

/** Notes on one answer that are kept: they name hosts, so there may be many. */
const MAX_NOTES = 1000;

const noted = new WeakMap<Answer, Map<string, Answer>>();

/** The answer about a value whose parts were asked: the worst one of them, which says what was asked and is never resolved by itself. */
export function enrichmentOfParts(input: string, parts: readonly Enrichment[], note: string): Enrichment {
  const worst = parts.reduce((found, one) => (placeOf(one.answer) < placeOf(found.answer) ? one : found));
  const ends = parts.map(({ expiresAtS }) => expiresAtS).filter((end) => end !== null);
  return { ...worst, input, answer: withNote(worst.answer, note), expiresAtS: ends.length === 0 ? null : Math.min(...ends) };
}

/** Answers are shared, and hosts know them again by identity: the same answer with the same note is one. */
function withNote(answer: Answer, note: string): Answer {
  let byNote = noted.get(answer);
  if (!byNote) noted.set(answer, (byNote = new Map()));
  let found = byNote.get(note);
  if (found) return found;
  if (byNote.size >= MAX_NOTES) byNote.clear();
  found = { ...answer, autoResolve: false, message: answer.message === null ? note : `${answer.message}; ${note}` };
  byNote.set(note, found);
  return found;
}
