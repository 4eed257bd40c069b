import { describe, expect, it } from 'vitest';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { FORMS, SETTINGS, UUIDS } from './feed-forms.ts';
import { answer, walk, type Walk } from './walk.ts';

const GOOD = ['45.83.64.1', '45.83.64.2'];
const feed = (id: string): Feed => FEEDS.find((known) => known.id === id) as Feed;
const valuesOf = (got: Walk): string[] => got.items.map(({ indicator }) => indicator.value);

const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as unknown;
const BAD: readonly [string, unknown][] = [
  ['null', null],
  ['a number', 7],
  ['a text', '__proto__'],
  ['a list', []],
  ['an empty object', {}],
  ['the type __proto__', JSON.parse('{"type":"__proto__","value":"1.2.3.4","indicator":"1.2.3.4","__proto__":{"type":"ip-dst"}}')],
  ['the type constructor', { type: 'constructor', value: '1.2.3.4', id: 'constructor', url: 'toString', ioc: 'x', hashes: 'y' }],
  ['something nested 20,000 deep', { type: 'indicator', pattern: deep, indicators: deep, value: deep }],
];

describe.each(Object.entries(FORMS))('%s', (id, { settings, wrap, good }) => {
  it.each(BAD)('loses nothing but the item when one is %s', (_name, bad) => {
    const reply = wrap([good(GOOD[0] as string, 0), bad, good(GOOD[1] as string, 1)]);
    const got = walk(feed(id), settings as Record<string, unknown>, null, (call) => answer(reply(call.url.pathname)));
    expect(got.items).toHaveLength(2);
    expect(got.rejected.length + got.ignored).toBeGreaterThan(0);
    expect(got.faults).toEqual([]);
  });
});

describe('decoration of another type never refuses an item', () => {
  const odd = [null, 7, '7', 'a,b', true, {}, [], [null, 5, {}, 'x'], '__proto__', ['constructor']];
  const FIELDS: Record<string, readonly string[]> = {
    misp: ['to_ids', 'deleted', 'timestamp', 'first_seen', 'last_seen', 'Tag', 'Event'],
    misp_feed: ['to_ids', 'timestamp', 'Tag', 'Event'],
    otx: ['modified', 'tlp', 'tags', 'malware_families', 'more_indicators'],
    urlhaus: ['id', 'url_status', 'date_added', 'threat', 'tags', 'urlhaus_reference'],
    malwarebazaar: ['sha1_hash', 'md5_hash', 'last_seen', 'first_seen', 'signature', 'tags'],
    threatfox: ['id', 'ioc_type', 'threat_type', 'malware_printable', 'confidence_level', 'first_seen', 'last_seen', 'tags'],
    abuseipdb: ['abuseConfidenceScore', 'lastReportedAt'],
    feodo: ['status', 'malware', 'first_seen', 'last_online'],
    taxii: ['created', 'modified', 'confidence', 'labels', 'indicator_types', 'object_marking_refs', 'valid_from', 'valid_until'],
    stix: ['created', 'modified', 'confidence', 'labels', 'indicator_types', 'object_marking_refs', 'valid_from', 'valid_until'],
  };
  it.each(Object.entries(FIELDS).flatMap(([id, fields]) => fields.map((field) => [id, field] as const)))('%s %s', (id, field) => {
    const { settings, wrap, good } = FORMS[id] as (typeof FORMS)[string];
    for (const value of odd) {
      if ((field === 'to_ids' && value === false) || (field === 'deleted' && value === true)) continue;
      const reply = wrap([{ ...good(GOOD[0] as string, 0), [field]: value }]);
      const got = walk(feed(id), settings as Record<string, unknown>, null, (call) => answer(reply(call.url.pathname)));
      expect([got.items.length, got.items[0]?.confidence ?? 0], JSON.stringify(value)).toEqual([1, expect.toSatisfy(Number.isInteger)]);
    }
  });

  it.each([
    ['threatfox', { confidence_level: '75' }, { confidence: 75 }],
    ['threatfox', { confidence_level: 75.5 }, { confidence: 75 }],
    ['stix', { confidence: '85', labels: 'botnet' }, { confidence: 85, tags: ['botnet'] }],
    ['misp', { timestamp: 1_763_700_000, to_ids: '1' }, { lastSeen: '2025-11-21T04:40:00.000Z' }],
    ['misp', { Tag: 'tlp:red' }, { tlp: 'RED' }],
    ['malwarebazaar', { tags: 'exe,RAT' }, { tags: ['exe', 'RAT'] }],
    ['otx', { malware_families: [{ display_name: null }, 'Qakbot'], tags: null }, { tags: ['Qakbot'] }],
    ['urlhaus', { urlhaus_reference: 'javascript:alert(1)' }, { reference: null }],
    ['misp', { Tag: [{ name: 'a\u001b[2Jb\nc\u202ed' }] }, { tags: ['a [2Jb c d'] }],
  ])('%s reads %j as what it means', (id, more, item) => {
    const { settings, wrap, good } = FORMS[id] as (typeof FORMS)[string];
    const reply = wrap([{ ...good(GOOD[0] as string, 0), ...more }]);
    expect(walk(feed(id), settings as Record<string, unknown>, null, (call) => answer(reply(call.url.pathname))).items).toMatchObject([
      item,
    ]);
  });
});

