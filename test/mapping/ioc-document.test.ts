import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IocOptions, toIocDocument } from '../../src/mapping/ioc-document.ts';
import { type Answer, type Enrichment, STATUSES, TIERS } from '../../src/model/enrichment.ts';
import { INDICATOR_TYPES, type Indicator } from '../../src/model/indicator.ts';
import { VERDICT_WORDS } from '../../src/model/verdict.ts';
import { ecsFaults } from '../support/ecs-conformance.ts';
import { hasFixtures } from '../support/fixtures.ts';
import { answerOf } from '../support/fake-sidecar-enricher.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const CHECKED_AT_S = Date.UTC(2026, 10, 21, 10) / 1000;
const options: IocOptions = { digest, nowMs: Date.UTC(2026, 10, 22) };

const VALUES: Readonly<Record<Indicator['type'], string>> = {
  'ipv4-addr': '198.51.100.7',
  'ipv6-addr': '2001:db8::7',
  'domain-name': 'bad.example',
  url: 'https://bad.example:8443/a/b?c=d',
  'email-addr': 'mallory@bad.example',
  'file:md5': 'd41d8cd98f00b204e9800998ecf8427e',
  'file:sha1': 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'file:sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'file:sha512': 'cf83e1357eefb8bdf1542850d66d8007'.repeat(4),
  cve: 'CVE-2024-3400',
};

function enrichmentOf(type: Indicator['type'], answer: Answer, over: Partial<Enrichment> = {}): Enrichment {
  const value = VALUES[type];
  return {
    input: value,
    indicator: { type, value },
    answer,
    source: 'live',
    checkedAtS: CHECKED_AT_S,
    expiresAtS: CHECKED_AT_S + 86_400,
    ...over,
  };
}

const malicious = answerOf({
  verdict: 'malicious',
  score: 87,
  categories: ['c2', 'botnet'],
  attributes: ['tor-exit'],
  sightings: 12,
  firstSeen: '2026-10-01T00:00:00Z',
  lastSeen: '2026-11-20T08:00:00Z',
  reference: 'https://ismalicious.com/report/1',
  providers: [
    {
      provider: 'ismalicious',
      status: 'ok',
      verdict: 'malicious',
      score: 87,
      confidence: 90,
      categories: ['c2'],
      attributes: [],
      sightings: 12,
      firstSeen: null,
      lastSeen: null,
      reference: null,
      contribution: 87,
      message: null,
    },
  ],
});

