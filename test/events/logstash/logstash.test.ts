import { describe, expect, it } from 'vitest';
import { createWantedFields, DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { readLogstashBody } from '../../../src/events/logstash/read-logstash-body.ts';
import { createFakeEnricher } from '../../support/fake-sidecar-enricher.ts';
import { hasFixtures, readJsonFixture } from '../../support/fixtures.ts';
import { rawCall, startSidecar } from '../../hosts/sidecar/support/start-sidecar.ts';

const BAD = '45.9.148.114';
const sayings = {
  [BAD]: { verdict: 'malicious', categories: ['c2', 'botnet'] },
  'evil-host.com': { verdict: 'suspicious' },
  '1.1.1.1': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
} as const;
const wanted = createWantedFields(DEFAULT_FIELDS);
const values = (body: string | Buffer) => readLogstashBody(Buffer.from(body), wanted).values.map(({ field, value }) => `${field}=${value}`);

describe('more than can be read of one event', () => {
  const many = (item: string, count: number) => Array(count).fill(item).join(',');
  it.each<[string, string]>([
    ['a list of thousands', `{"ip":"${many('8.8.8.8', 2500)}"}`],
    ['commas without end', `{"ip":"${','.repeat(900_000)}"}`],
    ['thousands of objects', `{"x":[${many('{}', 300_000)}]}`],
    ['a list inside a text', JSON.stringify({ x: `[${many('{"ip":"8.8.8.8"}', 60_000)}]` })],
    ['members without end', `{${Array.from({ length: 60_000 }, (_, n) => `"a${n}":1`).join(',')}}`],
    ['a whole event', `{"@timestamp":"x","source":{"ip":[${many('"8.8.8.8"', 100_000)}]}}`],
  ])('%s: said to be too much, nothing is read of it', (_, body) => {
    expect(readLogstashBody(Buffer.from(body), wanted)).toMatchObject({ isTooMuch: true, values: [] });
  });

  it('a bracket that opens half a million more is one that nests too deep, in the event and in a text', () => {
    const deep = '['.repeat(500_000);
    expect(readLogstashBody(Buffer.from(`{"@timestamp":${deep}`), wanted).tooDeep).toEqual(['']);
    expect(readLogstashBody(Buffer.from(JSON.stringify({ ip: deep, b: '8.8.8.8' })), wanted)).toMatchObject({
      tooDeep: ['ip'],
      isTooMuch: false,
    });
  });

  it('the answer is a failure, never that there was nothing to look up', async () => {
    const { call } = await startSidecar();
    const answer = await call('/v1/logstash', { body: `{"x":[${many('{}', 300_000)}]}` });
    expect(answer.json).toMatchObject({
      status: 'invalid',
      message: expect.stringMatching(/^more than \d+ values in one event$/) as string,
    });
  });
});

describe('what the filter sends', () => {
  it.each<[string, string | Buffer, string[]]>([
    ['a hash of fields', '{"destination.ip":"8.8.8.8","source.ip":"1.1.1.1"}', ['destination.ip=8.8.8.8', 'source.ip=1.1.1.1']],
    ['any name', '{"dst":"8.8.8.8"}', ['dst=8.8.8.8']],
    ['an unresolved reference', '{"destination.ip":"%{[destination][ip]}","source.ip":"8.8.8.8"}', ['source.ip=8.8.8.8']],
    ['nothing but unresolved references', '{"a":"%{[a]}","b":"%{b}"}', []],
    ['null, empty and a dash', '{"a":null,"b":"","c":" ","d":"-"}', []],
    ['numbers and booleans as text', '{"port":"443","ok":"true","n":443,"b":true}', ['port=443', 'ok=true']],
    ['a joined list', '{"ip":"8.8.8.8,9.9.9.9"}', ['ip=8.8.8.8', 'ip=9.9.9.9']],
    ['a joined list with a hole', '{"ip":"8.8.8.8,%{[x]},9.9.9.9,"}', ['ip=8.8.8.8', 'ip=9.9.9.9']],
    ['a URL with commas', '{"url":"http://evil-host.com/a,b?c=d,e"}', ['url=http://evil-host.com/a,b?c=d,e']],
    ['joined URLs', '{"url":"http://a.com/x,http://b.com/y"}', ['url=http://a.com/x', 'url=http://b.com/y']],
    ['a list', '{"ip":["8.8.8.8","9.9.9.9"]}', ['ip=8.8.8.8', 'ip=9.9.9.9']],
    [
      'an object inside a string',
      '{"source":"{\\"ip\\":\\"8.8.8.8\\",\\"port\\":\\"443\\",\\"geo\\":{\\"name\\":\\"x\\"}}"}',
      ['source.ip=8.8.8.8'],
    ],
    ['an object', '{"source":{"ip":"8.8.8.8","port":443}}', ['source.ip=8.8.8.8']],
    ['an object under a Logstash reference', '{"[dns][question]":{"name":"evil-host.com"}}', ['dns.question.name=evil-host.com']],
    ['a list inside a string', '{"ip":"[\\"8.8.8.8\\"]"}', ['ip=8.8.8.8']],
    [
      'a whole event',
      `{"@timestamp":"2026-11-21T10:00:00Z","@version":"1","message":"8.8.8.8","destination":{"ip":"${BAD}"},"dns":{"answers":[{"data":"v=spf1"},{"data":"evil-host.com"}]}}`,
      [`destination.ip=${BAD}`, 'dns.answers.data=evil-host.com'],
    ],
    ['a whole event without a wanted field', '{"@timestamp":"2026-11-21T10:00:00Z","message":"8.8.8.8"}', []],
    ['a bare value', '8.8.8.8', ['value=8.8.8.8']],
    ['bare values', '8.8.8.8, 9.9.9.9', ['value=8.8.8.8', 'value=9.9.9.9']],
    ['a bare reference', '%{[destination][ip]}', []],
    ['a JSON string', '"8.8.8.8"', ['value=8.8.8.8']],
    ['nothing', '', []],
    ['null', 'null', []],
    ['ISO-8859-1', Buffer.from('{"domain":"b\xfccher.de"}', 'latin1'), ['domain=bücher.de']],
    ['UTF-8', '{"domain":"bücher.de"}', ['domain=bücher.de']],
  ])('%s', (_, body, expected) => {
    expect(values(body)).toEqual(expected);
  });
});

describe('POST /v1/logstash', () => {
  it('answers flat, typed, and ready for threat.enrichments', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings }) });
    const { status, headers, json } = await call('/v1/logstash', { body: { 'destination.ip': BAD } });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(json).toMatchObject({
      verdict: 'malicious',
      malicious: true,
      status: 'ok',
      score: 87,
      confidence: 90,
      categories: ['c2', 'botnet'],
      tier: 'p1',
      auto_resolve: false,
      source: 'cache',
      indicator: BAD,
      field: 'destination.ip',
      type: 'ipv4-addr',
      failed: false,
    });
    expect(json.enrichments).toHaveLength(1);
    expect(json.enrichments[0]).toMatchObject({
      indicator: { ip: BAD, provider: 'isMalicious' },
      matched: { atomic: BAD, field: 'destination.ip', type: 'indicator_match_rule' },
    });
    expect(json).not.toHaveProperty('fields');
    expect(JSON.stringify(json)).not.toContain('null');
  });

  it('answers the worst of several, and each field for itself', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings }) });
    const { json } = await call('/v1/logstash', {
      body: { 'source.ip': `8.8.8.8,${BAD}`, 'url.domain': 'evil-host.com', 'destination.ip': '1.1.1.1' },
    });
    expect([json.verdict, json.field, json.failed]).toEqual(['malicious', 'source.ip', true]);
    expect(json.enrichments.map((entry: any) => entry.matched.field)).toEqual(['source.ip', 'url.domain']);
    expect(json.fields).toMatchObject({
      'source.ip': { verdict: 'malicious', failed: false },
      'url.domain': { verdict: 'suspicious', malicious: false },
      'destination.ip': { verdict: 'unknown', status: 'timeout', failed: true },
    });
    expect(json.fields['destination.ip']).not.toHaveProperty('malicious');
  });

  it.each([
    ['nothing to look up', { a: '%{[a]}' }, 'skipped_empty'],
    ['an invalid value', { 'source.ip': '300.1.1.1' }, 'invalid'],
    ['a private one', { 'source.ip': '10.0.0.1' }, 'skipped_private'],
    ['a failure', { 'source.ip': '1.1.1.1' }, 'timeout'],
  ])('%s: unknown, never "not malicious"', async (_, body, status) => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings }) });
    const { status: code, json } = await call('/v1/logstash', { body });
    expect([code, json.verdict, json.status, json.tier, json.auto_resolve, json.enrichments]).toEqual([
      200,
      'unknown',
      status,
      status === 'skipped_empty' ? 'log' : 'review',
      false,
      undefined,
    ]);
    expect(json).not.toHaveProperty('malicious');
    expect(json.message).toMatch(/./);
  });

  it.each<[string, unknown, boolean]>([
    ['a whole event without a value', { '@timestamp': '2026-11-21T10:00:00Z', message: 'started' }, true],
    ['a hash of references that name nothing', { 'source.ip': '%{[source][ip]}', 'destination.ip': '' }, true],
    ['an empty body', '', false],
    ['a whole event that could not be written as JSON', '%{[@metadata][ismalicious_event]}', false],
    ['a whole event that nests too deep to be read', `{"@timestamp":"x","a":${'['.repeat(300)}${']'.repeat(300)}}`, false],
  ])('%s has nothing to look up, which is no failure: %j → %s', async (_, body, isFine) => {
    const { call } = await startSidecar();
    const { json } = await call('/v1/logstash', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect([json.verdict, json.failed, json.nothing_to_look_up]).toEqual(['unknown', !isFine, isFine ? true : undefined]);
  });

  it('holds its own deadline, and a wrong one given is no reason for no answer', async () => {
    const slow = createFakeEnricher({ cold: true, delayMs: 60_000 });
    const { call } = await startSidecar({ logstashTimeoutMs: 20 }, { enricher: slow });
    const { status, json } = await call('/v1/logstash', { body: { ip: '8.8.8.8' }, headers: { 'x-timeout-ms': 'x' } });
    expect([status, json.status, json.failed]).toEqual([200, 'timeout', true]);
  });

  it.each([
    ['too long', 'x'.repeat(3000), 'application/json'],
    ['no JSON', '{"source":8.8.8.8}', 'application/json'],
    ['empty', '', 'text/plain'],
  ])('%s: 200 all the same, and not empty', async (_, body, type) => {
    const { call } = await startSidecar({ maxSmallBodyBytes: 2048 });
    const { status, json } = await call('/v1/logstash', { method: 'POST', headers: { 'content-type': type }, body });
    expect([status, json.verdict, json.status]).toEqual([200, 'unknown', 'invalid']);
  });

  it('closes no event that has an unanswered value', async () => {
    const { call } = await startSidecar(
      {},
      { enricher: createFakeEnricher({ sayings: { '8.8.4.4': { verdict: 'clean', score: 0, autoResolve: false } } }), detail: 'full' },
    );
    expect((await call('/v1/logstash', { body: { a: '8.8.8.8' } })).json.auto_resolve).toBe(true);
    expect((await call('/v1/logstash', { body: { a: '8.8.8.8', b: '8.8.4.4' } })).json.auto_resolve).toBe(false);
    expect((await call('/v1/logstash', { body: { a: '8.8.8.8', b: '10.0.0.1' } })).json.auto_resolve).toBe(true);
  });
});

