import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalLists } from '../../src/compose/lists/local-lists.ts';
import { mergeOutcomes } from '../../src/engine/score/merge-outcomes.ts';
import type { Scoring } from '../../src/engine/score/scoring.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { answerTaxii } from '../../src/pipeline/taxii-collection.ts';
import { STIX_IDENTITY } from '../../src/mapping/stix.ts';
import { uuid5 } from '../../src/model/formats/stix-id.ts';
import { OWN_IDENTITY_ID } from '../../src/model/formats/own-export.ts';
import { OWN_MISP_EVENT } from '../../src/model/formats/own-misp-event.ts';
import type { Answer } from '../../src/model/enrichment.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { exportStore } from '../../src/pipeline/export-store.ts';
import { withStore } from '../../src/pipeline/store-source.ts';
import { DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import { readAlert } from '../../src/pipeline/triage/read-alert.ts';
import { misp } from '../../src/providers/misp.ts';
import { opencti } from '../../src/providers/opencti.ts';
import { openStore, type Store } from '../../src/store/store-client.ts';
import { openStoreCore } from '../../src/store/store.ts';
import { answer, walk } from '../feeds/walk.ts';
import { bodyOf, itemOf, outputOf, start, contextOf } from '../outputs/samples.ts';
import { answerOf, enrichmentOf, observationOf } from '../store/samples.ts';

const NOW = 1_795_000_000;
const folder = mkdtempSync(join(tmpdir(), 'ismalicious-own-'));
const SCORING: Scoring = {
  formula: 'weighted',
  tiers: { p1: 80, p2: 60, watch: 40 },
  autoResolveConfidence: 80,
  weights: {},
  allowlistMaxScore: 20,
  halfLifeDays: null,
};
const domain = (value: string) => ({ type: 'domain-name' as const, value });
const saidBy = (provider: string, verdict: Verdict | null) => ({
  kind: 'answered' as const,
  provider,
  verdict,
  isStale: false,
  source: 'live' as const,
  checkedAtS: NOW,
  expiresAtS: NOW + 60,
});
const merged = (...outcomes: ReturnType<typeof saidBy>[]): Answer => mergeOutcomes(outcomes, SCORING, { type: 'domain-name', nowS: NOW });
const facts = ({ verdict, score, confidence, tier }: Answer) => ({ verdict, score, confidence, tier });
const feedOf = (id: string) => FEEDS.find((feed) => feed.id === id)!;

const JUDGED: Readonly<Record<string, Partial<Answer>>> = {
  'p1.evil-host.net': { verdict: 'malicious', score: 87, confidence: 62, tier: 'p1' },
  'p2.evil-host.net': { verdict: 'malicious', score: 65, confidence: 71, tier: 'p2' },
  'watch.evil-host.net': { verdict: 'suspicious', score: 45, confidence: 50, tier: 'watch' },
  'sure.evil-host.net': { verdict: 'malicious', score: 92, confidence: null, tier: 'p1' },
  'clean.good-host.net': { verdict: 'clean', score: 3, confidence: 90, tier: 'log' },
  'unknown.any-host.net': { verdict: 'unknown', score: null, confidence: null, tier: 'review' },
};
let bundle = '';
let store: Store;
beforeAll(async () => {
  store = await openStore(join(folder, 'own.sqlite'));
  await store.observe(
    Object.keys(JUDGED).map((value) => observationOf(value)),
    NOW - 10,
  );
  await store.record(
    Object.entries(JUDGED).map(([value, said]) => [
      value,
      enrichmentOf(answerOf(said), { input: value, indicator: domain(value), checkedAtS: NOW - 5 }),
    ]),
    NOW - 5,
  );
  for await (const part of exportStore(store, 'stix', NOW)) bundle += part;
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What a store that has read these items answers by itself. */
function listedBy(name: string, items: ReturnType<typeof walk>['items']) {
  const path = join(folder, `${name}.sqlite`);
  const other = openStoreCore(path);
  other.observe(items, NOW);
  other.close();
  const none = {
    lookup: () => null,
    allowance: () => null,
    isNamed: () => false,
    lookupSystem: () => null,
    allowanceOfSystem: () => null,
    onChange: () => undefined,
    stats: () => ({ lists: [] }),
    close: () => undefined,
  };
  const source = withStore(none, { path, nowS: () => NOW, watches: false });
  return (value: string) => merged(saidBy('local', source.lookup(domain(value))));
}
const readBundle = () => walk(feedOf('stix'), { baseUrl: 'https://x.corp-net.com/b.json' }, null, () => answer(JSON.parse(bundle))).items;

describe('our own STIX export says the same score, confidence, verdict and tier', () => {
  const told = Object.keys(JUDGED).filter((value) => !value.startsWith('unknown'));
  it.each(told)('%s, read as a list of one’s own', (value) => {
    const path = join(folder, 'own.json');
    writeFileSync(path, bundle);
    const lists = openLocalLists({ lists: [path], allowLists: [], sample: null, watches: false });
    expect(facts(merged(saidBy('local', lists.lookup(domain(value)))))).toEqual(JUDGED[value]);
    expect(lists.lookup(domain('unknown.any-host.net'))).toBeNull();
  });
  it.each(told)('%s, read as a feed', (value) => expect(facts(listedBy(`stix-${value}`, readBundle())(value))).toEqual(JUDGED[value]));
  it.each(told.filter((value) => !value.startsWith('clean')))('%s, read over TAXII', async (value) => {
    const request = { path: '/api/collections/', accept: '*/*', baseUrl: 'http://127.0.0.1/taxii2' };
    const [one] = (
      (await answerTaxii({ ...request, query: new URLSearchParams() }, { store, nowS: NOW, maxTlp: 'AMBER' })).body as {
        collections: { id: string }[];
      }
    ).collections;
    const objects = await answerTaxii(
      { ...request, path: `/api/collections/${one!.id}/objects/`, query: new URLSearchParams() },
      { store, nowS: NOW, maxTlp: 'AMBER' },
    );
    const got = walk(feedOf('taxii'), { baseUrl: 'https://taxii.corp-net.com/taxii2/' }, null, ({ url }) => {
      if (url.pathname.endsWith('/objects/')) return answer(objects.body);
      return answer(url.pathname.endsWith('/collections/') ? { collections: [one] } : { api_roots: [] });
    });
    expect(facts(listedBy(`taxii-${value}`, got.items)(value))).toEqual(JUDGED[value]);
  });
  it('and accuses nobody whom nobody knew, nor whom others call benign', () => {
    expect(readBundle().map(({ indicator }) => indicator.value)).not.toContain('unknown.any-host.net');
    const benign = {
      type: 'indicator',
      pattern_type: 'stix',
      pattern: "[domain-name:value = 'good.any-host.net']",
      indicator_types: ['benign'],
    };
    const got = walk(feedOf('stix'), { baseUrl: 'https://x.corp-net.com/b.json' }, null, () =>
      answer({ type: 'bundle', objects: [benign] }),
    );
    expect([got.items, got.ignored]).toEqual([[], 1]);
  });
});

describe('what we wrote is no evidence when it comes back', () => {
  const other: Verdict = { ...verdict('virustotal'), verdict: 'malicious', score: 66, confidence: 70 };
  function verdict(provider: string): Verdict {
    return {
      provider,
      verdict: 'unknown',
      score: null,
      confidence: null,
      categories: [],
      attributes: [],
      sightings: null,
      firstSeen: null,
      lastSeen: null,
      reference: null,
      tlp: 'CLEAR',
      isPending: false,
    } as Verdict;
  }
  const mispSettings = misp.settings.parse({ apiKey: 'k', baseUrl: 'https://misp.corp-net.com' });
  const attribute = (more: object = {}) => ({
    uuid: 'u-1',
    event_id: '7',
    category: 'Network activity',
    type: 'domain',
    to_ids: true,
    timestamp: '1794000000',
    value: 'p1.evil-host.net',
    Event: { id: '7', uuid: '5f0f1c8e-1111-4222-8333-444455556666', info: 'Some campaign' },
    ...more,
  });
  const OURS: [string, object][] = [
    ['in our event', { Event: { id: '7', uuid: OWN_MISP_EVENT, info: 'renamed' } }],
    ['in our event of another UUID', { Event: { id: '7', uuid: 'x', info: 'isMalicious enrichment feedback' } }],
    ['with our mark', { Tag: [{ name: 'ismalicious:origin="pack"' }] }],
    ['with the mark of our STIX, by way of TAXII', { Tag: [{ name: 'ismalicious:origin=pack' }] }],
    [
      'in an event with our mark, exported by TheHive',
      { Event: { id: '7', uuid: 'x', info: 'y', Tag: [{ name: 'ismalicious:origin=pack' }] } },
    ],
  ];
  it.each(OURS)('MISP, asked: %s', (_how, more) => {
    const body = (attributes: object[]) => ({ response: { Attribute: attributes } });
    const read = (attributes: object[]) => misp.read(body(attributes), domain('p1.evil-host.net'), mispSettings);
    expect(read([attribute(more)])).toBeNull();
    expect(read([attribute(), attribute(more)])).toEqual(read([attribute()]));
  });
  it.each(OURS)('MISP, read as a feed: %s', (_how, more) => {
    const got = walk(feedOf('misp'), { baseUrl: 'https://misp.corp-net.com', apiKey: 'k' }, null, () =>
      answer({ response: { Attribute: [attribute(more), attribute({ value: 'their.evil-host.net' })] } }),
    );
    expect([got.items.map(({ indicator }) => indicator.value), got.ignored]).toEqual([['their.evil-host.net'], 1]);
  });
  it('a MISP feed: an event of ours', () => {
    const got = walk(feedOf('misp_feed'), { baseUrl: 'https://feeds.corp-net.com', sinceDays: 3650 }, null, ({ url }) =>
      answer(
        url.pathname.endsWith('manifest.json')
          ? { [OWN_MISP_EVENT]: { timestamp: '1794000000' } }
          : {
              Event: {
                uuid: OWN_MISP_EVENT,
                info: 'x',
                Tag: [],
                Object: [],
                Attribute: [{ type: 'domain', value: 'p1.evil-host.net', to_ids: true }],
              },
            },
      ),
    );
    expect([got.items, got.ignored]).toEqual([[], 1]);
  });
  it('MISP: our tags and sightings on what others wrote say nothing', () => {
    const read = (more: object) => misp.read({ response: { Attribute: [attribute(more)] } }, domain('p1.evil-host.net'), mispSettings);
    const touched = {
      Tag: [{ name: 'ismalicious:verdict="malicious"' }, { name: 'ismalicious:tier="p1"' }],
      Sighting: [
        { type: '0', source: 'isMalicious' },
        { type: '1', source: 'soc' },
      ],
    };
    expect(read(touched)).toEqual(read({ Sighting: [{ type: '1', source: 'soc' }] }));
  });
  it('what the MISP output sends is what the provider and the feeds know again', () => {
    const output = outputOf('misp');
    const search = start('misp', [itemOf('45.83.64.7')]);
    const add = output.read({ status: 200, headers: {}, body: { response: [] } }, search, [itemOf('45.83.64.7')], contextOf('misp')).next!;
    const { Tag, value, type } = bodyOf(add) as unknown as { Tag: object[]; value: string; type: string };
    const back = attribute({ Tag, value, type });
    expect(misp.read({ response: { Attribute: [back] } }, { type: 'ipv4-addr', value }, mispSettings)).toBeNull();
  });

  const openctiSettings = opencti.settings.parse({ apiKey: 'k', baseUrl: 'https://cti.corp-net.com' });
  const node = (more: object = {}) => ({
    id: 'n-1',
    entity_type: 'Domain-Name',
    observable_value: 'p1.evil-host.net',
    x_opencti_score: 87,
    objectLabel: [{ value: 'ismalicious:origin=pack' }, { value: 'ismalicious:verdict=malicious' }],
    ...more,
  });
  const readCti = (one: object) =>
    opencti.read({ data: { stixCyberObservables: { edges: [{ node: one }] } } }, domain('p1.evil-host.net'), openctiSettings);
  const indicator = (name: string) => ({ node: { x_opencti_score: name === 'CERT' ? 61 : 87, revoked: false, createdBy: { name } } });
  it('OpenCTI: a value that it has from our TAXII alone is not listed; beside others only they count', () => {
    const ours = indicator('isMalicious integration pack');
    expect(readCti(node({ indicators: { edges: [ours] } }))).toBeNull();
    expect(readCti(node({ indicators: { edges: [ours, indicator('CERT')] } }))).toMatchObject({ score: 61, sightings: 1 });
    expect(readCti(node({ objectLabel: [], indicators: { edges: [ours] } }))).toMatchObject({ verdict: 'unknown', score: null });
  });

  it('our own TAXII, read by ourselves: confirms nothing, adds no source, and never raises what we said', async () => {
    const before = await store.get('p1.evil-host.net', NOW + 100);
    await store.observe(
      readBundle().map((item) => ({ ...item, source: 'taxii' })),
      NOW + 100,
    );
    expect(await store.get('p1.evil-host.net', NOW + 100)).toEqual(before);
  });
  it('another house’s word counts where nobody else gives a score, and not beside somebody who does', () => {
    const said: Verdict = {
      ...verdict('local'),
      verdict: 'malicious',
      score: 90,
      confidence: 95,
      attributes: ['feed:taxii', 'own-export'],
    };
    expect(facts(merged(saidBy('local', said), saidBy('virustotal', null)))).toMatchObject({ score: 90, tier: 'p1' });
    expect(facts(merged(saidBy('local', said), saidBy('virustotal', other)))).toEqual(facts(merged(saidBy('virustotal', other))));
  });
  it('a feed that lists a value speaks for itself, in the place of another house’s word', () => {
    const core = openStoreCore(':memory:');
    core.observe(readBundle(), NOW);
    expect(core.get('p1.evil-host.net', NOW)).toMatchObject({ judged: { verdict: 'malicious', score: 87 }, sources: ['stix'] });
    core.observe([observationOf('p1.evil-host.net', { source: 'threatfox', confidence: 75 })], NOW);
    core.observe(readBundle(), NOW);
    expect(core.get('p1.evil-host.net', NOW)).toMatchObject({ judged: null, sources: ['threatfox'], feedConfidence: 75 });
    core.close();
  });
  it('TheHive: alert and observable carry our mark', () => {
    const alert = bodyOf(start('thehive', [itemOf('45.83.64.7')])) as unknown as { tags: string[]; observables: { tags: string[] }[] };
    expect([alert.tags, alert.observables[0]!.tags]).toEqual([
      expect.arrayContaining(['ismalicious:origin=pack']),
      expect.arrayContaining(['ismalicious:origin=pack']),
    ]);
  });
  it('Elasticsearch: an alert by an indicator document of ours has nothing more to look up than the event, and events are not read for them', () => {
    const event = { destination: { ip: '45.83.64.7' } };
    const matched = {
      threat: { indicator: { ip: '45.83.64.7', provider: 'isMalicious' }, enrichments: [{ indicator: { ip: '45.83.64.7' } }] },
    };
    const lookedUp = (alert: Readonly<Record<string, unknown>>) =>
      readAlert(alert).observables.map(({ field, value }) => ({ field, value }));
    expect(lookedUp({ ...event, ...matched })).toEqual(lookedUp(event));
    expect(DEFAULT_FIELDS.filter((field) => field.startsWith('threat.'))).toEqual([]);
  });
  it('ids that are spelt out are those that are made', () =>
    expect([OWN_IDENTITY_ID, OWN_MISP_EVENT, STIX_IDENTITY.id]).toEqual([
      `identity--${uuid5('identity')}`,
      uuid5('misp feedback event'),
      OWN_IDENTITY_ID,
    ]));
});

describe('to be listed in a feed', () => {
  const listing = (score: number, confidence: number | null, attributes = ['feed:csv']): Verdict =>
    ({
      provider: 'local',
      verdict: score >= 70 ? 'malicious' : 'suspicious',
      score,
      confidence,
      attributes,
      categories: [],
      sightings: null,
      firstSeen: null,
      lastSeen: null,
      reference: null,
      tlp: 'CLEAR',
      isPending: false,
    }) as Verdict;
  it.each(
    [87, 66, 45, 3].flatMap((score) => [
      [score, 55, 5] as const,
      [score, 90, 90] as const,
      [score, 20, 20] as const,
      [score, 55, null] as const,
    ]),
  )('never makes us less sure of what others say: %i beside a listing of %i with confidence %j', (score, listed, confidence) => {
    const other = { ...listing(score, 88, []), provider: 'virustotal' };
    const alone = merged(saidBy('virustotal', other));
    const both = merged(saidBy('local', listing(listed, confidence)), saidBy('virustotal', other));
    expect(both.confidence).toBeGreaterThanOrEqual(alone.confidence!);
  });
});