describe('one senseless id or date does not hide what comes after it', () => {
  it.each(['urlhaus', 'threatfox'])('%s', (id) => {
    const { settings, wrap, good } = FORMS[id] as (typeof FORMS)[string];
    const rows = (ids: number[]) => ids.map((n) => ({ ...good(`45.83.64.${n % 200}`, n), id: n }));
    const first = walk(feed(id), settings as Record<string, unknown>, null, () => answer(wrap(rows([1, 2, 900_000_000_000]))('')));
    const second = walk(feed(id), settings as Record<string, unknown>, first.cursor, () => answer(wrap(rows([2, 3]))('')));
    expect([second.items.length, second.cursor]).toEqual([2, '3']);
    expect(walk(feed(id), settings as Record<string, unknown>, second.cursor, () => answer(wrap(rows([3, 4]))(''))).items).toHaveLength(1);
  });
  it('otx, malwarebazaar', () => {
    const { settings, wrap, good } = FORMS.otx as (typeof FORMS)[string];
    const future = { ...good('45.83.64.1', 0), modified: '2099-01-01T00:00:00' };
    expect(
      walk(feed('otx'), settings as Record<string, unknown>, null, () => answer(wrap([future, good('45.83.64.2', 1)])(''))).cursor,
    ).toBe('2026-11-01T00:00:00.000Z');
    const sample = FORMS.malwarebazaar as (typeof FORMS)[string];
    const rows = [{ ...sample.good('', 1), first_seen: '2099-01-01 00:00:00' }, sample.good('', 2)];
    const got = walk(feed('malwarebazaar'), sample.settings as Record<string, unknown>, null, () => answer(sample.wrap(rows)('')));
    expect([got.items.length, got.cursor]).toEqual([2, '2026-11-01T00:00:00.000Z']);
  });
});

