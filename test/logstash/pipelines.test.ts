import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { type Sidecar, createSidecar } from '../../src/hosts/sidecar/server.ts';
import { SidecarSettings } from '../../src/compose/sidecar-settings.ts';
import { ecsFaults } from '../support/ecs-conformance.ts';
import { ecsEvents } from '../support/ecs-events.ts';
import { type FakeEnricher, createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { hasFixtures, projectRoot } from '../support/fixtures.ts';
import { type LogstashEvent, leaving } from '../support/logstash-event.ts';
import { createFilterRun } from '../support/logstash-runner.ts';
import type { EngineAnswer } from '../support/search-engine.ts';

const stage = (name: string) => readFileSync(join(projectRoot, 'logstash', 'conf.d', `${name}.conf`), 'utf8');
const SHAPES = {
  fields: ['20-lookup-fields', '30-result', '90-route'],
  event: ['20-lookup-event', '30-result', '90-route'],
  playbook: ['20-playbook', '30-playbook-guard', '90-route'],
} as const;
type Shape = keyof typeof SHAPES;

function runOf(shape: Shape, url: string) {
  return createFilterRun(SHAPES[shape].map(stage), { ISMALICIOUS_SIDECAR_URL: url });
}

const SAYINGS = {
  '45.155.205.9': {
    verdict: 'malicious',
    score: 87,
    confidence: 95,
    categories: ['c2', 'botnet'],
    attributes: ['cloud'],
    sightings: 12,
    lastSeen: '2026-11-20T08:00:00Z',
    reference: 'https://ismalicious.com/r/1',
  },
  '185.220.101.1': { verdict: 'suspicious', score: 55, confidence: 40, categories: ['scanner'], attributes: ['tor-exit'] },
  '8.8.8.8': { verdict: 'clean' },
  '1.1.1.1': { verdict: 'unknown' },
  '94.102.61.5': { verdict: 'unknown', status: 'timeout', message: 'ismalicious: no answer within 2000 ms' },
  'https://bad.example.net/a,b?c=d,e': { verdict: 'malicious', score: 91 },
  'xn--bse-sna.example.net': { verdict: 'malicious', score: 70 },
} as const;

/** What comes in, as Beats ship it. `@timestamp` is what tells a whole event from a hash of fields. */
const EVENTS: readonly { readonly name: string; readonly event: LogstashEvent }[] = [
  {
    name: 'malicious destination',
    event: {
      source: { ip: '10.1.2.3', port: 40_123 },
      destination: { ip: '45.155.205.9', port: 443 },
      network: { bytes: 9_007_199_254_740_991 },
      tags: ['forwarded'],
    },
  },
  { name: 'suspicious source beside a clean destination', event: { source: { ip: '185.220.101.1' }, destination: { ip: '8.8.8.8' } } },
  { name: 'clean', event: { destination: { ip: '8.8.8.8' } } },
  { name: 'nobody knows it', event: { destination: { ip: '1.1.1.1' } } },
  { name: 'private only', event: { source: { ip: '10.1.2.3' }, destination: { ip: '192.168.7.40' } } },
  { name: 'the look-up failed', event: { destination: { ip: '94.102.61.5' } } },
  { name: 'a list of addresses', event: { destination: { ip: ['8.8.8.8', '45.155.205.9', '10.0.0.1'] } } },
  { name: 'a URL with commas', event: { url: { full: 'https://bad.example.net/a,b?c=d,e' }, destination: { ip: '8.8.8.8' } } },
  { name: 'a name with an umlaut', event: { dns: { question: { name: 'BÖSE.example.net' } } } },
  {
    name: 'a list of entries is there',
    event: { destination: { ip: '45.155.205.9' }, threat: { enrichments: [{ matched: { id: 'other' } }], tactic: { id: ['TA0011'] } } },
  },
  {
    name: 'a single entry is there',
    event: { destination: { ip: '45.155.205.9' }, threat: { enrichments: { matched: { id: 'other' } } } },
  },
  { name: 'threat is text', event: { destination: { ip: '45.155.205.9' }, threat: 'high' } },
  { name: 'an object of ours without verdict is there', event: { destination: { ip: '45.155.205.9' }, ismalicious: { note: 'kept' } } },
  { name: 'looked up before', event: { destination: { ip: '45.155.205.9' }, ismalicious: { verdict: 'clean' } } },
  { name: 'nothing to look up', event: { message: 'started', event: { duration: 12.5, success: true, code: null } } },
  { name: 'not an address', event: { destination: { ip: 'gateway' }, source: { ip: '' } } },
];

const withTime = (event: LogstashEvent): LogstashEvent => ({ '@timestamp': '2026-11-21T10:00:00.000Z', '@version': '1', ...event });

/** Times of the match and ids are those of this run; the sidecar's own tests hold them. */
function normalised(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, one: unknown) =>
    key === 'occurred' ? '<now>' : key === 'id' && typeof one === 'string' && /^[0-9a-f]{32}$/.test(one) ? '<id>' : one,
  );
}

