import { describe, expect, it } from 'vitest';
import { openStoreCore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store-client.ts';
import { deliver } from '../../src/pipeline/delivery/deliver.ts';
import { createOutputSender } from '../../src/pipeline/delivery/output-sender.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { itemOf, SETTINGS } from '../outputs/samples.ts';
import { fakeClock, fetchTransport, type Reply, startStandIn } from './stand-in.ts';

const items = Array.from({ length: 3 }, (_, at) => itemOf(`45.83.64.${at}`));
/** Those that speak HTTP; files and mail have tests of their own. */
const outputs = OUTPUTS.filter(({ id }) => id !== 'file' && id !== 'email');

const FAULTS: Readonly<Record<string, () => Reply | Promise<Reply>>> = {
  '503': () => ({ status: 503, body: 'overloaded' }),
  '500': () => ({ status: 500, body: '' }),
  '429 with Retry-After': () => ({ status: 429, headers: { 'retry-after': '30' } }),
  '429 for longer than a run waits': () => ({ status: 429, headers: { 'retry-after': '7200' } }),
  'a cut connection': () => 'reset',
  'no answer in time': () => new Promise(() => undefined),
  'a redirect': () => ({ status: 302, headers: { location: 'https://elsewhere.example/' } }),
};
/** 200 means something only to outputs whose answers say what became of each message. */
const TELLS_BY_BODY = ['splunk_hec', 'crowdstrike', 'elasticsearch'];

/** A store in memory, without a thread: there are a hundred of them. */
function onThisThread(): Store {
  const core = openStoreCore(':memory:');
  return new Proxy(core, {
    get:
      (target, method) =>
      (...args: unknown[]) =>
        Promise.resolve(Reflect.apply(Reflect.get(target, method) as () => unknown, target, args)),
  }) as unknown as Store;
}

/** Sends three messages to an output whose receiver only ever answers with one fault; sign-ins work. */
async function sendTo(id: string, fault: () => Reply | Promise<Reply>) {
  const store = onThisThread();
  const server = await startStandIn(({ path }) =>
    /oauth2|token/.test(path) ? { status: 201, body: { access_token: 'a', expires_in: 3599 } } : fault(),
  );
  const output = OUTPUTS.find((one) => one.id === id)!;
  const settings = output.settings.parse({ ...SETTINGS[id], baseUrl: server.url, loginUrl: server.url });
  const deliveries = items.map((item) => ({ output: id, key: item.key, subject: item.indicator.value, payload: JSON.stringify(item) }));
  await store.route(
    deliveries.map((delivery) => ({ routed: null, deliveries: [delivery] })),
    1,
    1000,
  );
  const clock = fakeClock();
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 40, ca: null });
  const limits = { maxTries: 3, patienceMs: 600_000 };
  const halt = await deliver(
    { output, settings, sender },
    { store, clock, signal: new AbortController().signal, limits, random: () => 0.5 },
  );
  const [counts, quarantined] = [await store.counts(id), await store.quarantined(id, 99)];
  await store.close();
  await server.close();
  return { halt, counts, quarantined, calls: server.calls.length };
}

describe.each(outputs.map(({ id }) => id))('output %s', (id) => {
  it.each(Object.keys(FAULTS))(
    'told by %s: nothing counts as delivered, nothing is lost, and each given up has its reason',
    async (name) => {
      const { counts, quarantined, halt, calls } = await sendTo(id, FAULTS[name]!);
      expect(counts).toMatchObject({ accepted: 3, delivered: 0 });
      expect(counts.pending + counts.quarantined).toBe(3);
      expect(quarantined.every(({ reason }) => (reason ?? '').length > 3)).toBe(true);
      // What still waits does so for a reason that the run tells.
      if (counts.pending > 0) expect(halt).not.toBeNull();
      expect(calls).toBeGreaterThan(0);
    },
  );
  it('answered 401 for ever: everything waits for a person, no try is spent', async () => {
    const { counts, halt } = await sendTo(id, () => ({ status: 401, body: 'no' }));
    expect([counts.delivered, counts.pending, typeof halt]).toEqual([0, 3, 'string']);
  });
});

describe.each(TELLS_BY_BODY)('output %s', (id) => {
  it('answered 200 by a page of somebody else: never taken for delivered', async () => {
    const { counts } = await sendTo(id, () => ({ body: '<html>please log in</html>' }));
    expect([counts.delivered, counts.pending + counts.quarantined]).toEqual([0, 3]);
  });
});
