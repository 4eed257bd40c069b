import { describe, expect, it } from 'vitest';
import { readForLookup } from '../../src/model/read-for-lookup.ts';

const LONG = 'a'.repeat(9000);

it.each([
  '',
  ' ',
  '\u00a0',
  '\t',
  '-',
  '--',
  '—',
  '?',
  '*',
  '...',
  'unknown',
  'UNKNOWN',
  'N/A',
  'n/a',
  'NA',
  'null',
  'Null',
  '(null)',
  '<none>',
  '[none]',
  '"-"',
  "'n/a'",
  'Not Available',
  'not_available',
  '(empty)',
  'nil',
  'undefined',
  '\u200b',
])('%j stands for nothing', (value) => expect(readForLookup(value).kind).toBe('nothing'));

it.each(['server01', 'unknown-host.net', 'null.com', 'na.example', 'none.of.your.net', '10.0.0.1'])('%s stands for itself', (value) =>
  expect(['public', 'private']).toContain(readForLookup(value).kind),
);

describe('what is more than one indicator is asked by its parts', () => {
  it.each<[string, string[], RegExp]>([
    [`http://evil.com/${LONG}`, ['evil.com'], /longer than 2048 bytes/],
    [`hxxps://evil[.]com/${LONG}`, ['evil.com'], /longer/],
    [`https://${LONG}@evil.com/x`, ['evil.com'], /longer/],
    [`evil.com/${LONG}`, ['evil.com'], /longer/],
    [`http://[2606:4700::1]:80/${LONG}`, ['2606:4700::1'], /longer/],
    [`https://good.com/?u=https%3A%2F%2Fevil.com%2F&${LONG}`, ['good.com', 'evil.com'], /longer/],
    ['http://a@b@evil.com/x', ['evil.com'], /more than one "@"/],
    ['http://ev\til.com/x', ['evil.com'], /control characters/],
    ['http://evil.com/a\u0001b', ['evil.com'], /control characters/],
    ['http://evil.com/x - C2', ['evil.com'], /blanks/],
    ['https://good.com/r?url=https%3A%2F%2Fevil.com%2Fa', ['https://good.com/r?url=https%3A%2F%2Fevil.com%2Fa', 'evil.com'], /leads on/],
    [
      'https://good.com/r?url=https%253A%252F%252Fevil.com',
      ['https://good.com/r?url=https%253A%252F%252Fevil.com', 'evil.com'],
      /leads on/,
    ],
    ['https://good.com/?next=//evil.com/x', ['https://good.com/?next=//evil.com/x', 'evil.com'], /leads on/],
    ['http://a.com/x http://b.com/y', ['http://a.com/x', 'http://b.com/y'], /2 values/],
    ['http://a.com/x,https://b.com/y', ['http://a.com/x', 'https://b.com/y'], /2 values/],
    ['8.8.4.4, 45.155.205.9', ['8.8.4.4', '45.155.205.9'], /2 values/],
    ['unknown, 45.155.205.9, -', ['45.155.205.9'], /one value/],
    ['by=10.0.0.1;for=45.155.205.9:80;proto=https, for="[2a02:4780:1::9]:443"', ['45.155.205.9', '2a02:4780:1::9'], /2 values/],
    [
      'type:  5 a.qz-one.com;type:  33 ;type:  15 10 mx.qz-one.com;::ffff:8.8.4.4;',
      ['a.qz-one.com', 'mx.qz-one.com', '8.8.4.4'],
      /3 values/,
    ],
    ['evil.com\nevil.org', ['evil.com', 'evil.org'], /2 values/],
    [`SHA1=${'A'.repeat(40)},MD5=${'B'.repeat(32)},IMPHASH=${'C'.repeat(32)}`, ['a'.repeat(40), 'b'.repeat(32)], /several hashes/],
  ])('%s', (value, parts, note) => {
    const read = readForLookup(value);
    expect(read).toEqual({
      kind: 'parts',
      parts: parts.map((part) => ({ type: expect.any(String), value: part })),
      note: expect.stringMatching(note),
    });
  });
});

it.each<[string, string]>([
  ['http://evil.com/x # seen 2025', 'http://evil.com/x'],
  ['http://evil.com/x</a></span>', 'http://evil.com/x'],
  ['http://evil.com/x">link</a>', 'http://evil.com/x'],
  ['http://evil.com/x HTTP/1.1', 'http://evil.com/x'],
  ['https://evil.com/news,123,x.html', 'https://evil.com/news,123,x.html'],
  ['http://good.com/?back=http://good.com/y', 'http://good.com/?back=http://good.com/y'],
  [`MD5=${'b'.repeat(32)}`, 'b'.repeat(32)],
])('%s is one indicator: %s', (value, wanted) =>
  expect(readForLookup(value)).toMatchObject({ kind: 'public', indicator: { value: wanted } }),
);

it.each([
  '203.0.112.0/20 ; SBL434604',
  '203.0.112.0/20 203.0.128.0/20',
  'two words',
  '${jndi:ldap://evil.com/a}',
  'x'.repeat(9000),
  'alice bob',
])('%s is refused', (value) => expect(readForLookup(value).kind).toBe('invalid'));

