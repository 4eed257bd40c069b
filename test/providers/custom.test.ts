import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactUrl } from '../../src/engine/calls/http/transport.ts';
import { settingMeta } from '../../src/config/setting.ts';
import type { Indicator } from '../../src/model/indicator.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import { customProviders } from '../../src/providers/custom.ts';
import { isJsonPath, selectJson } from '../../src/providers/reading/json-path.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { projectRoot } from '../support/fixtures.ts';
import { scriptedExchange } from './scripted-exchange.ts';

const { declarations } = JSON.parse(readFileSync(join(projectRoot, 'test/fixtures/providers/custom.json'), 'utf8')) as {
  declarations: Record<string, unknown>[];
};
const [acme, wordy, oldQuery] = customProviders(declarations) as [Provider, Provider, Provider];
const signal = new AbortController().signal;
const IP: Indicator = { type: 'ipv4-addr', value: '203.0.113.7' };

async function ask(provider: Provider, indicator: Indicator, body: unknown, status = 200) {
  const settings = provider.settings.parse({ apiKey: 'k-test' }) as never;
  const exchange = scriptedExchange(provider, settings, [{ status, headers: {}, body }]);
  const result = await exchange.single(indicator, signal).then(
    (verdict) => verdict,
    (error: unknown) => (error instanceof LookupError ? error.code : error),
  );
  return { result, call: exchange.calls[0]! };
}

describe('a declared provider', () => {
  it('asks as its templates say, with the value escaped', async () => {
    const url: Indicator = { type: 'url', value: 'https://bad.example/a?b={type}&c=d#e' };
    const { call } = await ask(acme, url, { data: { reputation: -10 } });
    expect(call.url.href).toBe('https://api.acme.example/v2/url/https%3A%2F%2Fbad.example%2Fa%3Fb%3D%7Btype%7D%26c%3Dd%23e?expand=tags');
    expect(call.headers).toEqual({ 'x-token': 'k-test', accept: 'application/json' });
    expect(call.method).toBe('GET');
  });

  it('uses the names its API has for types', async () => {
    const { call } = await ask(acme, IP, { data: { reputation: 0 } });
    expect(call.url.href).toBe('https://api.acme.example/v2/ip/203.0.113.7?expand=tags');
  });

  it('reads the answer where its paths point, on its own scale turned round', async () => {
    const { result } = await ask(acme, IP, {
      data: {
        reputation: -8,
        confidence: '66.6',
        threats: [{ name: 'Phishing Kit' }, { name: 'C2' }],
        tags: ['VPN'],
        first: 1763700000,
        'last seen': '2026-11-20 10:00:00 UTC',
        link: 'javascript:alert(1)',
      },
    });
    expect(result).toEqual({
      provider: 'acme_ti',
      verdict: 'malicious',
      score: 90,
      confidence: 67,
      categories: ['phishing-kit', 'c2'],
      attributes: ['vpn'],
      sightings: 2,
      firstSeen: '2025-11-21T04:40:00.000Z',
      lastSeen: '2026-11-20T10:00:00.000Z',
      tlp: 'CLEAR',
      reference: 'https://portal.acme.example/search?q=203.0.113.7',
      isPending: false,
    });
  });

  it.each([
    [-10, 100, 'malicious'],
    [-2, 60, 'malicious'],
    [-1.9, 60, 'malicious'],
    [-1.8, 59, 'suspicious'],
    [5, 25, 'suspicious'],
    [5.2, 24, 'unknown'],
    [10, 0, 'unknown'],
    [99, 0, 'unknown'],
    [-99, 100, 'malicious'],
  ])('its reputation %f is our score %i, %s: a low score clears nobody', async (reputation, score, verdict) => {
    const { result } = await ask(acme, IP, { data: { reputation } });
    expect(result).toMatchObject({ score, verdict });
  });

  it.each([
    ['a declared miss', 404, { code: 'no_such_object' }, null],
    ['another 404', 404, { code: 'no_such_path' }, 'bad_response'],
    ['an empty document', 200, { data: {} }, null],
    ['a declared failure', 200, { code: 'quota', data: {} }, 'quota_exhausted'],
    ['a failure by status', 503, { data: {} }, 'unavailable'],
    ['a refused key', 401, { data: {} }, 'unauthorized'],
    ['a document without a score', 200, { data: { tags: [] } }, 'bad_response'],
    ['a score that is no number', 200, { data: { reputation: 'high' } }, 'bad_response'],
    ['a page', 200, '<html>', 'bad_response'],
    ['nothing', 200, null, 'bad_response'],
  ])('%s is told apart', async (_name, status, body, expected) => {
    const { result } = await ask(acme, IP, body, status);
    expect(result).toBe(expected);
  });

  it.each([
    [['Bad'], 'malicious'],
    [['good', 'EVIL'], 'malicious'],
    [['good', 'odd'], 'suspicious'],
    [['good'], 'clean'],
    [['fine'], 'unknown'],
    [[''], 'unknown'],
  ])('its words %j mean %s: only declared words clear', async (said, verdict) => {
    const mail: Indicator = { type: 'email-addr', value: 'someone@bad.example' };
    const { result } = await ask(wordy, mail, { results: said.map((word) => ({ verdict: word, labels: ['X'] })) });
    expect(result).toMatchObject({ verdict, score: null, categories: ['x'] });
  });

  it('fills a JSON body as JSON, whatever stands in the value', async () => {
    const mail: Indicator = { type: 'email-addr', value: '"a\\b"@bad.example' };
    const { call } = await ask(wordy, mail, { results: [] });
    expect(JSON.parse(call.body!)).toEqual({ kind: 'email-addr', q: '"a\\b"@bad.example', key: 'k-test' });
  });

  it('masks a key that its API wants in the query', async () => {
    const { call, result } = await ask(oldQuery, { type: 'domain-name', value: 'bad.example' }, { listed: true });
    expect(call.url.href).toBe('https://old.example/check?name=bad.example&apikey=k-test');
    expect(redactUrl(call)).toBe('https://old.example/check?name=bad.example&apikey=REDACTED');
    expect(result).toMatchObject({ verdict: 'malicious', score: null });
  });

  it('carries its facts and its settings like any other', () => {
    expect(acme).toMatchObject({ maxTlp: 'GREEN', weight: 0.5, cost: 0, quotas: [{ requests: 10, perMs: 60_000 }] });
    expect(
      Object.entries(acme.settings.shape).map(([key, schema]) => [key, settingMeta.get(schema)?.env, settingMeta.get(schema)?.secret]),
    ).toEqual([
      ['apiKey', 'ACME_TI_API_KEY', true],
      ['baseUrl', 'ACME_TI_BASE_URL', undefined],
    ]);
    expect(acme.settings.safeParse({}).success).toBe(false);
    const moved = acme.request(IP, acme.settings.parse({ apiKey: 'k', baseUrl: 'http://127.0.0.1:9/p/' }) as never);
    expect(moved.url.href).toBe('http://127.0.0.1:9/p/v2/ip/203.0.113.7?expand=tags');
  });
});

