import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { STATUSES } from '../../../../src/model/enrichment.ts';
import type { Status } from '../../../../src/model/enrichment.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { startSidecar } from '../support/start-sidecar.ts';

const BAD = '45.9.148.114';
const enricher = () => createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' }, '9.9.9.9': { verdict: 'unknown' } } });

describe('POST /v1/enrich', () => {
  it.each([
    ['an object', 'application/json', `{"destination":{"ip":"${BAD}"}}`, 'application/json'],
    ['an array', 'application/json; charset=utf-8', `[{"destination":{"ip":"${BAD}"}}]`, 'application/json'],
    ['lines', 'application/x-ndjson', `{"destination":{"ip":"${BAD}"}}\n`, 'application/x-ndjson'],
    ['an object as text', 'text/plain', `{"destination":{"ip":"${BAD}"}}`, 'application/json'],
    ['lines as text', 'text/plain', `{"a":1}\n{"destination":{"ip":"${BAD}"}}`, 'application/x-ndjson'],
  ])('takes %s and answers in kind', async (_, type, body, answered) => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { status, headers, text } = await call('/v1/enrich', { headers: { 'content-type': type }, body });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe(answered);
    expect(text).toContain('"verdict":"malicious"');
    expect(headers.get('x-ismalicious-invalid-lines')).toBeNull();
  });

  it('inflates gzip', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { text } = await call('/v1/enrich', {
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(`{"destination":{"ip":"${BAD}"}}`),
    });
    expect(text).toContain('"verdict":"malicious"');
  });

  it('gives long batches back whole, one after the other and at once', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const batch = (mark: string) =>
      Array.from({ length: 800 }, (_, n) => `{"id":"${mark}-${n}","message":"${'x'.repeat(300)}","destination":{"ip":"${BAD}"}}`).join(
        '\n',
      );
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((mark) =>
        call('/v1/enrich', { headers: { 'content-type': 'application/x-ndjson' }, body: batch(mark) }),
      ),
    );
    answers.forEach(({ text }, k) => {
      const events = text.split('\n').map((line) => JSON.parse(line) as { id: string; ismalicious: { verdict: string } });
      expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 800 }, (_, n) => `${'abcdef'[k]}-${n}`));
      expect(events.every(({ ismalicious }) => ismalicious.verdict === 'malicious')).toBe(true);
    });
  });

  it('looks up what memory does not know, once for all events, and says it is live', async () => {
    const cold = createFakeEnricher({ cold: true, sayings: { [BAD]: { verdict: 'malicious' } } });
    const { call } = await startSidecar({}, { enricher: cold, detail: 'full' });
    const { json } = await call('/v1/enrich', {
      body: [{ destination: { ip: BAD } }, { destination: { ip: '8.8.8.8' } }, { source: { ip: BAD } }],
    });
    expect(json.map((event: any) => [event.ismalicious.verdict, event.ismalicious.source])).toEqual([
      ['malicious', 'live'],
      ['clean', 'live'],
      ['malicious', 'live'],
    ]);
    expect(cold.asked).toEqual([[BAD, '8.8.8.8']]);
  });

  it('answers by its deadline with what there is, and marks the rest', async () => {
    const slow = createFakeEnricher({ cold: new Set(['8.8.8.8']), delayMs: 60_000, sayings: { [BAD]: { verdict: 'malicious' } } });
    const { call } = await startSidecar({}, { enricher: slow });
    const { json } = await call('/v1/enrich?timeout_ms=30', { body: [{ destination: { ip: BAD } }, { destination: { ip: '8.8.8.8' } }] });
    expect(json[0].ismalicious.verdict).toBe('malicious');
    expect(json[1]).toMatchObject({ ismalicious: { verdict: 'unknown', status: 'timeout' }, tags: ['_ismalicious_failure'] });
  });

  it.each([
    ['x-timeout-ms', { 'x-timeout-ms': '250' }, '', 250],
    ['timeout_ms', {}, '?timeout_ms=300', 300],
    ['the setting', {}, '', 10_000],
  ])('takes its deadline from %s', async (_, headers, query, expected) => {
    const cold = createFakeEnricher({ cold: true });
    const { call } = await startSidecar({}, { enricher: cold });
    await call(`/v1/enrich${query}`, { headers: headers as Record<string, string>, body: { destination: { ip: BAD } } });
    expect(cold.options[0]!.timeoutMs).toBeGreaterThan(expected - 250);
    expect(cold.options[0]!.timeoutMs).toBeLessThanOrEqual(expected);
  });

  it.each([
    ['junk', { body: 'junk', headers: { 'content-type': 'application/json' } }, 400, 'invalid_json', /byte 0/],
    ['a cut-off text', { body: '{"a":1', headers: { 'content-type': 'application/json' } }, 400, 'invalid_json', /ends at byte 6/],
    ['an empty body', { body: '', method: 'POST', headers: { 'content-type': 'application/json' } }, 400, 'invalid_json', /empty/],
    [
      'deep nesting',
      { body: `{"a":${'['.repeat(50)}${']'.repeat(50)}}`, headers: { 'content-type': 'application/json' } },
      400,
      'invalid_json',
      /more than 32 brackets/,
    ],
    ['bare values', { body: ['8.8.8.8'] }, 400, 'invalid_json', /event object/],
    [
      'another type',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_type',
      /x-ndjson/,
    ],
    [
      'another encoding',
      { body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'br' } },
      415,
      'unsupported_encoding',
      /gzip/,
    ],
    ['no gzip', { body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 400, 'invalid_gzip', /gzip/],
    [
      'a bomb',
      { body: gzipSync(Buffer.alloc(50_000, 0x20)), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } },
      413,
      'body_too_large',
      /20000 bytes/,
    ],
    ['a long body', { body: ' '.repeat(20_001), headers: { 'content-type': 'application/json' } }, 413, 'body_too_large', /20000 bytes/],
    ['too many events', { body: [{}, {}, {}, {}] }, 413, 'too_many_events', /3 events/],
    ['a wrong time-out', { body: {}, headers: { 'x-timeout-ms': 'soon' } }, 400, 'invalid_timeout', /milliseconds/],
    ['GET', { method: 'GET' }, 405, 'method_not_allowed', /POST/],
  ])('refuses %s', async (_, init, status, code, message) => {
    const { call } = await startSidecar({ maxBodyBytes: 20_000, maxEvents: 3 });
    const answer = await call('/v1/enrich', init);
    expect(answer.status).toBe(status);
    expect(answer.json.error.code).toBe(code);
    expect(answer.json.error.message).toMatch(message);
  });

  it('counts lines that are no JSON', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { headers, text } = await call('/v1/enrich', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: `junk\n{"destination":{"ip":"${BAD}"}}\n{"cut":`,
    });
    expect(headers.get('x-ismalicious-invalid-lines')).toBe('2');
    expect(text.split('\n')[0]).toBe('junk');
    expect(text.split('\n')[2]).toBe('{"cut":');
  });

  it('looks at the fields it is told to, and at no others', async () => {
    const { call } = await startSidecar({ fields: ['my.field'], compat: 'playbook', matchedType: 'none' }, { enricher: enricher() });
    const { json } = await call('/v1/enrich', { body: { my: { field: BAD }, destination: { ip: '8.8.8.8' } } });
    expect(json.ismalicious.field).toBe('my.field');
    expect(json.threat.enrichment).toEqual({ malicious: true, score: 87, category: ['c2'] });
    expect(json.threat.enrichments[0].matched).not.toHaveProperty('type');
  });
});

