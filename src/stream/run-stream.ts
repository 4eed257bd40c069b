import type { Consumer, Producer } from '@platformatic/kafka';
import { setTimeout as delay } from 'node:timers/promises';
import type { EnrichRecords } from './enrich-records.ts';
import { faultWords } from './fault-words.ts';
import { checkTopics, type ClientOptions, type KafkaLibrary, openConsumer, openProducer, openRecords, outletOf } from './kafka-clients.ts';
import { type Offset, offsetsBehind, stillOurs } from './offsets.ts';
import { type InRecord, type Routes, toOutRecord } from './records.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import { type Outlet, RecordTooLargeError, sendRecords } from './send-records.ts';
import type { StreamMetrics } from './stream-metrics.ts';
import { type BatchBounds, createBatchReader } from './take-batch.ts';

const LAG_EVERY_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What a run reads, writes and counts. */
export interface StreamRun extends ClientOptions {
  readonly topics: readonly string[];
  readonly routes: Routes;
  readonly bounds: BatchBounds;
  readonly enrich: EnrichRecords;
  readonly metrics: StreamMetrics;
  /** Takes one line about what goes wrong although the run goes on. */
  readonly log: (line: string) => void;
  /** Aborted when no further batch is to be taken. */
  readonly stop: AbortSignal;
  /** Aborted when the batch in flight is to be left to the next run as well. */
  readonly abandon: AbortSignal;
  /** Told when records are read, and why they are not for now. */
  readonly ready: (fault: string | null) => void;
}

/** What a run works with: the library and the producer for all of it. */
interface Running {
  readonly run: StreamRun;
  readonly kafka: KafkaLibrary;
  readonly producer: Producer;
}

/**
 * Reads records until it is stopped: each batch is enriched, written, acknowledged, and only then committed, so that a worker that dies
 * leaves its batch in flight to the others. What fails on the way to the brokers is tried again for as long as it takes; a topic that is not
 * there, or brokers that cannot be reached at the start, end the run.
 */
export async function runStream(run: StreamRun): Promise<void> {
  const kafka = await import('@platformatic/kafka');
  const producer = openProducer(kafka, run);
  let consumer = openConsumer(kafka, run);
  try {
    await checkTopics(kafka, consumer, run.topics, run.routes);
    for (let failures = 0; !run.stop.aborted;) {
      const before = run.metrics.total();
      try {
        await readAsMember({ run, kafka, producer }, consumer);
      } catch (error) {
        if (error instanceof RecordTooLargeError || run.abandon.aborted) throw error;
        failures = run.metrics.total() > before ? 1 : failures + 1;
        await waitAfter(run, failures, { words: `the group was left: ${faultWords(error)}`, signal: run.stop });
        run.metrics.add('reconnects');
        await closeQuietly(consumer, run);
        consumer = openConsumer(kafka, run);
      }
    }
  } catch (error) {
    if (!run.abandon.aborted) throw error;
    run.log('stopped before the last batch was done: it is read again by the next run');
  } finally {
    await closeQuietly(consumer, run);
    await closeQuietly(producer, run);
  }
}

/** A member of the group, and what it has done so far. */
interface Member {
  readonly consumer: Consumer;
  readonly repeats: Repeats;
  /** How often partitions were shared out to it. */
  shares: number;
}

