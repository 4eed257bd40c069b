import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, it, describe, onTestFinished } from 'vitest';
import type { Enricher } from '../../../src/engine/enricher.ts';
import { createFakeEnricher } from '../../support/fake-sidecar-enricher.ts';
import { startSidecar } from './support/start-sidecar.ts';

const BAD = '45.9.148.114';
const json = { 'content-type': 'application/json' };
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const lists = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
const MIB = 1024 * 1024;

describe('brackets without end', () => {
  const forms: [string, string][] = [
    ['an object', `{"x":${nested(4501)}}`],
    ['an object under its own name', `{"[source]":${nested(60_000)}}`],
    ['a text that holds one', JSON.stringify({ x: nested(4501) })],
    ['a list', `{"x":${lists(60_000)}}`],
    ['a text that holds a list', JSON.stringify({ x: lists(4501) })],
    ['a whole event', `{"@timestamp":"2026-11-21T10:00:00Z","x":${nested(4501)}}`],
    ['no hash at all', lists(60_000)],
  ];

  it.each(forms)('in a body of Logstash, %s, are answered as what cannot be read', async (_, body) => {
    const { call } = await startSidecar();
    const answer = await call('/v1/logstash', { method: 'POST', headers: json, body });
    expect([answer.status, answer.json.status, answer.json.verdict, answer.json.failed]).toEqual([200, 'invalid', 'unknown', true]);
    expect(answer.json.message).toMatch(/nests deeper than 200 brackets/);
  });

  it('in one field hide no indicator of another one, and forbid to resolve', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' } } }) });
    const bad = await call('/v1/logstash', { body: { x: nested(4501), ip: BAD } });
    expect([bad.json.verdict, bad.json.status]).toEqual(['malicious', 'ok']);
    const clean = await call('/v1/logstash', { body: { x: nested(4501), ip: '8.8.8.8' } });
    expect(clean.json.auto_resolve).toBe(false);
  });

  it('in one alert hold up no other one, nor its own indicators', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings: { [BAD]: { verdict: 'malicious' } } }) });
    const body = `[{"id":"deep","dest_ip":"${BAD}","x":${nested(60_000)},"src_ip":${lists(60_000)}},{"id":"flat","dest_ip":"${BAD}"}]`;
    const answer = await call('/v1/triage', { method: 'POST', headers: json, body });
    expect(answer.status).toBe(200);
    expect(answer.json.decisions.map((one: { alert_id: string; verdict: string }) => [one.alert_id, one.verdict])).toEqual([
      ['deep', 'malicious'],
      ['flat', 'malicious'],
    ]);
  });

  it('and the word __proto__ in an alert change nothing for the others', async () => {
    const { call } = await startSidecar();
    const body = `[{"id":"a","__proto__":{"dest_ip":"${BAD}"}},{"id":"b","constructor":{"prototype":{"x":1}}}]`;
    const { status, json: answer } = await call('/v1/triage', { method: 'POST', headers: json, body });
    expect([status, answer.decisions.length]).toEqual([200, 2]);
  });
});

describe('a throw that nobody expected', () => {
  it('costs one call, whose route says so in its own form; it is counted, and logged once for its kind', async () => {
    const broken: Enricher = {
      ...createFakeEnricher(),
      peek: () => {
        throw new RangeError('Maximum call stack size exceeded');
      },
    };
    const { call, log, url } = await startSidecar({}, { enricher: broken });
    const ask = async (path: string, body?: string) => {
      const answer = await fetch(`${url}${path}`, body === undefined ? {} : { method: 'POST', headers: json, body });
      return { status: answer.status, error: ((await answer.json()) as { error: { code: string; message: string } }).error };
    };
    for (let n = 0; n < 3; n++) {
      const logstash = await call('/v1/logstash', { body: { ip: '8.8.8.8' } });
      expect([logstash.status, logstash.json.status, logstash.json.failed]).toEqual([200, 'unavailable', true]);
      const enrich = await ask('/v1/enrich', '{"destination":{"ip":"8.8.8.8"}}');
      expect([enrich.status, enrich.error.code, enrich.error.message]).toEqual([
        500,
        'internal',
        expect.stringMatching(/fault [\da-f]{8}/),
      ]);
      expect((await ask('/check?query=8.8.8.8')).status).toBe(500);
    }
    expect(log.length).toBe(3);
    for (const line of log) expect(line).toMatch(/^fault [\da-f]{8}: (POST|GET) \/\S+: RangeError: Maximum call stack size exceeded/);
    expect((await call('/metrics')).text).toMatch(/^ismalicious_sidecar_faults_total 9$/m);
    expect((await call('/healthz')).status).toBe(200);
  });
});

