import type { DatabaseSync } from 'node:sqlite';
import type { VerdictWord } from '../model/verdict.ts';
import { type IndicatorState, stateCodes, verdictCodes } from './codes.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';

/** An analyst's decision that is in force. */
export interface InForce {
  /** Canonical value. */
  readonly value: string;
  readonly verdict: VerdictWord;
}

/** A word that an analyst gave to the store itself, when it still kept them. */
export interface OldFeedback extends InForce {
  readonly note: string;
  readonly by: string;
  readonly atS: number;
}

/** What analysts decided, as it shows in the indicators. The decisions themselves stand in the file of overrides. */
export interface OverrideMarks {
  /**
   * Marks the indicators analysts decided about (`false_positive`, `confirmed`) and takes the mark from those nobody decided about any
   * more. A mark that changes makes the indicator due, so that outputs are told; gives how many changed.
   */
  markOverrides(inForce: readonly InForce[], nowS: number): number;
  /** Words given to the store before overrides had a file of their own. */
  oldFeedback(): readonly OldFeedback[];
  /** Forgets them, once they stand in that file. */
  forgetOldFeedback(): void;
}

const STATE_OF: Readonly<Record<VerdictWord, IndicatorState>> = {
  clean: 'false_positive',
  suspicious: 'confirmed',
  malicious: 'confirmed',
  unknown: 'active',
};

/** Prepares the statements on an open store. */
export function overrideMarks(db: DatabaseSync): OverrideMarks {
  const marked = db.prepare('SELECT value, state FROM indicator WHERE state >= 2');
  const mark = db.prepare('UPDATE indicator SET state = ?, due = ? WHERE value = ? AND state <> ?');
  const old = db.prepare('SELECT * FROM feedback ORDER BY at, value');
  return {
    markOverrides: (inForce, nowS) =>
      inTransaction(db, () => {
        const wanted = new Map(inForce.map(({ value, verdict }) => [value, stateCodes.toCode(STATE_OF[verdict])]));
        for (const { value } of marked.all()) if (!wanted.has(String(value))) wanted.set(String(value), stateCodes.toCode('active'));
        let changed = 0;
        for (const [value, state] of wanted) changed += Number(mark.run(state, nowS, value, state).changes);
        return changed;
      }),
    oldFeedback: () =>
      old.all().map((row) => ({
        value: String(row.value),
        verdict: verdictCodes.toWord(row.verdict),
        note: String(row.note),
        by: String(row.given_by),
        atS: Number(row.at),
      })),
    forgetOldFeedback: () => db.exec('DELETE FROM feedback'),
  };
}
