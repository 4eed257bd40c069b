import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, Consumer, type Message, type MessageToProduce, Producer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KAFKA, LOGIN, findKafkaAbsence, type RunningKafka, startKafka } from '../support/kafka-broker.ts';
import { type StandInApi, startStandIn } from '../support/stand-in-api.ts';
import { startWorker } from '../support/stream-worker.ts';

const kafkaAbsence = findKafkaAbsence();
/** Workers that are ended in the middle: how a group changes then depends on the machine, so that these two run on demand, by `ISMALICIOUS_KILLS=1`. */
const itAtLength: typeof it | (() => void) = process.env['ISMALICIOUS_KILLS'] === undefined ? () => undefined : it;
const MINUTES = 60_000;
/** A broker that has just started, or that starts again, may take its time on a busy machine. */
const PATIENCE = { timeout: 60_000, requestTimeout: 60_000, retries: 20 };
const WRITTEN = 'ismalicious_stream_records_total{outcome="enriched"}';

/** A record as it is seen in a topic; texts in latin1, so that every byte is one character. */
interface Seen {
  readonly partition: number;
  readonly timestamp: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

describe.skipIf(kafkaAbsence !== null)(`stream, on Kafka ${KAFKA}`, () => {
  let kafka: RunningKafka;
  let api: StandInApi;
  let admin: Admin;
  let producer: Producer;
  const folders: string[] = [];

  beforeAll(async () => {
    kafka = await startKafka();
    api = await startStandIn();
    api.bulkCap = 100;
    const client = { clientId: 'test', bootstrapBrokers: [kafka.brokers], ...PATIENCE };
    admin = new Admin(client);
    producer = new Producer({ ...client, acks: -1 });
  }, 5 * MINUTES);

  afterAll(async () => {
    await admin?.close();
    await producer?.close();
    await api?.[Symbol.asyncDispose]();
    await kafka?.[Symbol.asyncDispose]();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  function envOf(): Record<string, string> {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-stream-'));
    folders.push(folder);
    return { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_X_API_KEY: 'test-key', ISMALICIOUS_BASE_URL: api.url };
  }

  async function createTopics(partitions: number, ...topics: string[]): Promise<void> {
    await admin.createTopics({ topics, partitions, replicas: 1 });
  }

  async function produce(messages: MessageToProduce[]): Promise<void> {
    for (let n = 0; n < messages.length; n += 500) await producer.send({ messages: messages.slice(n, n + 500) });
  }

  /** The first `count` different records of a topic, in the order of each partition; `countsRepeats`: those that came twice count twice. */
  async function read(topic: string, count: number, countsRepeats = false): Promise<Seen[]> {
    const consumer = new Consumer({
      clientId: 'reader',
      groupId: `reader-${topic}-${count}`,
      bootstrapBrokers: [kafka.brokers],
      ...PATIENCE,
    });
    const records = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 200 });
    const seen = new Map<string, Seen>();
    let all = 0;
    for await (const record of records) {
      const one = seenOf(record);
      const place = `${one.partition} ${one.timestamp} ${one.key}`;
      // What was in flight when a group changed may come twice.
      if (!seen.has(place)) seen.set(place, one);
      all += 1;
      if ((countsRepeats ? all : seen.size) >= count) break;
    }
    await consumer.close(true);
    return [...seen.values()];
  }

  /** How many records were ever written to a topic. */
  async function countOf(topic: string): Promise<number> {
    const consumer = new Consumer({ clientId: 'counter', groupId: `counter-${topic}`, bootstrapBrokers: [kafka.brokers], ...PATIENCE });
    const offsets = await consumer.listOffsets({ topics: [topic], timestamp: -1n });
    await consumer.close(true);
    return (offsets.get(topic) ?? []).reduce((sum, offset) => sum + Number(offset), 0);
  }

  const eventOf = (n: number, unique: number) =>
    `{"id":${n},  "source": {"ip":"52.${n % 2}.${(n % unique) >> 8}.${(n % unique) & 255}"},"n":1.50e1}`;
  const events = (
    topic: string,
    { count, partitions, unique }: { count: number; partitions: number; unique: number },
  ): MessageToProduce[] =>
    Array.from({ length: count }, (_, n) => ({
      topic,
      partition: n % partitions,
      key: Buffer.from(`k${n}`),
      value: Buffer.from(eventOf(n, unique)),
    }));

  it(
    'keeps key, headers, time, partition and every byte that is not ours, and puts aside what is no event',
    async () => {
      await createTopics(3, 'kept', 'kept.enriched');
      await createTopics(1, 'refused');
      const at = 1_700_000_000_000n;
      const known = Buffer.from('{ "source" : {"ip": "52.10.20.30"} ,\t"n":1.0e5, "big":12345678901234567890, "s":"\\u00e9\u00e9" }');
      const other = Buffer.from('{"message" :"nothing to look up",  "x":[ ]}');
      const twice = new Map([
        [Buffer.from('trace'), Buffer.from('a')],
        [Buffer.from('trace'), Buffer.from([0, 255])],
      ]);
      await produce([
        { topic: 'kept', partition: 2, timestamp: at, key: Buffer.from([0, 1, 255]), value: known, headers: twice },
        { topic: 'kept', partition: 1, timestamp: at + 1n, value: other },
        { topic: 'kept', partition: 1, timestamp: at + 2n, key: Buffer.alloc(0), value: Buffer.from('no event at all') },
        { topic: 'kept', partition: 1, timestamp: at + 3n, key: Buffer.from('gone') },
        { topic: 'kept', partition: 0, timestamp: at + 4n, value: Buffer.from(`${'['.repeat(500)}`) },
      ]);
      const args = ['--brokers', kafka.brokers, '--in', 'kept', '--out-suffix', '.enriched', '--dlq', 'refused', '--group', 'kept'];
      const worker = await startWorker(args, envOf());
      const refused = await read('refused', 2);
      const [first, second, tombstone] = (await read('kept.enriched', 3)).toSorted((a, b) => Number(a.timestamp - b.timestamp));
      worker.child.kill('SIGTERM');
      expect(await worker.ended).toMatchObject({ code: 0 });

      expect(first).toMatchObject({ partition: 2, timestamp: at, key: '\u0000\u0001\u00ff' });
      expect(first?.headers).toEqual([
        ['trace', 'a'],
        ['trace', '\u0000\u00ff'],
      ]);
      const text = Buffer.from(first?.value ?? '', 'latin1').toString();
      for (const member of ['{ "source" : {"ip": "52.10.20.30"}', '"n":1.0e5', '"big":12345678901234567890', '"s":"\\u00e9\u00e9"'])
        expect(text).toContain(member);
      expect(JSON.parse(text)).toMatchObject({ threat: { enrichments: [{ matched: { field: 'source.ip' } }] } });
      expect(second).toEqual({ partition: 1, timestamp: at + 1n, key: null, value: other.toString('latin1'), headers: [] });
      expect(tombstone).toEqual({ partition: 1, timestamp: at + 3n, key: 'gone', value: null, headers: [] });

      const byTime = refused.toSorted((a, b) => Number(a.timestamp - b.timestamp));
      expect(byTime.map(({ key, value }) => [key, value?.slice(0, 15)])).toEqual([
        ['', 'no event at all'],
        [null, '['.repeat(15)],
      ]);
      expect(Object.fromEntries(byTime[0]?.headers ?? [])).toMatchObject({
        'ismalicious.reason': expect.stringContaining('no JSON from byte 0'),
        'ismalicious.topic': 'kept',
        'ismalicious.partition': '1',
        'ismalicious.offset': '1',
      });
    },
    3 * MINUTES,
  );

  itAtLength(
    'loses nothing and repeats only the batch in flight when a worker is killed, and pays for each value once',
    async () => {
      const [count, partitions, unique, batch] = [12_000, 4, 400, 500];
      await createTopics(partitions, 'burst', 'burst.enriched');
      await produce(events('burst', { count, partitions, unique }));
      const before = api.asked().length;
      const args = [
        '--brokers',
        kafka.brokers,
        '--in',
        'burst',
        '--out',
        'burst.enriched',
        '--group',
        'burst',
        '--batch',
        String(batch),
        '--session',
        '6',
      ];
      const env = envOf();
      const [killed, other] = await Promise.all([startWorker(args, env), startWorker(args, env)]);
      await killed.until(WRITTEN, 1);
      killed.child.kill('SIGKILL');
      expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });
      // The rest comes when the group misses it.
      const seen = new Set<string>();
      let written = 0;
      while (seen.size < count) {
        written = await countOf('burst.enriched');
        if (written < count) continue;
        for (const { key } of await read('burst.enriched', written, true)) seen.add(key ?? '');
      }
      const figures = await other.figures();
      const sharedOut =
        (figures.get('ismalicious_stream_rebalances_total') ?? 0) + (figures.get('ismalicious_stream_reconnects_total') ?? 0);
      other.child.kill('SIGTERM');
      expect(await other.ended).toMatchObject({ code: 0 });
      written = await countOf('burst.enriched');
      expect(seen.size).toBe(count);
      // The batches in flight of both workers, and again for every time that a new member or a busy machine had the group
      // share out its partitions anew.
      expect(written - count).toBeLessThanOrEqual(2 * (1 + sharedOut) * batch);
      const asked = api.asked().slice(before);
      expect(asked.length).toBe(new Set(asked).size);
    },
    5 * MINUTES,
  );

