import { describe, expect, it } from 'vitest';
import { type Offset, stillOurs } from '../../src/stream/offsets.ts';

const at = (partition: number, offset: bigint): Offset => ({ topic: 'in', partition, offset, leaderEpoch: 0 });

describe('stillOurs', () => {
  it.each<[string, number[], bigint, boolean]>([
    ['of a partition that stayed', [0, 1], 5n, true],
    ['of one in which nothing was committed yet', [0, 1], -1n, true],
    ['of a partition that went to another worker', [1], 5n, false],
    ['in which another worker has come further meanwhile', [0, 1], 20n, false],
    ['in which another worker has come as far', [0, 1], 10n, false],
  ])('an offset %s: partitions %j, %i committed, may be committed: %j', (_what, partitions, committed, may) => {
    const share = { assignments: [{ topic: 'in', partitions }], committed: new Map([['in', [committed, -1n]]]) };
    expect(stillOurs([at(0, 10n)], share)).toEqual(may ? [at(0, 10n)] : []);
  });
});
