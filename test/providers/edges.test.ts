import { describe, expect, it } from 'vitest';
import type { Indicator } from '../../src/model/indicator.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { apiUrl, headerNumber } from '../../src/providers/reading/http-call.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { verdictOf, wordOfScore, words } from '../../src/providers/reading/verdict-facts.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { readProviderFixture, settingsFor } from './provider-fixture.ts';

const providers = await loadProviders();

const IP: Indicator = { type: 'ipv4-addr', value: '203.0.113.7' };
const SITE: Indicator = { type: 'url', value: 'https://bad.example/' };

function providerOf(id: string): Provider {
  return providers.find((provider) => provider.id === id)!;
}

function read(id: string, body: unknown, indicator: Indicator = IP, own: Record<string, unknown> = {}): Verdict | null {
  const provider = providerOf(id);
  return provider.read(body, indicator, settingsFor(provider, readProviderFixture(id), own));
}

describe('limits that are promised', () => {
  it.each([
    [
      'virustotal',
      [
        [4, 60],
        [500, 86_400],
      ],
    ],
    ['abuseipdb', [[1000, 86_400]]],
    ['shodan', [[1, 1]]],
    [
      'urlscan',
      [
        [30, 60],
        [500, 86_400],
      ],
    ],
    ['greynoise', [[25, 604_800]]],
    ['otx', [[1000, 3600]]],
  ])('%s is asked at most %j times a number of seconds', (id, quotas) => {
    expect(providerOf(id).quotas?.map(({ requests, perMs }) => [requests, perMs / 1000])).toEqual(quotas);
  });

  it.each(['misp', 'opencti'])('%s takes what stays in the organisation, no public service does', (id) => {
    expect(providerOf(id).maxTlp).toBe('AMBER+STRICT');
    for (const { maxTlp } of providers.filter(({ id: other }) => !['misp', 'opencti'].includes(other))) {
      expect(['CLEAR', 'GREEN', 'AMBER']).toContain(maxTlp);
    }
  });

  it('PassiveTotal says that it is retired, and what came after it', () => {
    expect(providerOf('passivetotal').retired).toContain('defender_ti');
  });
});

describe('AbuseIPDB', () => {
  const body = (abuseConfidenceScore: number, isWhitelisted: boolean | null, more: object = {}) => ({
    data: { ipAddress: IP.value, abuseConfidenceScore, totalReports: 5, isWhitelisted, lastReportedAt: null, ...more },
  });
  it.each([
    [0, false, 'unknown', 0],
    [24, null, 'unknown', 24],
    [25, false, 'suspicious', 25],
    [74, false, 'suspicious', 74],
    [75, false, 'malicious', 75],
    [100, null, 'malicious', 100],
    [0, true, 'clean', 0],
    [1, true, 'unknown', 1],
    [20, true, 'unknown', 20],
    [21, true, 'unknown', 20],
    [100, true, 'unknown', 20],
  ])('score %i, allow-listed %s: %s with %i', (score, isWhitelisted, verdict, ours) => {
    expect(read('abuseipdb', body(score, isWhitelisted))).toMatchObject({ verdict, score: ours });
  });

  it.each([
    [null, null],
    [0, null],
    [1, 40],
    [3, 60],
    [10, 80],
    [1000, 95],
  ])('%j distinct reporters give confidence %j', (numDistinctUsers, confidence) => {
    expect(read('abuseipdb', body(50, false, { numDistinctUsers }))?.confidence).toBe(confidence);
  });

  it('names what the reports are about, and leaves out what accuses nobody (9 proxy, 13 VPN)', () => {
    const reports = [{ reportedAt: '2026-11-20T10:00:00+00:00', categories: [4, 7, 9, 13, 14, 18, 99] }];
    expect(read('abuseipdb', body(50, false, { reports }))?.categories).toEqual(['ddos', 'phishing', 'port-scan', 'brute-force']);
  });

  it('tells nothing about our account when its headers do not', () => {
    expect(providerOf('abuseipdb').quotaNotices?.({ status: 200, headers: {}, body: {} })).toEqual([]);
    expect(providerOf('urlscan').quotaNotices?.({ status: 200, headers: {}, body: {} })).toEqual([]);
  });
});