  itAtLength(
    'finishes its batch and commits it when it is told to stop, and goes on from there without repeating a record',
    async () => {
      const count = 6000;
      await createTopics(2, 'stopped', 'stopped.enriched');
      await produce(events('stopped', { count, partitions: 2, unique: 50 }));
      const args = ['--brokers', kafka.brokers, '--in', 'stopped', '--out', 'stopped.enriched', '--group', 'stopped', '--batch', '100'];
      const env = envOf();
      const first = await startWorker(args, env);
      await first.until(WRITTEN, 100);
      first.child.kill('SIGTERM');
      expect(await first.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/\d+ records written/) });
      const done = await countOf('stopped.enriched');
      const second = await startWorker(args, env);
      await second.until(WRITTEN, count - done);
      second.child.kill('SIGTERM');
      await second.ended;
      expect(await countOf('stopped.enriched')).toBe(count);
    },
    4 * MINUTES,
  );

  it(
    'goes on when the broker is restarted',
    async () => {
      const count = 4000;
      await createTopics(2, 'restarted', 'restarted.enriched');
      await produce(events('restarted', { count: count / 2, partitions: 2, unique: 50 }));
      const args = [
        '--brokers',
        kafka.brokers,
        '--in',
        'restarted',
        '--out',
        'restarted.enriched',
        '--group',
        'restarted',
        '--batch',
        '200',
        '--session',
        '6',
      ];
      const worker = await startWorker(args, envOf());
      await worker.until(WRITTEN, 200);
      await kafka.restart();
      await produce(events('restarted', { count: count / 2, partitions: 2, unique: 50 }));
      await worker.until(WRITTEN, count);
      worker.child.kill('SIGTERM');
      expect(await worker.ended).toMatchObject({ code: 0 });
      expect(await countOf('restarted.enriched')).toBeGreaterThanOrEqual(count);
    },
    5 * MINUTES,
  );

  it(
    'logs in with SCRAM, and says which topic is missing; a wrong password is not shown',
    async () => {
      const login = { ISMALICIOUS_KAFKA_SASL: 'scram-sha-512', ISMALICIOUS_KAFKA_USER: LOGIN.user };
      const args = ['--brokers', kafka.loginBrokers, '--in', 'not-there', '--out', 'refused', '--group', 'login'];
      const right = await startWorker(args, { ...envOf(), ...login, ISMALICIOUS_KAFKA_PASSWORD: LOGIN.password });
      expect(await right.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no topic not-there: create it first') });
      const wrong = await startWorker(args, { ...envOf(), ...login, ISMALICIOUS_KAFKA_PASSWORD: 'wrong-4712' });
      const { code, stderr } = await wrong.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/authentication/i);
      expect(stderr).not.toContain('wrong-4712');
    },
    3 * MINUTES,
  );
});

function seenOf({ partition, timestamp, key, value, headerEntries }: Message): Seen {
  const text = (bytes: Buffer | undefined) => bytes?.toString('latin1') ?? null;
  return {
    partition,
    timestamp,
    key: text(key),
    value: text(value),
    headers: headerEntries.map(([name, content]) => [text(name) ?? '', text(content)] as const),
  };
}