describe('shipped pipelines against the sidecar', () => {
  let enricher: FakeEnricher;
  let sidecar: Sidecar;
  let url: string;

  beforeAll(async () => {
    enricher = createFakeEnricher({ sayings: SAYINGS });
    sidecar = await createSidecar({ enricher, settings: z.parse(SidecarSettings, { port: 0 }) });
    const { port } = await sidecar.listen();
    url = `http://127.0.0.1:${port}`;
  });

  afterAll(() => sidecar?.close());

  it.each(Object.keys(SHAPES) as Shape[])('%s: what comes out is the golden file', async (shape) => {
    const pipeline = runOf(shape, url);
    const rows = [];
    for (const { name, event } of EVENTS) {
      const out = await pipeline.run(withTime(event));
      rows.push({ name, in: withTime(event), out: normalised(leaving(out)), to: pipeline.routesOf(out) });
    }
    await expect(`${JSON.stringify(rows, null, 2)}\n`).toMatchFileSnapshot(`golden/${shape}.json`);
  });

  it.each(['fields', 'event'] as const)('%s: nothing literal, nothing of the input lost, types right', async (shape) => {
    const pipeline = runOf(shape, url);
    for (const event of ecsEvents(120)) {
      const out = leaving(await pipeline.run(event)) as EngineAnswer;
      expect(JSON.stringify(out)).not.toContain('%{');
      const { threat, ismalicious, tags, related, ...rest } = out;
      const { threat: threatIn, ismalicious: _, tags: tagsIn, related: relatedIn, ...restIn } = event as EngineAnswer;
      expect(rest).toEqual(restIn);
      for (const list of ['ip', 'hosts', 'hash'])
        expect([related?.[list] ?? []].flat()).toEqual(expect.arrayContaining([relatedIn?.[list] ?? []].flat()));
      expect([tags ?? []].flat()).toEqual(expect.arrayContaining([tagsIn ?? []].flat()));
      if (threatIn?.enrichments) expect([threat.enrichments].flat()).toEqual(expect.arrayContaining([threatIn.enrichments].flat()));
      if (ismalicious === undefined) continue;
      expect(typeof ismalicious.verdict).toBe('string');
      for (const member of ['score', 'confidence']) if (member in ismalicious) expect(typeof ismalicious[member]).toBe('number');
      for (const member of ['malicious', 'auto_resolve']) if (member in ismalicious) expect(typeof ismalicious[member]).toBe('boolean');
      for (const member of ['categories', 'attributes']) if (member in ismalicious) expect(ismalicious[member].length).toBeGreaterThan(0);
      for (const member of ['enrichments', 'fields', 'failed']) expect(ismalicious).not.toHaveProperty(member);
    }
  });

  it.skipIf(!hasFixtures).each(['fields', 'event'] as const)('%s: what is added is in ECS or under ismalicious', async (shape) => {
    const pipeline = runOf(shape, url);
    for (const { event } of EVENTS.filter((one) => typeof one.event.threat !== 'string')) {
      const out = leaving(await pipeline.run(withTime(event))) as EngineAnswer;
      const ours = [out.threat?.enrichments ?? []].flat().filter((entry: EngineAnswer) => entry.matched?.id !== 'other');
      expect(
        ecsFaults({ threat: { enrichments: ours }, ismalicious: out.ismalicious }).filter((fault) => !fault.endsWith('empty object')),
      ).toEqual([]);
    }
  });

  it.each(['fields', 'event'] as const)('%s: an event with nothing to look up goes on as it is, and not to the spool', async (shape) => {
    const pipeline = runOf(shape, url);
    for (const event of [{ message: 'started' }, { tags: ['a'], threat: { tactic: 1 } }]) {
      const out = await pipeline.run(withTime(event));
      expect([leaving(out), pipeline.routesOf(out)]).toEqual([withTime(event), ['ismalicious-deliver']]);
    }
  });

  it('an event that was looked up before, or has nothing to look up, makes no call', async () => {
    const pipeline = runOf('fields', 'http://127.0.0.1:9');
    for (const event of [{ destination: { ip: '45.155.205.9' }, ismalicious: { verdict: 'clean' } }, { message: 'x' }])
      expect(await pipeline.run(event)).toEqual(event);
  });

  it('the token goes in a header, never in the URL', async () => {
    const seen: http.IncomingMessage[] = [];
    const server = await listen((request, response) => {
      seen.push(request);
      answer(response, { body: '{"verdict":"clean","status":"ok","enrichments":[]}' });
    });
    const pipeline = createFilterRun(SHAPES.fields.map(stage), {
      ISMALICIOUS_SIDECAR_URL: server.url,
      ISMALICIOUS_SIDECAR_TOKEN: 's3cret-token',
    });
    await pipeline.run({ destination: { ip: '8.8.8.8' } });
    expect(seen[0]?.headers['x-api-key']).toBe('s3cret-token');
    expect(seen[0]?.url).toBe('/v1/logstash');
  });
});

