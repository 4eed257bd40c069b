import type { CallbackWithPromise, Consumer, GroupOptions, MessagesStream, MessageToProduce, Producer } from '@platformatic/kafka';
import type { Compression } from './compressions.ts';
import type { Connection } from './connection.ts';
import type { OutRecord, Routes } from './records.ts';
import type { Outlet } from './send-records.ts';

/** Milliseconds a fetch may wait at a broker for records. */
const FETCH_WAIT_MS = 500;
const FETCH_BYTES = 16 * 1024 * 1024;
const PARTITION_BYTES = 2 * 1024 * 1024;
/** Records that wait in memory before no more are fetched. */
const WAITING_RECORDS = 4096;
/** Milliseconds between signs of life; by their answers a member hears that partitions are shared out anew. */
const HEARTBEAT_MS = 500;
/** Milliseconds the members have to join again when partitions are shared out anew. */
const REBALANCE_MS = 60_000;

/** How the group reads and how records are written. */
export interface ClientOptions {
  readonly connection: Connection;
  readonly group: string;
  /** Where a group begins that has committed nothing yet. */
  readonly from: 'earliest' | 'latest';
  readonly compression: Compression;
  /** Milliseconds without a sign of life after which the others take a worker's partitions. */
  readonly sessionMs: number;
}

/** The library, loaded by those who stream. */
export type KafkaLibrary = typeof import('@platformatic/kafka');

/** A commit that was refused because the group shares its partitions out anew. */
export class SharedAnewError extends Error {
  override readonly name = 'SharedAnewError';
}

/**
 * A member of the group. It joins when it begins to read, and again when a heartbeat says that partitions are shared out anew. The library
 * joins a third time when a commit is refused because of that: whoever has joined already sends all others back to joining by it, whose
 * commits are refused in turn, and so on for many seconds. Here such a commit rejects with `SharedAnewError` instead.
 */
export function openConsumer(kafka: KafkaLibrary, { connection, group, sessionMs }: ClientOptions): Consumer {
  class GroupMember extends kafka.Consumer {
    override joinGroup(options: GroupOptions, callback: CallbackWithPromise<string>): void;
    override joinGroup(options?: GroupOptions): Promise<string>;
    override joinGroup(options: GroupOptions = {}, callback?: CallbackWithPromise<string>): void | Promise<string> {
      if (callback === undefined) return super.joinGroup(options);
      // Who begins to read names topics; a commit asks for nothing. Whom the group does not know any longer has to join.
      if ('topics' in options || this.memberId === null) super.joinGroup(options, callback);
      else callback(new SharedAnewError('the group shares its partitions out again'), '');
    }
  }
  return new GroupMember({
    ...connection,
    groupId: group,
    autocommit: false,
    sessionTimeout: sessionMs,
    heartbeatInterval: Math.min(HEARTBEAT_MS, Math.floor(sessionMs / 4)),
    rebalanceTimeout: Math.max(sessionMs, REBALANCE_MS),
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: PARTITION_BYTES,
    maxWaitTime: FETCH_WAIT_MS,
    highWaterMark: WAITING_RECORDS,
  });
}

/** Records from where the group has committed. */
export async function openRecords(
  consumer: Consumer,
  topics: readonly string[],
  from: 'earliest' | 'latest',
): Promise<MessagesStream<Buffer, Buffer, Buffer, Buffer>> {
  return await consumer.consume({ topics: [...topics], mode: 'committed', fallbackMode: from });
}

/** A producer that waits for all replicas, and whose own repetitions the brokers drop. */
export function openProducer(kafka: KafkaLibrary, { connection, compression }: ClientOptions): Producer {
  return new kafka.Producer({ ...connection, acks: kafka.ProduceAcks.ALL, idempotent: true, compression, autocreateTopics: false });
}

/** The producer as `sendRecords` sees it. */
export function outletOf(kafka: KafkaLibrary, producer: Producer): Outlet {
  return {
    async send(records) {
      await producer.send({ messages: records.map(toMessage) });
    },
    isTooLarge: (error) =>
      error instanceof Error && ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].some((id) => kafka.findErrorBy(error, 'apiId', id) !== null),
  };
}

/** The library takes a record without key or value, though its types do not say so for all of them. */
function toMessage({ topic, partition, timestamp, key, value, headers }: OutRecord): MessageToProduce {
  return {
    topic,
    partition,
    timestamp,
    headers: headers as Map<Buffer, Buffer>,
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
  };
}

/** Topics as the brokers have them. Throws one sentence for what is not there, or has too few partitions for records to keep theirs. */
export async function checkTopics(kafka: KafkaLibrary, consumer: Consumer, topics: readonly string[], routes: Routes): Promise<void> {
  if (routes.deadLetters !== null) await partitionsOf(kafka, consumer, routes.deadLetters);
  for (const topic of topics) {
    const out = routes.outTopicOf(topic);
    const [read, written] = [await partitionsOf(kafka, consumer, topic), await partitionsOf(kafka, consumer, out)];
    if (written < read)
      throw new TopicError(
        `topic ${out} has ${written} partitions and ${topic} has ${read}: records keep their partition, so give it at least as many`,
      );
  }
}

/** A topic that cannot be used. */
export class TopicError extends Error {
  override readonly name = 'TopicError';
}

async function partitionsOf(kafka: KafkaLibrary, consumer: Consumer, topic: string): Promise<number> {
  try {
    const { topics } = await consumer.metadata({ topics: [topic] });
    return topics.get(topic)?.partitionsCount ?? 0;
  } catch (error) {
    const seen = error as Error;
    // The library's own word when the brokers name no such topic.
    const isUnknown = seen.message.startsWith('Unknown topic') || kafka.findErrorBy(seen, 'apiId', 'UNKNOWN_TOPIC_OR_PARTITION') !== null;
    if (isUnknown) throw new TopicError(`there is no topic ${topic}: create it first, it is not made by itself`, { cause: error });
    if (kafka.findErrorBy(seen, 'apiId', 'TOPIC_AUTHORIZATION_FAILED') !== null)
      throw new TopicError(`topic ${topic} may not be used by this user: allow it in the brokers' ACLs`, { cause: error });
    throw error;
  }
}
