import { type Enrichment, isFailure } from '../model/enrichment.ts';

/** What a run found so far. `failed`: values that some source gave no answer for. */
export interface RunCounts {
  total: number;
  failed: number;
  malicious: number;
  /** Lines that were not read, or not wholly; left out: none. */
  unread?: number;
  /** Events in which values were looked for; left out: the input is no events. */
  events?: number;
}

/** Counts one enrichment. */
export function countOutcome(counts: RunCounts, { answer }: Enrichment): void {
  counts.total++;
  if (isFailure(answer.status) || answer.status === 'partial') counts.failed++;
  if (answer.verdict === 'malicious') counts.malicious++;
}