it('a long URL of ours never leaves', () => {
  expect(readForLookup(`http://10.0.0.1/${LONG}`)).toMatchObject({ kind: 'private', indicator: { value: '10.0.0.1' } });
});

describe('forms in which logs and lists write a value', () => {
  const valuesOf = (value: string) => {
    const read = readForLookup(value);
    if (read.kind === 'parts') return read.parts.map((part) => part.value);
    return read.kind === 'public' || read.kind === 'private' ? [read.indicator.value] : read.kind;
  };

  it.each<[string, string[] | string]>([
    ['ip:45.155.205.9', ['45.155.205.9']],
    ['IP = 45.155.205.9', ['45.155.205.9']],
    ['ip-dst: 45.155.205.9, 8.8.8.8', ['45.155.205.9', '8.8.8.8']],
    ['Domain: evil[.]com', ['evil.com']],
    ['url:hxxp://evil[.]com/x?a=b', ['http://evil.com/x?a=b']],
    ['hash: 44d88612fea8a8f36de82e1278abb02f', ['44d88612fea8a8f36de82e1278abb02f']],
    ['host:-', 'nothing'],
    ['ip:45.155.205.0/24', 'invalid'],
    ['title: evil.com', 'invalid'],
    ['outside:45.155.205.9/443', 'invalid'],
    ['tcp/45.155.205.9:443', ['45.155.205.9']],
    ['udp:45.155.205.9/53', ['45.155.205.9']],
    ['version:1.2.3.4', 'invalid'],
    ['http/1.2.3.4:80', 'invalid'],
    ['45.155.205.9:443/tcp', ['45.155.205.9']],
    ['45.155.205.9:443/tcpx', ['http://45.155.205.9:443/tcpx']],
    ['45.155.205.9/255.255.255.255', ['45.155.205.9']],
    ['45.155.205.0/255.255.255.0', 'invalid'],
    ['45.155.205.0/0.0.0.255', 'invalid'],
    ['45.155.205.0 255.255.255.0', 'invalid'],
    ['45.155.205.9 255.255.255.255', ['45.155.205.9']],
    ['45.155.205.9 255.0.255.0', ['45.155.205.9', '255.0.255.0']],
    ['45.155.205.9%16', ['45.155.205.9']],
    ['45.155.205.9%', 'invalid'],
    ['45.155.205.9:_p1', ['45.155.205.9']],
    ['[2a02:4780:1::9]:_p-2.x', ['2a02:4780:1::9']],
    ['45.155.205.9:_p1, 8.8.8.8:_p2', ['45.155.205.9', '8.8.8.8']],
    ['for=_hidden, for="45.155.205.9:_p1";by=_me', ['45.155.205.9']],
    ['GET http://evil.com/a HTTP/1.1', ['http://evil.com/a']],
    ['CONNECT evil.com:443 HTTP/1.1', ['evil.com']],
    ['GET /a HTTP/1.1', 'invalid'],
    ['get evil.com', 'invalid'],
    ['10 mx.evil.com.', ['mx.evil.com']],
    ['0 5 5060 sip.evil.com', ['sip.evil.com']],
    ['10 45.155.205.9x', 'invalid'],
    [`MD5=${'b'.repeat(32)},SHA1=`, ['b'.repeat(32)]],
    ['MD5=,SHA1=', 'invalid'],
    ['evil.com/a/B- Standard.pdf', ['evil.com']],
    ['evil.com:8080/a b', ['evil.com']],
    ['45.155.205.9/a b', ['45.155.205.9']],
    ['evil.com/a and bad.com', 'invalid'],
    ['evil.com/a http://bad.com/b', ['http://evil.com/a', 'http://bad.com/b']],
    ['45.155.205.9/24 note', 'invalid'],
    ['and/or so', 'invalid'],
    ['2006:abcd::1%%', 'invalid'],
    ['fe80::1%eth0/64', 'invalid'],
    ['2a02:4780:1::9%eth0.1', ['2a02:4780:1::9']],
    ['45.155.205.9/443(CORP\\bob)', ['45.155.205.9']],
    ['45.155.205.9/443 (bob)', ['45.155.205.9']],
    ['(4)evil(7)badhost(3)net(0)', ['evil.badhost.net']],
    ['(5)evil(7)badhost(3)net(0)', 'invalid'],
    ['(4)evil(7)badhost(3)net', 'invalid'],
    ['45.155.205.9 (scanner)', ['45.155.205.9']],
    ['evil.com(45.155.205.9)', ['evil.com', '45.155.205.9']],
    ['45.155.205.9 (host.evil.com)', ['45.155.205.9', 'host.evil.com']],
    ['word (evil.com)', 'invalid'],
    ['javascript:alert(1)', 'invalid'],
  ])('%s is read as %j', (value, wanted) => expect(valuesOf(value)).toEqual(wanted));

  it('says of a value with something behind it that it is not the whole', () => {
    expect(readForLookup('45.155.205.9 (scanner)')).toMatchObject({
      kind: 'parts',
      note: expect.stringContaining('in a longer text') as string,
    });
    expect(readForLookup('ip:45.155.205.9')).toMatchObject({ kind: 'public' });
  });
});
