import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readListCell } from '../../../src/model/formats/list-cell.ts';

const MD5 = '0123456789abcdef0123456789abcdef';
const SHA256 = 'ab'.repeat(32);

it.each([
  // Notes.
  ['203.0.112.0/20 ; SBL434604', ['203.0.112.0/20']],
  ['203.0.112.0/20;SBL434604', ['203.0.112.0/20']],
  ['2001:db8::/32 ; SBL1', ['2001:db8::/32']],
  ['evil-host.net # seen twice', ['evil-host.net']],
  ['evil-host.net; seen twice', ['evil-host.net']],
  ['evil-host.net - seen twice', ['evil-host.net']],
  ['http://evil-host.net/a // note', ['http://evil-host.net/a']],
  ['203.0.114.7\t8', ['203.0.114.7']],
  [`${MD5}  evil.exe`, [MD5]],
  ['evil-host.net and words', ['evil-host.net and words']],
  // Comments.
  ['; Spamhaus DROP List', []],
  ['// a note', []],
  ['! AdBlock', []],
  ['@@||good-host.net^', []],
  // Hosts files and block lists.
  ['127.0.0.1\tevil-host.net', ['evil-host.net']],
  ['0.0.0.0 a.evil-host.net b.evil-host.net # note', ['a.evil-host.net', 'b.evil-host.net']],
  ['::1 localhost ip6-localhost', []],
  ['127.0.0.1 localhost.localdomain', []],
  ['||evil-host.net^$third-party', ['evil-host.net']],
  ['address=/evil-host.net/0.0.0.0', ['evil-host.net']],
  ['local-zone: "evil-host.net." always_nxdomain', ['evil-host.net']],
  ['evil-host.net CNAME .', ['evil-host.net']],
  ['*.evil-host.net # all below it', ['evil-host.net']],
  ['.evil-host.net', ['evil-host.net']],
  ['*.evil*.net', ['*.evil*.net']],
  ['deny 203.0.114.7;', ['203.0.114.7']],
  ['Deny from 203.0.112.0/20', ['203.0.112.0/20']],
  ['add blocked 203.0.114.7', ['203.0.114.7']],
  ['add blocked 203.0.112.0/20 timeout 0 comment "x"', ['203.0.112.0/20']],
  // Masks.
  ['203.0.112.0 255.255.240.0', ['203.0.112.0/20']],
  ['203.0.112.0/255.255.240.0', ['203.0.112.0/20']],
  ['203.0.112.0 0.0.15.255', ['203.0.112.0/20']],
  ['203.0.114.7 255.255.255.255', ['203.0.114.7/32']],
  ['203.0.114.7 203.0.114.8', ['203.0.114.7', '203.0.114.8']],
  ["- 'evil-host.net',", ['evil-host.net']],
  // Labels.
  [`MD5=${MD5}`, [MD5]],
  [`SHA256=${SHA256},MD5=${MD5},IMPHASH=${MD5}`, [SHA256, MD5]],
  ['IP: 203.0.114.7', ['203.0.114.7']],
  ['url=http://evil-host.net/a?b=c', ['http://evil-host.net/a?b=c']],
  // Ports, pairs, ranges, several values.
  ['203.0.114.7|8080', ['203.0.114.7']],
  ['evil-host.net|203.0.114.8', ['evil-host.net', '203.0.114.8']],
  [`evil.exe|${MD5}`, [MD5]],
  ['203.0.114.0-203.0.114.130', ['203.0.114.0/25', '203.0.114.128/31', '203.0.114.130']],
  ['ns1[.]evil-host.net ns2[.]evil-host.net', ['ns1[.]evil-host.net', 'ns2[.]evil-host.net']],
  ['a@evil-host.net; b@evil-host.net', ['a@evil-host.net', 'b@evil-host.net']],
  ['http://a.net/x,hxxp://b.net/y', ['http://a.net/x', 'hxxp://b.net/y']],
  ['http://a.net/x,1,y.html', ['http://a.net/x,1,y.html']],
  // What keeps a spreadsheet from reading a number.
  ['="203.0.114.7"', ['203.0.114.7']],
  ["'203.0.114.7", ['203.0.114.7']],
  ['=HYPERLINK("http://evil-host.net/a","a")', ['http://evil-host.net/a']],
  // Patterns of own lists stay as they are.
  ['=www.evil-host.net', ['=www.evil-host.net']],
])('%s names %j', (cell, values) => expect(readListCell(cell)).toEqual(values));

it('any text is read, in a bounded number of values', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ ,;|#=\d./a-f-]{0,80}$/)), (text) => readListCell(text).length <= 1000));
});

it('a long cell takes a time that grows with its length', () => {
  for (const piece of [' ', 'a ', '1.2.3.4,', ';', 'a=', '-', '1.2.3.4 # ', 'http://a '])
    expect(readListCell(piece.repeat(65_536 / piece.length)).length).toBeLessThanOrEqual(1);
});
