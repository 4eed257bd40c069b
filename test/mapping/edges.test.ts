import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toExplainedJson, toEnrichmentJson } from '../../src/mapping/enrichment-json.ts';
import { matchId, toThreatEnrichment } from '../../src/mapping/ecs.ts';
import { toRollUp } from '../../src/mapping/ecs-roll-up.ts';
import { toEcsIndicatorValue } from '../../src/mapping/ecs-indicator.ts';
import { toExplainLine } from '../../src/mapping/explain-line.ts';
import { type IocOptions, toIocDocument } from '../../src/mapping/ioc-document.ts';
import { toAnswerCells, toCategoryCell, toIndicatorCell } from '../../src/mapping/splunk.ts';
import { toRiskEvent, toThreatIntelRow } from '../../src/mapping/splunk-risk.ts';
import { toStixBundle, toStixObject, type StixFacts } from '../../src/mapping/stix.ts';
import type { StixIndicator } from '../../src/mapping/stix.ts';
import type { Answer, ProviderResult } from '../../src/model/enrichment.ts';
import { INDICATOR_TYPES, type IndicatorType } from '../../src/model/indicator.ts';
import { enrichmentOf as storedOf } from '../store/samples.ts';

const NOW_S = 1_795_000_000;
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const MATCH = { field: 'destination.ip', occurred: '2026-11-21T10:00:00.000Z', type: null, digest };

function enrichmentOf(answer: Partial<Answer> = {}, type: IndicatorType = 'ipv4-addr', value = '45.9.148.114') {
  return storedOf(answer, { input: value, indicator: { type, value } });
}

function said(provider: string, facts: Partial<ProviderResult> = {}): ProviderResult {
  return {
    provider,
    status: 'ok',
    verdict: 'malicious',
    score: 90,
    confidence: null,
    categories: [],
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    contribution: 0,
    message: null,
    ...facts,
  };
}

describe('a row of a threat collection', () => {
  it.each([
    [null, 1],
    [0, 1],
    [1, 1],
    [20, 1],
    [21, 2],
    [40, 2],
    [41, 3],
    [80, 4],
    [81, 5],
    [100, 5],
    [101, 5],
  ])('with score %j weighs %i of 5', (score, weight) => {
    expect(toThreatIntelRow(enrichmentOf({ score }))?.row.weight).toBe(weight);
  });

  it.each<[IndicatorType, string, object]>([
    ['ipv4-addr', 'ip_intel', { ip: 'v' }],
    ['ipv6-addr', 'ip_intel', { ip: 'v' }],
    ['domain-name', 'ip_intel', { domain: 'v' }],
    ['url', 'http_intel', { http_referrer: '', http_user_agent: '', url: 'v' }],
    ['email-addr', 'email_intel', { src_user: 'v', subject: '' }],
    ['file:sha256', 'file_intel', { file_hash: 'v', file_name: '' }],
  ])('%s goes to %s as %j', (type, collection, row) => {
    expect(toThreatIntelRow(enrichmentOf({ score: 90 }, type, 'v'))).toEqual({
      collection,
      row: { description: 'isMalicious: malicious, score 90 (c2)', weight: 5, ...row },
    });
  });

  it('is made of malicious indicators alone', () => {
    for (const verdict of ['suspicious', 'clean', 'unknown'] as const) expect(toThreatIntelRow(enrichmentOf({ verdict }))).toBeNull();
    expect(toThreatIntelRow(storedOf({}, { input: 'x', indicator: null }))).toBeNull();
    expect(toThreatIntelRow(enrichmentOf({ score: null, categories: [] }))?.row.description).toBe('isMalicious: malicious, score unknown');
  });
});

