import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGateway } from '../hosts/sidecar/support/start-sidecar.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { projectRoot } from '../support/fixtures.ts';
import { type LogstashEvent, leaving } from '../support/logstash-event.ts';
import { FIELD_NAMES } from '../support/logstash-ruby.ts';
import { createFilterRun } from '../support/logstash-runner.ts';
import type { EngineAnswer } from '../support/search-engine.ts';

const sayings = {
  '45.155.205.9': { verdict: 'malicious', score: 87, confidence: 95, categories: ['c2'] },
  '185.220.101.1': { verdict: 'suspicious', score: 55 },
  '94.102.61.5': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
  'http://bad.example.net/x,y': { verdict: 'malicious', score: 91 },
} as const;

/** What may stand in a field. */
const VALUES: readonly unknown[] = [
  '45.155.205.9',
  '185.220.101.1',
  '94.102.61.5',
  '8.8.8.8',
  '10.0.0.1',
  '-',
  '',
  ' 8.8.8.8 ',
  'N/A',
  '%{[x]}',
  '8.8.8.8, 45.155.205.9',
  'http://bad.example.net/x,y',
  ['http://bad.example.net/x,y', 'http://good.example.net/p'],
  'https://redir.example.com/?list=a,https://b.example.com',
  'BÖSE.example.net',
  'a'.repeat(9000),
  `http://long.example.com/${'a'.repeat(9000)}`,
  ['8.8.8.8', '45.155.205.9', null, '', '-', 5],
  [],
  [['45.155.205.9']],
  null,
  1,
  true,
  3_232_235_777,
  { ip: '45.155.205.9' },
  '["45.155.205.9"]',
  'a\\"b\u0000',
  '2001:4860:4860::8888',
];

function corpus(): LogstashEvent[] {
  const nested = (name: string, value: unknown) =>
    name.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as LogstashEvent;
  const single = FIELD_NAMES.flatMap((name) => VALUES.map((value) => nested(name, value)));
  const shapes: LogstashEvent[] = [
    { 'source.ip': '45.155.205.9' },
    { source: [{ ip: '8.8.8.8' }, { ip: '45.155.205.9' }] },
    { 'dns.question': { name: 'bad.example.net' } },
    { file: { 'hash.sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' } },
    ...['text', 5, null, [1], {}, { note: 'kept' }].map((ismalicious) => ({ source: { ip: '45.155.205.9' }, ismalicious })),
    ...['apt1', null, {}, { enrichments: [] }, { enrichments: { matched: { id: 'other' } } }].map((threat) => ({
      source: { ip: '45.155.205.9' },
      threat,
    })),
    ...['own', ['own'], [], ['own', 'own']].map((tags) => ({ source: { ip: '94.102.61.5' }, tags })),
    // What an older look-up in vain left: answered now, failing again, nothing to look up now.
    ...['8.8.8.8', '94.102.61.5', '-'].flatMap((ip) =>
      [
        ['_ismalicious_failure'],
        ['a', '_ismalicious_failure', '_ismalicious_unavailable', 'b\\"_ismalicious_failure'],
        ['_ismalicious_unavailable', '_grokparsefailure'],
        '_ismalicious_failure',
        [1, '_ismalicious_failure'],
      ].map((tags) => ({ source: { ip }, tags })),
    ),
    { source: [[{ ip: '8.8.8.8' }], { ip: [['45.155.205.9', ['9.9.9.9']]] }] },
    ...[{ ip: '8.8.8.8' }, { ip: ['9.9.9.9'] }, { user: ['x'] }].map((related) => ({ source: { ip: '8.8.8.8' }, related })),
    { source: { ip: '10.0.0.1' }, destination: { ip: '94.102.61.5' }, url: { full: 'http://bad.example.net/x,y' } },
    { message: 'nothing to look up' },
  ];
  return [...single, ...shapes].map((event, n) => ({ '@timestamp': '2026-11-21T10:00:00.000Z', n, ...event }));
}