describe('MISP feed', () => {
  const [one, two, three] = UUIDS as [string, string, string];
  const manifest = { [one]: { timestamp: '1794999001' }, [two]: { timestamp: 1_794_999_002 }, [three]: { timestamp: 1_794_999_003 } };
  const event = (value: string) => ({ Event: { Attribute: [{ type: 'ip-dst', value }] } });
  const read = (cursor: string | null, replies: Record<string, ReturnType<typeof answer>>, list: object = manifest) =>
    walk(feed('misp_feed'), { baseUrl: 'https://f.corp-net.com' }, cursor, ({ url }) => {
      const name = url.pathname.slice(1, -'.json'.length);
      return name === 'manifest' ? answer(list) : (replies[name] ?? answer(event(`45.83.64.${name.slice(-1)}`)));
    });

  it.each([
    ['Tag', null],
    ['Object', null],
    ['Object', [null]],
    ['Object', [{ Attribute: null }]],
    ['Attribute', null],
    ['Tag', [null, { name: 5 }]],
    ['Object', 'x'],
  ])('an event whose %s is %j costs nothing but that', (field, value) => {
    const got = read(null, { [one]: answer({ Event: { ...event('45.83.64.1').Event, [field]: value } }) });
    expect(valuesOf(got).slice(-2)).toEqual(['45.83.64.2', '45.83.64.3']);
    expect([got.faults, got.cursor]).toEqual([[], '1794999003']);
  });

  it('a manifest key that is no UUID, or an entry without a time, is set aside', () => {
    const got = read(null, {}, { '0': { timestamp: 1 }, ...manifest, '00000000-0000-4000-8000-00000000000x': {}, [two]: null });
    expect([valuesOf(got), got.rejected.length, got.cursor]).toEqual([['45.83.64.1', '45.83.64.3'], 3, '1794999003']);
  });

  it.each([
    ['gone', answer('not found', { status: 404 })],
    ['no event', answer({ Event: null })],
    ['no JSON', answer('<html>')],
    ['failing', answer('', { status: 500 })],
  ])('an event that is %s is tried in three runs, told each time, then given up; the others are read at once', (_name, broken) => {
    let got = read(null, { [two]: broken });
    expect(valuesOf(got)).toEqual(['45.83.64.1', '45.83.64.3']);
    expect([got.rejected.length, got.faults.length]).toEqual([1, 1]);
    for (const told of ['2 of 3', 'given up after 3 runs']) {
      got = read(got.cursor, { [two]: broken });
      expect([got.items, got.faults]).toEqual([[], [expect.stringContaining(told)]]);
    }
    got = read(got.cursor, { [two]: broken });
    expect([got.calls.length, got.faults, got.cursor]).toEqual([1, [], null]);
  });

  it('an event that comes back is read', () => {
    const first = read(null, { [two]: answer('', { status: 404 }) });
    const second = read(first.cursor, {});
    expect([valuesOf(second), second.cursor]).toEqual([['45.83.64.2'], '1794999003']);
  });

  it.each(['', 'NaN', '{', '{"since":"x"}'])('a cursor %j that cannot be read is a first run', (cursor) => {
    expect(read(cursor, {}).items).toHaveLength(3);
  });

  it('an event dated in the future does not hide later ones', () => {
    const got = read(null, {}, { ...manifest, [three]: { timestamp: 9_999_999_999 } });
    expect([got.items.length, got.cursor]).toEqual([3, '1795000000']);
  });
});

describe('pages', () => {
  it('MISP: one that is broken costs itself, is asked again in two more runs, and is then left out', () => {
    const rows = (n: number) => [{ type: 'ip-dst', value: `45.83.64.${n}` }];
    const read = (cursor: string | null) =>
      walk(feed('misp'), { ...SETTINGS, pageSize: 1 }, cursor, (_call, n) =>
        n === 2 ? answer('', { status: 500 }) : answer({ response: { Attribute: n < 4 ? rows(n) : [] } }),
      );
    let got = read(null);
    expect([valuesOf(got), got.rejected.length, got.faults.length, got.cursor]).toEqual([
      ['45.83.64.1', '45.83.64.3'],
      1,
      1,
      '30d tries=1',
    ]);
    got = read(read(got.cursor).cursor);
    expect([got.faults, got.cursor]).toEqual([[expect.stringContaining('given up')], '1794999400']);
  });
  it.each([[{ response: [] }], [{ response: { Attribute: null } }], [{ response: {} }]])('MISP: %j is an empty answer', (body) => {
    expect(walk(feed('misp'), SETTINGS, null, () => answer(body))).toMatchObject({ items: [], faults: [], cursor: '1794999400' });
  });
  it('MISP: a server that knows no pages is not asked for ever', () => {
    const rows = [{ id: 1, type: 'ip-dst', value: '45.83.64.1' }];
    const got = walk(feed('misp'), { ...SETTINGS, pageSize: 1 }, null, () => answer({ response: { Attribute: rows } }));
    expect([got.calls.length, got.faults.length]).toEqual([2, 1]);
  });
  it.each([[7], [{}], ['no url'], ['https://evil-host.net/']])('OTX: next %j keeps the page, and says that it was cut', (next) => {
    const got = walk(feed('otx'), SETTINGS, null, () => answer({ results: [FORMS.otx?.good('45.83.64.1', 0)], next }));
    expect([got.items.length, got.calls.length, got.faults.length, got.cursor]).toEqual([1, 1, 1, null]);
  });
  it('OTX: a next page that is the same one again is cut', () => {
    const got = walk(feed('otx'), SETTINGS, null, ({ url }) => answer({ results: [FORMS.otx?.good('45.83.64.1', 0)], next: url.href }));
    expect([got.calls.length, got.faults.length]).toEqual([2, 1]);
  });
});