describe('a risk event', () => {
  it.each([
    ['src_user', 'user'],
    ['Owner', 'user'],
    ['recipient', 'user'],
    ['sender', 'user'],
    ['account_name', 'user'],
    ['src', 'system'],
    ['host', 'system'],
  ])('scores what stands in %s as a %s', (field, type) => {
    expect(toRiskEvent(enrichmentOf({ score: 87, categories: ['c2', 'spam'] }), { field, value: 'e' })).toEqual({
      risk_object: 'e',
      risk_object_type: type,
      risk_score: 87,
      risk_message: 'e met 45.9.148.114, malicious with score 87 (c2, spam)',
      threat_object: '45.9.148.114',
      threat_object_type: 'ip_address',
    });
  });

  it.each<[IndicatorType, string]>([
    ['ipv6-addr', 'ip_address'],
    ['domain-name', 'domain'],
    ['url', 'url'],
    ['file:md5', 'file_hash'],
    ['file:sha1', 'file_hash'],
    ['file:sha256', 'file_hash'],
    ['file:sha512', 'file_hash'],
    ['email-addr', 'email_address'],
  ])('calls a %s %s', (type, word) => {
    expect(toRiskEvent(enrichmentOf({}, type), { field: 'src', value: 'e' })?.threat_object_type).toBe(word);
  });

  it('is made of what is accused, with a score', () => {
    const of = (answer: Partial<Answer>) => toRiskEvent(enrichmentOf(answer), { field: 'src', value: 'e' });
    expect(of({ verdict: 'suspicious', score: 0, categories: [] })?.risk_message).toBe('e met 45.9.148.114, suspicious with score 0');
    expect([of({ score: null }), of({ verdict: 'clean' }), of({ verdict: 'unknown' })]).toEqual([null, null, null]);
    expect(toRiskEvent(storedOf({}, { indicator: null }), { field: 'src', value: 'e' })).toBeNull();
  });
});

describe('the explanation', () => {
  it.each<[Partial<Answer>, string]>([
    [
      { score: 62, providers: [said('a', { contribution: 40 }), said('b', { contribution: 22 }), said('c', { status: 'rate_limited' })] },
      '62 = a 40 + b 22; c rate limited',
    ],
    [{ score: 0, providers: [said('a'), said('b', { status: 'not_listed' })] }, '0 = a 0; b not listed'],
    [{ score: 5, providers: [said('a', { contribution: 5 }), said('b')] }, '5 = a 5'],
    [{ score: 0, providers: [said('b', { status: 'timeout' })] }, '0; b timeout'],
    [{ score: null, providers: [said('a')] }, 'no score'],
  ])('of %j', (answer, line) => expect(toExplainLine(enrichmentOf(answer).answer)).toBe(line));
});

describe('JSON of an enrichment', () => {
  it('has times in whole seconds of UTC, and none where nobody said or there is no end', () => {
    expect(toEnrichmentJson(enrichmentOf())).toMatchObject({ checked_at: '2026-11-18T11:06:40Z', expires_at: '2026-11-19T11:06:40Z' });
    const never = { ...enrichmentOf(), checkedAtS: null, expiresAtS: Infinity };
    expect(toEnrichmentJson(never)).toMatchObject({ checked_at: null, expires_at: null });
  });

  it('names what was given where it was spelt otherwise, and what each provider said', () => {
    const one = storedOf(
      { providers: [said('a', { contribution: 9, message: 'm', sightings: 3 }), said('b')] },
      { input: '45[.]9.148.114', indicator: { type: 'ipv4-addr', value: '45.9.148.114' } },
    );
    const json = toExplainedJson(one, ['because']);
    expect(json).toMatchObject({ indicator: '45.9.148.114', input: '45[.]9.148.114', type: 'ipv4-addr', explain: ['90 = a 9', 'because'] });
    expect(json.providers).toEqual([
      {
        provider: 'a',
        status: 'ok',
        score: 90,
        confidence: null,
        categories: [],
        sightings: 3,
        first_seen: null,
        last_seen: null,
        reference: null,
        contribution: 9,
        message: 'm',
      },
      {
        provider: 'b',
        status: 'ok',
        score: 90,
        confidence: null,
        categories: [],
        sightings: null,
        first_seen: null,
        last_seen: null,
        reference: null,
        contribution: 0,
      },
    ]);
    expect(toEnrichmentJson(enrichmentOf())).not.toHaveProperty('input');
    expect(toEnrichmentJson(storedOf({}, { input: 'x', indicator: null }))).toMatchObject({ indicator: 'x', type: null });
  });
});

