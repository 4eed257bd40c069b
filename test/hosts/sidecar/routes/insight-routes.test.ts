import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openInsight } from '../../../../src/compose/figures/insight.ts';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { epochS, systemClock } from '../../../../src/engine/clock.ts';
import { giveFeedback } from '../../../../src/engine/feedback/give-feedback.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startStandIn } from '../../../support/stand-in-api.ts';
import { startSidecar } from '../support/start-sidecar.ts';

const KEY = 'a2V5OnNlY3JldC1vZi1vdXJz';

interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly from: string;
}

/** A sidecar on a stand-in, with all that it tells of itself; `sources` as a user gives them. */
async function start(baseUrl: string, { env = {}, file, profile }: { env?: object; file?: string; profile?: string } = {}) {
  const folder = newStateFolder();
  const configPath = join(folder, 'ismalicious.yaml');
  if (file !== undefined) writeFileSync(configPath, file);
  const options = {
    env: { ISMALICIOUS_BASE_URL: baseUrl, ISMALICIOUS_X_API_KEY: KEY, ISMALICIOUS_STATE_DIR: folder, ...env },
    ...(file === undefined ? {} : { configPath }),
    ...(profile === undefined ? {} : { profile }),
  };
  const opened = await openEngine({ ...options, origin: { program: 'sidecar' } });
  onTestFinished(() => opened.engine.close());
  const insight = await openInsight(opened, options, { set: new Map([['sidecar.port', 9999]]) });
  const sidecar = await startSidecar({}, { enricher: opened.engine, insight });
  return { ...opened, ...sidecar, options, configPath };
}

it('GET /v1/settings says of each setting what is in force and who set it, and never a secret', async () => {
  await using api = await startStandIn();
  const secret = 'token-of-eight-and-more';
  const file = `sidecar:\n  token: ${secret}\n  timeout_ms: 4000\nprofiles:\n  night:\n    sidecar:\n      max_events: 7\noutputs:\n  slack:\n    enabled: true\n    base_url: https://hooks.slack.example/services/T0/B0/${secret}\n`;
  const env = { ISMALICIOUS_SIDECAR_MAX_DEPTH: '20', ISMALICIOUS_PROXY: `http://user:${secret}@127.0.0.1:1` };
  const { call, configPath } = await start(api.url, { env, file, profile: 'night' });
  const { status, text, json } = await call('/v1/settings');
  expect(status).toBe(200);
  const of = new Map((json.settings as Setting[]).map((one) => [one.key, { value: one.value, from: one.from }]));
  expect(Object.fromEntries([...of].filter(([, { from }]) => from !== 'default'))).toMatchObject({
    'sidecar.port': { value: 9999, from: 'command line' },
    'sidecar.token': { value: '********', from: `file ${configPath}, line 2` },
    'sidecar.timeout_ms': { value: 4000, from: `file ${configPath}, line 3` },
    'sidecar.max_events': { value: 7, from: `profile night, line 7 of ${configPath}` },
    'sidecar.max_depth': { value: 20, from: 'environment variable ISMALICIOUS_SIDECAR_MAX_DEPTH' },
    'providers.ismalicious.x_api_key': { value: '********', from: 'environment variable ISMALICIOUS_X_API_KEY' },
    'providers.ismalicious.proxy': { value: '********', from: 'environment variable ISMALICIOUS_PROXY' },
    'outputs.slack.base_url': { value: '********' },
  });
  expect(of.get('sidecar.drain_ms')).toEqual({ value: 5000, from: 'default' });
  for (const word of [KEY, secret]) expect(text).not.toContain(word);
});

it('GET /v1/report gives latency, success and cost by source, who spent most, and eight weeks', async () => {
  await using api = await startStandIn();
  const { call, engine, feedback, options } = await start(api.url, { env: { ISMALICIOUS_CREDIT_PRICE: '0.5' } });
  const origin = { program: 'splunk', user: 'alice', search: '1795000000.42' };
  const search = await openEngine({ env: options.env, origin });
  await search.engine.enrichMany(['11.0.0.1', '12.0.0.1', '13.0.0.1']);
  await search.engine.close();
  await giveFeedback({ value: '12.0.0.1', verdict: 'malicious', author: 'jane', reason: 'seen' }, feedback, engine, epochS(systemClock));
  await engine.enrichMany(['15.0.0.1']);
  const { status, json } = await call('/v1/report?days=7');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    targets: { latency_p95_ms: 30_000, success_rate: 0.99 },
    on_target: { latency: true, success_rate: true },
    success_rate: 1,
    feedback: { overrides: 1, true_positives: 1, true_positive_rate: 1 },
    sources: [
      {
        source: 'ismalicious',
        success_rate: 1,
        failed: {},
        credits: 4,
        money: 2,
        latency_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      },
    ],
    callers: [
      { ...origin, values: 3, credits: 3 },
      { program: 'sidecar', user: null, search: null, values: 1, credits: 1 },
    ],
  });
  expect(json.trend).toHaveLength(8);
  expect(json.trend[7]).toMatchObject({ success_rate: 1, true_positive_rate: 1, credits: 4, money: 2 });
  expect(json.trend[0]).toMatchObject({ success_rate: null, latency_p95_ms: null, true_positive_rate: null, calls: 0 });
});

it('GET /v1/report is made anew after a minute, and not before', async () => {
  await using api = await startStandIn();
  const { engine, config, feedback, options } = await start(api.url);
  let nowMs = Date.now();
  const { report } = await openInsight({ engine, config, feedback }, options, { set: new Map(), nowMs: () => nowMs });
  const first = report(7);
  nowMs += 59_999;
  expect(report(7)).toBe(first);
  expect(report(1)).not.toBe(first);
  nowMs += 1;
  expect(report(7)).not.toBe(first);
  await first;
});

it.each(['0', '57', '-1', 'x', '1.5', ''])('GET /v1/report?days=%s is refused with 400', async (days) => {
  await using api = await startStandIn();
  const { call } = await start(api.url);
  expect((await call(`/v1/report?days=${days}`)).status).toBe(400);
});

it('of what was answered, what came from the cache is counted apart', async () => {
  await using api = await startStandIn();
  const { engine } = await start(api.url);
  await engine.enrichMany(['11.0.0.1', '12.0.0.1', '10.0.0.1']);
  expect(engine.stats()).toMatchObject({ recalled: 0, fetched: 2 });
  await engine.enrichMany(['11.0.0.1', '11[.]0.0.1', 'not an indicator']);
  engine.peek('12.0.0.1');
  engine.forget();
  await engine.enrichMany(['12.0.0.1']);
  expect(engine.stats()).toMatchObject({ recalled: 4, fetched: 2 });
});