describe('urlscan', () => {
  const result = (score: number, malicious: boolean, hasVerdicts: boolean | number) => ({
    task: { uuid: 'u1', time: '2026-11-20T10:00:00.000Z', url: SITE.value },
    page: { url: 'https://landing.example/' },
    verdicts: { overall: { score, malicious, hasVerdicts, categories: ['phishing'], brands: ['bank'] } },
  });
  it.each([
    [100, true, true, 'malicious', 100],
    [80, true, 1, 'malicious', 80],
    [10, true, true, 'malicious', 60],
    [40, false, true, 'suspicious', 40],
    [25, false, true, 'suspicious', 25],
    [24, false, true, 'unknown', 24],
    [0, false, true, 'unknown', null],
    [40, false, false, 'unknown', null],
    [0, false, 0, 'unknown', null],
    [-1, false, true, 'clean', 0],
    [-100, false, true, 'clean', 0],
  ])('score %i, malicious %s, has verdicts %s: %s with %j', (...[score, malicious, hasVerdicts, verdict, ours]) => {
    expect(read('urlscan', result(score, malicious, hasVerdicts), SITE)).toMatchObject({ verdict, score: ours });
  });

  it('does not follow a search when told so, and not for anything but URLs', () => {
    const search = { results: [{ _id: 'u1', task: { url: SITE.value }, page: { url: SITE.value } }], total: 1, took: 1 };
    const provider = providerOf('urlscan');
    const settings = (own: object) => settingsFor(provider, readProviderFixture('urlscan'), own as Record<string, unknown>);
    expect(provider.followUp?.(search, SITE, settings({}))?.url.pathname).toBe('/api/v1/result/u1/');
    expect(provider.followUp?.(search, SITE, settings({ followResult: false }))).toBeNull();
    expect(provider.followUp?.(search, { type: 'domain-name', value: 'bad.example' }, settings({}))).toBeNull();
    expect(provider.followUp?.('<html>', SITE, settings({}))).toBeNull();
  });
});

describe('MISP', () => {
  const attribute = (value: string, tags: string[] = [], more: object = {}) => ({
    event_id: '42',
    category: 'Network activity',
    type: 'ip-dst',
    to_ids: true,
    timestamp: '1763700000',
    value,
    Tag: tags.map((name) => ({ name })),
    ...more,
  });
  const full = (value: string) => ({ response: { Attribute: Array.from({ length: 2000 }, () => attribute(value)) } });

  it('calls nothing "not listed" from an answer that was cut', () => {
    expect(() => read('misp', full('203.0.113.70'))).toThrow('cut');
    expect(read('misp', full(IP.value))).toMatchObject({ verdict: 'malicious' });
    const { bulk } = providerOf('misp');
    const settings = settingsFor(providerOf('misp'), readProviderFixture('misp'));
    expect(bulk?.read(full('203.0.113.70'), [IP], settings).size).toBe(0);
    expect(bulk?.read({ response: { Attribute: full('203.0.113.70').response.Attribute.slice(1) } }, [IP], settings)).toEqual(
      new Map([[IP.value, null]]),
    );
  });

  it.each([
    [[], null],
    [['misp:confidence-level="unconfident"'], 0],
    [['misp:confidence-level="rarely-confident"', 'misp:confidence-level="fairly-confident"'], 50],
    [['misp:confidence-level="completely-confident"'], 100],
    [['misp:confidence-level="hardly"'], null],
  ])('tags %j give confidence %j', (tags, confidence) => {
    expect(read('misp', { response: { Attribute: [attribute(IP.value, tags)] } })?.confidence).toBe(confidence);
  });

  it.each([
    [['0', '1'], 70],
    [['1'], 39],
    [['1', '0', '1'], 39],
    [['2', '2'], 70],
  ])('sightings of types %j leave the score at %i', (types, score) => {
    expect(read('misp', { response: { Attribute: [attribute(IP.value, [], { Sighting: types.map((type) => ({ type })) })] } })?.score).toBe(
      score,
    );
  });

  it('asks for a bare host with and without slash, for a longer URL only as it stands', () => {
    const asked = (value: string) => {
      const provider = providerOf('misp');
      const call = provider.request({ type: 'url', value }, settingsFor(provider, readProviderFixture('misp')));
      return (JSON.parse(call.body!) as { value: string[] }).value;
    };
    expect(asked('http://bad.example/')).toEqual(['http://bad.example/', 'http://bad.example']);
    expect(asked('http://bad.example/a/')).toEqual(['http://bad.example/a/']);
  });
});

