import { EventEmitter } from 'node:events';
import type { Consumer } from '@platformatic/kafka';
import { describe, expect, it, vi } from 'vitest';
import { commitOffsets, type Member } from '../../src/stream/commit-offsets.ts';
import { type ClientOptions, type KafkaLibrary, openConsumer, SharedAnewError } from '../../src/stream/kafka-clients.ts';
import type { Offset } from '../../src/stream/offsets.ts';

const offsets: Offset[] = [0, 1].map((partition) => ({ topic: 'in', partition, offset: 10n, leaderEpoch: 0 }));

/** A consumer whose commits end as `outcomes` say, in turn. */
class FakeConsumer extends EventEmitter {
  assignments = [{ topic: 'in', partitions: [0, 1] }];
  readonly commits: number[][] = [];
  readonly #outcomes: (Error | null)[];

  constructor(...outcomes: (Error | null)[]) {
    super();
    this.#outcomes = outcomes;
  }

  async commit(commit: { offsets: Offset[] }): Promise<void> {
    this.commits.push(commit.offsets.map(({ partition }) => partition));
    const outcome = this.#outcomes.shift() ?? null;
    if (outcome !== null) throw outcome;
    await Promise.resolve();
  }

  async listCommittedOffsets(): Promise<Map<string, bigint[]>> {
    return await Promise.resolve(new Map([['in', [5n, 5n]]]));
  }
}

function memberOf(consumer: FakeConsumer): Member {
  const member = { consumer: consumer as unknown as Consumer, shares: 1 };
  consumer.on('consumer:group:join', () => void member.shares++);
  return member;
}

describe('commitOffsets', () => {
  it('waits until partitions are shared out, and commits those that stayed', async () => {
    const consumer = new FakeConsumer(new SharedAnewError('shared anew'));
    const done = commitOffsets(memberOf(consumer), 1, offsets);
    await vi.waitFor(() => expect(consumer.listenerCount('consumer:group:join')).toBe(2));
    expect(consumer.commits).toEqual([[0, 1]]);
    consumer.assignments = [{ topic: 'in', partitions: [1] }];
    consumer.emit('consumer:group:join');
    await done;
    expect(consumer.commits).toEqual([[0, 1], [1]]);
  });

  it('does not wait for a sharing out that is over by the time the refusal comes', async () => {
    const consumer = new FakeConsumer();
    const refused = vi.spyOn(consumer, 'commit').mockImplementationOnce(async () => {
      consumer.emit('consumer:group:join');
      return await Promise.reject(new SharedAnewError('shared anew'));
    });
    await commitOffsets(memberOf(consumer), 1, offsets);
    expect(refused).toHaveBeenCalledTimes(2);
  });

  it('passes on what else the brokers say', async () => {
    await expect(commitOffsets(memberOf(new FakeConsumer(new Error('away'))), 1, offsets)).rejects.toThrow('away');
  });
});

describe('openConsumer', () => {
  /** The library's way of joining, as far as it goes: who asked for it. */
  const joined: unknown[] = [];
  class FakeLibraryConsumer {
    memberId: string | null = 'member';
    joinGroup(options: object, callback: (error: Error | null, memberId: string) => void): void {
      joined.push(options);
      callback(null, 'member');
    }
  }
  const open = (memberId: string | null) => {
    const consumer = openConsumer({ Consumer: FakeLibraryConsumer } as unknown as KafkaLibrary, { connection: {} } as ClientOptions);
    Object.assign(consumer, { memberId });
    joined.length = 0;
    return consumer;
  };
  const join = async (consumer: Consumer, options: object) =>
    await new Promise((resolve) => void consumer.joinGroup(options as never, (error, id) => resolve(error ?? id)));

  it('lets no refused commit join a group in which the member is', async () => {
    expect(await join(open('member'), {})).toBeInstanceOf(SharedAnewError);
    expect(joined).toEqual([]);
  });

  it.each([
    ['begins to read', 'member', { topics: ['in'] }],
    ['is no longer known to the group', null, {}],
  ])('lets a member join that %s', async (_what, memberId, options) => {
    expect(await join(open(memberId), options)).toBe('member');
    expect(joined).toEqual([options]);
  });
});