describe('a declaration', () => {
  const good = declarations[0]!;
  it.each([
    ['no id', { id: undefined }, /id/],
    ['an id of another provider', { id: 'virustotal' }, /taken/],
    ['an id that is no name', { id: 'Acme TI' }, /id/],
    ['an unknown type', { types: ['ip'] }, /types/],
    ['no types', { types: [] }, /types/],
    ['plain http', { url: 'http://api.acme.example/{value}' }, /https/],
    ['a placeholder in the host', { url: 'https://{value}.acme.example/' }, /host/],
    ['a user name in the URL', { url: 'https://u:p@acme.example/{value}' }, /https/],
    ['the key in the path', { url: 'https://acme.example/{api_key}/{value}' }, /query/],
    ['an unknown placeholder', { url: 'https://acme.example/{secret}' }, /value/],
    ['the value in a header', { headers: { x: '{value}' } }, /value/],
    ['a line end in a header', { headers: { x: 'a\r\nb: c' } }, /ASCII/],
    ['the key in the page', { page: 'https://acme.example/?k={api_key}' }, /never/],
    ['no path to a verdict', { paths: { categories: 'a' } }, /score/],
    ['a mistyped path name', { paths: { score: 'a', scores: 'b' } }, /scores/],
    ['a broken path', { paths: { score: 'a[' } }, /path/],
    ['a scale upside down', { scale: { min: 10, max: -10 } }, /min/],
    ['a condition about nothing', { miss: [{}] }, /status/],
    ['an unknown failure', { failures: [{ status: 400, code: 'oops' }] }, /code/],
  ])('with %s is refused', (_name, fault, message) => {
    expect(() => customProviders([{ ...good, ...fault }], ['virustotal'])).toThrow(message);
  });

  it('is refused with every fault of every entry at once, twice the same id included', () => {
    const faulty = [{ ...good, id: 'x!' }, good, good, { ...good, id: 'other', url: 'ftp://x', cost: -1 }];
    expect(() => customProviders(faulty)).toThrow(/custom\[0\]\.id.*custom\[2\]\.id.*custom\[3\]\.url.*custom\[3\]\.cost/s);
  });

  it('may spell its keys in snake_case or camelCase', () => {
    const [provider] = customProviders([{ ...good, max_tlp: undefined, maxTlp: 'RED' }]);
    expect(provider?.maxTlp).toBe('RED');
  });
});