describe('Safe Browsing', () => {
  const FULL_HASH = 'YR0s9Wh6cieMPaifKNwMxfZ0sbf8oEK/MfzkqdHhWaU=';
  const site: Indicator = { type: 'url', value: 'http://bad.example/' };
  it.each([
    [[['MALWARE']], 95, 'malicious', ['malware']],
    [[['SOCIAL_ENGINEERING']], 95, 'malicious', ['phishing']],
    [[['UNWANTED_SOFTWARE']], 75, 'malicious', ['unwanted-software']],
    [[['POTENTIALLY_HARMFUL_APPLICATION']], 75, 'malicious', ['harmful-application']],
    [[['UNWANTED_SOFTWARE'], ['MALWARE']], 95, 'malicious', ['unwanted-software', 'malware']],
    [[['MALWARE', 'FRAME_ONLY']], 55, 'suspicious', ['malware']],
    [[['MALWARE', 'FRAME_ONLY'], ['UNWANTED_SOFTWARE']], 75, 'malicious', ['malware', 'unwanted-software']],
    [
      [
        ['MALWARE', 'CANARY'],
        ['UNWANTED_SOFTWARE', 'FRAME_ONLY'],
      ],
      55,
      'suspicious',
      ['unwanted-software'],
    ],
  ])('details %j score %i, %s', (details, score, verdict, categories) => {
    const fullHashDetails = details.map(([threatType, ...attributes]) => ({ threatType, attributes }));
    expect(read('safebrowsing', { fullHashes: [{ fullHash: FULL_HASH, fullHashDetails }], cacheDuration: '1s' }, site)).toMatchObject({
      score,
      verdict,
      categories,
    });
  });

  it.each([[[['NEW_THREAT']]], [[]], [[['MALWARE', 'CANARY']]]])('details %j are none that we know: not listed', (details) => {
    const fullHashDetails = details.map(([threatType, ...attributes]) => ({ threatType, attributes }));
    expect(read('safebrowsing', { fullHashes: [{ fullHash: FULL_HASH, fullHashDetails }], cacheDuration: '1s' }, site)).toBeNull();
  });
});

describe('ThreatFox', () => {
  const entry = (ioc: string) => ({ query_status: 'ok', data: [{ id: 1, ioc, threat_type: 'payload', confidence_level: 100 }] });
  const six: Indicator = { type: 'ipv6-addr', value: '2001:db8::7' };
  it.each([
    [IP, '203.0.113.7:443', true],
    [IP, '203.0.113.7', true],
    [IP, '1203.0.113.7:443', false],
    [six, '[2001:db8::7]:443', true],
    [six, '2001:DB8::7', true],
    [six, '[2001:db8::71]:443', false],
    [SITE, 'https://bad.example', true],
    [SITE, 'https://bad.example/', true],
    [SITE, 'https://bad.example/x', false],
  ])('%j is named by %s: %s', (indicator, ioc, isNamed) => {
    expect(read('threatfox', entry(ioc), indicator) !== null).toBe(isNamed);
  });
});

describe('Defender TI', () => {
  const missing = (settings: object) => {
    const { settings: schema, missing: lacks } = providerOf('defender_ti');
    return lacks?.(schema.parse(settings) as never);
  };
  it('says what it lacks before it is asked', () => {
    expect(missing({})).toContain('client_secret');
    expect(missing({ tenantId: 't', clientId: 'c' })).toContain('client_secret');
    expect(missing({ tenantId: 't', clientId: 'c', clientSecret: 's' })).toBeNull();
    expect(missing({ apiKey: 'k' })).toBeNull();
  });
});

describe('a verdict', () => {
  it.each([
    [null, null],
    [undefined, null],
    [Number.NaN, null],
    [-5, 0],
    [0, 0],
    [49.5, 50],
    [100.4, 100],
    [140, 100],
  ])('score %j becomes %j', (score, ours) => {
    expect(verdictOf('x', score === undefined ? {} : { score }).score).toBe(ours);
  });

  it('keeps its word lists short, lower case and each word once', () => {
    expect(words([' Cobalt  Strike ', 'cobalt_strike', null, '', 'A'.repeat(100)])).toEqual(['cobalt-strike', 'a'.repeat(64)]);
    expect(words(Array.from({ length: 100 }, (_, n) => `w${n}`))).toHaveLength(32);
  });

  it.each([
    [0, 'unknown'],
    [24, 'unknown'],
    [25, 'suspicious'],
    [59, 'suspicious'],
    [60, 'malicious'],
    [100, 'malicious'],
  ])('a score of %i alone says %s, never clean', (score, word) => {
    expect(wordOfScore(score)).toBe(word);
  });
});

describe('an API address', () => {
  it.each([
    ['https://a.example', '/api/v3', ['files', 'x'], 'https://a.example/api/v3/files/x'],
    ['https://a.example/', '/api/v3', ['files', 'x'], 'https://a.example/api/v3/files/x'],
    ['https://a.example/api/v3', '/api/v3', ['files', 'x'], 'https://a.example/api/v3/files/x'],
    ['https://a.example/gate/', '/api/v3', ['files', 'x'], 'https://a.example/gate/api/v3/files/x'],
    ['https://a.example', '', ['h', 'a/b?c#d'], 'https://a.example/h/a%2Fb%3Fc%23d'],
    ['https://a.example', '/v1', ['url', ''], 'https://a.example/v1/url/'],
  ])('%s with %s and %j is %s', (base, prefix, segments, href) => {
    expect(apiUrl(base, prefix, ...segments).href).toBe(href);
  });

  it.each([
    [undefined, null],
    ['', null],
    ['12', 12],
    [' 1.5 ', 1.5],
    ['-1', null],
    ['soon', null],
  ])('a header of %j is the number %j', (text, number) => {
    expect(headerNumber({ status: 200, headers: { x: text }, body: null }, 'x')).toBe(number);
  });
});
