import { describe, expect, it } from 'vitest';
import { settingMeta } from '../../src/config/setting.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { hasFixtures, readFixture } from '../support/fixtures.ts';
import { answer, http, walk } from './walk.ts';

const KEY = 'k-feed-secret';
const feed = (id: string): Feed => {
  const found = FEEDS.find((known) => known.id === id);
  if (!found) throw new Error(`no feed ${id}`);
  return found;
};
/** A recording with its documentation values made public: those are quarantined as values that never were on the internet. */
const recording = (path: string): unknown =>
  JSON.parse(
    readFixture(`providers/${path}`).toString('utf8').replaceAll('203.0.113.7', '45.83.64.7').replaceAll('bad.example', 'bad-host.net'),
  );

describe('every feed', () => {
  it('has the ids that users write', () => {
    expect(FEEDS.map(({ id }) => id)).toEqual([
      'misp',
      'misp_feed',
      'opencti',
      'otx',
      'urlhaus',
      'malwarebazaar',
      'threatfox',
      'feodo',
      'abuseipdb',
      'taxii',
      'stix',
      'csv',
    ]);
  });
  it('registers each of its settings', () => {
    for (const { settings } of FEEDS)
      for (const [key, schema] of Object.entries(settings.shape))
        expect(settingMeta.get(schema), key).toMatchObject({ doc: expect.stringMatching(/\.$/) });
  });
  it('refuses to send a key over plain http', () => {
    expect(feed('misp').settings.safeParse({ baseUrl: 'http://misp.corp-net.com', apiKey: KEY }).success).toBe(false);
    expect(feed('misp').settings.safeParse({ baseUrl: 'http://127.0.0.1:8080/', apiKey: KEY }).data).toMatchObject({
      baseUrl: 'http://127.0.0.1:8080',
    });
  });
});