describe('an entry of threat.enrichments', () => {
  const entry = (answer: Partial<Answer>) => toThreatEnrichment(enrichmentOf(answer), MATCH)!.indicator;
  it.each([
    [null, undefined],
    [-1, undefined],
    [0, 0],
    [1, 1],
    [1.5, undefined],
    [Number.MAX_SAFE_INTEGER + 1, undefined],
  ])('with %j sightings says %j', (sightings, count) => expect(entry({ sightings }).sightings).toBe(count));

  it('counts who accuses, and leaves the count out where nobody does', () => {
    const providers = [said('a'), said('b', { verdict: 'suspicious' }), said('c', { verdict: 'clean' }), said('d', { verdict: 'unknown' })];
    expect(entry({ providers }).scanner_stats).toBe(2);
    expect(entry({ providers: providers.slice(1) }).scanner_stats).toBe(1);
    expect(entry({ providers: providers.slice(2) })).not.toHaveProperty('scanner_stats');
  });

  it.each<[Partial<Answer>, string]>([
    [{ providers: [said('a', { contribution: 1 }), said('b')] }, 'malicious, score 90: c2 (a)'],
    [{ score: null, categories: [] }, 'malicious'],
    [{ score: 0, categories: ['x', 'y'], verdict: 'suspicious' }, 'suspicious, score 0: x, y'],
  ])('describes %j', (answer, text) => expect(entry(answer).description).toBe(text));

  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['lately', undefined],
    ['+012026-01-02T03:04:05Z', undefined],
  ])('seen first at %j is %j', (firstSeen, date) => expect(entry({ firstSeen }).first_seen).toBe(date));

  it.each([
    ['https://x.net/r', true],
    ['HTTP://x.net/r', true],
    ['ftp://x.net/r', false],
    ['https://', false],
    ['see https://x.net', false],
    ['data:https://x.net', false],
  ])('refers to %s: %j', (reference, isPage) => expect('reference' in entry({ reference })).toBe(isPage));

  it('has an id of 32 hexadecimal digits, of type, value and field', () => {
    expect(matchId(enrichmentOf(), MATCH)).toBe(digest('ipv4-addr\n45.9.148.114\ndestination.ip').slice(0, 32));
    expect(matchId(storedOf({}, { input: 'x', indicator: null }), MATCH)).toBe(digest('\nx\ndestination.ip').slice(0, 32));
  });
});

it('a URL is spelt in ECS without the parts that it has not', () => {
  expect(toEcsIndicatorValue({ type: 'url', value: 'http://x.net' }).url).toEqual({
    full: 'http://x.net',
    original: 'http://x.net',
    scheme: 'http',
    domain: 'x.net',
    path: '/',
  });
  expect(toEcsIndicatorValue({ type: 'url', value: 'mailto:a' }).url).toEqual({
    full: 'mailto:a',
    original: 'mailto:a',
    scheme: 'mailto',
    path: 'a',
  });
  expect(toEcsIndicatorValue({ type: 'url', value: 'http://x.net:8080/?q' }).url).toMatchObject({ port: 8080, query: 'q' });
});

it('the roll-up tells when it was checked in milliseconds of UTC', () => {
  expect(toRollUp(enrichmentOf(), 'f')).toMatchObject({
    checked_at: '2026-11-18T11:06:40.000Z',
    malicious: true,
    indicator: '45.9.148.114',
    field: 'f',
  });
  expect(toRollUp({ ...enrichmentOf(), checkedAtS: null }, 'f')).not.toHaveProperty('checked_at');
});

describe('an indicator document', () => {
  const options: IocOptions = { digest, nowMs: NOW_S * 1000 };
  const days = (type: IndicatorType, verdict: 'malicious' | 'suspicious', validDays?: IocOptions['validDays']) => {
    const { document } = toIocDocument(enrichmentOf({ verdict }, type), { ...options, ...(validDays && { validDays }) })!;
    return (Date.parse(String(document.ismalicious.expires_at)) - Date.parse(document['@timestamp'])) / 86_400_000;
  };
  it.each<[IndicatorType, number]>([
    ['ipv4-addr', 30],
    ['ipv6-addr', 30],
    ['url', 30],
    ['domain-name', 90],
    ['email-addr', 90],
    ['file:md5', 365],
    ['file:sha1', 365],
    ['file:sha256', 365],
    ['file:sha512', 365],
    ['cve', 365],
  ])('of a %s holds %i days, of a suspicious one half as long', (type, held) => {
    expect([
      days(type, 'malicious'),
      days(type, 'suspicious'),
      days(type, 'malicious', { [type]: 4 }),
      days(type, 'suspicious', { [type]: 4 }),
    ]).toEqual([held, held / 2, 4, 2]);
  });
  it('names who gave points, and says its risk where there is a score', () => {
    const providers = [said('a', { contribution: 1 }), said('b')];
    expect(toIocDocument(enrichmentOf({ providers }), options)?.document).toMatchObject({
      ismalicious: { providers: ['a'] },
      event: { risk_score: 90 },
    });
    const bare = toIocDocument(enrichmentOf({ score: null, confidence: null }), options)!.document;
    expect(bare.event).not.toHaveProperty('risk_score');
    expect(Object.keys(bare.ismalicious)).not.toEqual(expect.arrayContaining(['score']));
    expect(Object.keys(bare.ismalicious)).not.toEqual(expect.arrayContaining(['confidence']));
  });
});

