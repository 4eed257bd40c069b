// A worker that reads a topic and writes the same bytes to another one: same client, batches and guarantees as `ismalicious stream`. Prints
// how many records it has written after each batch.
import { Consumer, type Message, ProduceAcks, Producer } from '@platformatic/kafka';

const BATCH = 2000;
const MIB = 1024 * 1024;
/** Of values sent together: a broker takes no more than 1 MiB for one partition unless it is set otherwise. */
const PORTION_BYTES = 900_000;

const [brokers = '', from = '', to = '', group = ''] = process.argv.slice(2);
const client = { clientId: 'copier', bootstrapBrokers: [brokers] };
const consumer = new Consumer({
  ...client,
  groupId: group,
  autocommit: false,
  maxBytes: 16 * MIB,
  maxBytesPerPartition: 2 * MIB,
  maxWaitTime: 500,
  highWaterMark: 4096,
});
const producer = new Producer({ ...client, acks: ProduceAcks.ALL, idempotent: true });
const records = await consumer.consume({ topics: [from], mode: 'committed', fallbackMode: 'earliest' });
let written = 0;
let batch: Message[] = [];
for await (const record of records) {
  batch.push(record);
  if (batch.length < BATCH && records.readableLength > 0) continue;
  await pass(batch);
  batch = [];
}

async function pass(read: readonly Message[]): Promise<void> {
  for (const portion of portionsOf(read))
    await producer.send({
      messages: portion.map(({ partition, timestamp, key, value, headers }) => ({ topic: to, partition, timestamp, key, value, headers })),
    });
  const behind = new Map(
    read.map(({ partition, offset, leaderEpoch }) => [partition, { topic: from, partition, offset: offset + 1n, leaderEpoch }]),
  );
  await consumer.commit({ offsets: [...behind.values()] });
  written += read.length;
  process.stdout.write(`${written}\n`);
}

function portionsOf(read: readonly Message[]): Message[][] {
  const portions: Message[][] = [[]];
  let bytes = 0;
  for (const record of read) {
    bytes += record.value.length;
    if (bytes > PORTION_BYTES) {
      portions.push([]);
      bytes = record.value.length;
    }
    portions.at(-1)?.push(record);
  }
  return portions;
}
