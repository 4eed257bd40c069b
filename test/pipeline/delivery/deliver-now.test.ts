import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { lockHolderName } from '../../../src/disk/lock-holder.ts';
import type { OutputItem } from '../../../src/outputs/output.ts';
import { deliverInTurn, tryDeliver } from '../../../src/pipeline/delivery/deliver-alone.ts';
import { startDeliveryWorker } from '../../../src/pipeline/delivery/delivery-worker.ts';
import { createOutputSender } from '../../../src/pipeline/delivery/output-sender.ts';
import { systemPipelineClock as clock } from '../../../src/pipeline/pipeline-clock.ts';
import { deliveriesOf } from '../../../src/pipeline/route-judgements.ts';
import { openStore, type Store } from '../../../src/store/store-client.ts';
import { itemOf, outputOf, SETTINGS } from '../../outputs/samples.ts';
import { fetchTransport, type Reply, type SeenCall, startStandIn } from '../stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-now-'));
afterAll(() => rmSync(folder, { recursive: true }));
let path = '';
let n = 0;
beforeEach(() => {
  path = join(folder, `${++n}.db`);
});
const limits = { maxTries: 4, patienceMs: 0 };
const EVERYTHING = { minScore: null, tiers: [], types: [], events: [], maxTlp: 'RED' } as const;

async function open(): Promise<Store> {
  const store = await openStore(path);
  onTestFinished(() => store.close().then(() => undefined));
  return store;
}

async function receiver(id: string, reply: (call: SeenCall, n: number) => Reply | Promise<Reply>, more: Record<string, unknown> = {}) {
  const server = await startStandIn(reply);
  onTestFinished(() => server.close());
  const output = outputOf(id);
  const settings = output.settings.parse({ ...SETTINGS[id], baseUrl: server.url, ...more });
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 5000, ca: null });
  return { active: { output, settings, sender }, calls: server.calls };
}

const journal = (store: Store, id: string, items: readonly OutputItem[]) =>
  store.route(
    items.map((item) => ({ routed: null, deliveries: deliveriesOf(item, [{ output: outputOf(id), filter: EVERYTHING }]) })),
    Math.floor(Date.now() / 1000),
    100_000,
  );
const valueOf = ({ text }: SeenCall) => (JSON.parse(text) as { events: { id: string }[] }).events.map(({ id }) => id);

function work(store: Store, active: Awaited<ReturnType<typeof receiver>>['active']) {
  const worker = startDeliveryWorker({
    openStore: () => Promise.resolve(store),
    outputs: [active],
    limits,
    clock,
    random: Math.random,
    lookMs: 20,
  });
  onTestFinished(() => worker.close());
  return worker;
}
const until = async (isSo: () => Promise<boolean> | boolean) => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};
const items = Array.from({ length: 200 }, (_, at) => itemOf(`45.83.64.${at}`));

describe('several workers on one store', () => {
  it('send each message once between them', async () => {
    const stores = [await open(), await open(), await open()];
    const { active, calls } = await receiver('webhook', () => ({ status: 202 }), { batchSize: 3 });
    const workers = stores.map((store) => work(store, active));
    for (let at = 0; at < items.length; at += 10) {
      await journal(stores[0]!, 'webhook', items.slice(at, at + 10));
      for (const worker of workers) worker.poke();
    }
    await until(async () => (await stores[0]!.counts('webhook')).delivered === items.length);
    expect(calls.flatMap(valueOf).toSorted()).toEqual(items.map(({ key }) => key).toSorted());
    // A worker counts what it sent once the store has told it so, which is after the others can see it there.
    await until(() => workers.reduce((sum, worker) => sum + worker.figures()[0]!.sent, 0) === items.length);
  });
});

