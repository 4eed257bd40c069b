import type { RunCounts } from '../../batch/run-counts.ts';
import { EXIT } from './command.ts';

/** 10 (only when asked for): something is malicious; 1: everything failed; 3: some look-ups failed; 0: fine. */
export function exitCodeOf(counts: RunCounts, tellsMalicious: boolean): number {
  if (tellsMalicious && counts.malicious > 0) return EXIT.malicious;
  if (counts.failed === 0) return EXIT.ok;
  return counts.failed === counts.total ? EXIT.failed : EXIT.partial;
}
