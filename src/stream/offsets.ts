import type { InRecord } from './records.ts';

/** Where reading goes on in a partition: the first record that is not done. */
export interface Offset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly leaderEpoch: number;
}

/** Where reading goes on behind a batch, by partition. */
export function offsetsBehind(batch: readonly InRecord[]): Offset[] {
  const last = new Map<string, Offset>();
  for (const { topic, partition, offset, leaderEpoch } of batch)
    last.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1n, leaderEpoch });
  return [...last.values()];
}

/** What a member of a group has after partitions were shared out anew. */
export interface Share {
  readonly assignments: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
  /** What is committed of them, by topic and partition; negative: nothing. */
  readonly committed: ReadonlyMap<string, readonly bigint[]>;
}

/** Those offsets that may still be committed: of partitions that stayed ours, and in which nobody has come further. */
export function stillOurs(offsets: readonly Offset[], { assignments, committed }: Share): Offset[] {
  return offsets.filter(({ topic, partition, offset }) => {
    const isOurs = assignments.some((each) => each.topic === topic && each.partitions.includes(partition));
    return isOurs && (committed.get(topic)?.[partition] ?? -1n) < offset;
  });
}