describe('TAXII', () => {
  const objects = (...values: string[]) => values.map((value) => ({ type: 'ipv4-addr', id: `ipv4-addr--${value}`, value }));
  const read = (cursor: string | null, reply: (path: string, search: URLSearchParams, n: number) => ReturnType<typeof answer>) =>
    walk(feed('taxii'), SETTINGS, cursor, ({ url }, n) => {
      if (n === 1) return answer({ title: null, default: null, api_roots: null });
      if (n === 2) return answer({ collections: [{ id: 'a', title: null }, null, { title: 'no id' }, { id: 'b', can_read: null }] });
      return reply(url.pathname, url.searchParams, n);
    });

  it.each([
    ['forbidden', answer('', { status: 403 })],
    ['gone', answer('', { status: 404 })],
    ['no TAXII', answer('<html>')],
    ['with objects that are no list', answer({ objects: {} })],
  ])('a collection that is %s does not hide the next', (_name, bad) => {
    const got = read(null, (path) => (path.includes('/a/') ? bad : answer({ objects: objects('45.83.64.2') })));
    expect([valuesOf(got), got.faults, got.rejected.length]).toEqual([['45.83.64.2'], [expect.stringContaining('collection a')], 3]);
  });
  it.each([
    [{ more: true, next: 50 }, '50'],
    [{ more: 'true', next: 'x' }, 'x'],
  ])('%j goes on', (head, next) => {
    const got = read(null, (_path, search) =>
      answer({ ...head, ...(search.has('next') ? { more: false, objects: null } : { objects: objects('45.83.64.1') }) }),
    );
    expect(got.calls.map((call) => ('url' in call ? call.url.searchParams.get('next') : null))).toContain(next);
  });
  it.each([
    ['the same page', { 'x-taxii-date-added-last': '2025-02-01T00:00:00Z' }, null],
    ['the same page id', {}, 'same'],
  ])('a server that answers %s again and again is cut after two', (_name, headers, next) => {
    const got = read(null, () => answer({ more: true, next, objects: objects('45.83.64.1', '45.83.64.2') }, { headers }));
    expect([got.calls.length, got.faults.length]).toEqual([6, 2]);
  });
  it('two pages that take turns are cut, too', () => {
    const got = read(null, (_path, search) => {
      const isOdd = search.get('next') === 'odd';
      return answer({ more: true, next: isOdd ? 'even' : 'odd', objects: objects(isOdd ? '45.83.64.1' : '45.83.64.2') });
    });
    expect(got.calls.length).toBeLessThan(12);
  });
  it('"more" without a way to go on is told', () => {
    expect(read(null, () => answer({ more: true, objects: objects('45.83.64.1') })).faults).toHaveLength(2);
  });
  it('a date that the server refuses is dropped, and the collection read from its beginning', () => {
    const cursor = JSON.stringify({ 'https://feed.corp-net.com/collections/a/objects/': 'garbage' });
    const got = read(cursor, (_path, search) =>
      search.has('added_after') ? answer('', { status: 400 }) : answer({ objects: objects('45.83.64.1') }),
    );
    expect([got.items.length, got.faults]).toEqual([2, []]);
  });
});