describe.skipIf(!hasFixtures)('recordings [needs recordings]', () => {
  it('MISP: an attribute with its tags, its event and its TLP', () => {
    const got = walk(feed('misp'), { baseUrl: 'https://misp.corp-net.com/', apiKey: KEY }, null, () =>
      answer(recording('misp/attributes-restSearch-hit.json')),
    );
    expect(got.items).toEqual([
      {
        indicator: { type: 'ipv4-addr', value: '45.83.64.7' },
        source: 'misp',
        tags: ['tlp:green'],
        tlp: 'GREEN',
        confidence: null,
        firstSeen: null,
        lastSeen: '2025-11-21T04:40:00.000Z',
        validUntil: null,
        reference: 'https://misp.corp-net.com/events/view/42',
        isRevoked: false,
        judged: null,
      },
    ]);
    const call = http(got.calls[0]);
    expect(call.url.href).toBe('https://misp.corp-net.com/attributes/restSearch');
    expect(call.headers?.authorization).toBe(KEY);
    expect(JSON.parse(call.body ?? '')).toMatchObject({ publish_timestamp: '30d', to_ids: 1, page: 1, includeEventTags: 1 });
  });

  it('MISP feed: the manifest, then each changed event, oldest first', () => {
    const event = { Event: { ...(recording('misp/event.json') as object) } };
    const manifest = recording('misp/feed-manifest.json');
    const got = walk(feed('misp_feed'), { baseUrl: 'https://feeds.corp-net.com/osint', sinceDays: 3650 }, null, (call) =>
      answer(call.url.pathname.endsWith('manifest.json') ? manifest : event),
    );
    expect(got.calls.map((call) => http(call).url.pathname)).toEqual([
      '/osint/manifest.json',
      '/osint/b2b0d1f0-0000-4000-8000-000000000042.json',
    ]);
    expect([got.items.length, got.rejected.length, got.ignored, got.cursor]).toEqual([0, 0, 2, '1763700000']);
    const all = walk(feed('misp_feed'), { baseUrl: 'https://feeds.corp-net.com/osint', sinceDays: 3650, toIds: false }, null, (call) =>
      answer(call.url.pathname.endsWith('manifest.json') ? manifest : event),
    );
    expect(all.items.map((item) => item.indicator.value)).toEqual(['http://fake.website.com/malware/is/here']);
    expect(
      walk(feed('misp_feed'), { baseUrl: 'https://feeds.corp-net.com/osint' }, '1763700000', () => answer(manifest)).calls,
    ).toHaveLength(1);
  });

  it('OTX: indicators of a pulse, with tags, families and TLP', () => {
    const got = walk(feed('otx'), { apiKey: KEY }, null, () => answer(recording('otx/pulses-subscribed.json')));
    expect(got.items.map(({ indicator, tags, tlp }) => [indicator.type, tags, tlp])).toEqual([
      ['ipv4-addr', ['c2', 'Qakbot'], 'CLEAR'],
      ['domain-name', ['c2', 'Qakbot'], 'CLEAR'],
      ['file:sha256', ['c2', 'Qakbot'], 'CLEAR'],
    ]);
    expect(http(got.calls[0]).url.search).toContain('modified_since=2026-10-');
    expect(http(got.calls[0]).url.href).not.toContain(KEY);
  });

  it('MalwareBazaar: the sample once, or once a hash asked for', () => {
    const reply = () => answer(recording('malwarebazaar/get_recent.json'));
    const got = walk(feed('malwarebazaar'), { apiKey: KEY }, null, reply);
    expect(got.items.map(({ indicator, tags }) => [indicator.type, tags])).toEqual([['file:sha256', ['RedLineStealer', 'exe']]]);
    expect(got.cursor).toBe('2021-10-05T14:02:45.000Z');
    expect(walk(feed('malwarebazaar'), { apiKey: KEY, hashes: ['md5', 'sha1', 'sha256'] }, null, reply).items).toHaveLength(3);
  });

  it('ThreatFox: an entry, and an empty answer whose data is a sentence', () => {
    const got = walk(feed('threatfox'), { apiKey: KEY }, null, () => answer(recording('threatfox/search_ioc-hit.json')));
    expect(got.items).toMatchObject([
      { indicator: { type: 'domain-name', value: 'wizzy.hopto.org' }, confidence: 100, tags: ['botnet_cc', 'AsyncRAT', 'asyncrat'] },
    ]);
    expect(got.cursor).toBe('841537');
    expect(walk(feed('threatfox'), { apiKey: KEY }, got.cursor, () => answer(recording('threatfox/search_ioc-hit.json')))).toMatchObject({
      items: [],
      ignored: 1,
    });
    expect(walk(feed('threatfox'), { apiKey: KEY }, '7', () => answer(recording('threatfox/search_ioc-miss.json')))).toMatchObject({
      items: [],
      cursor: '7',
    });
  });

  it('URLhaus: a URL with its threat; only entries newer than the cursor', () => {
    const body = recording('urlhaus/host-hit.json');
    const got = walk(feed('urlhaus'), { apiKey: KEY }, null, () => answer(body));
    expect(got.items).toMatchObject([
      {
        indicator: { type: 'url', value: 'http://bad-host.net/a.exe' },
        tags: ['malware_download', 'exe'],
        firstSeen: '2026-11-01T10:00:00.000Z',
      },
    ]);
    expect(walk(feed('urlhaus'), { apiKey: KEY }, got.cursor, () => answer(body))).toMatchObject({ items: [], ignored: 1 });
  });

  it.each(['urlhaus', 'malwarebazaar', 'threatfox'])('%s: a refused key inside HTTP 200 is a failure, not an empty list', (id) => {
    expect(() => walk(feed(id), { apiKey: KEY }, null, () => answer({ query_status: 'unknown_auth_key' }))).toThrow(
      expect.objectContaining({ code: 'unauthorized' }),
    );
  });

  it('TAXII: discovery, collections, pages; the cursor is the date added', () => {
    const page1 = recording('taxii/envelope-page1.json');
    const got = walk(feed('taxii'), { baseUrl: 'https://taxii.corp-net.com', username: 'api', apiKey: KEY }, null, (call, n) => {
      if (n === 1) return answer({ ...(recording('taxii/discovery.json') as object), default: 'https://taxii.corp-net.com/api1/' });
      if (call.url.pathname.endsWith('/collections/'))
        return answer({
          collections: [
            { id: 'c1', title: 'all', can_read: true },
            { id: 'c2', can_read: false },
          ],
        });
      if (call.url.searchParams.has('next')) return answer(recording('taxii/envelope-empty.json'));
      return answer(page1, { headers: { 'x-taxii-date-added-last': '2026-11-21T20:00:00.000000Z' } });
    });
    expect(got.items).toMatchObject([
      { indicator: { value: '45.83.64.7' }, confidence: 62, tags: ['bruteforce'], firstSeen: '2026-11-21T20:00:00.000Z' },
    ]);
    expect(got.calls.map((call) => http(call).url.pathname + http(call).url.search)).toEqual([
      '/',
      '/api1/collections/',
      '/api1/collections/c1/objects/?limit=1000',
      '/api1/collections/c1/objects/?limit=1000&next=1763700000.000000',
    ]);
    expect(JSON.parse(got.cursor ?? '')).toEqual({
      'https://taxii.corp-net.com/api1/collections/c1/objects/': '2026-11-21T20:00:00.000000Z',
    });
  });
});

