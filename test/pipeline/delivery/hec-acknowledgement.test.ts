import { expect, it } from 'vitest';
import { OUTPUTS } from '../../../src/outputs/registry.ts';
import { deliver } from '../../../src/pipeline/delivery/deliver.ts';
import { createOutputSender } from '../../../src/pipeline/delivery/output-sender.ts';
import { openStore } from '../../../src/store/store-client.ts';
import { itemOf, SETTINGS } from '../../outputs/samples.ts';
import { fakeClock, fetchTransport, type Reply, type SeenCall, startStandIn } from '../stand-in.ts';

const ITEMS = Array.from({ length: 5 }, (_, at) => itemOf(`45.83.64.${at}`));
/** Two calls of events and one. */
const BATCH = 2;
const HOUR_MS = 3_600_000;

/** What an indexer does with the n-th question for one acknowledgement: it says so, says not yet, or answers something else. */
type Indexer = (ackId: number, asked: number) => boolean | Reply;

/** A HEC whose token has indexer acknowledgement on, as Splunk describes it: without a channel nothing is taken, an acknowledgement is told once. */
async function startHec(indexer: Indexer, sent: (ackId: number) => Reply | null = () => null) {
  const events: string[] = [];
  const asked = new Map<number, number>();
  const told = new Set<number>();
  let ackIds = 0;
  const take = (text: string): Reply => {
    const own = sent(ackIds);
    if (own) return own;
    for (const line of text.split('\n')) events.push((JSON.parse(line) as { event: { ioc_value: string } }).event.ioc_value);
    return { body: { text: 'Success', code: 0, ackId: ackIds++ } };
  };
  const acknowledge = (text: string): Reply => {
    const [ackId = -1] = (JSON.parse(text) as { acks: number[] }).acks;
    asked.set(ackId, (asked.get(ackId) ?? 0) + 1);
    const answer = indexer(ackId, asked.get(ackId) ?? 0);
    if (typeof answer !== 'boolean') return answer;
    const isTold = answer && !told.has(ackId);
    if (isTold) told.add(ackId);
    return { body: { acks: { [ackId]: isTold } } };
  };
  const server = await startStandIn(({ path, headers, text }: SeenCall) => {
    const channel = headers['x-splunk-request-channel'] ?? new URL(path, 'http://h').searchParams.get('channel');
    if (channel === null) return { status: 400, body: { text: 'Data channel is missing', code: 10 } };
    return path.startsWith('/services/collector/ack') ? acknowledge(text) : take(text);
  });
  return { server, events, asked };
}

/** Delivers five messages, in so many runs an hour apart. */
async function send(hec: Awaited<ReturnType<typeof startHec>>, { runs = 1, maxTries = 3 } = {}) {
  const store = await openStore(':memory:');
  const output = OUTPUTS.find(({ id }) => id === 'splunk_hec')!;
  const settings = output.settings.parse({ ...SETTINGS['splunk_hec'], baseUrl: hec.server.url, ack: true, batchSize: BATCH });
  const route = ITEMS.map((item) => ({ output: output.id, key: item.key, subject: item.indicator.value, payload: JSON.stringify(item) }));
  await store.route(
    route.map((delivery) => ({ routed: null, deliveries: [delivery] })),
    1,
    1000,
  );
  const clock = fakeClock();
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 60_000, ca: null });
  const halts: (string | null)[] = [];
  for (let run = 0; run < runs; run++) {
    const limits = { maxTries, patienceMs: 600_000 };
    halts.push(
      await deliver({ output, settings, sender }, { store, clock, signal: new AbortController().signal, limits, random: () => 0.5 }),
    );
    await clock.wait(HOUR_MS);
  }
  const found = { counts: await store.counts(output.id), quarantined: await store.quarantined(output.id, 99), halts };
  await store.close();
  await hec.server.close();
  return { ...found, waited: clock.waited };
}

const once = (events: readonly string[]) => new Set(events).size;

it('counts events as delivered when the indexers acknowledge them, however often they have to be asked', async () => {
  const hec = await startHec((ackId, asked) => asked > ackId * 2);
  const { counts, halts } = await send(hec);
  expect([counts.delivered, counts.pending, counts.quarantined, halts]).toEqual([5, 0, 0, [null]]);
  expect([hec.events.length, [...hec.asked]]).toEqual([
    5,
    [
      [0, 1],
      [1, 3],
      [2, 5],
    ],
  ]);
});

it('never counts as delivered what is never acknowledged: sent anew as often as it may be, then quarantined with the reason', async () => {
  const hec = await startHec(() => false);
  const { counts, quarantined } = await send(hec, { runs: 4 });
  expect([counts.accepted, counts.delivered, counts.pending, counts.quarantined]).toEqual([5, 0, 0, 5]);
  expect(quarantined.every(({ reason }) => reason?.includes('not acknowledged by the indexers'))).toBe(true);
  expect([hec.events.length, once(hec.events)]).toEqual([15, 5]);
  // Each is asked for eight times, with longer and longer waits, and no more.
  expect(Math.max(...hec.asked.values())).toBe(8);
});

it('loses nothing when the indexers forget one batch: that alone goes twice', async () => {
  const hec = await startHec((ackId) => ackId !== 1);
  const { counts } = await send(hec, { runs: 2 });
  expect([counts.delivered, counts.pending + counts.quarantined]).toEqual([5, 0]);
  expect([hec.events.length, once(hec.events)]).toEqual([7, 5]);
});

it.each([
  ['503', { status: 503, body: { text: 'Server is busy', code: 9 } }],
  ['a page of a proxy', { status: 502, body: '<html>' }],
  ['a cut connection', 'reset' as const],
])('asks again when the question is answered by %s', async (_name, fault: Reply) => {
  const hec = await startHec((_ackId, asked) => (asked === 1 ? fault : true));
  const { counts } = await send(hec, { runs: 2 });
  expect([counts.delivered, counts.pending + counts.quarantined, once(hec.events)]).toEqual([5, 0, 5]);
});

it.each([
  ['the question is refused', disabled(), 0],
  ['events are taken without a number', unnumbered(), 2],
])('waits for a person when the token acknowledges nothing: %s', async (_name, open, delivered) => {
  const hec = await open();
  const { counts, halts } = await send(hec);
  expect([counts.delivered, counts.quarantined, counts.accepted - counts.delivered]).toEqual([delivered, 0, 5 - delivered]);
  expect(halts[0]).toMatch(/ACK is disabled|acknowledgement off/);
});

function disabled() {
  return () => startHec(() => ({ status: 400, body: { text: 'ACK is disabled', code: 14 } }));
}

function unnumbered() {
  return () =>
    startHec(
      () => false,
      () => ({ body: { text: 'Success', code: 0 } }),
    );
}