const open: http.Server[] = [];

async function listen(handler: http.RequestListener): Promise<{ url: string }> {
  const server = http.createServer(handler);
  open.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function answer(response: http.ServerResponse, { status = 200, type = 'application/json', body = '' }): void {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A sidecar that is broken in one way, or not there at all. */
const FAULTS: Readonly<Record<string, http.RequestListener | null>> = {
  'is not there': null,
  'hangs up': (request) => request.socket.destroy(),
  'answers 500': (_, response) => answer(response, { status: 500, body: '{"error":"x"}' }),
  'answers 401': (_, response) => answer(response, { status: 401, body: '{"error":{"code":"unauthorized"}}' }),
  'answers 429': (_, response) => answer(response, { status: 429, body: '{}' }),
  'answers broken JSON': (_, response) => answer(response, { body: '{"verdict":"cle' }),
  'answers HTML': (_, response) => answer(response, { type: 'text/html', body: '<html>login</html>' }),
  'answers somebody else’s JSON': (_, response) => answer(response, { body: '{"ok":true}' }),
  'answers a list': (_, response) => answer(response, { body: '[1]' }),
  'answers 204': (_, response) => answer(response, { status: 204 }),
  'answers nothing': (_, response) => answer(response, {}),
  'answers null': (_, response) => answer(response, { body: 'null' }),
  'answers a verdict alone': (_, response) => answer(response, { body: '{"verdict":"clean"}' }),
};

describe('shipped pipelines without a sidecar they can rely on', () => {
  const event = { '@timestamp': '2026-11-21T10:00:00.000Z', destination: { ip: '45.155.205.9', port: 443 }, tags: ['forwarded'] };

  it.each((['fields', 'event'] as const).flatMap((shape) => Object.keys(FAULTS).map((fault) => [shape, fault] as const)))(
    '%s, one that %s: the event comes out, says unknown, is tagged and spooled',
    async (shape, fault) => {
      const handler = FAULTS[fault];
      const { url } = handler ? await listen(handler) : { url: 'http://127.0.0.1:9' };
      const pipeline = runOf(shape, url);
      const out = (await pipeline.run(event)) as EngineAnswer;
      expect(leaving(out)).toMatchObject({
        ...event,
        tags: expect.arrayContaining(['forwarded', '_ismalicious_failure', '_ismalicious_unavailable']),
        ismalicious: { verdict: 'unknown', status: 'unavailable', tier: 'review' },
      });
      expect(out).not.toHaveProperty('threat');
      expect(JSON.stringify(leaving(out))).not.toContain('%{');
      expect(pipeline.routesOf(out)).toEqual(['ismalicious-spool', 'ismalicious-deliver']);
    },
  );

  it('one that hangs holds the event no longer than the time-out of the filter', async () => {
    const { url } = await listen(() => undefined);
    // The shipped 3 s, shortened: the time is the filter's, and it is what ends the wait.
    const pipeline = createFilterRun(
      SHAPES.fields.map((name) => stage(name).replace('socket_timeout => 3', 'socket_timeout => 0.05')),
      { ISMALICIOUS_SIDECAR_URL: url },
    );
    expect(leaving(await pipeline.run(event))).toMatchObject({ ismalicious: { status: 'unavailable' } });
  });

  /** What an event may bring in place of what is ours, and what has to be in it afterwards. */
  const MINE: readonly [string, LogstashEvent, object][] = [
    ['source', { ismalicious: { source: 'mine', note: 'kept' } }, { ismalicious: { source: 'none', note: 'kept', verdict: 'unknown' } }],
    ['verdict', { ismalicious: { verdict: '' } }, { ismalicious: { verdict: 'unknown', status: 'unavailable' } }],
    ['null', { ismalicious: null }, { ismalicious: { verdict: 'unknown' } }],
    ['text', { ismalicious: 'yes' }, { ismalicious: 'yes', tags: expect.arrayContaining(['_ismalicious_conflict']) }],
    ['number', { ismalicious: 5 }, { ismalicious: 5, tags: expect.arrayContaining(['_ismalicious_conflict']) }],
    ['list', { ismalicious: [1] }, { ismalicious: [1], tags: expect.arrayContaining(['_ismalicious_conflict']) }],
    ['old tag', { tags: ['_ismalicious_unavailable'] }, { ismalicious: { verdict: 'unknown' } }],
    ['threat', { threat: 'apt1' }, { threat: 'apt1', ismalicious: { verdict: 'unknown' } }],
  ];

  it.each((['fields', 'event'] as const).flatMap((shape) => MINE.map(([name, mine, wanted]) => [shape, name, mine, wanted] as const)))(
    '%s: an event with its own %s gets no list, is tagged and spooled',
    async (shape, _, mine, wanted) => {
      const pipeline = runOf(shape, 'http://127.0.0.1:9');
      const out = (await pipeline.run({ ...event, tags: undefined, ...mine })) as EngineAnswer;
      expect(leaving(out)).toMatchObject(wanted);
      expect(out.tags).toEqual(expect.arrayContaining(['_ismalicious_failure', '_ismalicious_unavailable']));
      expect(new Set(out.tags).size).toBe(out.tags.length);
      expect(JSON.stringify(out)).not.toContain('_mutate_error');
      for (const value of Object.values(Object(out.ismalicious)))
        if (typeof mine.ismalicious === 'object' && !Array.isArray(mine.ismalicious)) expect(Array.isArray(value)).toBe(false);
      expect(pipeline.routesOf(out)).toEqual(['ismalicious-spool', 'ismalicious-deliver']);
    },
  );

  it.each(['fields', 'event'] as const)('%s: an event that already has a verdict keeps it, whatever tags it has', async (shape) => {
    const there = { verdict: 'malicious', status: 'ok', score: 90, tier: 'p1', source: 'live' };
    const given = { ...event, ismalicious: there, tags: ['_ismalicious_unavailable', '_ismalicious_failure'] };
    const pipeline = runOf(shape, 'http://127.0.0.1:9');
    const out = await pipeline.run(given);
    expect([leaving(out), pipeline.routesOf(out)]).toEqual([given, ['ismalicious-deliver']]);
  });

  it('a connection that is dropped once is tried again, and nothing is lost', async () => {
    let calls = 0;
    const { url } = await listen((request, response) => {
      calls += 1;
      if (calls === 1) return void request.socket.resetAndDestroy();
      return answer(response, { body: '{"verdict":"clean","status":"ok","failed":false,"enrichments":[]}' });
    });
    expect(leaving(await runOf('fields', url).run(event))).toEqual({ ...event, ismalicious: { verdict: 'clean', status: 'ok' } });
    expect(calls).toBe(2);
  });

  it.each(Object.keys(FAULTS).filter((fault) => !/JSON$|HTML|list|nothing|null|204|alone/.test(fault)))(
    'the playbook’s filter, one that %s: no literal reference is left',
    async (fault) => {
      const handler = FAULTS[fault];
      const { url } = handler ? await listen(handler) : { url: 'http://127.0.0.1:9' };
      const out = leaving(await runOf('playbook', url).run(event));
      expect(JSON.stringify(out)).not.toContain('%{');
      expect(out).toMatchObject({ ismalicious: { verdict: 'unknown' }, tags: expect.arrayContaining(['_ismalicious_playbook_failure']) });
    },
  );
});
