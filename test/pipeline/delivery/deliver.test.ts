import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/store-client.ts';
import { deliver } from '../../../src/pipeline/delivery/deliver.ts';
import { createOutputSender } from '../../../src/pipeline/delivery/output-sender.ts';
import type { OutputItem } from '../../../src/outputs/output.ts';
import { itemOf, outputOf, SETTINGS } from '../../outputs/samples.ts';
import { fakeClock, fetchTransport, type Reply, type SeenCall, startStandIn } from '../stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-deliver-'));
afterAll(() => rmSync(folder, { recursive: true }));
let store: Store;
let n = 0;
beforeEach(async () => {
  store = await openStore(join(folder, `${++n}.db`));
  return () => store.close();
});

async function send(
  id: string,
  items: readonly OutputItem[],
  reply: (call: SeenCall, n: number) => Reply,
  more: Record<string, unknown> = {},
) {
  const server = await startStandIn(reply);
  const clock = fakeClock();
  const output = outputOf(id);
  const own = { ...SETTINGS[id], baseUrl: server.url, loginUrl: server.url, ...more };
  const settings = output.settings.parse(own);
  await store.route(
    items.map((item) => ({
      routed: null,
      deliveries: [{ output: id, key: item.key, subject: item.indicator.value, payload: JSON.stringify(item) }],
    })),
    1,
    100_000,
  );
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 2000, ca: null });
  const halt = await deliver(
    { output, settings, sender },
    { store, clock, signal: new AbortController().signal, limits: { maxTries: 4, patienceMs: 600_000 }, random: () => 0.5 },
  );
  await server.close();
  return { halt, calls: server.calls, counts: await store.counts(id), waited: clock.waited, quarantined: await store.quarantined(id, 100) };
}
const ten = Array.from({ length: 10 }, (_, at) => itemOf(`45.83.64.${at}`));
const eventsOf = ({ text }: SeenCall) => (JSON.parse(text) as { events: { id: string }[] }).events.map(({ id }) => id);

describe('an output that', () => {
  it.each([
    ['answers 503 twice', (_: SeenCall, at: number): Reply => ({ status: at < 3 ? 503 : 202 })],
    [
      'answers 429 with Retry-After',
      (_: SeenCall, at: number): Reply => (at < 2 ? { status: 429, headers: { 'retry-after': '30' } } : { status: 202 }),
    ],
    ['cuts the connection twice', (_: SeenCall, at: number): Reply => (at < 3 ? 'reset' : { status: 202 })],
  ])('%s: everything arrives, after waiting', async (_name, reply) => {
    const { counts, calls, waited, halt } = await send('webhook', ten, reply);
    expect([counts, halt]).toEqual([{ accepted: 10, delivered: 10, pending: 0, quarantined: 0 }, null]);
    expect(new Set(calls.map((call) => call.headers['idempotency-key'])).size).toBe(1);
    expect(waited.length).toBeGreaterThan(0);
  });
  it('never answers well: each message is given up with its reason, none is lost, and it can be replayed', async () => {
    const { counts, calls, quarantined } = await send('webhook', ten, () => ({ status: 503 }));
    expect([counts, calls.length]).toEqual([{ accepted: 10, delivered: 0, pending: 0, quarantined: 10 }, 4]);
    expect(quarantined[0]?.reason).toBe('gave up after 4 tries: HTTP 503');
    expect(await store.replay('webhook', 100)).toBe(10);
    expect((await send('webhook', [], () => ({ status: 202 }))).counts.delivered).toBe(10);
  });
  it('asks for more patience than a run has: what is left waits', async () => {
    const { counts, halt } = await send('webhook', ten, () => ({ status: 429, headers: { 'retry-after': '7200' } }));
    expect([counts.pending, counts.quarantined, halt]).toEqual([10, 0, 'asked to wait 7200 s']);
  });
  it('believes an absurd wait for a day at most', async () => {
    const { halt } = await send('webhook', ten, () => ({ status: 429, headers: { 'retry-after': '1000000000' } }));
    expect(halt).toBe('asked to wait 86400 s');
  });
  it('refuses the key: everything waits for a person, no try is spent', async () => {
    const { counts, halt, calls } = await send('webhook', ten, () => ({ status: 403, body: 'forbidden' }));
    expect([counts.pending, calls.length, halt]).toEqual([10, 1, expect.stringContaining('HTTP 403')]);
    expect((await store.next('webhook', 10, Number.MAX_SAFE_INTEGER)).map(({ attempts }) => attempts)).toEqual(Array(10).fill(0));
  });
  it('refuses one message with 400: that one is set aside, the others arrive', async () => {
    const { counts, quarantined } = await send('webhook', ten, (call) => ({
      status: eventsOf(call).includes(ten[3]!.key) ? 400 : 202,
      body: { message: 'bad event' },
    }));
    expect([counts, quarantined.map(({ subject, reason }) => [subject, reason])]).toEqual([
      { accepted: 10, delivered: 9, pending: 0, quarantined: 1 },
      [['45.83.64.3', 'HTTP 400: {"message":"bad event"}']],
    ]);
  });
  it('fails in part inside HTTP 200: only those are set aside', async () => {
    const { counts, quarantined } = await send('sentinel', ten, ({ path }) =>
      path.includes('/oauth2/')
        ? { body: { access_token: 'a', expires_in: 3599 } }
        : { body: { errors: [{ recordIndex: 3, errorMessages: ['Error for Property=id'] }] } },
    );
    expect([counts.delivered, quarantined.map(({ subject }) => subject)]).toEqual([9, ['45.83.64.3']]);
  });
  it('answers 200 without any sense: tried again, then set aside, never taken for delivered', async () => {
    const { counts } = await send('elasticsearch', ten, () => ({ body: '<html>login</html>' }));
    expect(counts).toEqual({ accepted: 10, delivered: 0, pending: 0, quarantined: 10 });
  });
  it('refuses large calls: sends smaller ones', async () => {
    const { counts, calls } = await send('webhook', ten, ({ text }) => ({ status: text.length > 2500 ? 413 : 202 }));
    expect(counts.delivered).toBe(10);
    expect(calls.length).toBeGreaterThan(2);
  });
});

