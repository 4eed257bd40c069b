import type { Consumer } from '@platformatic/kafka';
import { once } from 'node:events';
import { SharedAnewError } from './kafka-clients.ts';
import { type Offset, stillOurs } from './offsets.ts';

/** Milliseconds within which partitions are shared out: longer than the members take to hear of it and to join. */
const SHARE_MS = 10_000;

/** A member of the group. */
export interface Member {
  readonly consumer: Consumer;
  /** How often partitions were shared out to it. */
  shares: number;
}

/**
 * Commits offsets of what was read in a share. Refused because partitions are being shared out anew, it waits for that. Where they were shared
 * out anew, only those that stayed ours are committed, and never back. Rejects with what the brokers say.
 */
export async function commitOffsets(member: Member, share: number, offsets: readonly Offset[]): Promise<void> {
  for (;;) {
    const { shares } = member;
    try {
      return await commit(member, share, offsets);
    } catch (error) {
      if (!(error instanceof SharedAnewError)) throw error;
      if (member.shares === shares && !(await isSharedOut(member.consumer))) throw error;
    }
  }
}

async function commit({ consumer, shares }: Member, share: number, offsets: readonly Offset[]): Promise<void> {
  let ours = offsets;
  if (shares !== share) {
    const assignments = consumer.assignments ?? [];
    const committed = assignments.length === 0 ? new Map() : await consumer.listCommittedOffsets({ topics: assignments });
    ours = stillOurs(offsets, { assignments, committed });
  }
  if (ours.length > 0) await consumer.commit({ offsets: [...ours] });
}

async function isSharedOut(consumer: Consumer): Promise<boolean> {
  try {
    await once(consumer, 'consumer:group:join', { signal: AbortSignal.timeout(SHARE_MS) });
    return true;
  } catch {
    return false;
  }
}
