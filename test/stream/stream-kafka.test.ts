import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, Consumer, type Message, type MessageToProduce, Producer } from '@platformatic/kafka';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { KAFKA, LOGIN, findKafkaAbsence, type RunningKafka, startKafka } from '../support/kafka-broker.ts';
import { REQUESTS, startKafkaRelay } from '../support/kafka-relay.ts';
import { healthy, type StandInApi, startStandIn } from '../support/stand-in-api.ts';
import { startWorker } from '../support/stream-worker.ts';

const kafkaAbsence = findKafkaAbsence();
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
    // A partition of a new topic may not be ready: what is sent again then must not stand in the others twice.
    producer = new Producer({ ...client, acks: -1, idempotent: true });
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

  /** The first `count` different records of a topic, in the order of each partition. */
  async function read(topic: string, count: number): Promise<Seen[]> {
    const consumer = new Consumer({
      clientId: 'reader',
      groupId: `reader-${topic}-${count}`,
      bootstrapBrokers: [kafka.brokers],
      ...PATIENCE,
    });
    const records = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 200 });
    const seen = new Map<string, Seen>();
    for await (const record of records) {
      const one = seenOf(record);
      const place = `${one.partition} ${one.timestamp} ${one.key}`;
      // What was in flight when a group changed may come twice.
      if (!seen.has(place)) seen.set(place, one);
      if (seen.size >= count) break;
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

  /** Arguments of a worker that reads a topic in a group of its name. */
  const argsOf = (topic: string, batch: number, brokers: string) => [
    '--brokers',
    brokers,
    '--in',
    topic,
    '--out',
    `${topic}.enriched`,
    '--group',
    topic,
    '--batch',
    String(batch),
  ];

  /** Waits until a group has so many members, and its partitions are shared out among them. */
  async function untilShared(group: string, members: number): Promise<void> {
    for (;;) {
      const seen = (await admin.describeGroups({ groups: [group] })).get(group);
      if (seen?.state.toUpperCase() === 'STABLE' && seen.members.size === members) return;
      await delay(100);
    }
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

  it(
    'loses nothing and repeats only the batch in flight when a worker is killed, and pays for each value once',
    async () => {
      const [count, partitions, unique, batch] = [12_000, 4, 400, 500];
      await createTopics(partitions, 'burst', 'burst.enriched');
      await using relay = await startKafkaRelay(kafka.relay);
      const before = api.asked().length;
      const argsAt = (brokers: string) => [...argsOf('burst', batch, brokers), '--session', '6'];
      const env = envOf();
      const [killed, other] = await Promise.all([startWorker(argsAt(relay.brokers), env), startWorker(argsAt(kafka.brokers), env)]);
      await untilShared('burst', 2);
      let writes = 0;
      // Its fourth batch is written, and it never learns of it: that one is in flight when it dies.
      relay.rule = (kind) => (kind === REQUESTS.produce && ++writes >= 4 ? 'unanswered' : 'pass');
      await produce(events('burst', { count, partitions, unique }));
      expect(await countOf('burst')).toBe(count);
      await relay.dropped;
      killed.child.kill('SIGKILL');
      expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });
      // The rest comes when the group misses it.
      expect(await read('burst.enriched', count)).toHaveLength(count);
      other.child.kill('SIGTERM');
      expect(await other.ended).toMatchObject({ code: 0 });
      const repeated = (await countOf('burst.enriched')) - count;
      expect(repeated).toBeGreaterThan(0);
      expect(repeated).toBeLessThanOrEqual(batch);
      const asked = api.asked().slice(before);
      expect(asked).toHaveLength(unique);
      expect(new Set(asked).size).toBe(unique);
    },
    5 * MINUTES,
  );

  it.each([
    ['finishes its batch and commits it when it is told to stop, and goes on from there without repeating a record', 'stopped', 0],
    // The library tries a commit four times of its own.
    ['commits what it has written when it is told to stop, although its connection is cut again and again', 'cut', 5],
  ])(
    '%s',
    async (_what, topic, cuts) => {
      const [count, batch] = [1000, 100];
      await createTopics(2, topic, `${topic}.enriched`);
      await produce(events(topic, { count, partitions: 2, unique: 50 }));
      expect(await countOf(topic)).toBe(count);
      await using relay = await startKafkaRelay(kafka.relay);
      let commits = 0;
      relay.rule = (kind) => (kind === REQUESTS.offsetCommit && ++commits <= cuts ? 'cut' : 'pass');
      const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      api.reply = (...call) => {
        asked.resolve();
        void answer.promise.then(() => healthy(...call));
      };
      onTestFinished(() => void (api.reply = healthy));
      const env = envOf();
      const first = await startWorker(argsOf(topic, batch, relay.brokers), env);
      await asked.promise;
      first.child.kill('SIGTERM');
      await first.says('stopping');
      answer.resolve();
      const { code, stderr } = await first.ended;
      const done = await countOf(`${topic}.enriched`);
      expect(stderr).toContain(`${done} records written`);
      expect(code).toBe(0);
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThanOrEqual(batch);
      expect(commits).toBe(cuts + 1);
      const second = await startWorker(argsOf(topic, batch, kafka.brokers), env);
      await second.until(WRITTEN, count - done);
      second.child.kill('SIGTERM');
      expect(await second.ended).toMatchObject({ code: 0, stderr: expect.stringContaining(`${count - done} records written`) });
      expect(await countOf(`${topic}.enriched`)).toBe(count);
    },
    4 * MINUTES,
  );

  it(
    'goes on when the broker is restarted',
    async () => {
      const count = 4000;
      await createTopics(2, 'restarted', 'restarted.enriched');
      await produce(events('restarted', { count: count / 2, partitions: 2, unique: 50 }));
      const worker = await startWorker([...argsOf('restarted', 200, kafka.brokers), '--session', '6'], envOf());
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
