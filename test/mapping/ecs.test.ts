import { describe, expect, it } from 'vitest';
import { fitsIp, relatedListOf, toEcsIndicatorValue } from '../../src/mapping/ecs-indicator.ts';
import { maliciousFlag, toPlaybook, toRollUp } from '../../src/mapping/ecs-roll-up.ts';
import { matchId, toEcsConfidence, toThreatEnrichment } from '../../src/mapping/ecs.ts';
import type { Enrichment } from '../../src/model/enrichment.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { answerOf } from '../support/fake-sidecar-enricher.ts';
import type { Saying } from '../support/fake-sidecar-enricher.ts';
import { sha256 } from '../../src/model/formats/sha256.ts';
import { hasFixtures, readJsonFixture } from '../support/fixtures.ts';

const digest = (text: string) => Buffer.from(sha256(text)).toString('hex');
const match = { field: 'destination.ip', occurred: '2026-11-21T10:00:00.000Z', type: 'indicator_match_rule', digest };

function enrichmentOf(indicator: Indicator | null, saying: Saying, input = indicator?.value ?? 'junk'): Enrichment {
  return { input, indicator, answer: answerOf(saying), source: 'cache', checkedAtS: 1_790_000_000, expiresAtS: 1_790_086_400 };
}

const INDICATORS: readonly Indicator[] = [
  { type: 'ipv4-addr', value: '45.9.148.114' },
  { type: 'ipv6-addr', value: '2a00:1450:4001:81b::200e' },
  { type: 'domain-name', value: 'login.evil-host.com' },
  { type: 'url', value: 'https://login.evil-host.com:8443/a/b?c=d&e=f' },
  { type: 'file:md5', value: '44d88612fea8a8f36de82e1278abb02f' },
  { type: 'file:sha1', value: '3395856ce81f2b7382dee72602f798b642f14140' },
  { type: 'file:sha256', value: '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f' },
  { type: 'file:sha512', value: 'cf'.repeat(64) },
  { type: 'email-addr', value: 'someone@evil-host.com' },
];

describe('confidence words', () => {
  it.each([
    [null, 'Not Specified'],
    [0, 'None'],
    [1, 'Low'],
    [29, 'Low'],
    [30, 'Medium'],
    [69, 'Medium'],
    [70, 'High'],
    [100, 'High'],
  ])('%j is %s', (confidence, word) => {
    expect(toEcsConfidence(confidence)).toBe(word);
  });
});

describe('an entry of threat.enrichments', () => {
  it.each([
    ['malicious', true],
    ['suspicious', true],
    ['clean', false],
    ['unknown', false],
  ] as const)('%s: %s', (verdict, isThere) => {
    expect(toThreatEnrichment(enrichmentOf(INDICATORS[0]!, { verdict }), match) !== null).toBe(isThere);
  });

  it('says where the value stood, what it is and who says so', () => {
    const saying: Saying = {
      verdict: 'malicious',
      score: 87,
      confidence: 90,
      categories: ['c2'],
      sightings: 12,
      firstSeen: '2026-01-02T03:04:05.123456789Z',
      lastSeen: '2026-11-20T00:00:00+02:00',
      reference: 'https://ismalicious.com/ip/45.9.148.114',
    };
    expect(toThreatEnrichment(enrichmentOf(INDICATORS[0]!, saying, '45[.]9[.]148[.]114'), match)).toEqual({
      indicator: {
        type: 'ipv4-addr',
        name: '45.9.148.114',
        ip: '45.9.148.114',
        provider: 'isMalicious',
        confidence: 'High',
        description: 'malicious, score 87: c2',
        first_seen: '2026-01-02T03:04:05.123Z',
        last_seen: '2026-11-19T22:00:00.000Z',
        sightings: 12,
        reference: 'https://ismalicious.com/ip/45.9.148.114',
      },
      matched: {
        atomic: '45[.]9[.]148[.]114',
        field: 'destination.ip',
        id: digest('ipv4-addr\n45.9.148.114\ndestination.ip').slice(0, 32),
        occurred: '2026-11-21T10:00:00.000Z',
        type: 'indicator_match_rule',
      },
      feed: { name: 'isMalicious' },
    });
  });

  it.each<[string, Saying, string]>([
    ['a date that is none', { verdict: 'malicious', firstSeen: 'soon' }, 'first_seen'],
    ['an empty date', { verdict: 'malicious', lastSeen: '' }, 'last_seen'],
    ['a count with a fraction', { verdict: 'malicious', sightings: 4.7 }, 'sightings'],
    ['a negative count', { verdict: 'malicious', sightings: -1 }, 'sightings'],
    ['a link that is no web page', { verdict: 'malicious', reference: 'javascript:alert(1)' }, 'reference'],
  ])('leaves out %s', (_, saying, member) => {
    expect(toThreatEnrichment(enrichmentOf(INDICATORS[0]!, saying), match)?.indicator).not.toHaveProperty(member);
  });

  it('has the same id for the same value and field only', () => {
    const id = (indicator: Indicator, field: string, input?: string) =>
      matchId(enrichmentOf(indicator, { verdict: 'malicious' }, input), { field, digest });
    const [ip, , domain] = INDICATORS;
    expect(id(ip!, 'source.ip', '45[.]9.148.114')).toBe(id(ip!, 'source.ip'));
    expect(new Set([id(ip!, 'source.ip'), id(ip!, 'destination.ip'), id(domain!, 'source.ip')]).size).toBe(3);
  });

  it('can be written without a type', () => {
    expect(
      toThreatEnrichment(enrichmentOf(INDICATORS[0]!, { verdict: 'malicious' }), { ...match, type: null })?.matched,
    ).not.toHaveProperty('type');
  });
});