describe('indicator documents', () => {
  it('carry what Elastic’s prebuilt rules and Intelligence page look for', () => {
    const found = toIocDocument(enrichmentOf('ipv4-addr', malicious), options);
    expect(found?.document).toEqual({
      '@timestamp': '2026-11-21T10:00:00.000Z',
      ecs: { version: '9.4.0' },
      event: {
        kind: 'enrichment',
        category: ['threat'],
        type: ['indicator'],
        module: 'ti_ismalicious',
        dataset: 'ti_ismalicious.indicator',
        provider: 'isMalicious',
        risk_score: 87,
      },
      threat: {
        indicator: {
          type: 'ipv4-addr',
          name: '198.51.100.7',
          ip: '198.51.100.7',
          provider: 'isMalicious',
          confidence: 'High',
          description: 'malicious, score 87: c2, botnet (ismalicious)',
          first_seen: '2026-10-01T00:00:00.000Z',
          last_seen: '2026-11-20T08:00:00.000Z',
          modified_at: '2026-11-21T10:00:00.000Z',
          sightings: 12,
          scanner_stats: 1,
          reference: 'https://ismalicious.com/report/1',
        },
        feed: { name: 'isMalicious', reference: 'https://ismalicious.com/report/1' },
      },
      related: { ip: ['198.51.100.7'] },
      labels: { verdict: 'malicious', tier: 'p1' },
      tags: ['c2', 'botnet'],
      ismalicious: {
        verdict: 'malicious',
        status: 'ok',
        score: 87,
        confidence: 90,
        categories: ['c2', 'botnet'],
        attributes: ['tor-exit'],
        tier: 'p1',
        source: 'live',
        malicious: true,
        indicator: '198.51.100.7',
        providers: ['ismalicious'],
        checked_at: '2026-11-21T10:00:00.000Z',
        expires_at: '2026-12-21T10:00:00.000Z',
      },
    });
  });

  it.each([
    ['ipv4-addr', { ip: '198.51.100.7' }, { ip: ['198.51.100.7'] }],
    ['ipv6-addr', { ip: '2001:db8::7' }, { ip: ['2001:db8::7'] }],
    ['domain-name', { url: { domain: 'bad.example' } }, { hosts: ['bad.example'] }],
    [
      'url',
      { url: { full: VALUES.url, original: VALUES.url, scheme: 'https', domain: 'bad.example', port: 8443, path: '/a/b', query: 'c=d' } },
      undefined,
    ],
    ['email-addr', { email: { address: 'mallory@bad.example' } }, undefined],
    ['file:md5', { file: { hash: { md5: VALUES['file:md5'] } } }, { hash: [VALUES['file:md5']] }],
    ['file:sha256', { file: { hash: { sha256: VALUES['file:sha256'] } } }, { hash: [VALUES['file:sha256']] }],
  ] as const)('a %s is spelled as ECS spells it', (type, indicator, related) => {
    const found = toIocDocument(enrichmentOf(type, malicious), options)?.document;
    expect(found?.threat.indicator).toMatchObject({ name: VALUES[type], ...indicator });
    expect(found?.related).toEqual(related);
  });

  it.each([
    ['malicious', true],
    ['suspicious', true],
    ['clean', false],
    ['unknown', false],
  ] as const)('a %s verdict becomes a document: %j', (verdict, isDocument) => {
    expect(toIocDocument(enrichmentOf('ipv4-addr', answerOf({ verdict })), options) !== null).toBe(isDocument);
  });

  it('are not made of values that are no indicator', () => {
    expect(toIocDocument(enrichmentOf('url', malicious, { indicator: null }), options)).toBeNull();
  });

  it.each([
    ['ipv4-addr', 'malicious', '2026-12-21T10:00:00.000Z'],
    ['ipv4-addr', 'suspicious', '2026-12-06T10:00:00.000Z'],
    ['domain-name', 'malicious', '2027-02-19T10:00:00.000Z'],
    ['file:sha256', 'malicious', '2027-11-21T10:00:00.000Z'],
  ] as const)('a %s that is %s holds until %s', (type, verdict, expiresAt) => {
    const found = toIocDocument(enrichmentOf(type, answerOf({ verdict })), options);
    expect(found?.document.ismalicious.expires_at).toBe(expiresAt);
  });

  it('hold as long as the setting says', () => {
    const found = toIocDocument(enrichmentOf('ipv4-addr', malicious), { ...options, validDays: { 'ipv4-addr': 7 } });
    expect(found?.document.ismalicious.expires_at).toBe('2026-11-28T10:00:00.000Z');
  });

  it('take the time of now when the verdict has none', () => {
    const found = toIocDocument(enrichmentOf('ipv4-addr', malicious, { checkedAtS: null }), options);
    expect(found?.document['@timestamp']).toBe('2026-11-22T00:00:00.000Z');
  });

  it('have one id a value whatever the verdict, and one a verdict for streams', () => {
    const first = toIocDocument(enrichmentOf('ipv4-addr', malicious), options);
    const again = toIocDocument(enrichmentOf('ipv4-addr', malicious, { source: 'cache', input: '198[.]51.100.7' }), options);
    const later = toIocDocument(enrichmentOf('ipv4-addr', answerOf({ verdict: 'suspicious' }), { checkedAtS: CHECKED_AT_S + 60 }), options);
    expect([again?.id, again?.observationId]).toEqual([first?.id, first?.observationId]);
    expect(later?.id).toBe(first?.id);
    expect(later?.observationId).not.toBe(first?.observationId);
  });

  it.skipIf(!hasFixtures)('hold nothing that is not in ECS with a fitting value or under ismalicious, whatever upstream said', () => {
    const text = fc.option(
      fc.oneof(fc.string(), fc.constantFrom('', 'never', '2026-13-45', '99999', '-1', '2026-11-20T08:00:00+02:00', 'javascript:alert(1)')),
      { nil: null },
    );
    const count = fc.option(fc.oneof(fc.integer(), fc.double(), fc.constant(Number.NaN)), { nil: null });
    const share = fc.option(fc.integer({ min: 0, max: 100 }), { nil: null });
    const answers = fc.record({
      verdict: fc.constantFrom(...VERDICT_WORDS),
      status: fc.constantFrom(...STATUSES),
      score: share,
      confidence: share,
      tier: fc.constantFrom(...TIERS),
      autoResolve: fc.boolean(),
      categories: fc.array(fc.string({ minLength: 1 })),
      attributes: fc.array(fc.string({ minLength: 1 })),
      sightings: count,
      firstSeen: text,
      lastSeen: text,
      reference: text,
      message: text,
      providers: fc.constant([]),
    });
    fc.assert(
      fc.property(fc.constantFrom(...INDICATOR_TYPES), answers, (type, answer) => {
        const found = toIocDocument(enrichmentOf(type, answer), options);
        expect(found === null).toBe(answer.verdict === 'clean' || answer.verdict === 'unknown');
        expect(found === null ? [] : ecsFaults(found.document)).toEqual([]);
      }),
    );
  });
});
