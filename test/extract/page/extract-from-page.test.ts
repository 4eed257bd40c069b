import { describe, expect, it } from 'vitest';
import { extractFromPage } from '../../../src/extract/page/extract-from-page.ts';
import { looksLikePage } from '../../../src/extract/page/looks-like-page.ts';
import { hasPublicSuffix } from '../../../src/extract/public-suffix.ts';

const find = (html: string) => extractFromPage(html, { hasPublicSuffix, withHosts: false });

describe('links are read as browsers read them', () => {
  it.each([
    ['a line break inside', '<a href="http://ev\nil.com/lo\r\ngin">x</a>', ['http://evil.com/login']],
    ['a tab in the scheme', '<a href="ht\ttp://evil.com/a">x</a>', ['http://evil.com/a']],
    ['blanks around', '<a href="  http://evil.com/a\n ">x</a>', ['http://evil.com/a']],
    ['backslashes', '<a href="http:\\\\evil.com\\a">x</a>', ['http://evil.com/a']],
    ['no slashes', '<a href="https:evil.com/a">x</a>', ['https://evil.com/a']],
    ['a reference without semicolon', '<a href="&#104;ttps&#58//evil.com/a">x</a>', ['https://evil.com/a']],
    ['named references', '<a href="https&colon;&sol;&sol;evil&period;com/a?b&amp;c">x</a>', ['https://evil.com/a?b&c']],
    ['no quotes', '<a href=http://evil.com/a>x</a>', ['http://evil.com/a']],
    ['blanks around the equals sign', "<a HREF = 'http://evil.com/a'>x</a>", ['http://evil.com/a']],
    ['a user name that looks like a host', '<a href="http://bank.com@evil.com/a">x</a>', ['http://evil.com/a']],
    ['a host as one number', '<a href="http://3405803783/a">x</a>', ['http://203.0.113.7/a']],
    [
      'a base',
      '<base href="https://evil.com/x/"><a href="login">x</a><form action="/post">',
      ['https://evil.com/x/', 'https://evil.com/x/login', 'https://evil.com/post'],
    ],
    [
      'several sizes',
      '<img srcset="https://a.evil.com/1.png 1x, https://b.evil.com/2.png 2x">',
      ['https://a.evil.com/1.png', 'https://b.evil.com/2.png'],
    ],
    ['a redirect', '<meta content="0; URL=\'http://evil.com/a\'" http-equiv="refresh">', ['http://evil.com/a']],
    [
      'a form and its button',
      '<form action="http://a.evil.com/f"><button formaction="http://b.evil.com/f">',
      ['http://a.evil.com/f', 'http://b.evil.com/f'],
    ],
    ['a comment of Outlook', '<!--[if mso]><a href="http://evil.com/&#97;">x</a><![endif]-->', ['http://evil.com/a']],
    ['a page in an attribute', '<iframe srcdoc="<a href=\'http://evil.com/a\'>x</a>"></iframe>', ['http://evil.com/a']],
    [
      'a page in an address',
      `<a href="data:text/html;base64,${Buffer.from('<a href="http://evil.com/a">').toString('base64')}">x</a>`,
      ['http://evil.com/a'],
    ],
    ['a script', '<script>location="http://evil.com/a"</script>', ['http://evil.com/a']],
    [
      'styles',
      '<style>@import "http://a.evil.com/s.css"; .x.com{background:url(http://b.evil.com/i)}</style><p style="background:url(http://c.evil.com/i)">',
      ['http://a.evil.com/s.css', 'http://b.evil.com/i', 'http://c.evil.com/i'],
    ],
    ['a tag that never ends', '<p>x</p><a href="http://evil.com/a', ['http://evil.com/a']],
    ['mailto with a name', '<a href="mailto:Bob%3Cbob@evil.com%3E?cc=al@evil.net">x</a>', ['bob@evil.com', 'al@evil.net']],
  ])('%s', (_, html, values) => expect(find(html).map(({ value }) => value)).toEqual(values));
});