describe('POST /v1/lookup', () => {
  it('answers every value in its place, with what was given when that is spelt differently', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { status, json } = await call('/v1/lookup', { body: { indicators: [`45[.]9.148.114`, '10.0.0.1', BAD, 'not one', BAD] } });
    expect(status).toBe(200);
    expect(json.enrichments.map((one: any) => [one.indicator, one.input ?? null, one.verdict, one.status])).toEqual([
      [BAD, '45[.]9.148.114', 'malicious', 'ok'],
      ['10.0.0.1', null, 'unknown', 'skipped_private'],
      [BAD, null, 'malicious', 'ok'],
      ['not one', null, 'unknown', 'invalid'],
      [BAD, null, 'malicious', 'ok'],
    ]);
  });

  it('hands its options on', async () => {
    const engine = enricher();
    const { call } = await startSidecar({}, { enricher: engine });
    await call('/v1/lookup', { body: { indicators: [BAD], providers: ['local'], timeout_ms: 777, max_age_s: 60 } });
    expect(engine.options[0]).toMatchObject({ providers: ['local'], timeoutMs: 777, maxAgeS: 60 });
  });

  it('plans without spending', async () => {
    const engine = enricher();
    const { call } = await startSidecar({}, { enricher: engine });
    const { json } = await call('/v1/lookup', { body: { indicators: [BAD, BAD, '8.8.8.8'], plan: true } });
    expect(json.plan).toMatchObject({ unique: 2, to_pay: 2 });
    expect(engine.asked).toEqual([]);
  });

  it('marks a value that is too long as invalid and answers the others', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { json } = await call('/v1/lookup', { body: { indicators: ['a'.repeat(5000), BAD] } });
    expect(json.enrichments.map((one: any) => one.status)).toEqual(['invalid', 'ok']);
  });

  it.each([
    ['no indicators', {}, 400, /indicators/],
    ['a number among them', { indicators: [BAD, 7] }, 400, /indicators\/1/],
    ['a text in place of the list', { indicators: BAD }, 400, /array/],
    ['a member that is not known', { indicators: [], indicator: BAD }, 400, /additional/],
    ['a text in place of a number', { indicators: [], timeout_ms: '5' }, 400, /timeout_ms/],
    ['a text in place of a boolean', { indicators: [], plan: 'true' }, 400, /plan/],
    ['too many', { indicators: Array.from({ length: 6 }, () => BAD) }, 413, /5 indicators/],
    ['a list in place of the object', [], 400, /object/],
  ])('refuses %s', async (_, body, status, message) => {
    const { call } = await startSidecar({ maxIndicators: 5 }, { enricher: enricher() });
    const answer = await call('/v1/lookup', { body });
    expect(answer.status).toBe(status);
    expect(answer.json.error.message).toMatch(message);
  });

  it.each([
    ['broken JSON', '{"indicators":', 'application/json', 400],
    ['another type', 'indicators=1', 'text/plain', 415],
    ['a long body', JSON.stringify({ indicators: ['x'.repeat(3000)] }), 'application/json', 413],
  ])('refuses %s', async (_, body, type, status) => {
    const { call } = await startSidecar({ maxSmallBodyBytes: 2048 });
    expect((await call('/v1/lookup', { headers: { 'content-type': type }, body })).status).toBe(status);
  });
});

