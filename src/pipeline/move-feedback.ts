import {
  type FeedbackStore,
  MAX_AUTHOR_CHARS,
  MAX_REASON_CHARS,
  OVERRIDE_SCORES,
  OVERRIDE_VERDICTS,
} from '../engine/feedback/overrides.ts';
import type { Store } from '../store/store-client.ts';
import { parseIndicator } from '../model/parse-indicator.ts';

/**
 * Moves what analysts once told the pipeline's store to the file of overrides, which all hosts read; gives how many were moved. A value
 * they have decided about there since is left alone: the later word counts. A process that dies in between moves the rest next time.
 */
export async function moveFeedback(store: Store, feedback: FeedbackStore): Promise<number> {
  const old = await store.oldFeedback();
  if (old.length === 0) return 0;
  const decided = new Set(feedback.list().map(({ value }) => value));
  const nowS = Math.floor(Date.now() / 1000);
  let moved = 0;
  for (const { value, verdict: word, note, by, atS } of old) {
    const parsed = parseIndicator(value);
    const verdict = OVERRIDE_VERDICTS.find((known) => known === word);
    // `unknown` took an earlier word back: nothing is left to be said.
    if (!verdict || parsed.kind === 'invalid' || decided.has(value)) continue;
    const reason = note.trim() === '' ? 'entered in the pipeline' : note.trim().slice(0, MAX_REASON_CHARS);
    const { type } = parsed.indicator;
    feedback.add({
      value,
      type,
      verdict,
      score: OVERRIDE_SCORES[verdict],
      author: by.trim() === '' ? 'pipeline' : by.trim().slice(0, MAX_AUTHOR_CHARS),
      reason,
      // A time that cannot be is no reason to lose the word.
      atS: Number.isSafeInteger(atS) && atS > 0 && atS <= nowS ? atS : nowS,
      untilS: null,
      saidVerdict: null,
      saidScore: null,
    });
    moved += 1;
  }
  await store.forgetOldFeedback();
  return moved;
}
