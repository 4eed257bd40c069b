import type { RunCounts } from '../../batch/run-counts.ts';
import { EXIT } from './command.ts';

/** 10 (only when asked for): something is malicious; 1: everything failed; 3: some look-ups failed, or lines were not read; 0: fine. */
export function exitCodeOf(tally: RunCounts, tellsMalicious: boolean): number {
  if (tellsMalicious && tally.malicious > 0) return EXIT.malicious;
  if (tally.failed === 0) return (tally.unread ?? 0) > 0 ? EXIT.partial : EXIT.ok;
  return tally.failed - tally.partial === tally.total ? EXIT.failed : EXIT.partial;
}
