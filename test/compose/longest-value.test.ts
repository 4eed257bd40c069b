import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_VALUE_BYTES, parseForLookup } from '../../src/model/parsing/longest-value.ts';
import { startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { openTestEngine } from '../support/open-test-engine.ts';

const urlOf = (bytes: number) => `http://evil-host.net/${'a'.repeat(bytes - 'http://evil-host.net/'.length)}`;

describe('the longest value that is looked up', () => {
  it.each([
    [urlOf(MAX_VALUE_BYTES), 'public'],
    [urlOf(MAX_VALUE_BYTES + 1), 'invalid'],
    [`http://evil-host.net/${'é'.repeat(1013)}`, 'public'],
    [`http://evil-host.net/${'é'.repeat(1014)}`, 'invalid'],
    [`http://evil-host.net/${'🙂'.repeat(507)}`, 'invalid'],
    ['8.8.8.8', 'public'],
  ])('is counted in bytes (%#)', (value, kind) => {
    expect(parseForLookup(value).kind).toBe(kind);
  });

  it('is the same in the engine, in /v1/lookup and in /v1/logstash: nobody is asked about one that is longer', async () => {
    // Nobody listens there: whatever is asked about is a failure.
    const { engine } = await openTestEngine('http://127.0.0.1:9');
    onTestFinished(() => engine.close());
    const long = urlOf(MAX_VALUE_BYTES + 1);
    const { call } = await startSidecar({}, { enricher: engine });
    const inEngine = (await engine.enrichMany([long])).get(long)?.answer;
    const looked = (await call('/v1/lookup', { body: { indicators: [long] } })).json.enrichments[0];
    const logstash = (await call('/v1/logstash', { body: { 'url.full': long } })).json;
    expect([inEngine?.status, inEngine?.message]).toEqual(['invalid', expect.stringContaining('longer than 2048 bytes')]);
    expect([looked.status, looked.message]).toEqual(['invalid', inEngine?.message]);
    expect(JSON.stringify(logstash)).toContain('"invalid"');
    expect((await engine.plan([long])).invalid).toBe(1);
  });
});
