import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/model/enrichment.ts';
import { openTestEngine } from '../support/open-test-engine.ts';
import { healthy, sendJson, type StandInReply, startStandIn, verdictBody } from '../support/stand-in-api.ts';

const VALUE = '9.9.9.1';

async function look(reply: StandInReply, env: Record<string, string> = {}, timeoutMs = 8000) {
  await using api = await startStandIn(reply);
  const { engine } = await openTestEngine(api.url, env);
  try {
    const found = await engine.enrichMany([VALUE], { timeoutMs });
    return { enrichment: found.get(VALUE)!, calls: api.calls.length };
  } finally {
    await engine.close();
  }
}

const raw =
  (status: number, body: string, headers: Record<string, string> = {}): StandInReply =>
  (_call, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): StandInReply =>
  (_call, response) =>
    sendJson(response, status, body, headers);
const never: StandInReply = () => {};

describe('every fault of the provider has its own status, and none reads as clean', () => {
  it.each<[string, StandInReply, Status, number]>([
    ['401', json(401, { message: 'Provide an x-api-key header or a valid session cookie' }), 'unauthorized', 1],
    ['403', json(403, { error: 'Plan required' }), 'unauthorized', 1],
    [
      '429 burst that outlasts the caller',
      json(429, { error: 'Rate limit exceeded', retryAfter: 60 }, { 'retry-after': '60' }),
      'rate_limited',
      1,
    ],
    [
      '429 with a date',
      json(429, { error: 'Rate limit exceeded' }, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }),
      'rate_limited',
      1,
    ],
    ['429 with an absurd time', json(429, { error: 'rate limit' }, { 'retry-after': '1000000000' }), 'rate_limited', 1],
    ['429 without a time', json(429, { error: 'rate limit' }), 'rate_limited', 1],
    [
      '429 monthly quota',
      json(429, { error: 'Monthly quota exceeded', usage: { current: 9, limit: 9 }, upgradeRequired: true }),
      'quota_exhausted',
      1,
    ],
    ['429 scan meter', json(429, { error: 'Scan quota exceeded', usage: 50, limit: 50 }), 'quota_exhausted', 1],
    ['400 that blames the value', json(400, { errors: ['query is wrong'] }), 'invalid', 1],
    ['400 that blames nobody', json(400, {}), 'bad_response', 1],
    ['429 whose body is not what its header says', raw(429, 'Quota', { 'content-encoding': 'gzip' }), 'rate_limited', 1],
    ['404', json(404, { error: 'no such path' }), 'bad_response', 1],
    ['500', json(500, { error: 'boom' }), 'unavailable', 3],
    ['502 in HTML', raw(502, '<html>bad gateway</html>', { 'content-type': 'text/html' }), 'unavailable', 3],
    ['503', json(503, {}), 'unavailable', 3],
    ['HTML at 200', raw(200, '<html>log in</html>', { 'content-type': 'text/html' }), 'bad_response', 1],
    ['empty 200', raw(200, '', { 'content-type': 'application/json' }), 'bad_response', 1],
    ['a list at 200', json(200, [1, 2]), 'bad_response', 1],
    ['null at 200', json(200, 'null'), 'bad_response', 1],
    ['another document at 200', json(200, { data: { abuseConfidenceScore: 0 } }), 'bad_response', 1],
    ['text for a boolean', json(200, { malicious: 'false' }), 'bad_response', 1],
    ['number for the sources', json(200, { malicious: false, sources: 'none' }), 'bad_response', 1],
    ['redirect', json(302, {}, { location: 'http://127.0.0.1:1/' }), 'bad_response', 1],
    ['reset', (call) => void call, 'timeout', 1],
  ])('%s', async (name, reply, status, calls) => {
    const acted: StandInReply = name === 'reset' ? (_call, response) => response.socket?.resetAndDestroy() : reply;
    const { enrichment, calls: made } = await look(acted);
    expect(enrichment.answer.status).toBe(name === 'reset' ? 'unavailable' : status);
    expect(made).toBe(name === 'reset' ? 3 : calls);
    expect(enrichment.answer.verdict).toBe('unknown');
    expect(enrichment.answer.score).toBeNull();
    expect(enrichment.answer.tier).toBe('review');
    expect(enrichment.answer.autoResolve).toBe(false);
    expect(enrichment.source).toBe('none');
    expect(enrichment.answer.message).toMatch(/^ismalicious: \S/);
  });

  it('no answer within the time of a call is a timeout', async () => {
    const { enrichment } = await look(never, { ISMALICIOUS_TIMEOUT_MS: '100' }, 0);
    expect(enrichment.answer).toMatchObject({ status: 'timeout', verdict: 'unknown' });
  });

  it('no answer within the time of the caller is a timeout, and the late answer warms the cache', async () => {
    let answerLate: (() => void) | undefined;
    await using api = await startStandIn((call, response) => {
      answerLate = () => healthy(call, response, 1);
    });
    const { engine } = await openTestEngine(api.url);
    const found = await engine.enrichMany([VALUE], { timeoutMs: 60 });
    expect(found.get(VALUE)?.answer.status).toBe('timeout');
    await expect.poll(() => answerLate, { timeout: 15_000 }).toBeDefined();
    answerLate?.();
    const again = await engine.enrichMany([VALUE], { timeoutMs: 5000 });
    expect(again.get(VALUE)).toMatchObject({ answer: { status: 'ok', verdict: 'clean' }, source: 'coalesced' });
    expect(api.calls).toHaveLength(1);
    await engine.close();
  });

  it('an unreachable host is unavailable', async () => {
    const { engine } = await openTestEngine('http://127.0.0.1:9');
    const found = await engine.enrichMany([VALUE], { timeoutMs: 8000 });
    expect(found.get(VALUE)?.answer.status).toBe('unavailable');
    await engine.close();
  });

  it('an answer cut at any byte is never clean', async () => {
    const whole = JSON.stringify(verdictBody('9.9.9.9'));
    let cut = 0;
    await using api = await startStandIn((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(whole.slice(0, cut));
    });
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_CONCURRENCY: '64' });
    for (cut = 0; cut < whole.length; cut++) {
      const value = `12.0.${cut >> 8}.${cut & 255}`;
      const found = await engine.enrichMany([value], { timeoutMs: 2000 });
      expect(found.get(value)?.answer.verdict, `cut at ${cut}`).toBe('unknown');
      expect(found.get(value)?.answer.status, `cut at ${cut}`).not.toBe('ok');
    }
    await engine.close();
  });

  it('50 KB of sources are read', async () => {
    const sources = Array.from({ length: 400 }, (_, n) => ({
      id: `list-${n}`,
      name: `A list with a long name, number ${n}, kept by somebody`,
      category: 'spam',
      threatClass: 'threat',
      url: 'https://lists.example/x',
    }));
    const { enrichment } = await look(json(200, { malicious: false, sources, riskScore: { score: 66, level: 'high' } }));
    expect(enrichment.answer).toMatchObject({ status: 'ok', verdict: 'malicious', score: 66, sightings: 400, categories: ['spam'] });
  });

  it('an answer larger than the bound is a bad response', async () => {
    const { enrichment } = await look(
      raw(200, `{"malicious":false,"x":"${'y'.repeat(5 * 1024 * 1024)}"}`, { 'content-type': 'application/json' }),
    );
    expect(enrichment.answer.status).toBe('bad_response');
  });
});

