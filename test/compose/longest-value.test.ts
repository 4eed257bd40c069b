import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_VALUE_BYTES } from '../../src/model/parsing/longest-value.ts';
import { readForLookup } from '../../src/model/read-for-lookup.ts';
import { startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { startStandIn } from '../support/stand-in-api.ts';
import { openTestEngine } from '../support/open-test-engine.ts';

const urlOf = (bytes: number) => `http://evil-host.net/${'a'.repeat(bytes - 'http://evil-host.net/'.length)}`;

describe('the longest value that is looked up', () => {
  it.each([
    [urlOf(MAX_VALUE_BYTES), 'public'],
    [urlOf(MAX_VALUE_BYTES + 1), 'parts'],
    [`http://evil-host.net/${'é'.repeat(1013)}`, 'public'],
    [`http://evil-host.net/${'é'.repeat(1014)}`, 'parts'],
    [`http://evil-host.net/${'🙂'.repeat(507)}`, 'parts'],
    ['x'.repeat(MAX_VALUE_BYTES + 1), 'invalid'],
    ['8.8.8.8', 'public'],
  ])('is counted in bytes (%#)', (value, kind) => {
    expect(readForLookup(value).kind).toBe(kind);
  });

  it('beyond it the host is asked, in the engine, in /v1/lookup, in /v1/logstash and in /check alike, and says so', async () => {
    const api = await startStandIn();
    const { engine } = await openTestEngine(api.url);
    onTestFinished(() => engine.close());
    const long = urlOf(MAX_VALUE_BYTES + 1);
    const { call } = await startSidecar({}, { enricher: engine });
    const inEngine = (await engine.enrichMany([long])).get(long);
    const looked = (await call('/v1/lookup', { body: { indicators: [long] } })).json.enrichments[0];
    const logstash = (await call('/v1/logstash', { body: { 'url.full': long } })).json;
    const check = (await call(`/check?query=${encodeURIComponent(long)}`)).json;
    const note = expect.stringContaining('longer than 2048 bytes: only evil-host.net was looked up');
    expect(inEngine?.indicator).toEqual({ type: 'domain-name', value: 'evil-host.net' });
    expect([inEngine?.answer.status, inEngine?.answer.autoResolve, inEngine?.answer.message]).toEqual(['ok', false, note]);
    expect([looked.status, looked.indicator, looked.auto_resolve, looked.message]).toEqual(['ok', 'evil-host.net', false, note]);
    expect([logstash.status, logstash.indicator, logstash.auto_resolve, logstash.message]).toEqual(['ok', 'evil-host.net', false, note]);
    expect(check.malicious).toBe(looked.verdict === 'malicious');
    expect(api.calls.map(({ values }) => values)).toEqual([['evil-host.net']]);
    expect(await engine.plan([long, 'x'.repeat(3000), '-'])).toMatchObject({ invalid: 1, cached: 1 });
  });
});
