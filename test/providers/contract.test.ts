import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorFromStatus } from '../../src/engine/calls/http/status.ts';
import { redactUrl } from '../../src/engine/calls/http/transport.ts';
import { settingMeta, toSnakeCase } from '../../src/config/setting.ts';
import { isSafeEndpoint } from '../../src/model/parsing/safe-endpoint.ts';
import { INDICATOR_TYPES, type Indicator, type IndicatorType } from '../../src/model/indicator.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { answerOf, describeCall, type FixtureCase, readProviderFixture, settingsFor } from './provider-fixture.ts';
import { scriptedExchange } from './scripted-exchange.ts';

const providers = await loadProviders();

const signal = new AbortController().signal;

const SAMPLES: Readonly<Record<IndicatorType, Indicator>> = {
  'ipv4-addr': { type: 'ipv4-addr', value: '198.51.100.77' },
  'ipv6-addr': { type: 'ipv6-addr', value: '2001:db8::77' },
  'domain-name': { type: 'domain-name', value: 'sample.example' },
  url: { type: 'url', value: 'https://sample.example/a%20b?c=d&e="f"' },
  'file:md5': { type: 'file:md5', value: 'd41d8cd98f00b204e9800998ecf8427e' },
  'file:sha1': { type: 'file:sha1', value: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' },
  'file:sha256': { type: 'file:sha256', value: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  'file:sha512': { type: 'file:sha512', value: 'c'.repeat(128) },
  'email-addr': { type: 'email-addr', value: 'someone@sample.example' },
  cve: { type: 'cve', value: 'CVE-2024-3400' },
};

const fixtures = new Map(providers.map((provider) => [provider.id, readProviderFixture(provider.id)]));
const fixtureOf = (provider: Provider) => fixtures.get(provider.id)!;
const samplesOf = (provider: Provider) => provider.types.map((type) => SAMPLES[type]);

/** What comes out of the engine for one answer: a verdict, not listed, or a coded failure. */
async function outcome(provider: Provider, indicator: Indicator, ...answers: Parameters<typeof answerOf>[0][]) {
  const exchange = scriptedExchange(provider, settingsFor(provider, fixtureOf(provider)), answers.map(answerOf));
  return exchange.single(indicator, signal).then(
    (verdict) => ({ verdict }),
    (error: unknown) => ({ error }),
  );
}

function codeOf(result: { verdict: unknown } | { error: unknown }): unknown {
  return 'error' in result && result.error instanceof LookupError ? result.error.code : result;
}

/** What holds for every verdict, whoever says it. */
function expectHonest(verdict: Verdict, provider: Provider): void {
  expect(verdict.provider).toBe(provider.id);
  for (const number of [verdict.score, verdict.confidence]) {
    if (number !== null) expect(number).toSatisfy((value: number) => Number.isInteger(value) && value >= 0 && value <= 100);
  }
  for (const word of [...verdict.categories, ...verdict.attributes]) expect(word).toBe(word.toLowerCase());
  for (const time of [verdict.firstSeen, verdict.lastSeen]) if (time !== null) expect(new Date(time).toISOString()).toBe(time);
  if (verdict.firstSeen !== null && verdict.lastSeen !== null) expect(verdict.firstSeen <= verdict.lastSeen).toBe(true);
  if (verdict.reference !== null) expect(new URL(verdict.reference).protocol).toBe('https:');
  if (verdict.verdict === 'clean') expect(verdict.categories).toEqual([]);
}

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  const fixture = fixtureOf(provider);

  it('has fixtures of a hit, a miss, an error and a limit', () => {
    expect(fixture.kinds).toEqual(expect.arrayContaining(['hit', 'miss', 'error', 'limited']));
    expect(fixture.source).not.toBe('');
  });

  it('names its documentation, its types and how it scores', () => {
    expect(new URL(provider.docs).protocol).toBe('https:');
    expect(provider.types.length).toBeGreaterThan(0);
    expect(INDICATOR_TYPES).toEqual(expect.arrayContaining([...provider.types]));
    expect(provider.scale).toMatch(/\.$/);
  });

  it('declares every setting with its doc and its own environment name', () => {
    for (const [key, schema] of Object.entries(provider.settings.shape)) {
      const meta = settingMeta.get(schema);
      expect(meta?.doc, key).toMatch(/\.$/);
      expect(meta?.env, key).toBe(`${provider.id}_${toSnakeCase(key)}`.toUpperCase());
      expect(meta?.secret === true, key).toBe(/(key|secret|token|password)$/i.test(key));
    }
    expect(Object.keys(provider.settings.shape)).toContain('baseUrl');
  });

  it('sends credentials over https or to this machine only', () => {
    const refused = [
      'http://other.example',
      'ftp://other.example',
      'https://user:password@other.example',
      'https://other.example/?x=1',
      'nonsense',
    ];
    for (const baseUrl of refused) expect(() => settingsFor(provider, fixture, { baseUrl }), baseUrl).toThrow();
    expect(() => settingsFor(provider, fixture, { baseUrl: 'http://127.0.0.1:9' })).not.toThrow();
  });

  it.each(fixture.cases.map((one) => [one.name, one] as const))('%s', async (_name, one: FixtureCase) => {
    const settings = settingsFor(provider, fixture, one.settings);
    const steps = [one.signIn, one, one.next].filter((step) => step !== undefined);
    const exchange = scriptedExchange(provider, settings, steps.map(answerOf));
    const result = await exchange.single(one.indicator, signal).then(
      (verdict) => ({ verdict }),
      (error: unknown) => ({ error }),
    );
    for (const [n, step] of steps.entries()) {
      const call = exchange.calls[n];
      if (step.request && call) expect(describeCall(call, step.request)).toEqual(step.request);
    }
    if (one.notices) expect(exchange.notices).toEqual(one.notices);
    if (one.error) {
      expect(codeOf(result)).toBe(one.error.code);
      const { retryAfterMs } = 'error' in result ? (result.error as LookupError) : { retryAfterMs: null };
      expect(retryAfterMs).toBe(one.error.retryAfterMs ?? null);
      return;
    }
    expect(result).toEqual({ verdict: one.verdict });
    if (one.verdict) expectHonest(one.verdict, provider);
    expectKind(one);
  });

  it('asks a URL of its own base, with every value escaped, and never the key in it', () => {
    const baseUrl = 'https://gateway.example/some/prefix';
    for (const trailing of ['', '/', '//']) {
      const settings = settingsFor(provider, fixture, { baseUrl: baseUrl + trailing });
      for (const indicator of samplesOf(provider)) {
        const call = provider.request(indicator, settings, 't-test');
        expect(call.url.href.startsWith(`${baseUrl}/`), call.url.href).toBe(true);
        expect(call.url.pathname).not.toContain('//');
        expect(isSafeEndpoint(call.url.href)).toBe(true);
        expect(call.url.username + call.url.password + call.url.hash).toBe('');
      }
    }
  });

  it('keeps its secrets out of URLs, or names where they are so that they are masked', () => {
    const secrets = Object.entries(provider.settings.shape).filter(([, schema]) => settingMeta.get(schema)?.secret);
    const canaries = Object.fromEntries(secrets.map(([key]) => [key, `canary-${key}-0123456789`]));
    const settings = settingsFor(provider, fixture, canaries);
    for (const indicator of samplesOf(provider)) {
      const call = provider.request(indicator, settings, 'canary-token');
      expect(redactUrl(call)).not.toContain('canary');
      if (!call.secretQuery) expect(call.url.href).not.toContain('canary');
    }
  });

  it('codes what the status says, and takes no error page for an answer', async () => {
    const expected = {
      401: ['unauthorized'],
      403: ['unauthorized'],
      404: ['bad_response'],
      429: ['rate_limited', 'quota_exhausted'],
      500: ['unavailable'],
      502: ['unavailable'],
      503: ['unavailable'],
      301: ['bad_response'],
    };
    for (const [status, codes] of Object.entries(expected)) {
      for (const body of [{}, [], null, '<html>', '', { message: 'no' }, { error: 'no' }]) {
        const result = await outcome(provider, samplesOf(provider)[0]!, { status: Number(status), body });
        expect(codes, `${status} ${JSON.stringify(body)}`).toContain(codeOf(result));
      }
    }
    expect(errorFromStatus(provider.id, { status: 204, headers: {}, body: null }, 0)).toBeNull();
  });

  it('refuses junk as bad_response', async () => {
    // isMalicious answers an empty object for what it cannot say anything about: unknown, never clean.
    const junk = [
      '',
      '<html>',
      'not found',
      null,
      42,
      true,
      [],
      [[]],
      [{}],
      { data: null },
      { error: null },
      { x: { y: [1] } },
      ...(provider.id === 'ismalicious' ? [] : [{}]),
    ];
    for (const body of junk) {
      for (const indicator of samplesOf(provider)) {
        const result = await outcome(provider, indicator, { body }, { body });
        expect(codeOf(result), `${indicator.type} ${JSON.stringify(body)}`).toBe('bad_response');
      }
    }
  });

  it('refuses the answers of every other provider', async () => {
    for (const other of providers.filter(({ id }) => id !== provider.id)) {
      for (const foreign of fixtureOf(other).cases.filter(({ kind }) => ['hit', 'clean', 'unknown'].includes(kind))) {
        for (const indicator of [foreign.indicator, ...samplesOf(provider)]) {
          if (!provider.types.includes(indicator.type)) continue;
          const result = await outcome(provider, indicator, { body: foreign.body }, { body: foreign.body });
          expect(codeOf(result), `${other.id}: ${foreign.name}`).toBe('bad_response');
        }
      }
    }
  });

  it('never calls anything clean or malicious that is no answer of its own', async () => {
    const [indicator] = samplesOf(provider);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.constantFrom(200, 404, 429, 500), async (body, status) => {
        const result = await outcome(provider, indicator!, { status, body }, { status, body });
        if ('verdict' in result) expect(result.verdict?.verdict ?? 'unknown').toBe('unknown');
        else expect(result.error).toBeInstanceOf(LookupError);
      }),
      { numRuns: 200 },
    );
  });

  it('reads its own answer although fields that it does not use come and go', async () => {
    for (const one of fixture.cases.filter(({ kind, next, signIn }) => kind === 'hit' && !next && !signIn)) {
      const exchange = scriptedExchange(provider, settingsFor(provider, fixture, one.settings), [
        answerOf({ ...one, body: withMore(one.body) }),
      ]);
      const verdict = await exchange.single(one.indicator, signal);
      expect(verdict).toEqual(one.verdict);
    }
  });

  if (provider.bulk) describeBulk(provider);
});