/** An engine that takes everything, and what it was sent. */
async function startEngine(): Promise<{ url: string; documents: LogstashEvent[] }> {
  const documents: LogstashEvent[] = [];
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const lines = Buffer.concat(parts)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '');
      const found = lines.filter((_, n) => n % 2 === 1).map((line) => JSON.parse(line) as LogstashEvent);
      documents.push(...found);
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ took: 1, errors: false, items: found.map(() => ({ create: { status: 201, _index: 'a', _id: 'b' } })) }),
      );
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, documents };
}

/** What was added, without what differs from call to call: times and the order of members. */
function said(event: EngineAnswer): unknown {
  const entries = (event.threat?.enrichments === undefined ? [] : [event.threat.enrichments].flat()) as EngineAnswer[];
  const { checked_at: _, ...flat } =
    typeof event.ismalicious === 'object' && event.ismalicious !== null ? event.ismalicious : { as: event.ismalicious };
  return {
    n: event.n,
    flat,
    entries: entries.map(({ matched }) => `${matched?.field} ${matched?.atomic} ${matched?.id}`).toSorted(),
    tags: [event.tags ?? []].flat().toSorted(),
    related: Object.fromEntries(Object.entries(event.related ?? {}).map(([name, list]) => [name, [list].flat().toSorted()])),
  };
}

const stage = (name: string) => readFileSync(join(projectRoot, 'logstash', 'conf.d', `${name}.conf`), 'utf8');