/** A call whose body is sent as far as `part` and then pauses; `seen`: once the sidecar holds it. */
function pausing(url: string, path: string, { part, length }: { part: Buffer; length: number }): ClientRequest {
  const call = request(`${url}${path}`, { method: 'POST', headers: { ...json, 'content-length': length } });
  call.on('error', () => undefined);
  call.write(part);
  onTestFinished(() => void call.destroy());
  return call;
}

describe('room for bodies', () => {
  const held = (metrics: string) => Number(/^ismalicious_sidecar_held_bytes (\d+)$/m.exec(metrics)?.[1]);

  it.each(['/v1/enrich', '/v1/extract'])(
    'is one for all calls: beyond it %s says 503 and when to come again, until some is free',
    async (path) => {
      const { call, url } = await startSidecar({ maxHeldBytes: MIB });
      const body = path === '/v1/extract' ? JSON.stringify({ text: 'x'.repeat(300_000) }) : JSON.stringify([{ x: 'x'.repeat(300_000) }]);
      const first = pausing(url, path, { part: Buffer.alloc(900_000, 0x20), length: 1_000_000 });
      const heldNow = async () => held((await call('/metrics')).text);
      await expect.poll(heldNow, { timeout: 20_000 }).toBe(900_000);
      const refused = await call(path, { method: 'POST', headers: json, body });
      expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([503, 'busy', '1']);
      expect((await call('/v1/logstash', { body: { ip: '8.8.8.8' } })).json.status).toBe('ok');
      expect(await heldNow()).toBe(900_000);
      first.destroy();
      await expect.poll(heldNow, { timeout: 20_000 }).toBe(0);
      expect((await call(path, { method: 'POST', headers: json, body })).status).toBe(200);
      await expect.poll(heldNow, { timeout: 20_000 }).toBe(0);
    },
  );

  it('counts what gzip inflates to', async () => {
    const { call } = await startSidecar({ maxHeldBytes: MIB });
    const bomb = { headers: { ...json, 'content-encoding': 'gzip' }, method: 'POST', body: gzipSync(Buffer.alloc(8 * MIB, 0x20)) };
    expect((await call('/v1/enrich', bomb)).status).toBe(503);
    expect((await call('/v1/triage', bomb)).status).toBe(503);
    await expect.poll(async () => held((await call('/metrics')).text), { timeout: 20_000 }).toBe(0);
  });

  it('has a body in thousands of tiny pieces put together', async () => {
    const { url } = await startSidecar();
    const text = JSON.stringify({ text: `${'a '.repeat(2000)}${BAD}` });
    const call = request(`${url}/v1/extract`, { method: 'POST', headers: json });
    const answer = new Promise<string>((resolve, reject) => {
      call.on('error', reject).on('response', (res) => {
        let body = '';
        res.on('data', (part: Buffer) => (body += part.toString())).on('end', () => resolve(body));
      });
    });
    for (const letter of text) call.write(letter);
    call.end();
    expect(JSON.parse(await answer)).toMatchObject({ indicators: [{ value: BAD }] });
  });

  it('is not spent on values: a body of too many is refused before it is parsed', async () => {
    const { call } = await startSidecar();
    const body = `[${'{},'.repeat(500_000)}{}]`;
    expect(await call('/v1/triage', { method: 'POST', headers: json, body })).toMatchObject({
      status: 413,
      json: { error: { code: 'body_too_large' } },
    });
  });
});

