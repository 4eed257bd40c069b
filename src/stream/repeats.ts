import { type Offset, offsetsBehind } from './offsets.ts';
import type { InRecord } from './records.ts';

/**
 * Knows what this worker has passed on: what the client reads twice within one membership is not written twice, nor is what could not be
 * committed before the group was left.
 */
export interface Repeats {
  /** The records of a batch that were not passed on before. */
  without(batch: readonly InRecord[]): Promise<readonly InRecord[]>;
  /** These were written and acknowledged. */
  passed(batch: readonly InRecord[]): void;
  /** Where reading goes on behind what was passed on and is not committed yet. */
  uncommitted(): Offset[];
  /** These are committed, or no longer ours to commit. */
  settled(offsets: readonly Offset[]): void;
  /**
   * A new membership begins. What is committed is forgotten: who sets a group back wants it again. So is what was passed on of a topic that
   * has been made anew.
   */
  joined(): Promise<void>;
}

interface Passed {
  /** The topic as it was then: one that was made anew under its name begins with 0 again. */
  readonly topicId: string;
  /** The last record. */
  readonly offset: bigint;
  /** Where reading goes on, until that is committed. */
  readonly next: Offset | null;
}

/** Nothing passed on yet. `topicIdOf`: the brokers' id of a topic as it is now; asked for with each batch, so it has to be cheap. */
export function createRepeats(topicIdOf: (topic: string) => Promise<string>): Repeats {
  const done = new Map<string, Passed>();
  const ids = new Map<string, string>();
  return {
    async without(batch) {
      const isSuspect = batch.some((record) => record.offset <= (done.get(placeOf(record))?.offset ?? -1n));
      for (const topic of new Set(batch.map((record) => record.topic)))
        if (isSuspect || !ids.has(topic)) ids.set(topic, await topicIdOf(topic));
      if (!isSuspect) return batch;
      return batch.filter((record) => {
        const last = done.get(placeOf(record));
        return last === undefined || last.topicId !== ids.get(record.topic) || record.offset > last.offset;
      });
    },
    passed(batch) {
      for (const next of offsetsBehind(batch)) {
        const topicId = ids.get(next.topic) ?? '';
        const last = done.get(placeOf(next));
        // What is read again may end before the last record that was passed on.
        if (last?.topicId === topicId && last.offset >= next.offset - 1n) continue;
        done.set(placeOf(next), { topicId, offset: next.offset - 1n, next });
      }
    },
    uncommitted: () => [...done.values()].flatMap(({ next }) => next ?? []),
    settled(offsets) {
      for (const offset of offsets) {
        const last = done.get(placeOf(offset));
        if (last?.next != null && last.next.offset <= offset.offset) done.set(placeOf(offset), { ...last, next: null });
      }
    },
    async joined() {
      ids.clear();
      for (const [place, { topicId, next }] of done) {
        if (next !== null && !ids.has(next.topic)) ids.set(next.topic, await topicIdOf(next.topic));
        if (next === null || ids.get(next.topic) !== topicId) done.delete(place);
      }
    },
  };
}

function placeOf({ topic, partition }: Pick<InRecord, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}
