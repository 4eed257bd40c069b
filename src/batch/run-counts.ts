import { type Enrichment, isFailure } from '../model/enrichment.ts';

/** What a value was, in the words of summaries; the first that fits. */
export const OUTCOMES = ['malicious', 'suspicious', 'clean', 'unknown', 'private', 'not_sent', 'invalid', 'failed'] as const;

export type OutcomeWord = (typeof OUTCOMES)[number];

/** Counts what a run found, for the exit code and the summary. */
export interface RunCounts {
  total: number;
  /** Look-ups that gave no answer, or not the whole one; values that are no indicators, too. */
  failed: number;
  /** Those of `failed` that have an answer all the same. */
  partial: number;
  malicious: number;
  readonly words: Record<OutcomeWord, number>;
  /** Lines that were not read, or not wholly; left out: none. */
  unread?: number;
  /** Events in which values were looked for; left out: the input is no events. */
  events?: number;
}

/** Nothing found yet. */
export function newRunCounts(): RunCounts {
  const words = Object.fromEntries(OUTCOMES.map((word) => [word, 0])) as Record<OutcomeWord, number>;
  return { total: 0, failed: 0, partial: 0, malicious: 0, words };
}

/** The word of one enrichment. */
export function outcomeOf({ answer }: Enrichment): OutcomeWord {
  if (answer.verdict !== 'unknown') return answer.verdict;
  switch (answer.status) {
    case 'invalid':
      return 'invalid';
    case 'skipped_private':
      return 'private';
    case 'skipped_allowlist':
    case 'skipped_tlp':
      return 'not_sent';
    default:
      return isFailure(answer.status) || answer.status === 'partial' ? 'failed' : 'unknown';
  }
}

/** Adds one enrichment to the tally. */
export function countOutcome(tally: RunCounts, enrichment: Enrichment): void {
  const { verdict, status } = enrichment.answer;
  // A placeholder is no value: nothing was there to look up.
  if (status === 'skipped_empty') return;
  tally.total++;
  tally.words[outcomeOf(enrichment)]++;
  if (isFailure(status) || status === 'partial') tally.failed++;
  if (status === 'partial') tally.partial++;
  if (verdict === 'malicious') tally.malicious++;
}

/** What a person reads of each word. */
const SHOWN: Readonly<Record<OutcomeWord, string>> = {
  malicious: 'malicious',
  suspicious: 'suspicious',
  clean: 'clean',
  unknown: 'unknown',
  private: 'private (not sent)',
  not_sent: 'not sent (allow list or TLP)',
  invalid: 'invalid',
  failed: 'failed',
};

/** `5 values: 1 malicious, 2 unknown, 1 private (not sent), 1 failed`; words that fit none are left out. */
export function summaryOf({ total, words }: RunCounts): string {
  const parts = OUTCOMES.filter((word) => words[word] > 0).map((word) => `${words[word]} ${SHOWN[word]}`);
  return `${total} ${total === 1 ? 'value' : 'values'}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}
