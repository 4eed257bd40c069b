import { distance } from 'fastest-levenshtein';

/** More changes than this are another word, not a slip. */
const MOST_CHANGES = 3;
/** Share of the longer word that has to be the same. */
const LEAST_ALIKE = 0.3;

/** ` Did you mean "check"?` for a word that is nearly one of those known, else nothing; for the end of a sentence. */
export function didYouMean(word: string, known: readonly string[]): string {
  let best: string | null = null;
  let fewest = MOST_CHANGES + 1;
  for (const candidate of known) {
    const changes = distance(word.toLowerCase(), candidate);
    const longer = Math.max(word.length, candidate.length);
    if (changes >= fewest || (longer - changes) / longer <= LEAST_ALIKE) continue;
    fewest = changes;
    best = candidate;
  }
  return best === null ? '' : ` Did you mean "${best}"?`;
}
