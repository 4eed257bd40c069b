import { type Enrichment, isFailure } from '../../model/enrichment.ts';
import { EXIT } from './command.ts';

/** Counts what a run found, for the exit code. */
export interface RunCounts {
  total: number;
  failed: number;
  malicious: number;
}

/** Adds one enrichment to the tally. */
export function countOutcome(tally: RunCounts, { answer }: Enrichment): void {
  tally.total++;
  if (isFailure(answer.status) || answer.status === 'partial') tally.failed++;
  if (answer.verdict === 'malicious') tally.malicious++;
}

/** 10 (only when asked for): something is malicious; 1: everything failed; 3: some look-ups failed; 0: fine. */
export function exitCodeOf(tally: RunCounts, tellsMalicious: boolean): number {
  if (tellsMalicious && tally.malicious > 0) return EXIT.malicious;
  if (tally.failed === 0) return EXIT.ok;
  return tally.failed === tally.total ? EXIT.failed : EXIT.partial;
}
