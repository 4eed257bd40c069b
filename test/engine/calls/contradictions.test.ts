import { describe, expect, it } from 'vitest';
import { repeatsKey } from '../../../src/engine/calls/http/repeated-keys.ts';
import { openTestEngine } from '../../support/open-test-engine.ts';
import { sendJson, startStandIn } from '../../support/stand-in-api.ts';

const KEYS = ['malicious', 'query'];

describe('a key that one object says twice', () => {
  it.each([
    ['{"malicious":true,"malicious":false}', true],
    ['{"malicious" : true , "x":[{"y":1}], "malicious"\n:false}', true],
    ['{"results":[{"malicious":true},{"malicious":true,"a":"\\"","malicious":false}]}', true],
    ['{"query":"a","malicious":1,"query":"b"}', true],
    ['{"results":[{"malicious":true},{"malicious":false}],"malicious":1}', false],
    ['{"malicious":true,"reputation":{"malicious":3}}', false],
    ['{"malicious":true,"categories":["malicious","malicious"]}', false],
    ['{"malicious":true,"x":"\\"malicious\\":false","y":"\\\\"}', false],
    ['{"other":1,"other":2}', false],
    ['["malicious","malicious"]', false],
    ['', false],
  ])('%s: %j', (text, expected) => {
    expect(repeatsKey(text, KEYS)).toBe(expected);
  });
});

describe('an answer that contradicts itself', () => {
  const good = '{"malicious":false,"sources":[],"riskScore":{"score":4,"level":"low"}}';
  it.each([
    ['{"malicious":true,"malicious":false,"sources":[]}', 'bad_response', 'unknown'],
    ['{"sources":[{"name":"a","category":"c2"}],"malicious":false,"sources":[]}', 'bad_response', 'unknown'],
    [good, 'ok', 'clean'],
  ])('%s: %s, %s', async (body, status, verdict) => {
    await using api = await startStandIn((_call, response) => sendJson(response, 200, body));
    const { engine } = await openTestEngine(api.url);
    const answer = (await engine.enrichMany(['11.22.33.44'], { timeoutMs: 0 })).get('11.22.33.44')?.answer;
    expect([answer?.status, answer?.verdict]).toEqual([status, verdict]);
    await engine.close();
  });

  it('in one row of a bulk answer: no row of it is believed', async () => {
    const rows = (both: string) =>
      `{"success":true,"results":[{"entity":"11.22.33.44",${both}},{"entity":"11.22.33.45","malicious":false,"sources":0}]}`;
    await using api = await startStandIn((call, response) =>
      sendJson(response, 200, call.method === 'POST' ? rows('"malicious":true,"malicious":false,"sources":0') : good),
    );
    api.bulkCap = 10;
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_RETRIES: '0' });
    const found = await engine.enrichMany(['11.22.33.44', '11.22.33.45'], { timeoutMs: 0 });
    // Each of them is asked alone then, or has no answer.
    for (const { answer, source } of found.values()) expect(answer.status === 'bad_response' || source === 'live').toBe(true);
    expect(api.calls.filter(({ method }) => method === 'POST').length).toBeGreaterThan(0);
    await engine.close();
  });
});