describe('the text that is shown', () => {
  it.each([
    ['mark-up inside of a word cuts no word', 'https://q<font>z-two.com</font>', ['https://qz-two.com/']],
    ['nor does a break that may be', 'https://evil.com/<wbr>abc', ['https://evil.com/abc']],
    ['nor what nobody sees', 'ev&shy;il.c&#8203;om', ['evil.com']],
    ['cells do', '<td>a.com</td><td>b.com</td>', ['a.com', 'b.com']],
    ['lines and paragraphs do', 'a.com<br>b.com<p>c.com</p>d.com', ['a.com', 'b.com', 'c.com', 'd.com']],
    [
      'name spaces, types of documents and classes are no hosts',
      '<!DOCTYPE html PUBLIC "x" "http://www.w3.org/a"><html xmlns="http://www.w3.org/1999/xhtml"><p class="evil.com">x',
      [],
    ],
  ])('%s', (_, html, values) => expect(find(html).map(({ value }) => value)).toEqual(values));
});

it('each find says its place in the page, and what stands there', () => {
  const html = '<!doctype html><p>m&#252;nchen-evil.de <b>ev</b>il.com <a href="http://a.com/x?a&amp;b">x</a>';
  const found = find(html);
  expect(found.map(({ value, original }) => [value, original])).toEqual([
    ['xn--mnchen-evil-thb.de', 'm&#252;nchen-evil.de'],
    ['evil.com', 'ev</b>il.com'],
    ['http://a.com/x?a&b', 'http://a.com/x?a&amp;b'],
  ]);
  for (const { original, offset } of found) expect(html.slice(offset, offset + original.length)).toBe(original);
});

it.each([
  ['in a script', '<script>location=atob("aHR0cHM6Ly9ldmlsLmNvbS9hP2I9Yw==")</script>'],
  ['in a handler', '<a onclick="go(atob(\'aHR0cHM6Ly9ldmlsLmNvbS9hP2I9Yw\'))">x</a>'],
])('an address in base64 %s is a find at its place', (_, page) => {
  const [found] = find(`<!doctype html>${page}`);
  expect(found?.value).toBe('https://evil.com/a?b=c');
  expect(`<!doctype html>${page}`.slice(found?.offset)).toMatch(page.startsWith('<s') ? /^aHR0c/ : /^go\(atob/);
});

it('what only begins like an address in base64 is none', () =>
  expect(find(`<script>x = "aHR0cAAAAAAAAAAAAAAAAAAA"; y = 'aHR0cHM6Ly9hIGIgYw=='</script>`)).toEqual([]));

it.each([
  ['<!doctype html><p>', true],
  ['\ufeff\n <HTML>', true],
  ['<?xml version="1.0"?>\n<!-- saved -->\n<html>', true],
  ['<head><title>', true],
  ['<Event xmlns="http://schemas.microsoft.com/win">', false],
  ['<134>Nov 3 host app: <html>', false],
  ['see <html>', false],
])('%j is a page: %s', (text, isPage) => expect(looksLikePage(text)).toBe(isPage));

it.each([
  '<',
  '<a href="',
  '<!--',
  '&#',
  'url(',
  '<base ',
  '<a href="data:text/html,',
  '<iframe srcdoc="<iframe srcdoc=\'',
  '<img srcset="a 1x, ',
  '<script>"aHR0c',
  '<p onclick=\'"aHR0c',
])('time grows no faster than the page: %j', (piece) => {
  const cost = (size: number) => {
    const html = `<html>${piece.repeat(size / piece.length)}`;
    const from = process.cpuUsage();
    find(html);
    const { user, system } = process.cpuUsage(from);
    return user + system;
  };
  cost(50_000);
  // Four times as long: sixteen times as much if it were quadratic, and a page of this size would take minutes.
  expect(cost(1_600_000)).toBeLessThan(Math.max(cost(400_000), 50_000) * 14);
});
