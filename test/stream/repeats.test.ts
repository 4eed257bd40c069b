import { describe, expect, it } from 'vitest';
import type { InRecord } from '../../src/stream/records.ts';
import { createRepeats } from '../../src/stream/repeats.ts';

const records = (partition: number, ...offsets: number[]): InRecord[] =>
  offsets.map((offset) => ({
    topic: 'in',
    partition,
    offset: BigInt(offset),
    leaderEpoch: 0,
    timestamp: 0n,
    key: undefined,
    value: undefined,
    headers: new Map(),
  }));
const offsetsOf = (batch: readonly InRecord[]) => batch.map(({ partition, offset }) => `${partition}:${offset}`);

describe('createRepeats', () => {
  it('leaves out what was passed on before, and nothing else', async () => {
    const repeats = createRepeats(() => Promise.resolve('a'));
    const first = [...records(0, 0, 1, 2), ...records(1, 0)];
    expect(await repeats.without(first)).toEqual(first);
    repeats.passed(first);
    expect(offsetsOf(await repeats.without([...records(0, 1, 2, 3), ...records(1, 1), ...records(2, 0)]))).toEqual(['0:3', '1:1', '2:0']);
  });

  it('takes the records of a topic that was made anew under its name', async () => {
    let id = 'a';
    const repeats = createRepeats(() => Promise.resolve(id));
    const first = records(0, 0, 1, 2);
    await repeats.without(first);
    repeats.passed(first);
    id = 'b';
    expect(offsetsOf(await repeats.without(records(0, 0, 1)))).toEqual(['0:0', '0:1']);
  });

  it('does not count what was not acknowledged', async () => {
    const repeats = createRepeats(() => Promise.resolve('a'));
    await repeats.without(records(0, 0, 1));
    expect(offsetsOf(await repeats.without(records(0, 0, 1)))).toEqual(['0:0', '0:1']);
  });

  it('does not fall back behind what was passed on when it is read again in smaller portions', async () => {
    const repeats = createRepeats(() => Promise.resolve('a'));
    const first = records(0, 0, 1, 2, 3);
    await repeats.without(first);
    repeats.passed(first);
    const again = records(0, 0, 1);
    expect(await repeats.without(again)).toEqual([]);
    repeats.passed(again);
    expect(offsetsOf(await repeats.without(records(0, 2, 3, 4)))).toEqual(['0:4']);
    expect(repeats.uncommitted()).toMatchObject([{ partition: 0, offset: 4n }]);
  });

  it('keeps what is not committed for the next membership, and forgets the rest', async () => {
    const repeats = createRepeats(() => Promise.resolve('a'));
    const first = [...records(0, 0, 1), ...records(1, 0, 1)];
    await repeats.without(first);
    repeats.passed(first);
    repeats.settled([{ topic: 'in', partition: 0, offset: 2n, leaderEpoch: 0 }]);
    expect(repeats.uncommitted()).toMatchObject([{ partition: 1, offset: 2n }]);
    await repeats.joined();
    expect(offsetsOf(await repeats.without([...records(0, 1), ...records(1, 1, 2)]))).toEqual(['0:1', '1:2']);
  });

  it('is not settled by the commit of an earlier offset', async () => {
    const repeats = createRepeats(() => Promise.resolve('a'));
    await repeats.without(records(0, 0, 1));
    repeats.passed(records(0, 0, 1));
    repeats.settled([{ topic: 'in', partition: 0, offset: 1n, leaderEpoch: 0 }]);
    expect(repeats.uncommitted()).toMatchObject([{ partition: 0, offset: 2n }]);
  });

  it('commits nothing in a topic that was made anew before the next membership', async () => {
    let id = 'a';
    const repeats = createRepeats(() => Promise.resolve(id));
    await repeats.without(records(0, 0, 1));
    repeats.passed(records(0, 0, 1));
    id = 'b';
    await repeats.joined();
    expect(repeats.uncommitted()).toEqual([]);
    expect(offsetsOf(await repeats.without(records(0, 0, 1)))).toEqual(['0:0', '0:1']);
  });
});