interface RecordedRequest {
  readonly case: string;
  readonly request_line: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body_latin1: string;
}

describe.skipIf(!hasFixtures)('recorded requests of the filter', () => {
  const { requests } = hasFixtures
    ? (readJsonFixture('elastic/logstash-http-filter-requests.json') as { requests: RecordedRequest[] })
    : { requests: [] };

  it.each(requests.filter(({ request_line: line }) => line.startsWith('POST')))('$case is answered', async (recorded) => {
    const { port } = await startSidecar({}, { enricher: createFakeEnricher({ sayings }) });
    const head = [
      recorded.request_line.replace('/v1/enrich', '/v1/logstash'),
      ...recorded.headers.map(([name, value]) => `${name}: ${name === 'Connection' ? 'close' : value}`),
      '',
      '',
    ].join('\r\n');
    const answer = await rawCall(port, head, Buffer.from(recorded.body_latin1, 'latin1'));
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: application\/json\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toHaveProperty('verdict');
  });

  it.each(requests.filter(({ request_line: line }) => line.startsWith('GET') && line.includes('query=')))(
    '$case is answered by /check',
    async (recorded) => {
      const { port } = await startSidecar({}, { enricher: createFakeEnricher({ sayings }) });
      const head = [
        recorded.request_line.replace('/v1/enrich', '/check'),
        ...recorded.headers.map(([name, value]) => `${name}: ${name === 'Connection' ? 'close' : value}`),
        '',
        '',
      ].join('\r\n');
      expect(await rawCall(port, head)).toMatch(/^HTTP\/1.1 (200|400|404|422) /);
    },
  );
});