describe('tokens', () => {
  const falcon = ({ path }: SeenCall): Reply =>
    path === '/oauth2/token' ? { status: 201, body: { access_token: 'x', expires_in: 1799 } } : { status: 201, body: { resources: [{}] } };
  it('are fetched once and used for all calls', async () => {
    const many = Array.from({ length: 450 }, (_, at) => itemOf(`45.83.${at >> 8}.${at & 255}`));
    const { calls, counts } = await send('crowdstrike', many, falcon);
    expect([counts.delivered, calls.filter(({ path }) => path === '/oauth2/token').length, calls.length]).toEqual([450, 1, 4]);
    expect(calls.every(({ headers, path }) => path === '/oauth2/token' || headers.authorization === 'Bearer x')).toBe(true);
  });
  it('that have run out are renewed once', async () => {
    let tokens = 0;
    const { counts, calls } = await send('crowdstrike', ten, (call) => {
      if (call.path === '/oauth2/token') return { status: 201, body: { access_token: `t${++tokens}`, expires_in: 1799 } };
      return call.headers.authorization === 'Bearer t2' ? { status: 201, body: { resources: [{}] } } : { status: 401 };
    });
    expect([counts.delivered, calls.map(({ path }) => path.split('?')[0])]).toEqual([
      10,
      ['/oauth2/token', '/iocs/entities/indicators/v1', '/oauth2/token', '/iocs/entities/indicators/v1'],
    ]);
  });
  it('that are refused stop the output, and spend no try', async () => {
    const { counts, halt } = await send('crowdstrike', ten, () => ({ status: 403 }));
    expect([counts.pending, halt]).toEqual([10, expect.stringMatching(/sign-in refused/)]);
  });
});

it('messages on one indicator leave in order, also when the first has to wait', async () => {
  const first = itemOf('45.83.64.7');
  const second = { ...first, key: 'second' };
  const seen: string[][] = [];
  await send('webhook', [first, second], (call, at) => {
    seen.push(eventsOf(call));
    return { status: at === 1 ? 503 : 202 };
  });
  expect(seen).toEqual([[first.key], [first.key], ['second']]);
});