describe('CSV', () => {
  const list = (text: string, settings: object = {}) =>
    walk(feed('csv'), { baseUrl: 'https://l.corp-net.com', ...settings }, null, () => answer(text));
  const lines = Array.from({ length: 200 }, (_, n) => `45.83.64.${n}`);
  it.each([
    ['first', ['"bad', ...lines]],
    ['in the middle', [...lines.slice(0, 100), '"bad', ...lines.slice(100)]],
    ['last', [...lines, '"bad']],
    ['before a row that is quoted', ['"bad', '"45.83.65.1"', ...lines.slice(1)]],
    ['before a row with a quoted cell', ['"bad', '45.83.65.1,"a,b"', ...lines.slice(1)]],
    ['in a second cell', [...lines.slice(0, 100), '45.83.65.1,"bad', ...lines.slice(100)]],
    ['twice, far apart', ['"bad', ...lines, 'bad"']],
    ['in a second cell twice, far apart', ['45.83.65.1,"bad', ...lines, 'bad"']],
  ])('a stray quote %s costs its own line, and is told', (_name, rows) => {
    const got = list(rows.join('\n'));
    expect([got.items.length, got.faults.length]).toEqual([200, 1]);
    expect(got.rejected.length).toBeGreaterThanOrEqual(1);
  });
  it('with named columns the header behind a broken line is found', () => {
    expect(valuesOf(list('"bad\nip,tag\n45.83.64.1,x\n"45.83.64.2\n45.83.64.3,"y"\n', { column: 'ip' }))).toEqual([
      '45.83.64.1',
      '45.83.64.3',
    ]);
  });
  it('a text over lines is one cell, a blank may stand before the quote, and the header may be a comment', () => {
    const text = '# made by hand\n# id, ip, note, tag\n"1", "45.83.64.1", "two\nlines", "a,b"\n"2", "45.83.64.2", "one", ""\n';
    const got = list(text, { column: 'ip', tagsColumn: 'tag' });
    expect([valuesOf(got), got.items[0]?.tags, got.rejected]).toEqual([['45.83.64.1', '45.83.64.2'], ['a', 'b'], []]);
  });
  it('a list on one line is a list', () => {
    expect(valuesOf(list('http://a-host.net/a,http://b-host.net/b'))).toEqual(['http://a-host.net/a', 'http://b-host.net/b']);
    expect(valuesOf(list('45.83.64.1,c2 server'))).toEqual(['45.83.64.1']);
  });
});

describe('STIX', () => {
  const bundle = (...objects: unknown[]) =>
    walk(feed('stix'), { baseUrl: 'https://s.corp-net.com' }, null, () => answer({ type: 'bundle', objects }));
  it.each([null, 'STIX', undefined])('an indicator whose pattern_type is %j is read', (pattern_type) => {
    expect(bundle({ type: 'indicator', pattern: "[ipv4-addr:value = '45.83.64.1']", pattern_type }).items).toHaveLength(1);
  });
  it('one hash that is none costs itself; names are read as tools write them', () => {
    const got = bundle({ type: 'file', hashes: { sha256: 'a'.repeat(64), MD5: 5, __proto__: null, constructor: 'x' } });
    expect([got.items.length, got.rejected.length]).toEqual([1, 1]);
  });
  it('a marking that is a word of Object.prototype is no marking', () => {
    expect(bundle({ type: 'ipv4-addr', value: '45.83.64.1', object_marking_refs: ['__proto__', 'constructor'] }).items[0]?.tlp).toBeNull();
  });
});

it.each([
  ['filename|sha256', `a|b.exe|${'ab'.repeat(32)}`, ['ab'.repeat(32)]],
  ['malware-sample', `a.exe|${'ab'.repeat(16)}`, ['ab'.repeat(16)]],
  ['domain|ip', 'evil-host.net|45.83.64.1', ['evil-host.net', '45.83.64.1']],
  ['ip-dst|port', '45.83.64.1|8080', ['45.83.64.1']],
  ['ip-src|port', '2a00:1450::1|8080', ['2a00:1450::1']],
  ['hostname|port', 'h.evil-host.net|443', ['h.evil-host.net']],
  ['dns-soa-email', 'root@evil-host.net', ['root@evil-host.net']],
])('MISP %s %s names %j', (type, value, values) => {
  const got = walk(feed('misp'), SETTINGS, null, () => answer({ response: { Attribute: [{ type, value }] } }));
  expect(valuesOf(got)).toEqual(values);
});