describe('bad items', () => {
  it('are set aside with a reason, and the good ones go on', () => {
    const rows = [
      { type: 'ip-dst', value: '45.83.64.7' },
      { type: 'ip-dst', value: '10.1.2.3' },
      { type: 'domain', value: 'not a domain' },
      { value: 7 },
      { type: 'text', value: 'x' },
    ];
    const got = walk(feed('misp'), { baseUrl: 'https://misp.corp-net.com', apiKey: KEY }, null, () =>
      answer({ response: { Attribute: rows } }),
    );
    expect([got.items.length, got.rejected.length, got.ignored]).toEqual([1, 3, 1]);
    expect(got.rejected.map(({ raw }) => raw)).toEqual(['10.1.2.3', 'not a domain', '{"value":7}']);
    expect(got.rejected.every(({ reason }) => reason.length > 5)).toBe(true);
  });
  it.each(FEEDS.filter(({ id }) => !['misp_feed', 'csv'].includes(id)).map(({ id }) => id))(
    '%s: an answer of another shape is a failure, not an empty feed',
    (id) => {
      const settings: Record<string, unknown> = { apiKey: KEY };
      if (id === 'misp') settings.baseUrl = 'https://misp.corp-net.com';
      if (id === 'stix') settings.baseUrl = 'https://lists.corp-net.com/bundle.json';
      expect(() => walk(feed(id), settings, null, () => answer('<html>Sign in</html>'))).toThrow();
    },
  );
});

describe('MISP', () => {
  const page = (n: number) => ({
    response: { Attribute: Array.from({ length: n }, (_, at) => ({ type: 'domain', value: `host-${at}.net` })) },
  });
  it('reads on until a page is short, and moves the cursor only then', () => {
    const got = walk(feed('misp'), { baseUrl: 'https://misp.corp-net.com', apiKey: KEY, pageSize: 2 }, '1790000000', (_call, n) =>
      answer(page(n < 3 ? 2 : 1)),
    );
    expect(got.calls.map((call) => JSON.parse(http(call).body ?? '').page)).toEqual([1, 2, 3]);
    expect(JSON.parse(http(got.calls[0]).body ?? '').publish_timestamp).toBe('1790000000');
    expect(got.cursor).toBe(String(1_795_000_000 - 600));
  });
  it.each([
    ['domain|ip', 'evil-host.net|45.83.64.7', ['evil-host.net', '45.83.64.7']],
    ['filename|sha1', 'a.exe|42c7153680d7402e56fe022d1024aab49a9901a0', ['42c7153680d7402e56fe022d1024aab49a9901a0']],
    ['ip-dst|port', '45.83.64.7|443', ['45.83.64.7']],
    ['url', 'http://evil-host.net/a|b', ['http://evil-host.net/a|b']],
  ])('%s %s is %j', (type, value, values) => {
    const got = walk(feed('misp'), { baseUrl: 'https://misp.corp-net.com', apiKey: KEY }, null, () =>
      answer({ response: { Attribute: [{ type, value }] } }),
    );
    expect(got.items.map((item) => item.indicator.value)).toEqual(values);
  });
});

describe('OTX', () => {
  it('never sends the key to another host', () => {
    const got = walk(feed('otx'), { apiKey: KEY }, null, () => answer({ results: [], next: 'https://evil-host.net/steal' }));
    expect([got.calls.length, got.faults, got.cursor]).toEqual([1, [expect.stringContaining('on another host')], null]);
  });
  it('says so when a pulse came cut', () => {
    const pulse = { id: 'p1', modified: '2026-11-20T10:00:00', indicators: [], more_indicators: true };
    expect(walk(feed('otx'), { apiKey: KEY }, null, () => answer({ results: [pulse] })).rejected).toEqual([
      { reason: 'OTX sent only part of pulse p1', raw: 'p1' },
    ]);
  });
});

describe('TAXII', () => {
  const objects = (values: string[]) => values.map((value) => ({ type: 'ipv4-addr', spec_version: '2.1', id: 'ipv4-addr--0', value }));
  it('starts again after the last date when a page id has run out', () => {
    const asked: string[] = [];
    const got = walk(feed('taxii'), { baseUrl: 'https://t.corp-net.com', apiKey: KEY }, null, (call, n) => {
      asked.push(call.url.search);
      if (n === 1) return answer({ title: 'an API root' });
      if (n === 2) return answer({ collections: [{ id: 'c' }] });
      if (n === 3)
        return answer({ more: true, next: 'page-2', objects: objects(['45.83.64.7']) }, { headers: { 'x-taxii-date-added-last': 'T1' } });
      return n === 4
        ? answer({ title: "'next' not valid" }, { status: 400 })
        : answer({ objects: objects(['45.83.64.8']) }, { headers: { 'x-taxii-date-added-last': 'T2' } });
    });
    expect(asked.slice(2)).toEqual(['?limit=1000', '?limit=1000&next=page-2', '?added_after=T1&limit=1000']);
    expect(got.items.map((item) => item.indicator.value)).toEqual(['45.83.64.7', '45.83.64.8']);
    expect(got.cursor).toContain('T2');
  });
  it('names the collections there are when the wanted one is missing', () => {
    const reply = (_call: unknown, n: number) => answer(n === 1 ? {} : { collections: [{ id: 'x', title: 'Malware' }] });
    expect(() => walk(feed('taxii'), { baseUrl: 'https://t.corp-net.com', collection: 'nope' }, null, reply)).toThrow(/Malware/);
  });
});