it('a webhook call is signed over time and body, whether packed or not', async () => {
  const { calls } = await send('webhook', [ten[0]!], () => ({ status: 202 }));
  const [{ headers, text }] = calls as [SeenCall];
  const hex = createHmac('sha256', 's3cret-webhook-key')
    .update(`${String(headers['x-ismalicious-timestamp'])}.${text}`)
    .digest('hex');
  expect(headers['x-ismalicious-signature']).toBe(`sha256=${hex}`);
  expect(JSON.stringify(calls)).not.toContain('s3cret-webhook-key');
});

describe('files', () => {
  it('get a header once, and a torn last line is ended', async () => {
    const path = join(folder, 'out.csv');
    await send('file', [ten[0]!], () => ({}), { path, format: 'csv' });
    writeFileSync(path, `${readFileSync(path, 'utf8')}half a li`);
    await send('file', [ten[1]!], () => ({}), { path, format: 'csv' });
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['key', ten[0]!.key, 'half a li', ten[1]!.key, '']);
  });
  it('hold STIX bundles that say the same when sent again', async () => {
    const path = join(folder, 'stix');
    await send('file', ten, () => ({}), { path, format: 'stix' });
    const { readdirSync } = await import('node:fs');
    const [name, ...others] = readdirSync(path);
    const bundle = JSON.parse(readFileSync(join(path, name!), 'utf8')) as { id: string; objects: unknown[] };
    expect([others, bundle.objects.length, `${bundle.id}.json`]).toEqual([[], 11, name]);
  });
});

describe('a batch that goes out again', () => {
  const keyOf = (call: SeenCall) => [call.headers['idempotency-key'], eventsOf(call).join()];

  it('because the sender died is cut as it was, whatever else waits by then: the same keys', async () => {
    await send('webhook', ten.slice(0, 4), () => ({ status: 403 }), { batchSize: 3 });
    const cut = (await store.next('webhook', 100, 0)).map(({ key }) => key);
    expect(cut).toEqual(ten.slice(0, 3).map(({ key }) => key));
    // The one before it, in whose place a batch cut anew would begin, is there again by now.
    const { calls, counts } = await send('webhook', ten, () => ({ status: 202 }), { batchSize: 5 });
    expect(eventsOf(calls[0] as SeenCall)).toEqual(cut);
    expect([counts.delivered, counts.pending, calls.length]).toEqual([10, 0, 3]);
  });

  it('because no answer came is cut as it was, though each message has a time of its own to wait', async () => {
    await store.route(
      ten.map((item) => ({
        routed: null,
        deliveries: [{ output: 'webhook', key: item.key, subject: item.indicator.value, payload: JSON.stringify(item) }],
      })),
      1,
      100,
    );
    const [first, second] = [await store.next('webhook', 4, 0), (await store.next('webhook', 8, 0)).slice(4)];
    await store.begin(first.map(({ id }) => id));
    await store.settle(
      first.map(({ id }, at) => ({ id, to: 'retry' as const, atMs: 1000 + at * 100, reason: 'reset' })),
      1,
    );
    await store.begin(second.map(({ id }) => id));
    const keys = async (atMs: number) => (await store.next('webhook', 10, atMs)).map(({ key }) => key);
    expect(await keys(0)).toEqual(second.map(({ key }) => key));
    await store.settle(
      second.map(({ id }) => ({ id, to: 'delivered' as const })),
      1,
    );
    expect(await keys(1000)).toEqual(ten.slice(8).map(({ key }) => key));
    expect(await keys(1300)).toEqual(first.map(({ key }) => key));
    await store.settle(
      (await store.next('webhook', 10, 1000)).map(({ id }) => ({ id, to: 'delivered' as const })),
      1,
    );
    expect(await store.nextAtMs('webhook')).toBe(1300);
  });

  it('in calls of which some are lost has the same key whenever it has the same events', async () => {
    const { calls, counts } = await send('webhook', ten, (_, at) => (at % 2 === 1 ? 'reset' : { status: 202 }), { batchSize: 3 });
    expect(counts.delivered).toBe(10);
    const byEvent = new Map<string, Set<string>>();
    for (const call of calls)
      for (const event of eventsOf(call)) byEvent.set(event, (byEvent.get(event) ?? new Set()).add(keyOf(call).join()));
    expect([...byEvent.values()].map((keys) => keys.size)).toEqual(Array(10).fill(1));
  });
});