describe('an indicator in ECS', () => {
  it.each<[Indicator, object]>([
    [INDICATORS[1]!, { type: 'ipv6-addr', ip: '2a00:1450:4001:81b::200e' }],
    [INDICATORS[2]!, { type: 'domain-name', url: { domain: 'login.evil-host.com' } }],
    [
      INDICATORS[3]!,
      {
        type: 'url',
        url: {
          full: 'https://login.evil-host.com:8443/a/b?c=d&e=f',
          original: 'https://login.evil-host.com:8443/a/b?c=d&e=f',
          scheme: 'https',
          domain: 'login.evil-host.com',
          port: 8443,
          path: '/a/b',
          query: 'c=d&e=f',
        },
      },
    ],
    [INDICATORS[4]!, { type: 'file', file: { hash: { md5: INDICATORS[4]!.value } } }],
    [INDICATORS[8]!, { type: 'email-addr', email: { address: 'someone@evil-host.com' } }],
    [{ type: 'ipv4-addr', value: 'a-host.name' }, { type: 'ipv4-addr' }],
    [
      { type: 'url', value: 'no url' },
      { type: 'url', url: { original: 'no url' } },
    ],
  ])('%j', (indicator, expected) => {
    expect(toEcsIndicatorValue(indicator)).toEqual({ name: indicator.value, ...expected });
  });

  it.each([
    ['1.2.3.4', true],
    ['255.255.255.255', true],
    ['256.1.1.1', false],
    ['1.2.3', false],
    ['1.2.3.4.', false],
    ['::', true],
    ['2a00::1', true],
    ['2a00:::1', false],
    ['fe80::1%eth0', false],
    ['host.name', false],
    ['', false],
  ])('%s fits the type ip: %s', (text, fits) => {
    expect(fitsIp(text)).toBe(fits);
  });

  it.each([
    [0, 'ip'],
    [1, 'ip'],
    [2, 'hosts'],
    [3, null],
    [4, 'hash'],
    [7, 'hash'],
    [8, null],
  ])('indicator %i is listed in related.%s', (n, list) => {
    expect(relatedListOf(INDICATORS[n]!)).toBe(list);
  });
});

describe('ismalicious.*', () => {
  it('says all that is known, flat', () => {
    expect(toRollUp(enrichmentOf(INDICATORS[0]!, { verdict: 'malicious', attributes: ['tor-exit'] }), 'source.ip')).toEqual({
      verdict: 'malicious',
      status: 'ok',
      score: 87,
      confidence: 90,
      categories: ['c2'],
      attributes: ['tor-exit'],
      tier: 'p1',
      auto_resolve: false,
      source: 'cache',
      checked_at: '2026-09-21T14:13:20.000Z',
      indicator: '45.9.148.114',
      field: 'source.ip',
      malicious: true,
    });
  });

  it('leaves out what nobody said: an unknown has no score and is not "not malicious"', () => {
    const rollUp = toRollUp(
      { ...enrichmentOf(null, { verdict: 'unknown', status: 'timeout', message: 'no answer in time' }), checkedAtS: null },
      'source.ip',
    );
    expect(rollUp).toMatchObject({
      verdict: 'unknown',
      status: 'timeout',
      tier: 'review',
      indicator: 'junk',
      message: 'no answer in time',
    });
    for (const member of ['score', 'confidence', 'malicious', 'checked_at']) expect(rollUp).not.toHaveProperty(member);
  });

  it.each([
    ['malicious', true],
    ['suspicious', false],
    ['clean', false],
    ['unknown', null],
  ] as const)('%s is malicious: %j', (verdict, flag) => {
    expect(maliciousFlag(verdict)).toBe(flag);
    const playbook = toPlaybook(enrichmentOf(INDICATORS[0]!, { verdict }));
    expect(playbook.malicious ?? null).toBe(flag);
  });
});

interface EcsField {
  readonly name: string;
  readonly type: string;
  readonly expected_values?: readonly string[];
}

const FITS: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => typeof value === 'string',
  wildcard: (value) => typeof value === 'string',
  long: (value) => Number.isSafeInteger(value),
  date: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  ip: (value) => typeof value === 'string' && fitsIp(value),
};

function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

describe.skipIf(!hasFixtures)('the official list of ECS', () => {
  const fields = new Map(
    (hasFixtures ? (readJsonFixture('elastic/ecs-threat-enrichments.json') as { enrichments: EcsField[] }).enrichments : []).map(
      (field) => [field.name, field],
    ),
  );

  it.each(INDICATORS)('has every field that is written for a $type, with a value of its type', (indicator) => {
    const saying: Saying = {
      verdict: 'malicious',
      sightings: 3,
      firstSeen: '2026-01-02T03:04:05Z',
      lastSeen: '2026-01-02T03:04:05Z',
      reference: 'https://ismalicious.com/x',
      providers: [
        {
          provider: 'p',
          status: 'ok',
          verdict: 'malicious',
          score: 87,
          confidence: 9,
          categories: [],
          attributes: [],
          sightings: 1,
          firstSeen: null,
          lastSeen: null,
          reference: null,
          contribution: 87,
          message: null,
        },
      ],
    };
    const entry = toThreatEnrichment(enrichmentOf(indicator, saying), match);
    for (const [name, value] of leaves(entry, 'threat.enrichments')) {
      // Not in ECS, but written and read by Kibana: the title of its flyout.
      if (name === 'threat.enrichments.feed.name') continue;
      const field = fields.get(name);
      expect(field, name).toBeDefined();
      expect(FITS[field!.type]?.(value), `${name}: ${field!.type} ${JSON.stringify(value)}`).toBe(true);
      if (field!.expected_values?.length) expect(field!.expected_values).toContain(value);
    }
  });
});