function expectKind({ kind, verdict }: FixtureCase): void {
  const word = verdict?.verdict ?? null;
  if (kind === 'miss') expect(verdict === null || (word === 'unknown' && verdict?.score === null)).toBe(true);
  if (kind === 'clean') expect(word).toBe('clean');
  if (kind === 'unknown') expect(word).toBe('unknown');
  if (kind === 'hit') expect(word).not.toBe('clean');
  if (kind !== 'miss') expect(verdict).not.toBeNull();
}

/** Objects whose keys are names, not fields. */
const MAPS = new Set(['last_analysis_results', 'vulns']);

/** A newer version of the API: one more field in every object. Safe Browsing v5 answers are the only closed ones. */
function withMore(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withMore);
  if (typeof body !== 'object' || body === null || 'cacheDuration' in body) return body;
  const fields = Object.entries(body).map(([key, value]) => [key, MAPS.has(key) ? value : withMore(value)] as const);
  return { ...Object.fromEntries(fields), somethingNew: { since: 2027 } };
}

function describeBulk(provider: Provider): void {
  const bulk = provider.bulk!;
  const fixture = fixtureOf(provider);

  it.each(fixture.bulk!.map((one) => [one.name, one] as const))('bulk: %s', async (_name, one) => {
    const exchange = scriptedExchange(provider, settingsFor(provider, fixture), [answerOf(one)]);
    const verdicts = await exchange.bulk(one.indicators, signal);
    const call = exchange.calls[0]!;
    if (one.request) expect(describeCall(call, one.request)).toEqual(one.request);
    expect([...verdicts].filter(([, verdict]) => verdict !== null).map(([value]) => value)).toEqual(one.listed);
    expect([...verdicts].filter(([, verdict]) => verdict === null).map(([value]) => value)).toEqual(one.notListed);
    for (const verdict of verdicts.values()) if (verdict && !(verdict instanceof LookupError)) expectHonest(verdict, provider);
  });

  it('bulk: a value asked in a batch gets the verdict it gets alone', async () => {
    // isMalicious has another shape for rows than for documents.
    if (provider.id === 'ismalicious') return;
    for (const one of fixture.cases.filter(({ error }) => !error)) {
      const settings = settingsFor(provider, fixture, one.settings);
      const verdicts = await scriptedExchange(provider, settings, [answerOf(one)]).bulk([one.indicator], signal);
      expect(verdicts.get(one.indicator.value)).toEqual(one.verdict);
    }
  });

  it('bulk: as many as fit make a call that any server takes, and junk is refused', async () => {
    const settings = settingsFor(provider, fixture);
    const indicators = Array.from({ length: bulk.maxSize }, (_, n) =>
      provider.types.includes('ipv4-addr')
        ? { type: 'ipv4-addr' as const, value: `198.51.${Math.floor(n / 250)}.${n % 250}` }
        : { type: 'url' as const, value: `https://a.b.c.d.e${n}.example/one/two/three/four/five.html?six=${n}` },
    );
    const call = bulk.request(indicators, settings);
    expect(call.url.href.length).toBeLessThan(8192);
    for (const body of [[], null, { x: 1 }, 'text']) {
      const exchange = scriptedExchange(provider, settings, [answerOf({ body })]);
      await expect(exchange.bulk(indicators.slice(0, 2), signal)).rejects.toMatchObject({ code: 'bad_response' });
    }
  });
}