describe('an indicator in STIX', () => {
  const factsOf = (more: Partial<StixFacts> = {}): StixFacts => ({
    indicator: { type: 'ipv4-addr', value: '45.9.148.114' },
    answer: enrichmentOf({ categories: [] }).answer,
    tags: [],
    sources: [],
    tlp: null,
    addedS: NOW_S,
    judgedS: NOW_S,
    firstSeenS: NOW_S,
    validUntilS: null,
    isRevoked: false,
    ...more,
  });
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  it.each([
    [NOW_S - 1, undefined],
    [NOW_S, undefined],
    [NOW_S + 1, iso(NOW_S + 1)],
  ])('that ends at %i, and begins at 1795000000, ends at %j', (validUntilS, end) => {
    expect((toStixObject(factsOf({ validUntilS })) as StixIndicator).valid_until).toBe(end);
  });
  it('is modified when it was judged, and not before it was made', () => {
    expect(toStixObject(factsOf({ judgedS: NOW_S + 5 }))).toMatchObject({ created: iso(NOW_S), modified: iso(NOW_S + 5) });
    expect(toStixObject(factsOf({ judgedS: NOW_S - 5 })).modified).toBe(iso(NOW_S));
  });
  it('has 40 labels at most, its own among them, and each once', () => {
    const own = ['ismalicious:verdict=malicious', 'ismalicious:tier=p1', 'ismalicious:score=90', 'ismalicious:origin=pack'];
    const tags = Array.from({ length: 36 }, (_, n) => `t${n}`);
    expect(toStixObject(factsOf({ tags })).labels).toEqual([...tags, ...own]);
    expect(toStixObject(factsOf({ tags: [...tags, 'u', 't0'] })).labels).toEqual([...tags.slice(1), 'u', ...own]);
  });
  it('has a name of 1024 letters at most', () => {
    const named = (length: number) => toStixObject(factsOf({ indicator: { type: 'url', value: 'u'.repeat(length) } })).name.length;
    expect([named(1024), named(1025)]).toEqual([1024, 1024]);
  });
  it.each<[Partial<StixFacts>, string]>([
    [
      { sources: ['misp', 'otx'], answer: enrichmentOf({ providers: [said('a', { contribution: 1 }), said('b')] }).answer },
      'malicious, score 90, tier p1; contributions: a 1; listed by misp, otx',
    ],
    [{ answer: enrichmentOf({ score: null }).answer }, 'malicious, no score, tier p1'],
    [{ sources: ['misp'] }, 'malicious, score 90, tier p1; listed by misp'],
  ])('is described: %#', (more, text) => expect(toStixObject(factsOf(more)).description).toBe(text));
  it('is revoked, and marked, only when it is', () => {
    expect(toStixObject(factsOf({ isRevoked: true, tlp: 'RED' }))).toMatchObject({
      revoked: true,
      object_marking_refs: ['marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1'],
    });
    expect(Object.keys(toStixObject(factsOf()))).not.toContain('revoked');
  });
  it('comes in a bundle with its author; another time, another bundle', () => {
    const [one, later] = [toStixObject(factsOf()), toStixObject(factsOf({ judgedS: NOW_S + 1 }))];
    const bundle = toStixBundle([one]);
    expect([bundle.objects.length, bundle.id === toStixBundle([one]).id, bundle.id === toStixBundle([later]).id]).toEqual([2, true, false]);
    expect(bundle.id).toMatch(/^bundle--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('cells of Splunk', () => {
  it('name who answered, on one line', () => {
    const providers = [said('a'), said('b', { status: 'not_listed' }), said('c', { status: 'timeout' })];
    expect(toAnswerCells(enrichmentOf({ providers, message: 'one \r\n two\nthree\rfour' }).answer).after).toEqual([
      'a, b',
      '',
      '',
      '',
      'one two three four',
    ]);
    expect(toCategoryCell(enrichmentOf({ categories: ['x', 'y\nz'] }).answer)).toBe('x, y z');
  });
  it('show a score of 0 as 0', () =>
    expect(toAnswerCells(enrichmentOf({ score: 0, confidence: 0 }).answer).before.slice(2, 4)).toEqual(['0', '0']));
  it('show what was given where it is no indicator', () =>
    expect(toIndicatorCell(storedOf({}, { input: 'x', indicator: null }))).toBe('x'));
});

it('every type of indicator has a form everywhere', () => {
  for (const type of INDICATOR_TYPES) expect(toThreatEnrichment(enrichmentOf({}, type), MATCH)).not.toBeNull();
});