it('a provider that is down is left alone: who comes then is told at once, and no call goes out for them', async () => {
  await using api = await startStandIn((_call, response) => void response.socket?.resetAndDestroy());
  const { engine } = await openTestEngine(api.url);
  const first = await engine.enrichMany(['9.9.9.1', '9.9.9.2'], { timeoutMs: 15_000 });
  const made = api.calls.length;
  const second = await engine.enrichMany(['9.9.9.3'], { timeoutMs: 15_000 });
  expect([...first.values(), ...second.values()].map(({ answer }) => answer.status)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  expect(second.get('9.9.9.3')?.answer.message).toContain('left alone');
  expect(api.calls).toHaveLength(made);
  await engine.close();
});

describe('what never leaves', () => {
  it.each<[string, Status]>([
    ['10.1.2.3', 'skipped_private'],
    ['fe80::1%eth0', 'skipped_private'],
    ['198.51.100.77', 'skipped_private'],
    ['intranet', 'skipped_private'],
    ['srv01.corp', 'skipped_private'],
    ['db.acmezone', 'skipped_private'],
    ['http://10.0.0.1/admin', 'skipped_private'],
    ['someone@example.org', 'skipped_private'],
    ['www.acme.com', 'skipped_private'],
    ['81.2.69.160', 'skipped_private'],
    ['', 'skipped_empty'],
    ['-', 'skipped_empty'],
    ['N/A', 'skipped_empty'],
    ['not an indicator', 'invalid'],
    ['%{[destination][ip]}', 'invalid'],
  ])('%s is %s', async (value, status) => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url, {
      ISMALICIOUS_PRIVACY_OWN_DOMAINS: 'acme.com',
      ISMALICIOUS_PRIVACY_OWN_NETWORKS: '81.2.69.0/24',
    });
    const found = await engine.enrichMany([value]);
    expect(found.get(value)).toMatchObject({
      answer: { status, verdict: 'unknown', score: null, tier: status === 'invalid' ? 'review' : 'log', autoResolve: false },
      source: 'none',
    });
    expect(found.get(value)?.answer.message).toBeTruthy();
    expect(api.calls).toHaveLength(0);
    await engine.close();
  });
});