describe('Feodo, STIX and lists', () => {
  it('cost one 304 when unchanged', () => {
    const reply = () =>
      answer([{ ip_address: '45.83.64.7', malware: 'Emotet', first_seen: '2026-11-01 10:00:00' }], { headers: { etag: '"v1"' } });
    const got = walk(feed('feodo'), {}, null, reply);
    expect([got.items[0]?.tags, got.cursor]).toEqual([['botnet_cc', 'Emotet'], '"v1"']);
    const again = walk(feed('feodo'), {}, got.cursor, () => answer('', { status: 304 }));
    expect([http(again.calls[0]).headers, again.items, again.cursor]).toEqual([{ 'if-none-match': '"v1"' }, [], '"v1"']);
  });
  it('CSV: a named column with tags and times, comments, quotes, defanged values, CRLF', () => {
    const text = '\ufeff# exported\r\nseen,ioc,labels\r\n2026-11-01,"hxxp://evil-host[.]net/a,b",c2;apt\r\n,45.83.64[.]7,\r\n,,x\r\n';
    const got = walk(
      feed('csv'),
      { baseUrl: 'https://lists.corp-net.com/l.csv', column: 'ioc', tagsColumn: 'labels', lastSeenColumn: 'seen', tags: ['ours'] },
      null,
      () => answer(text),
    );
    expect(got.items.map(({ indicator, tags, lastSeen }) => [indicator.value, tags, lastSeen])).toEqual([
      ['http://evil-host.net/a,b', ['ours', 'c2', 'apt'], '2026-11-01T00:00:00.000Z'],
      ['45.83.64.7', ['ours'], null],
    ]);
    expect(got.rejected).toEqual([{ reason: 'row without a value', raw: ',,x' }]);
  });
  it('a plain list is read line by line', () => {
    const got = walk(feed('csv'), { baseUrl: 'https://lists.corp-net.com/l.txt' }, null, () =>
      answer('45.83.64.7\n# old\nevil-host.net\n'),
    );
    expect(got.items.map((item) => item.indicator.value)).toEqual(['45.83.64.7', 'evil-host.net']);
  });
  it('a file is named, not fetched', () => {
    const settings = feed('stix').settings.parse({ path: '/lists/bundle.json' });
    expect(feed('stix').first({ settings, cursor: null, startedAtS: 0 }).call).toEqual({ file: '/lists/bundle.json' });
    expect(() => feed('stix').first({ settings: feed('stix').settings.parse({}), cursor: null, startedAtS: 0 })).toThrow(/exactly one/);
  });
});

describe('AbuseIPDB blacklist', () => {
  const settings = { apiKey: KEY };
  const listed = {
    meta: { generatedAt: '2026-11-17T20:00:00+00:00' },
    data: [
      { ipAddress: '45.83.64.7', abuseConfidenceScore: 100, lastReportedAt: '2026-11-17T19:59:00+00:00' },
      { ipAddress: '10.0.0.1', abuseConfidenceScore: 100 },
    ],
  };
  it('is read whole, and remembers of when it is', () => {
    const got = walk(feed('abuseipdb'), settings, null, () => answer(listed));
    expect(got.items).toMatchObject([
      { indicator: { type: 'ipv4-addr', value: '45.83.64.7' }, confidence: 100, lastSeen: '2026-11-17T19:59:00.000Z', tlp: 'CLEAR' },
    ]);
    expect([got.rejected.length, got.cursor, http(got.calls[0]).url.href]).toEqual([
      1,
      '2026-11-17T20:00:00.000Z',
      'https://api.abuseipdb.com/api/v2/blacklist?confidenceMinimum=100&limit=10000',
    ]);
  });
  it('a used-up quota is no fault while the list of the last day is there, and one without it', () => {
    const refused = () => answer({ errors: [{ detail: 'Daily rate limit of 5 requests exceeded' }] }, { status: 429 });
    const again = walk(feed('abuseipdb'), settings, '2026-11-17T20:00:00.000Z', refused);
    expect([again.items, again.faults, again.cursor]).toEqual([[], [], '2026-11-17T20:00:00.000Z']);
    for (const cursor of [null, '2026-11-16T20:00:00.000Z'])
      expect(() => walk(feed('abuseipdb'), settings, cursor, refused)).toThrow(/quota of the blacklist is used up/);
  });
});