describe('a text full of indicators', () => {
  it('is read up to a bound, says so, and goes on from there', async () => {
    const { call } = await startSidecar({ maxExtracted: 1000 });
    const text = '1.2.3.4 '.repeat(3000);
    const values: number[] = [];
    let from = 0;
    for (let rest = true; rest;) {
      const { json: answer } = await call('/v1/extract', { body: { text: text.slice(from) } });
      for (const { offset } of answer.indicators as { offset: number }[]) values.push(from + offset);
      expect(answer.indicators.length).toBeLessThan(2000);
      rest = answer.truncated === true;
      from += rest ? (answer.read_until as number) : 0;
    }
    expect(values).toEqual(Array.from({ length: 3000 }, (_, n) => n * 8));
    expect((await call('/metrics')).text).toMatch(/^ismalicious_sidecar_extract_truncated_total [1-9]/m);
  });

  it('that repeats itself is read whole with `unique`', async () => {
    const { call } = await startSidecar({ maxExtracted: 10 });
    const { json: answer } = await call('/v1/extract', { body: { text: `${'1.2.3.4 '.repeat(3000)} 9.9.9.9`, unique: true } });
    expect(answer).toEqual({ indicators: [expect.objectContaining({ value: '1.2.3.4' }), expect.objectContaining({ value: '9.9.9.9' })] });
  });
});

describe('a long text of events', () => {
  const sayings = { [BAD]: { verdict: 'malicious' as const } };
  const events = Array.from({ length: 4000 }, (_, n) => ({
    n,
    message: '"[{,}]\\'.repeat(20),
    destination: { ip: n % 3 === 0 ? BAD : `8.8.${n >> 8}.${n & 255}` },
  }));
  const known = (event: (typeof events)[number]) => (event.destination.ip === BAD ? 'malicious' : 'clean');

  it.each([
    ['an array', JSON.stringify(events), 'application/json', false],
    ['an array over lines', JSON.stringify(events, null, 1), 'application/json', false],
    ['an array, with values that nobody knows yet', JSON.stringify(events), 'application/json', true],
    ['lines', events.map((event) => JSON.stringify(event)).join('\n'), 'application/x-ndjson', false],
    [
      'lines, with values that nobody knows yet',
      `${events.map((event) => JSON.stringify(event)).join('\n')}\n`,
      'application/x-ndjson',
      true,
    ],
  ])('%s is enriched in slices, and is the same', async (_, body, type, cold) => {
    expect(body.length).toBeGreaterThan(700_000);
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ sayings, ...(cold && { cold: true }) }) });
    const { status, text } = await call('/v1/enrich', { method: 'POST', headers: { 'content-type': type }, body });
    expect(status).toBe(200);
    const back =
      type === 'application/json'
        ? (JSON.parse(text) as never[])
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as never);
    expect(back.map(({ n, message, ismalicious: { verdict } }) => [n, message, verdict])).toEqual(
      events.map((event) => [event.n, event.message, known(event)]),
    );
    if (type === 'application/x-ndjson') expect(text.endsWith('\n')).toBe(body.endsWith('\n'));
  });

  it.each([
    ['is not closed', (body: string) => body.slice(0, -1), 400, /ends at byte/],
    ['breaks in the middle', (body: string) => body.replace('{"n":3000', '{n":3000'), 400, /no JSON from byte|ends at byte/],
    ['goes on behind its end', (body: string) => `${body} x`, 400, /no JSON from byte/],
    ['has an empty place', (body: string) => `${body.slice(0, -1)},]`, 400, /no JSON from byte/],
    ['holds too many events', (body: string) => `${body.slice(0, -1)},${'{},'.repeat(7000)}{}]`, 413, /more than 10000 events/],
  ])('that %s is refused, and nobody was asked', async (_, spoil, status, message) => {
    const enricher = createFakeEnricher({ sayings, cold: true });
    const { call } = await startSidecar({}, { enricher });
    const answer = await call('/v1/enrich', { method: 'POST', headers: json, body: spoil(JSON.stringify(events)) });
    expect([answer.status, answer.json.error.message]).toEqual([status, expect.stringMatching(message)]);
    expect(enricher.asked).toEqual([]);
  });

  it('with more values than one call may ask for is refused', async () => {
    const { call } = await startSidecar({}, { enricher: createFakeEnricher({ cold: true }) });
    // An event of its own has a lower bound, so they are spread over many.
    const ips = (event: number) => Array.from({ length: 9200 }, (_, n) => `8.${event}.${n >> 8}.${n & 255}`);
    const answer = await call('/v1/enrich', { body: Array.from({ length: 11 }, (_, event) => ({ destination: { ip: ips(event) } })) });
    expect([answer.status, answer.json.error.code]).toEqual([413, 'too_many_values']);
  });
});
