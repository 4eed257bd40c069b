import { describe, expect, it } from 'vitest';
import type { InRecord, OutRecord } from '../../src/stream/records.ts';
import { type Outlet, sendRecords } from '../../src/stream/send-records.ts';

class TooLarge extends Error {}

/** Takes what is at most so large, a record and a portion alike; keeps what it took. */
function outletOf(mostRecordBytes: number): Outlet & { readonly taken: string[]; readonly portions: number[] } {
  const taken: string[] = [];
  const portions: number[] = [];
  return {
    taken,
    portions,
    isTooLarge: (error) => error instanceof TooLarge,
    send(records) {
      if (records.some(({ value }) => (value?.length ?? 0) > mostRecordBytes)) return Promise.reject(new TooLarge());
      portions.push(records.length);
      for (const { partition, from, value } of records) taken.push(`${partition}:${from.offset}:${value?.length ?? 0}`);
      return Promise.resolve();
    },
  };
}

function recordOf(partition: number, offset: number, sizes: { readonly read: number; readonly written: number }): OutRecord {
  const from: InRecord = {
    topic: 'in',
    partition,
    offset: BigInt(offset),
    leaderEpoch: 0,
    timestamp: 0n,
    key: undefined,
    value: Buffer.alloc(sizes.read),
    headers: new Map(),
  };
  return { topic: 'out', partition, timestamp: 0n, key: undefined, value: Buffer.alloc(sizes.written), headers: new Map(), from };
}

describe('sendRecords', () => {
  it('sends what brokers would refuse as one batch in several portions, each partition in its order', async () => {
    const outlet = outletOf(Infinity);
    const sizes = { read: 1, written: 300_000 };
    const records = [0, 1, 2, 3, 4].flatMap((offset) => [recordOf(0, offset, sizes), recordOf(1, offset, sizes)]);
    expect(await sendRecords(outlet, records)).toBe(0);
    expect(outlet.portions).toEqual([4, 4, 2]);
    for (const partition of [0, 1]) {
      const offsets = outlet.taken.filter((record) => record.startsWith(`${partition}:`)).map((record) => Number(record.split(':')[1]));
      expect(offsets).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('does not let a small record overtake a large one of its partition', async () => {
    const outlet = outletOf(Infinity);
    const records = [700_000, 700_000, 10].map((written, offset) => recordOf(0, offset, { read: 1, written }));
    await sendRecords(outlet, records);
    expect(outlet.taken.map((record) => record.split(':')[1])).toEqual(['0', '1', '2']);
  });

  it('sends a record that has become too large as it was read, and the others as they are', async () => {
    const outlet = outletOf(1000);
    const records = [recordOf(0, 0, { read: 500, written: 600 }), recordOf(0, 1, { read: 900, written: 1100 })];
    expect(await sendRecords(outlet, records)).toBe(1);
    expect(outlet.taken).toEqual(['0:0:600', '0:1:900']);
  });

  it('names the record that was too large before, and what to do', async () => {
    const sent = sendRecords(outletOf(1000), [recordOf(3, 7, { read: 1001, written: 1100 })]);
    await expect(sent).rejects.toThrow('offset 7 of in, partition 3, is larger than out takes: raise max.message.bytes');
  });

  it('hands any other fault on, without sending more', async () => {
    const outlet = { ...outletOf(1), send: () => Promise.reject(new Error('away')) };
    await expect(sendRecords(outlet, [recordOf(0, 0, { read: 1, written: 1 })])).rejects.toThrow('away');
  });
});
