import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';
import { findKafkaAbsence, startKafka } from '../../test/support/kafka-broker.ts';
import type { Print } from './figure.ts';
import { gatewayInputs } from './gateway-inputs.ts';
import { startApi, withServers } from './gateway-processes.ts';
import { median, rounded } from './median.ts';
import { cpuSOf } from './gateway-processes.ts';

/** A worker in a process of its own. */
interface Worker {
  readonly written: () => Promise<number>;
  readonly cpuS: () => number;
  readonly stop: () => Promise<void>;
}

/** One way of doing the same work. */
interface Side {
  readonly start: (names: Names) => Promise<Worker>;
  readonly rates: number[];
  readonly cpus: number[];
}

/** What one round reads and writes. */
interface Names {
  readonly from: string;
  readonly to: string;
  readonly group: string;
}

const RECORDS = 600_000;
const ROUNDS = 3;
const PARTITIONS = 4;
const PORTION = 2000;
/** What comes before every worker has written this many records is starting up, compiling and joining the group. */
const WARM = 20_000;
/** Where measuring ends, of all records: behind it one worker may have nothing left to read. */
const MEASURED = 0.9;
/** A worker's figures cost it a millisecond: asked for oftener, they would be measured as well. */
const POLL_MS = 100;
const PEER = 'a worker that copies the bytes';
const here = import.meta.dirname;

/**
 * `ismalicious stream`, nearly all values known, beside a worker that copies the bytes by the same client: 600,000 records of one field to
 * look up (0.3 KB), and of several (1.1 KB). Broker and workers share the machine; one worker at a time, then two. Rounds are interleaved,
 * medians compared. ISMALICIOUS_BENCH_RECORDS: how many records.
 */