/** Reads as a member of the group until it is stopped. Each sharing out of partitions begins a new stream of records. */
async function readAsMember(running: Running, consumer: Consumer): Promise<void> {
  const { run } = running;
  const topicIdOf = async (topic: string) => (await consumer.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.id ?? '';
  const member: Member = { consumer, repeats: createRepeats(topicIdOf), shares: 0 };
  // Told by the calls themselves; without a listener it would end the process.
  consumer.on('error', () => undefined);
  consumer.on('consumer:group:join', () => void member.shares++);
  consumer.on('consumer:lag', (lag) => run.metrics.setLag(lag));
  consumer.startLagMonitoring({ topics: [...run.topics] }, LAG_EVERY_MS);
  while (!run.stop.aborted) await readShare(running, member);
}

/** Reads until partitions are shared out anew. */
async function readShare(running: Running, member: Member): Promise<void> {
  const { run } = running;
  const { consumer, repeats } = member;
  const records = await openRecords(consumer, run.topics, run.from);
  const share = member.shares;
  const isOver = () => run.stop.aborted || member.shares !== share;
  const { take, wake } = createBatchReader(records, isOver);
  run.stop.addEventListener('abort', wake);
  consumer.on('consumer:group:join', wake);
  run.ready(null);
  try {
    for (;;) {
      const read = await take(run.bounds);
      if (read === null) break;
      const batch = await repeats.without(read);
      if (batch.length > 0) await passBatch(running, batch);
      repeats.passed(read);
      await commit(member, share, offsetsBehind(read));
      run.metrics.committed();
    }
    if (!run.stop.aborted) run.metrics.add('rebalances');
  } finally {
    run.stop.removeEventListener('abort', wake);
    consumer.off('consumer:group:join', wake);
    records.destroy();
  }
}

/** Enriches one batch and writes it; it is acknowledged then. */
async function passBatch(running: Running, batch: readonly InRecord[]): Promise<void> {
  const { run } = running;
  const startMs = performance.now();
  const values = await run.enrich(
    batch.map(({ value }) => value),
    run.abandon,
  );
  let faults = 0;
  let bytesIn = 0;
  const out = batch.map((record, n) => {
    const enriched = values[n] ?? { value: record.value, fault: null };
    if (enriched.fault !== null) faults++;
    bytesIn += record.value?.length ?? 0;
    return toOutRecord(record, enriched, run.routes);
  });
  const tooLarge = await sendRecords(patientOutlet(running), out);
  const apart = run.routes.deadLetters === null ? { passed: faults } : { dead_letter: faults };
  run.metrics.batch({
    records: { enriched: batch.length - faults - tooLarge, ...apart, too_large: tooLarge },
    bytesIn,
    ms: performance.now() - startMs,
  });
}

/** The brokers as an outlet that is tried again and again while they do not take what is sent. */
function patientOutlet({ run, kafka, producer }: Running): Outlet {
  const outlet = outletOf(kafka, producer);
  return {
    isTooLarge: outlet.isTooLarge,
    async send(records) {
      for (let failures = 1; ; failures++) {
        try {
          await outlet.send(records);
          if (failures > 1) run.ready(null);
          return;
        } catch (error) {
          if (outlet.isTooLarge(error)) throw error;
          run.abandon.throwIfAborted();
          run.metrics.add('send_failures');
          await waitAfter(run, failures, { words: `records could not be written: ${faultWords(error)}`, signal: run.abandon });
          run.abandon.throwIfAborted();
        }
      }
    },
  };
}

/** Commits what was written. Where partitions were shared out anew meanwhile, only those that stayed ours, and never back. */
async function commit({ consumer, shares }: Member, share: number, offsets: readonly Offset[]): Promise<void> {
  let ours = offsets;
  if (shares !== share) {
    const assignments = consumer.assignments ?? [];
    const committed = assignments.length === 0 ? new Map() : await consumer.listCommittedOffsets({ topics: assignments });
    ours = stillOurs(offsets, { assignments, committed });
  }
  if (ours.length > 0) await consumer.commit({ offsets: [...ours] });
}

/** What went wrong, and what ends the wait before it is tried again. */
interface Setback {
  readonly words: string;
  readonly signal: AbortSignal;
}

/** Says what went wrong, and waits longer each time. */
async function waitAfter({ log, ready }: StreamRun, failures: number, { words, signal }: Setback): Promise<void> {
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, failures - 1));
  log(`${words}; it is tried again in ${waitMs} ms`);
  ready(words);
  // An aborted wait is over, which is all that is asked of it.
  await delay(waitMs, undefined, { signal }).catch(() => undefined);
}

/** Leaves the group, or closes the connections; that brokers are away by then changes nothing. */
async function closeQuietly(client: Consumer | Producer, run: StreamRun): Promise<void> {
  try {
    await client.close(true);
  } catch (error) {
    run.log(`a connection was closed by force: ${faultWords(error)}`);
  }
}
