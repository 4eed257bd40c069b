import { deliver } from '../../../src/pipeline/delivery/deliver.ts';
import { systemPipelineClock } from '../../../src/pipeline/pipeline-clock.ts';
import { createOutputSender } from '../../../src/pipeline/delivery/output-sender.ts';
import { openStore } from '../../../src/store/store-client.ts';
import { webhook } from '../../../src/outputs/webhook.ts';
import type { Output, OutputItem } from '../../../src/outputs/output.ts';
import { fetchTransport } from '../stand-in.ts';

/** Started by the kill test: journals `count` messages and delivers them to `url` until it is killed. */
const [path = '', url = '', count = '0'] = process.argv.slice(2);
const store = await openStore(path);
const payloadOf = (n: number): OutputItem => ({
  key: `k${n}`,
  id: `${n}`,
  event: 'enriched',
  indicator: { type: 'domain-name', value: `h${n}.net` },
  enrichment: {
    input: `h${n}.net`,
    indicator: { type: 'domain-name', value: `h${n}.net` },
    answer: {
      verdict: 'malicious',
      status: 'ok',
      score: 90,
      confidence: 90,
      tier: 'p1',
      autoResolve: false,
      categories: [],
      attributes: [],
      sightings: null,
      firstSeen: null,
      lastSeen: null,
      reference: null,
      message: null,
      providers: [],
    },
    source: 'live',
    checkedAtS: 1,
    expiresAtS: 2,
  },
  sources: [],
  tags: [],
  tlp: null,
  addedS: 0,
  firstSeenS: 0,
  lastSeenS: 0,
  validUntilS: null,
  isRevoked: false,
  atS: 0,
  before: null,
  note: null,
});
const clock = systemPipelineClock;
process.send?.('ready');
for (let n = 0; n < Number(count); n += 25) {
  const deliveries = Array.from({ length: Math.min(25, Number(count) - n) }, (_, at) => payloadOf(n + at)).map((item) => ({
    output: 'webhook',
    key: item.key,
    subject: item.indicator.value,
    payload: JSON.stringify(item),
  }));
  await store.route([{ routed: null, deliveries }], 1, 1_000_000);
  const settings = webhook.settings.parse({ baseUrl: url, secret: 'a-test-secret-of-16', batchSize: 10 });
  const sender = createOutputSender({ transport: fetchTransport, clock, timeoutMs: 5000, ca: null });
  const limits = { maxTries: 1000, patienceMs: 60_000 };
  await deliver(
    { output: webhook as unknown as Output, settings, sender },
    { store, clock, signal: new AbortController().signal, limits, random: Math.random },
  );
}
await store.close();
process.exit(0);