/** What its filter puts into a URL as it is, where it is no URL then. */
const NO_URL = /[\s{}"\\<>^`|]/;

/** What the playbook's form says of an event: verdict and score of `destination.ip`, or that nobody knows. */
function playbookSays(event: EngineAnswer): unknown {
  const { malicious, score } = event.threat?.enrichment ?? {};
  if (malicious === undefined) return event.ismalicious?.verdict;
  return malicious === 'true' ? `malicious ${score}` : 'not malicious';
}

/** What it has to say where /v1/enrich gave this answer. */
function playbookShouldSay({ verdict, status, score }: EngineAnswer): string {
  if (status !== 'ok' || verdict === 'unknown') return 'unknown';
  return verdict === 'malicious' ? `malicious ${score}` : 'not malicious';
}

describe('one event', () => {
  it('gets the same from every form: named fields, whole event, gateway, /v1/ingest, /v1/enrich', { timeout: 60_000 }, async () => {
    const events = corpus();
    expect(events.length).toBeGreaterThanOrEqual(300);
    const engine = await startEngine();
    const { url, call } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }), settings: { maxEvents: 1000 } });
    const type = { 'content-type': 'application/x-ndjson' };
    const lines = events.map((event) => JSON.stringify(event));
    const answer = await call('/v1/enrich', { method: 'POST', headers: type, body: lines.map((line) => `${line}\n`).join('') });
    const wanted = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => said(JSON.parse(line)));
    expect(wanted).toHaveLength(events.length);

    for (const form of ['20-lookup-fields', '20-lookup-event']) {
      const pipeline = createFilterRun([form, '30-result'].map(stage), { ISMALICIOUS_SIDECAR_URL: url });
      for (const [n, event] of events.entries()) {
        expect(said(leaving(await pipeline.run(event))), `${form}: ${JSON.stringify(event).slice(0, 300)}`).toEqual(wanted[n]);
      }
    }
    await call('/logs-a.b-default/_bulk', {
      method: 'POST',
      headers: type,
      body: lines.map((line) => `{"create":{}}\n${line}\n`).join(''),
    });
    expect(engine.documents.splice(0).map(said)).toEqual(wanted);
    const json = { 'content-type': 'application/json' };
    await call('/v1/ingest/logs-a.b-default', { method: 'POST', headers: json, body: `[${lines.join(',')}]` });
    expect(engine.documents.map(said)).toEqual(wanted);
  });

  it('gets the same from the playbook’s form as from /v1/enrich, of one text in destination.ip', { timeout: 60_000 }, async () => {
    const { url, call } = await startGateway('http://127.0.0.1:9', { enricher: createFakeEnricher({ sayings }) });
    const pipeline = createFilterRun(['20-playbook', '30-playbook-guard'].map(stage), { ISMALICIOUS_SIDECAR_URL: url });
    for (const value of VALUES) {
      const event = { destination: { ip: value } };
      const { json } = await call('/v1/enrich', { method: 'POST', headers: { 'content-type': 'application/json' }, body: event });
      const out = leaving(await pipeline.run(event)) as EngineAnswer;
      expect(JSON.stringify({ ...out, destination: null })).not.toContain('%{');
      // docs/logstash.md: everything is text there, a list one text; what is no text is looked up nowhere else.
      const isText = typeof value === 'string' && value !== '' && !NO_URL.test(value);
      const wanted = json.ismalicious === undefined ? 'unknown' : playbookShouldSay(json.ismalicious);
      if (isText) expect(playbookSays(out), JSON.stringify(event).slice(0, 200)).toBe(wanted);
      else expect([wanted, 'unknown', undefined], JSON.stringify(event)).toContain(playbookSays(out));
    }
  });

  const MINE: readonly [string, unknown, { readonly inline: object; readonly core: object }][] = [
    [
      'members of its own',
      { source: 'mine', note: 'kept' },
      { inline: { note: 'kept', verdict: 'malicious', source: 'cache' }, core: { source: 'mine', note: 'kept' } },
    ],
    ['no verdict', { verdict: '', status: 'ok' }, { inline: { verdict: 'malicious', status: 'ok' }, core: { verdict: '', status: 'ok' } }],
    [
      'a better verdict',
      { verdict: 'clean', status: 'ok' },
      { inline: { verdict: 'clean', status: 'ok' }, core: { verdict: 'malicious', status: 'ok' } },
    ],
    [
      'a failure',
      { verdict: 'unknown', status: 'timeout' },
      { inline: { verdict: 'unknown', status: 'timeout' }, core: { verdict: 'unknown', status: 'timeout' } },
    ],
    [
      'a verdict as bad',
      { verdict: 'malicious', status: 'ok', score: 99 },
      { inline: { verdict: 'malicious', score: 99 }, core: { verdict: 'malicious', score: 99 } },
    ],
  ];

  it.each(MINE)(
    'that brings %s in ismalicious gets what the table in docs/logstash.md says',
    async (name, ismalicious, { inline, core }) => {
      const engine = await startEngine();
      const { url, call } = await startGateway(engine.url, { enricher: createFakeEnricher({ sayings }) });
      const event = { '@timestamp': '2026-11-21T10:00:00.000Z', destination: { ip: '45.155.205.9' }, ismalicious };
      const line = JSON.stringify(event);
      const json = { 'content-type': 'application/json' };
      const direct = await call('/v1/enrich', { method: 'POST', headers: json, body: line });
      await call('/v1/ingest/logs-a.b-default', { method: 'POST', headers: json, body: `[${line}]` });
      const ndjson = { 'content-type': 'application/x-ndjson' };
      await call('/logs-a.b-default/_bulk', { method: 'POST', headers: ndjson, body: `{"create":{}}\n${line}\n` });
      const isForeign = ['members of its own', 'no verdict'].includes(name);
      for (const out of [direct.json, ...engine.documents] as EngineAnswer[]) {
        expect(out.ismalicious).toMatchObject(core);
        expect(out.tags).toEqual(isForeign ? ['_ismalicious_conflict'] : undefined);
        expect(out.threat.enrichments).toHaveLength(1);
      }
      for (const form of ['20-lookup-fields', '20-lookup-event']) {
        const pipeline = createFilterRun([form, '30-result'].map(stage), { ISMALICIOUS_SIDECAR_URL: url });
        const out = leaving(await pipeline.run(event)) as EngineAnswer;
        expect(out.ismalicious).toMatchObject(inline);
        expect([out.tags, out.threat?.enrichments?.length]).toEqual([undefined, isForeign ? 1 : undefined]);
      }
    },
  );
});
