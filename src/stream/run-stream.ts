import type { Consumer, Producer } from '@platformatic/kafka';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { commitOffsets, type Member } from './commit-offsets.ts';
import type { EnrichRecords } from './enrich-records.ts';
import { faultWords } from './fault-words.ts';
import { checkTopics, type ClientOptions, type KafkaLibrary, openConsumer, openProducer, openRecords, outletOf } from './kafka-clients.ts';
import { type InRecord, type OutRecord, type Routes, toOutRecord } from './records.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import { type Outlet, RecordTooLargeError, sendRecords } from './send-records.ts';
import type { StreamMetrics } from './stream-metrics.ts';
import { type BatchBounds, createBatchReader } from './take-batch.ts';

const LAG_EVERY_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** How often a commit is tried before the group is joined anew; a run that is to stop tries as long as it may. */
const COMMIT_TRIES = 4;
/** No sharing out of partitions has this number. */
const NO_SHARE = -1;

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

/** What a run works with: the library, the producer and what it has done for all of it. */
interface Running {
  readonly run: StreamRun;
  readonly kafka: KafkaLibrary;
  readonly producer: Producer;
  readonly repeats: Repeats;
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
  const topicIdOf = async (topic: string) => (await consumer.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.id ?? '';
  const repeats = createRepeats(topicIdOf);
  const isDone = () => run.stop.aborted && repeats.uncommitted().length === 0;
  const onStop = () => run.log('stopping: the batch in flight is written and committed first');
  run.stop.addEventListener('abort', onStop);
  try {
    await checkTopics(kafka, consumer, run.topics, run.routes);
    for (let failures = 0; !isDone();) {
      const before = run.metrics.total();
      try {
        await readAsMember({ run, kafka, producer, repeats }, consumer);
      } catch (error) {
        if (error instanceof RecordTooLargeError || run.abandon.aborted) throw error;
        failures = run.metrics.total() > before ? 1 : failures + 1;
        await waitAfter(run, failures, `the group was left: ${faultWords(error)}`);
        if (isDone()) break;
        run.abandon.throwIfAborted();
        run.metrics.add('reconnects');
        await closeQuietly(consumer, run);
        consumer = openConsumer(kafka, run);
      }
    }
  } catch (error) {
    if (!run.abandon.aborted) throw error;
    run.log('stopped before the last batch was written and committed: it is read again by the next run');
  } finally {
    run.stop.removeEventListener('abort', onStop);
    await closeQuietly(consumer, run);
    await closeQuietly(producer, run);
  }
}

/** Reads as a member of the group until it is stopped. Each sharing out of partitions begins a new stream of records. */
async function readAsMember(running: Running, consumer: Consumer): Promise<void> {
  const { run, repeats } = running;
  const member: Member = { consumer, shares: 0 };
  await repeats.joined();
  // Told by the calls themselves; without a listener it would end the process.
  consumer.on('error', () => undefined);
  consumer.on('consumer:group:join', () => void member.shares++);
  consumer.on('consumer:lag', (lag) => run.metrics.setLag(lag));
  consumer.startLagMonitoring({ topics: [...run.topics] }, LAG_EVERY_MS);
  do await readShare(running, member);
  while (!run.stop.aborted);
}

/**
 * Reads until partitions are shared out anew. While a batch is written and committed, the next one is enriched already; it is written once the
 * one before is committed, so that never more than one is written and not committed. What is left uncommitted of an earlier share comes first.
 */
async function readShare(running: Running, member: Member): Promise<void> {
  const { run, repeats } = running;
  const { consumer } = member;
  const records = await openRecords(consumer, run.topics, run.from);
  const share = member.shares;
  const failures: unknown[] = [];
  const isOver = () => run.stop.aborted || member.shares !== share || failures.length > 0;
  const { take, wake } = createBatchReader(records, isOver);
  const passOn = async (read: readonly InRecord[], enriched: EnrichedBatch) => {
    if (enriched.records.length > 0) await writeBatch(running, enriched);
    repeats.passed(read);
    await commitPatiently(running, member, share);
  };
  let passing = Promise.resolve();
  run.stop.addEventListener('abort', wake);
  consumer.on('consumer:group:join', wake);
  run.ready(null);
  try {
    await commitPatiently(running, member, NO_SHARE);
    for (;;) {
      const read = await take(run.bounds);
      if (read === null) break;
      const enriched = await enrichBatch(run, await repeats.without(read));
      await passing;
      if (failures.length > 0) break;
      passing = passOn(read, enriched).catch((error: unknown) => {
        failures.push(error);
        wake();
      });
    }
    await passing;
    if (failures.length > 0) throw failures[0];
    if (!run.stop.aborted) run.metrics.add('rebalances');
  } finally {
    await passing;
    run.stop.removeEventListener('abort', wake);
    consumer.off('consumer:group:join', wake);
    records.destroy();
  }
}

/** A batch that is ready to be written. */
interface EnrichedBatch {
  readonly records: readonly OutRecord[];
  /** How many of them are no events. */
  readonly faults: number;
  readonly bytesIn: number;
  readonly startMs: number;
}

async function enrichBatch(run: StreamRun, batch: readonly InRecord[]): Promise<EnrichedBatch> {
  const startMs = performance.now();
  const values = await run.enrich(
    batch.map(({ value }) => value),
    run.abandon,
  );
  let faults = 0;
  let bytesIn = 0;
  const records = batch.map((record, n) => {
    const enriched = values[n] ?? { value: record.value, fault: null };
    if (enriched.fault !== null) faults++;
    bytesIn += record.value?.length ?? 0;
    return toOutRecord(record, enriched, run.routes);
  });
  return { records, faults, bytesIn, startMs };
}

/** Writes a batch; it is acknowledged then. */
async function writeBatch(running: Running, { records, faults, bytesIn, startMs }: EnrichedBatch): Promise<void> {
  const { run } = running;
  const tooLarge = await sendRecords(patientOutlet(running), records);
  const apart = run.routes.deadLetters === null ? { passed: faults } : { dead_letter: faults };
  run.metrics.batch({
    records: { enriched: records.length - faults - tooLarge, ...apart, too_large: tooLarge },
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
          await waitAfter(run, failures, `records could not be written: ${faultWords(error)}`);
          run.abandon.throwIfAborted();
        }
      }
    },
  };
}