export async function run(print: Print): Promise<void> {
  const absence = findKafkaAbsence();
  if (absence !== null) return void process.stderr.write(`stream: ${absence}\n`);
  const count = Number(process.env.ISMALICIOUS_BENCH_RECORDS ?? RECORDS);
  await using kafka = await startKafka();
  await withServers(async (folder, keep) => {
    const api = keep(await startApi(0));
    const client = { clientId: 'bench', bootstrapBrokers: [kafka.brokers], timeout: 60_000, requestTimeout: 60_000, retries: 20 };
    const admin = new Admin(client);
    const wide = gatewayInputs(10_000).events.map((event) => Buffer.from(event));
    const env = {
      ISMALICIOUS_STATE_DIR: join(folder, 'state'),
      ISMALICIOUS_X_API_KEY: 'bench',
      ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`,
    };
    for (const [name, values] of [
      ['records of 0.3 KB', slimEvents()],
      ['records of 1.1 KB', wide],
    ] as const) {
      const from = `from-${values.length}`;
      await admin.createTopics({ topics: [from], partitions: PARTITIONS, replicas: 1 });
      await fill(client, { from, count, values });
      const sides = {
        ours: sideOf((names) => startOurs(kafka.brokers, env, names)),
        peer: sideOf((names) => startPeer(kafka.brokers, names)),
      };
      for (const workers of [1, 2]) {
        const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) => Object.entries(sides).map(([side, one]) => ({ round, side, one })));
        for (const { round, side, one } of rounds.flat()) {
          const id = `${from}-${workers}-${round}-${side}`;
          await admin.createTopics({ topics: [id], partitions: PARTITIONS, replicas: 1 });
          const { rate, cpuUs } = await measure(one, { from, to: id, group: id }, { workers, count });
          await admin.deleteTopics({ topics: [id] });
          // The first round is not counted: values are not known yet.
          if (round > 0) one.rates.push(rate);
          if (round > 0) one.cpus.push(cpuUs);
        }
        report(print, `${name}, ${workers} worker${workers > 1 ? 's' : ''}`, sides);
      }
    }
    await admin.close();
  });
}

function sideOf(start: Side['start']): Side {
  return { start, rates: [], cpus: [] };
}

function report(print: Print, name: string, { ours, peer }: { ours: Side; peer: Side }): void {
  const [rate, cpu] = [median(ours.rates), median(ours.cpus)];
  print({
    name: `stream, ${name}: rate`,
    value: Math.round(rate),
    unit: 'records/s',
    peer: PEER,
    ratio: rounded(rate / median(peer.rates)),
  });
  print({ name: `stream, ${name}: CPU`, value: rounded(cpu), unit: 'us/record', peer: PEER, ratio: rounded(cpu / median(peer.cpus)) });
  for (const side of [ours, peer]) side.rates.length = side.cpus.length = 0;
}

/** Records a second by all workers together, while all of them have something to read. */
async function measure(
  side: Side,
  names: Names,
  { workers, count }: { workers: number; count: number },
): Promise<{ rate: number; cpuUs: number }> {
  const started = await Promise.all(Array.from({ length: workers }, () => side.start(names)));
  const until = async (leastOfAll: number, leastOfEach: number) => {
    for (;;) {
      const written = await Promise.all(started.map((worker) => worker.written()));
      const done = written.reduce((sum, one) => sum + one, 0);
      if (done >= leastOfAll && Math.min(...written) >= leastOfEach)
        return { done, ms: performance.now(), cpuS: started.reduce((sum, { cpuS }) => sum + cpuS(), 0) };
      await delay(POLL_MS);
    }
  };
  try {
    const first = await until(0, Math.min(WARM, count / 10));
    const last = await until(count * MEASURED, 0);
    const records = last.done - first.done;
    return { rate: records / ((last.ms - first.ms) / 1000), cpuUs: ((last.cpuS - first.cpuS) / records) * 1e6 };
  } finally {
    for (const worker of started) await worker.stop();
  }
}

async function startOurs(brokers: string, env: Readonly<Record<string, string>>, { from, to, group }: Names): Promise<Worker> {
  const args = ['stream', '--brokers', brokers, '--in', from, '--out', to, '--group', group, '--metrics-port', '0'];
  const child = spawn(process.execPath, [join(here, '../../src/main.ts'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, port] = await said(child, /metrics (\d+)/);
  const written = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^ismalicious_stream_records_total\{outcome="enriched"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  return workerOf(child, written);
}

async function startPeer(brokers: string, { from, to, group }: Names): Promise<Worker> {
  const child = spawn(process.execPath, [join(here, 'stream-peer.ts'), brokers, from, to, group], { stdio: ['ignore', 'pipe', 'inherit'] });
  let written = 0;
  child.stdout.on('data', (bytes: Buffer) => (written = Number(bytes.toString().trim().split('\n').at(-1))));
  return workerOf(child, () => Promise.resolve(written));
}

function workerOf(child: ChildProcess, written: Worker['written']): Worker {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    written,
    cpuS: () => cpuSOf(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Waits until a child has said what is looked for. */
async function said(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  let text = '';
  return await new Promise((resolve, reject) => {
    child.stdout?.on('data', (bytes: Buffer) => {
      const found = wanted.exec((text += bytes.toString()));
      if (found !== null) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`a worker ended with ${code}: ${text}`)));
  });
}

async function fill(
  client: ConstructorParameters<typeof Producer>[0],
  { from, count, values }: { from: string; count: number; values: readonly Buffer[] },
): Promise<void> {
  const producer = new Producer({ ...client, acks: -1 });
  for (let done = 0; done < count; done += PORTION) {
    const messages = Array.from({ length: Math.min(PORTION, count - done) }, (_, n) => ({
      topic: from,
      partition: (done + n) % PARTITIONS,
      key: Buffer.from(`k${done + n}`),
      value: values[(done + n) % values.length] ?? Buffer.alloc(0),
    }));
    await producer.send({ messages });
  }
  await producer.close();
}

/** Firewall events with one address to look up; the frequent ones come often. */
function slimEvents(): Buffer[] {
  return Array.from({ length: 9973 }, (_, n) => {
    const rank = Math.floor(5000 ** (((n * 7919) % 9973) / 9973));
    const ip = `52.${rank % 2}.${(rank >> 8) & 255}.${rank & 255}`;
    return Buffer.from(
      `{"@timestamp":"2026-11-30T07:00:00.000Z","event":{"kind":"event","category":["network"],"action":"deny","id":"${n}"},"source":{"ip":"10.1.${n & 255}.7","port":${1024 + (n % 60_000)}},"destination":{"ip":"${ip}","port":443},"network":{"transport":"tcp","bytes":${n * 7}},"observer":{"name":"fw-01"}}`,
    );
  });
}
