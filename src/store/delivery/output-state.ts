// src/store/delivery/: how the outputs stand, for every process that delivers: who waits for what, and the tickets they opened.
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../disk/sqlite-faults.ts';

/** No pause is longer: one that ends later was written before the clock was set back. */
const LONGEST_PAUSE_MS = 2 * 86_400_000;
/** After the first fault that waits for a person, then doubled. */
const FIRST_FAULT_PAUSE_MS = 60_000;
const LONGEST_FAULT_PAUSE_MS = 15 * 60_000;

/** Why nothing goes to an output for now. */
export interface OutputPause {
  readonly untilMs: number;
  readonly reason: string;
  /** Key, address or right are wrong: a person has to mend it. Else the receiver asked for patience. */
  readonly isFault: boolean;
}

/** What waits for one output. */
export interface OutputQueue {
  readonly output: string;
  readonly pending: number;
  /** When the oldest message was accepted, seconds since 1970. */
  readonly oldestS: number;
}

/** How the outputs stand; shared by all processes on the store. */
export interface OutputState {
  /** Those of `outputs` that have a message which may go now, and are not paused. */
  dueOutputs(outputs: readonly string[], nowMs: number): readonly string[];
  /** What waits, for each output that has something waiting. */
  outputQueues(): readonly OutputQueue[];
  /** `null`: it is not paused. */
  outputPause(output: string, nowMs: number): OutputPause | null;
  /** The receiver asked us to wait. */
  pauseOutput(output: string, reason: string, untilMs: number): void;
  /** The output is at fault: it is left alone for a minute, then for longer and longer, a quarter of an hour at most. */
  noteOutputFault(output: string, reason: string, nowMs: number): void;
  /** It works. */
  clearOutputPause(output: string): void;
}

/** Prepares the statements on an open store. */
export function outputState(db: DatabaseSync): OutputState {
  const due = db.prepare('SELECT 1 FROM outbox WHERE output = ? AND state = 0 AND (next_at_ms <= ? OR next_at_ms > ?) LIMIT 1');
  const queues = db.prepare('SELECT output, count(*) AS n, min(accepted) AS oldest FROM outbox WHERE state = 0 GROUP BY output');
  const find = db.prepare('SELECT * FROM output_pause WHERE output = ? AND until_ms > ? AND until_ms <= ?');
  const faults = db.prepare('SELECT faults FROM output_pause WHERE output = ?');
  const put = db.prepare(`INSERT INTO output_pause (output, until_ms, reason, faults) VALUES (?, ?, ?, ?)
    ON CONFLICT (output) DO UPDATE SET until_ms = excluded.until_ms, reason = excluded.reason, faults = excluded.faults`);
  const clear = db.prepare('DELETE FROM output_pause WHERE output = ?');
  const pauseOf = (output: string, nowMs: number): OutputPause | null => {
    const row = find.get(output, nowMs, nowMs + LONGEST_PAUSE_MS);
    return row ? { untilMs: Number(row.until_ms), reason: String(row.reason), isFault: Number(row.faults) > 0 } : null;
  };
  return {
    dueOutputs: (outputs, nowMs) =>
      outputs.filter((output) => due.get(output, nowMs, nowMs + LONGEST_PAUSE_MS) !== undefined && pauseOf(output, nowMs) === null),
    outputQueues: () => queues.all().map((row) => ({ output: String(row.output), pending: Number(row.n), oldestS: Number(row.oldest) })),
    outputPause: pauseOf,
    pauseOutput: (output, reason, untilMs) => void put.run(output, Math.trunc(untilMs), reason, 0),
    noteOutputFault: (output, reason, nowMs) =>
      inTransaction(db, () => {
        const times = Number(faults.get(output)?.faults ?? 0);
        const pauseMs = Math.min(FIRST_FAULT_PAUSE_MS * 2 ** Math.min(times, 10), LONGEST_FAULT_PAUSE_MS);
        put.run(output, Math.trunc(nowMs + pauseMs), reason, times + 1);
      }),
    clearOutputPause: (output) => void clear.run(output),
  };
}
