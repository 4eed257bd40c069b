import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalUrl, lookupExpressions } from '../../src/providers/reading/safebrowsing-url.ts';

// The vectors of https://developers.google.com/safe-browsing/reference/URLs.and.Hashing#canonicalization.
it.each([
  ['http://host/%25%32%35', 'http://host/%25'],
  ['http://host/%25%32%35%25%32%35', 'http://host/%25%25'],
  ['http://host/%2525252525252525', 'http://host/%25'],
  ['http://host/asdf%25%32%35asd', 'http://host/asdf%25asd'],
  ['http://host/%%%25%32%35asd%%', 'http://host/%25%25%25asd%25%25'],
  ['http://www.google.com/', 'http://www.google.com/'],
  [
    'http://%31%36%38%2e%31%38%38%2e%39%39%2e%32%36/%2E%73%65%63%75%72%65/%77%77%77%2E%65%62%61%79%2E%63%6F%6D/',
    'http://168.188.99.26/.secure/www.ebay.com/',
  ],
  [
    'http://195.127.0.11/uploads/%20%20%20%20/.verify/.eBaysecure=updateuserdataxplimnbqmn-xplmvalidateinfoswqpcmlx=hgplmcx/',
    'http://195.127.0.11/uploads/%20%20%20%20/.verify/.eBaysecure=updateuserdataxplimnbqmn-xplmvalidateinfoswqpcmlx=hgplmcx/',
  ],
  [
    'http://host%23.com/%257Ea%2521b%2540c%2523d%2524e%25f%255E00%252611%252A22%252833%252944_55%252B',
    'http://host%23.com/~a!b@c%23d$e%25f^00&11*22(33)44_55+',
  ],
  ['http://3279880203/blah', 'http://195.127.0.11/blah'],
  ['http://www.google.com/blah/..', 'http://www.google.com/'],
  ['www.google.com/', 'http://www.google.com/'],
  ['www.google.com', 'http://www.google.com/'],
  ['http://www.evil.com/blah#frag', 'http://www.evil.com/blah'],
  ['http://www.GOOgle.com/', 'http://www.google.com/'],
  ['http://www.google.com.../', 'http://www.google.com/'],
  ['http://www.google.com/foo\tbar\rbaz\n2', 'http://www.google.com/foobarbaz2'],
  ['http://www.google.com/q?', 'http://www.google.com/q?'],
  ['http://www.google.com/q?r?', 'http://www.google.com/q?r?'],
  ['http://www.google.com/q?r?s', 'http://www.google.com/q?r?s'],
  ['http://evil.com/foo#bar#baz', 'http://evil.com/foo'],
  ['http://evil.com/foo;', 'http://evil.com/foo;'],
  ['http://evil.com/foo?bar;', 'http://evil.com/foo?bar;'],
  ['http://%01%80.com/', 'http://%01%80.com/'],
  ['http://notrailingslash.com', 'http://notrailingslash.com/'],
  ['http://www.gotaport.com:1234/', 'http://www.gotaport.com/'],
  ['  http://www.google.com/  ', 'http://www.google.com/'],
  ['http:// leadingspace.com/', 'http://%20leadingspace.com/'],
  ['http://%20leadingspace.com/', 'http://%20leadingspace.com/'],
  ['%20leadingspace.com/', 'http://%20leadingspace.com/'],
  ['https://www.securesite.com/', 'https://www.securesite.com/'],
  ['http://host.com/ab%23cd', 'http://host.com/ab%23cd'],
  ['http://host.com//twoslashes?more//slashes', 'http://host.com/twoslashes?more//slashes'],
])('%j is compared as %j', (url, canonical) => {
  expect(canonicalUrl(url)).toBe(canonical);
});

it.each([
  ['http://user:password@a.example:8443/x', 'http://a.example/x'],
  ['http://a.example/%2e%2e/b/./c/', 'http://a.example/b/c/'],
  ['http://a.example/b/c/../', 'http://a.example/b/'],
  ['http://a.example/b/c/..', 'http://a.example/b/'],
  ['http://0xC37F000B/', 'http://195.127.0.11/'],
  ['http://0303.0177.0.013/', 'http://195.127.0.11/'],
  ['http://195.127.11/', 'http://195.127.0.11/'],
  ['http://1.2.3.4.5/', 'http://1.2.3.4.5/'],
  ['http://256.1.1.1/', 'http://256.1.1.1/'],
  ['http://[2001:DB8:0:0::1]:8080/a', 'http://[2001:db8::1]/a'],
  ['http://a.example/ü', 'http://a.example/%C3%BC'],
])('%j is compared as %j, by the same rules', (url, canonical) => {
  expect(canonicalUrl(url)).toBe(canonical);
});

describe('expressions', () => {
  // The worked examples of the same page.
  it.each([
    [
      'http://a.b.c/1/2.html?param=1',
      ['a.b.c/1/2.html?param=1', 'a.b.c/1/2.html', 'a.b.c/', 'a.b.c/1/', 'b.c/1/2.html?param=1', 'b.c/1/2.html', 'b.c/', 'b.c/1/'],
    ],
    ['http://1.2.3.4/1/', ['1.2.3.4/1/', '1.2.3.4/']],
    ['http://bad.example/', ['bad.example/']],
  ])('of %j', (url, expressions) => {
    expect(lookupExpressions(url)).toEqual(expressions);
  });

  it('of a long host name leave out the middle, as documented', () => {
    const hosts = lookupExpressions('http://a.b.c.d.e.f.g/1.html').map((expression) => expression.split('/')[0]);
    expect([...new Set(hosts)]).toEqual(['a.b.c.d.e.f.g', 'c.d.e.f.g', 'd.e.f.g', 'e.f.g', 'f.g']);
  });

  it('are at most 30, whatever the URL', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,5}$/);
    const host = fc.array(label, { minLength: 1, maxLength: 9 }).map((labels) => labels.join('.'));
    const path = fc.array(fc.stringMatching(/^[a-z0-9%./]{0,6}$/), { maxLength: 9 }).map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(host, path, fc.constantFrom('', '?a=b'), (name, tail, query) => {
        const expressions = lookupExpressions(`http://${name}${tail}${query}`);
        expect(expressions.length).toBeLessThanOrEqual(30);
        expect(new Set(expressions).size).toBe(expressions.length);
      }),
    );
  });
});

it('canonicalising twice changes nothing more, for URLs that need no unescaping', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      const once = canonicalUrl(url.replaceAll('%', ''));
      expect(canonicalUrl(once)).toBe(once);
    }),
  );
});

it('unescapes to the same as unescaping again and again', () => {
  const again = (text: string): string => {
    const next = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return next === text ? text : again(next);
  };
  fc.assert(
    fc.property(fc.stringMatching(/^(%(25|41|4)|[2-5a]){0,12}$/), (tail) => {
      const escaped = again(tail).replace(/[^!-~]|[#%]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
      const expected = `http://h.example/q?${escaped}`;
      expect(canonicalUrl(`http://h.example/q?${tail}`)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

it('takes a URL of nothing but nested escapes in one go', () => {
  expect(canonicalUrl(`http://h.example/${'%25'.repeat(20_000)}41`)).toMatch(/^http:\/\/h\.example\//);
});