describe('GET /check', () => {
  it('speaks the shape of the vendor’s API', async () => {
    const { call } = await startSidecar({}, { enricher: enricher() });
    const { status, json } = await call(`/check?query=${BAD}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ malicious: true, riskScore: { score: 87, level: 'critical' }, categories: ['c2'], confidenceScore: 90 });
  });

  it.each([
    ['clean', { verdict: 'clean', score: 0 }, { malicious: false, riskScore: { level: 'safe' } }],
    ['clean with points', { verdict: 'clean', score: 12 }, { malicious: false, riskScore: { level: 'low' } }],
    ['suspicious', { verdict: 'suspicious', score: 70 }, { malicious: false, riskScore: { score: 70, level: 'medium' } }],
    ['malicious', { verdict: 'malicious', score: 61 }, { malicious: true, riskScore: { score: 61, level: 'high' } }],
    ['malicious without a score', { verdict: 'malicious', score: null }, { malicious: true, riskScore: { score: null, level: 'high' } }],
  ] as const)('%s', async (_, saying, expected) => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings: { '*': saying } }) });
    const { status, json } = await call('/check?query=8.8.8.8');
    expect(status).toBe(200);
    expect(json).toMatchObject(expected);
  });

  const STATUS_CODES: Record<Status, number> = {
    ok: 404,
    stale: 404,
    partial: 503,
    pending: 503,
    invalid: 400,
    skipped_empty: 400,
    skipped_private: 422,
    skipped_allowlist: 422,
    skipped_tlp: 422,
    over_budget: 429,
    rate_limited: 429,
    quota_exhausted: 429,
    timeout: 504,
    unauthorized: 401,
    unavailable: 503,
    bad_response: 502,
  };
  it.each(STATUSES)('an unknown with status %s is an error, never "not malicious"', async (status) => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings: { '*': { verdict: 'unknown', status } } }) });
    const answer = await call('/check?query=8.8.8.8');
    expect(answer.status).toBe(STATUS_CODES[status]);
    expect(answer.json).not.toHaveProperty('malicious');
    expect(answer.json.status).toBe(status);
    if ([429, 503].includes(answer.status) && status !== 'quota_exhausted') expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('waits for what memory does not know', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ cold: true, sayings: { [BAD]: { verdict: 'malicious' } } }) });
    expect((await call(`/check?query=${encodeURIComponent('45[.]9[.]148[.]114')}`)).json.malicious).toBe(true);
  });

  it.each(['/check', '/check?query=', '/check?query=%20', `/check?query=${'a'.repeat(3000)}`, '/check?q=8.8.8.8'])(
    'refuses %s',
    async (path) => {
      const { call } = await startSidecar();
      expect((await call(path)).status).toBe(400);
    },
  );
});

describe('what the sidecar tells about itself', () => {
  it('is alive, ready, and names every path it has', async () => {
    const { call } = await startSidecar();
    expect((await call('/healthz')).json).toEqual({ status: 'ok' });
    expect((await call('/readyz')).json).toEqual({ status: 'ready' });
    const { json } = await call('/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    for (const path of Object.keys(json.paths)) expect((await call(path, { method: 'OPTIONS' })).status, path).toBe(405);
    expect((await call('/no/such/path')).json.error.code).toBe('not_found');
  });

  it('is ready, and says what does not work, as long as calls are answered', async () => {
    const { call } = await startSidecar({}, { degraded: () => ['the cache cannot be written'] });
    const { status, json } = await call('/readyz');
    expect([status, json]).toEqual([200, { status: 'ready', degraded: ['the cache cannot be written'] }]);
    const { call: other } = await startSidecar(
      {},
      {
        degraded: () => {
          throw new Error('ENOENT: no such file');
        },
      },
    );
    const told = await other('/readyz');
    expect([told.status, told.json]).toEqual([200, { status: 'ready', degraded: ['ENOENT: no such file'] }]);
  });

  it.each(['-1', '0', '1.5', 'x', '600001'])('/check?timeout_ms=%s is refused in the shape of /check', async (timeoutMs) => {
    const { call } = await startSidecar();
    const { status, json } = await call(`/check?query=8.8.8.8&timeout_ms=${timeoutMs}`);
    expect([status, json.error, json.message]).toEqual([400, 'Invalid query', expect.stringContaining('timeout_ms') as string]);
  });

  it('listens on an IPv6 address in brackets too', async () => {
    const sidecar = await createSidecar({ enricher: createFakeEnricher(), settings: SidecarSettings.parse({ host: '[::1]', port: 0 }) });
    try {
      const { host } = await sidecar.listen();
      expect(host).toBe('::1');
    } finally {
      await sidecar.close();
    }
  });

  it('counts calls, events and verdicts, by labels that callers cannot make', async () => {
    const { call } = await startSidecar({}, { enricher: enricher(), extraMetrics: () => 'other_series 7\n' });
    await call('/v1/enrich', { body: [{ destination: { ip: BAD } }, { destination: { ip: '8.8.8.8' } }, {}] });
    await call('/check?query=8.8.8.8');
    await call('/made-up-1');
    await call('/made-up-2');
    const { text, headers } = await call('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('ismalicious_sidecar_requests_total{route="/v1/enrich",code="200"} 1');
    expect(text).toContain('ismalicious_sidecar_requests_total{route="other",code="404"} 2');
    expect(text).toContain('ismalicious_sidecar_events_total 3');
    expect(text).toContain('ismalicious_sidecar_event_verdicts_total{verdict="malicious"} 1');
    expect(text).toContain('ismalicious_sidecar_event_verdicts_total{verdict="clean"} 1');
    expect(text).toContain('other_series 7');
    expect(text).not.toContain('made-up');
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.e+-]+)$/);
  });

  it('has a page that needs nothing from elsewhere', async () => {
    const { call } = await startSidecar();
    const { text, headers } = await call('/');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';/);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path)).toEqual([
      'data:,',
      'console/console.css',
      'console/console.js',
      'openapi.json',
    ]);
    expect(text).not.toMatch(/<script>|<style|style=|\bon\w+=/);
  });
});