describe('an output that another process is delivering to', () => {
  const holderOf = (pid: number) => lockHolderName('other').split(' ').with(3, String(pid)).join(' ');
  const hold = (store: Store, holder: string) =>
    store.takeLease('deliver:webhook', holder, { nowMs: Date.now(), untilMs: Date.now() + 60_000 });

  it('is left to it, and whoever waits is told which process', async () => {
    const store = await open();
    const { active, calls } = await receiver('webhook', () => ({ status: 202 }));
    await journal(store, 'webhook', items.slice(0, 1));
    await hold(store, lockHolderName('other'));
    const delivering = { store, clock, limits, random: Math.random, signal: new AbortController().signal };
    expect(await tryDeliver(active, delivering)).toEqual({ kind: 'busy', holder: expect.stringContaining(`process ${process.pid} on`) });
    expect(await deliverInTurn(active, delivering)).toMatch(/^process \d+ on .* is delivering to it$/);
    expect(calls).toEqual([]);
  });
  it('is taken over at once when that process was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    const store = await open();
    const { active, calls } = await receiver('webhook', () => ({ status: 202 }));
    await journal(store, 'webhook', items.slice(0, 1));
    await hold(store, holderOf(child.pid!));
    const delivering = { store, clock, limits, random: Math.random, signal: new AbortController().signal };
    expect(await tryDeliver(active, delivering)).toEqual({ kind: 'done', halt: null });
    expect(calls.length).toBe(1);
  });
  it('gets nothing more from a sender that has lost its lease in the middle', async () => {
    const store = await open();
    const { active, calls } = await receiver(
      'webhook',
      async () => {
        // Stopped for longer than a lease lasts: another process is the sender now.
        await store.takeLease('deliver:webhook', holderOf(1), { nowMs: Date.now() + 120_000, untilMs: Date.now() + 180_000 });
        return { status: 202 };
      },
      { batchSize: 1 },
    );
    await journal(store, 'webhook', items.slice(0, 5));
    const delivering = { store, clock, limits, random: Math.random, signal: new AbortController().signal };
    expect(await tryDeliver(active, delivering)).toEqual({ kind: 'done', halt: 'another process took it over' });
    expect(calls.length).toBe(1);
  });
});

it('an alert goes before what waited longer, and takes along what has to go before it', async () => {
  const store = await open();
  const { active, calls } = await receiver('webhook', () => ({ status: 202 }), { batchSize: 1 });
  const quiet = items.slice(0, 20).map((item) => itemOf(item.indicator.value, { answer: { tier: 'log' } }));
  await journal(store, 'webhook', quiet);
  await journal(store, 'webhook', [{ ...quiet[15]!, key: 'alert', event: 'triage' }]);
  await deliverInTurn(active, { store, clock, limits, random: Math.random, signal: new AbortController().signal });
  expect(calls.flatMap(valueOf).slice(0, 3)).toEqual([quiet[15]!.key, 'alert', quiet[0]!.key]);
  expect(calls.length).toBe(21);
});

it('an output at fault is left alone for a while, says so, and is not called by any process meanwhile', async () => {
  const store = await open();
  const { active, calls } = await receiver('webhook', () => ({ status: 403, body: 'forbidden' }));
  await journal(store, 'webhook', items.slice(0, 2));
  const workers = [work(store, active), work(await open(), active)];
  await until(() => workers.every((worker) => worker.faults().length > 0));
  expect(workers[1]!.faults()).toEqual(['output webhook: HTTP 403: forbidden: check its key and the rights of the key; 2 messages wait']);
  expect(workers[0]!.figures()[0]).toMatchObject({ pending: 2, sent: 0 });
  for (let times = 0; times < 20; times++) {
    for (const worker of workers) worker.poke();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(calls.length).toBe(1);
});

it('a wait that the receiver asked for holds for all processes, and for what was journalled since', async () => {
  const store = await open();
  const { active, calls } = await receiver('webhook', () => ({ status: 429, headers: { 'retry-after': '600' } }));
  await journal(store, 'webhook', items.slice(0, 1));
  const delivering = { store, clock, limits, random: Math.random, signal: new AbortController().signal };
  await deliverInTurn(active, delivering);
  await journal(store, 'webhook', items.slice(1, 3));
  expect(await deliverInTurn(active, { ...delivering, store: await open() })).toMatch(/^asked to wait \d{3} s$/);
  expect(await store.dueOutputs(['webhook'], Date.now())).toEqual([]);
  expect(calls.length).toBe(1);
});

it('a worker that is closed waits for the call in flight, so that it is not made again', async () => {
  const store = await open();
  let release: () => void = () => undefined;
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  const { active, calls } = await receiver('webhook', () => isReleased.then(() => ({ status: 202 })), { batchSize: 1 });
  await journal(store, 'webhook', items.slice(0, 3));
  const worker = work(store, active);
  await until(() => calls.length === 1);
  const closed = worker.close();
  release();
  await closed;
  expect(await store.counts('webhook')).toMatchObject({ delivered: 1, pending: 2 });
  expect(calls.length).toBe(1);
});
