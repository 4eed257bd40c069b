import type { InRecord } from './records.ts';

/** Knows what this worker has passed on, so that what the client reads twice within one membership is not written twice. */
export interface Repeats {
  /** The records of a batch that were not passed on before. */
  without(batch: readonly InRecord[]): Promise<readonly InRecord[]>;
  /** These were written and acknowledged. */
  passed(batch: readonly InRecord[]): void;
}

interface Passed {
  /** The topic as it was then: one that was made anew under its name begins with 0 again. */
  readonly topicId: string;
  readonly offset: bigint;
}

/** Nothing passed on yet. `topicIdOf`: the brokers' id of a topic as it is now; asked for with each batch, so it has to be cheap. */
export function createRepeats(topicIdOf: (topic: string) => Promise<string>): Repeats {
  const done = new Map<string, Passed>();
  const ids = new Map<string, string>();
  return {
    async without(batch) {
      const isSuspect = batch.some(({ topic, partition, offset }) => offset <= (done.get(`${topic}/${partition}`)?.offset ?? -1n));
      for (const topic of new Set(batch.map((record) => record.topic)))
        if (isSuspect || !ids.has(topic)) ids.set(topic, await topicIdOf(topic));
      if (!isSuspect) return batch;
      return batch.filter(({ topic, partition, offset }) => {
        const last = done.get(`${topic}/${partition}`);
        return last === undefined || last.topicId !== ids.get(topic) || offset > last.offset;
      });
    },
    passed(batch) {
      for (const { topic, partition, offset } of batch) done.set(`${topic}/${partition}`, { topicId: ids.get(topic) ?? '', offset });
    },
  };
}