/**
 * Commits what was written and acknowledged, and tries again for a while: who leaves the group without it has it done again by others. A run
 * that is to stop tries until its batch is given up.
 */
async function commitPatiently(running: Running, member: Member, share: number): Promise<void> {
  const { run, repeats } = running;
  const offsets = repeats.uncommitted();
  if (offsets.length === 0) return;
  for (let failures = 1; ; failures++) {
    try {
      await unlessAborted(commitOffsets(member, share, offsets), run.abandon);
      repeats.settled(offsets);
      run.metrics.committed();
      if (failures > 1) run.ready(null);
      return;
    } catch (error) {
      if (run.abandon.aborted || (failures >= COMMIT_TRIES && !run.stop.aborted)) throw error;
      await waitAfter(run, failures, `what was written could not be committed: ${faultWords(error)}`);
      run.abandon.throwIfAborted();
    }
  }
}

/** The outcome, or a rejection as soon as `signal` aborts. */
async function unlessAborted<T>(outcome: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  try {
    const aborted = once(signal, 'abort', { signal: over.signal }).then(() => signal.throwIfAborted() as never);
    return await Promise.race([outcome, aborted]);
  } finally {
    over.abort();
  }
}

/** Says what went wrong, and waits longer each time; until the run is to stop, or to give up if it is to stop already. */
async function waitAfter({ log, ready, stop, abandon }: StreamRun, failures: number, words: string): Promise<void> {
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, failures - 1));
  log(`${words}; it is tried again in ${waitMs} ms`);
  ready(words);
  // An aborted wait is over, which is all that is asked of it.
  await delay(waitMs, undefined, { signal: stop.aborted ? abandon : stop }).catch(() => undefined);
}

/** Leaves the group, or closes the connections; that brokers are away by then changes nothing. */
async function closeQuietly(client: Consumer | Producer, run: StreamRun): Promise<void> {
  try {
    await client.close(true);
  } catch (error) {
    run.log(`a connection was closed by force: ${faultWords(error)}`);
  }
}