describe('the registry', () => {
  it('has every id once', () => {
    const ids = providers.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  it('has every environment name once', () => {
    const names = providers.flatMap((provider) => Object.values(provider.settings.shape).map((schema) => settingMeta.get(schema)?.env));
    expect(new Set(names).size).toBe(names.length);
  });

  it('keeps the order of the documentation', () => {
    const documented =
      'ismalicious virustotal abuseipdb shodan internetdb misp otx urlscan safebrowsing malwarebazaar threatfox urlhaus passivetotal defender_ti opencti greynoise remote'.split(
        ' ',
      );
    const ids = providers.map(({ id }) => id);
    expect(ids.filter((id) => documented.includes(id))).toEqual(documented.filter((id) => ids.includes(id)));
  });

  it.each([
    ['ipv4-addr', ['ismalicious', 'abuseipdb', 'shodan', 'virustotal', 'misp', 'greynoise', 'otx', 'opencti']],
    ['domain-name', ['ismalicious', 'virustotal', 'passivetotal', 'defender_ti', 'shodan', 'misp', 'otx', 'urlscan']],
    ['url', ['ismalicious', 'urlscan', 'virustotal', 'safebrowsing', 'urlhaus']],
    ['file:sha256', ['ismalicious', 'virustotal', 'malwarebazaar', 'misp', 'threatfox']],
  ] as const)('covers %s as the seed workflow asks', (type, ids) => {
    expect(providers.filter(({ types }) => types.includes(type)).map(({ id }) => id)).toEqual(expect.arrayContaining([...ids]));
  });
});
