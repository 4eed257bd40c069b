import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/compose/open-engine.ts';
import type { IndicatorType } from '../../src/model/indicator.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { accuse, FOUR, type FourId, type FourReply, startFourProviders } from '../support/four-providers.ts';
import { publicAddresses } from '../support/open-test-engine.ts';

const providers = await loadProviders();

const send =
  (status: number, body: string): FourReply =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
const clear: FourReply = send(200, JSON.stringify({ malicious: false, riskScore: { score: 0 }, confidenceScore: 95, sources: [] }));

describe('the seed workflow’s lists: who can be asked about what', () => {
  it.each<[IndicatorType, string[]]>([
    ['ipv4-addr', ['ismalicious', 'abuseipdb', 'shodan', 'virustotal', 'misp', 'greynoise', 'otx', 'opencti']],
    ['ipv6-addr', ['ismalicious', 'abuseipdb', 'shodan', 'virustotal', 'misp', 'otx', 'opencti']],
    ['domain-name', ['ismalicious', 'virustotal', 'passivetotal', 'defender_ti', 'shodan', 'misp', 'otx', 'urlscan']],
    ['url', ['ismalicious', 'urlscan', 'virustotal', 'safebrowsing', 'urlhaus']],
    ['file:md5', ['ismalicious', 'virustotal', 'malwarebazaar', 'misp', 'threatfox']],
    ['file:sha1', ['ismalicious', 'virustotal', 'malwarebazaar', 'misp', 'threatfox']],
    ['file:sha256', ['ismalicious', 'virustotal', 'malwarebazaar', 'misp', 'threatfox']],
  ])('%s', (type, ids) => {
    const able = providers.filter(({ types }) => types.includes(type)).map(({ id }) => id);
    expect(able).toEqual(expect.arrayContaining(ids));
  });
});

describe('one of four providers fails: the rest answer, by the deadline, as partial', () => {
  const faults: [string, FourReply, string][] = [
    ['is down', send(503, '{}'), 'unavailable'],
    ['hangs', () => {}, 'timeout'],
    ['lies about the shape', send(200, '{"weather":"fine"}'), 'bad_response'],
    ['answers half a document', send(200, '{"malicious":tr'), 'bad_response'],
    ['refuses the key', send(401, '{"error":"no"}'), 'unauthorized'],
    ['resets the connection', (response) => void response.socket?.resetAndDestroy(), 'unavailable'],
  ];
  it.each(faults.flatMap(([name, reply, status]) => FOUR.map((id) => [id, name, reply, status] as const)))(
    '%s %s',
    async (id: FourId, _name, reply, status) => {
      await using four = await startFourProviders();
      four.replies[id] = reply;
      const { engine } = await openEngine({ env: four.env() });
      // What fails says so by itself, however busy the machine is.
      const timeoutMs = status === 'timeout' ? 1500 : 30_000;
      const found = (await engine.enrichMany(['11.0.0.1'], { timeoutMs })).get('11.0.0.1')!;
      expect(found.answer).toMatchObject({ status: 'partial', verdict: 'malicious', autoResolve: false });
      expect(found.answer.score).toBeGreaterThanOrEqual(80);
      const said = Object.fromEntries(found.answer.providers.map((result) => [result.provider, result.status]));
      expect(said).toEqual({ ...Object.fromEntries(FOUR.map((other) => [other, 'ok'])), [id]: status });
      if (status === 'bad_response') {
        const { failures } = engine.stats().providers.find(({ provider }) => provider === id)!;
        expect(failures).toMatchObject({ bad_response: 1 });
      }
      await engine.close();
    },
  );

  it('a clean answer of the rest is no reason to close anything', async () => {
    await using four = await startFourProviders();
    four.replies.ismalicious = clear;
    four.replies.virustotal = send(503, '{}');
    const { engine } = await openEngine({ env: four.env() });
    const asked = { providers: ['ismalicious', 'virustotal'], timeoutMs: 1500 };
    const found = (await engine.enrichMany(['11.0.0.1'], asked)).get('11.0.0.1')!;
    expect(found.answer).toMatchObject({ status: 'partial', verdict: 'clean', autoResolve: false });
    await engine.close();
  });

  it('all are asked at once, each about every value once', async () => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env() });
    const values = publicAddresses(20);
    const found = await engine.enrichMany([...values, ...values], { timeoutMs: 15_000 });
    for (const id of FOUR) expect(four.asked[id].toSorted()).toEqual(values.toSorted());
    expect([...found.values()].every(({ answer }) => answer.status === 'ok' && answer.providers.length === 4)).toBe(true);
    await engine.close();
  });
});

describe('stopping early', () => {
  it('does not ask once the tier is certain', async () => {
    await using four = await startFourProviders();
    const env = four.env({ ISMALICIOUS_ENGINE_STOP_EARLY: 'true' });
    writeFileSync(`${env['ISMALICIOUS_STATE_DIR']}/own.csv`, 'value,verdict,score\n11.0.0.7,malicious,95\n11.0.0.8,suspicious,50\n');
    const { engine } = await openEngine({ env: { ...env, ISMALICIOUS_LOCAL_LISTS: `${env['ISMALICIOUS_STATE_DIR']}/own.csv` } });
    const found = await engine.enrichMany(['11.0.0.7', '11.0.0.8'], { timeoutMs: 4000 });
    expect(found.get('11.0.0.7')?.answer).toMatchObject({ status: 'ok', verdict: 'malicious', score: 95, tier: 'p1' });
    expect(found.get('11.0.0.8')?.answer.providers).toHaveLength(5);
    for (const id of FOUR) expect(four.asked[id]).toEqual(['11.0.0.8']);
    await engine.close();
  });

  it('is off by default: everybody is asked', async () => {
    await using four = await startFourProviders();
    four.replies.greynoise = accuse;
    const { engine } = await openEngine({ env: four.env() });
    await engine.enrichMany(['11.0.0.7'], { timeoutMs: 4000 });
    for (const id of FOUR) expect(four.asked[id]).toEqual(['11.0.0.7']);
    await engine.close();
  });
});