describe('a path', () => {
  const document = { a: { 'b.c': [{ d: 1 }, { d: 2 }, {}], n: null }, list: [[1], [2]], 'x y': 3 };
  it.each([
    ['$', [document]],
    ['a["b.c"][*].d', [1, 2]],
    ['$.a["b.c"][1].d', [2]],
    ['a["b.c"][9].d', []],
    ['a.n', [null]],
    ['a.missing', []],
    ['list[*][0]', [1, 2]],
    ['$["x y"]', [3]],
    ['a.constructor', []],
    ['a.__proto__', []],
    ['list.length', []],
    ['data.list', []],
    ['$.list[-1][0]', [2]],
    ['$..d', [1, 2]],
    ['$.a["b.c"][?@.d > 1].d', [2]],
    ["$.a['b.c'][?@.d == 1 || @.d == 2].d", [1, 2]],
    ['$.list[0:1][0]', [1]],
    ['$["list","x y"]', [[[1], [2]], 3]],
    ['$[?count(@.*) == 2][0][0]', [1]],
    ['$.a-b', []],
    ['@timestamp', []],
  ])('%s leads to %j', (path, values) => {
    expect(selectJson(document, path)).toEqual(values);
  });

  it.each(['a[', 'a..b', 'a[-1]', 'a[x]', 'a b', 'a["b]', '.', '$[', '$.a[?', '$[?nothing(@)]', `$${'.a'.repeat(400)}`])(
    '%s is none',
    (path) => {
      expect(isJsonPath(path)).toBe(false);
    },
  );

  // RFC 9535, the examples of §2.3.
  const rfc = {
    a: [3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }],
    o: { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } },
    e: 'f',
  };
  it.each([
    ["$.a[?@.b == 'kilo']", [{ b: 'kilo' }]],
    ["$.a[?(@.b == 'kilo')]", [{ b: 'kilo' }]],
    ['$.a[?@>3.5]', [5, 4, 6]],
    ['$.a[?@.b]', [{ b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }]],
    ['$.a[?@<2 || @.b == "k"]', [1, { b: 'k' }]],
    ['$.o[?@>1 && @<4]', [2, 3]],
    ['$.o[?@.u || @.x]', [{ u: 6 }]],
    ['$.a[?!@.b][5]', []],
    ['$.a[5:1:-2]', [6, 2]],
    ['$.a[::-1][?@ == 1]', []],
    ['$.a[-1].b', ['kilo']],
    ['$[?length(@) == 1]', ['f']],
    ['$.o[?value(@.u) == 6]', [{ u: 6 }]],
    ["$['\\u006f'].p", [1]],
  ])('of the standard: %s', (path, found) => {
    expect(selectJson(rfc, path)).toEqual(found);
  });

  it.each([
    ['-', { 'a-b': { '@x': [{ $y: 1 }] } }, 'a-b.@x[0].$y', [1]],
    ['a dollar', { $ref: 1 }, '$.$ref', [1]],
    ['an escaped quote', { 'a"b\\c': 1 }, 'a["a"]["x"]', []],
    ['quotes and signs that are no operators', { '..?$..?$': 1 }, '["..?$..?$"]', [1]],
  ])('in the short form a name may hold %s', (_, value, path, found) => {
    expect(selectJson(value, path)).toEqual(found);
  });

  it.each([
    "$[?match(@.a, '(a+)+b')]",
    "$[?search(@.a, 'x')]",
    '$..a..b',
    '$..*..*',
    `$${'[*,*]'.repeat(40)}.x`,
    '$[?@.a == $.b]',
    '$[?@[?@[?@.a]]]',
    '$[?count($..*) > 1]',
  ])('%s could take longer than the answer is long: it is none', (path) => {
    expect(isJsonPath(path)).toBe(false);
  });

  it('of a hostile answer ends in a refusal, not in a wait or with a part', () => {
    const wide = Array.from({ length: 100_001 }, (_, n) => n);
    expect(() => selectJson(wide, '$[*]')).toThrow(/more than 100000 values/);
    let deep: unknown = 1;
    for (let n = 0; n < 5000; n++) deep = [deep];
    expect(() => selectJson(deep, '$..x')).toThrow();
  });

  it('never throws on any document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('a.b', 'a[*].b', '[0]', '[*][*]', '$'), (value, path) => {
        expect(Array.isArray(selectJson(value, path))).toBe(true);
      }),
    );
  });
});
