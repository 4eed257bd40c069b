import { expect, it } from 'vitest';
import { decodeBody } from '../../src/engine/calls/http/body.ts';
import { csv } from '../../src/feeds/csv.ts';
import type { Feed } from '../../src/feeds/feed.ts';

/** What the list names, as the feed reads it. */
function read(body: string | Buffer, settings: object = {}) {
  const context = {
    settings: csv.settings.parse({ baseUrl: 'https://lists.corp-net.com/l', ...settings }),
    cursor: null,
    startedAtS: 1_795_000_000,
  };
  const answer = { status: 200, headers: {}, body: decodeBody('csv', Buffer.from(body as string), undefined) };
  const page = (csv as Feed).read(answer, { call: { file: '' }, state: null }, context as never);
  return {
    values: page.items.map(({ indicator }) => indicator.value),
    networks: page.networks.map(({ network }) => network),
    tags: page.items.map(({ tags }) => tags),
    rejected: page.rejected.map(({ reason }) => reason),
    ignored: page.ignored,
  };
}

it.each([
  ['a column by its number', 'a,203.0.114.7,c2\nb,203.0.114.8,rat\n', { column: '2', tagsColumn: '3' }, ['203.0.114.7', '203.0.114.8']],
  ['a column by its number, under a header', 'id,ip\n1,203.0.114.7\n', { column: '2' }, ['203.0.114.7']],
  ['a column in other capitals', 'ID,Ip\n1,203.0.114.7\n', { column: 'ip' }, ['203.0.114.7']],
  ['a sep= line', 'sep=;\r\nip;note\r\n203.0.114.7;a,b\r\n', { column: 'ip' }, ['203.0.114.7']],
  ['semicolons that nobody told of', 'ip;note\n203.0.114.7;a,b\n', { column: 'ip' }, ['203.0.114.7']],
  ['UTF-16, the higher byte first', Buffer.from('\uFEFFip\n203.0.114.7\n', 'utf16le').swap16(), { column: 'ip' }, ['203.0.114.7']],
  ['an array of words', '["203.0.114.7", "203.0.114.8:80"]', {}, ['203.0.114.7', '203.0.114.8']],
  [
    'an array of objects',
    '[{"ip":"203.0.114.7","n":1},{"n":2,"ip":["203.0.114.8","203.0.114.9"]}]',
    { column: 'ip' },
    ['203.0.114.7', '203.0.114.8', '203.0.114.9'],
  ],
  ['an object a line', '{"ip":"203.0.114.7"}\n{"ip":"203.0.114.8"}\n', { column: 'ip' }, ['203.0.114.7', '203.0.114.8']],
  ['a #TYPE line', '#TYPE System.Object\n"ip","note"\n"203.0.114.7","x"\n', { column: 'ip' }, ['203.0.114.7']],
  ['guards of Excel', 'ip\n="203.0.114.7"\n"=""203.0.114.8"""\n', { column: 'ip' }, ['203.0.114.7', '203.0.114.8']],
  ['several values in a cell', 'ip,n\n"203.0.114.7, 203.0.114.8",x\n', { column: 'ip' }, ['203.0.114.7', '203.0.114.8']],
  [
    'the header of Zeek',
    '#fields\tindicator\tindicator_type\nevil-host.net\tIntel::DOMAIN\n',
    { column: 'indicator', delimiter: '\t' },
    ['evil-host.net'],
  ],
  ['UTF-16 with a mark', Buffer.from('\uFEFFip,note\r\n203.0.114.7,x\r\n', 'utf16le'), { column: 'ip' }, ['203.0.114.7']],
  ['UTF-16 without one', Buffer.from('ip,note\r\n203.0.114.7,x\r\n', 'utf16le'), { column: 'ip' }, ['203.0.114.7']],
  ['a hosts file', '# hosts\n127.0.0.1\tevil-host.net\n127.0.0.1 localhost\n', {}, ['evil-host.net']],
  ['ports', '203.0.114.7:443\n203.0.114.8|443\n', {}, ['203.0.114.7', '203.0.114.8']],
])('%s', (_name, body, settings, values) => expect(read(body, settings)).toMatchObject({ values, rejected: [] }));

it('values with their type before them or a note in brackets behind them, and names as DNS servers write them', () => {
  const { values, rejected } = read('ip:45.155.205.9\nurl: hxxp://qz-one[.]com/a\nqz-two.com (phish)\n(6)qz-one(3)com(0)\nip:10.0.0.1\n');
  expect(values).toEqual(['45.155.205.9', 'http://qz-one.com/a', 'qz-two.com', 'qz-one.com']);
  expect(rejected).toEqual([expect.stringContaining('private use')]);
});

it('tags stand in a column that is named by its number', () => {
  expect(read('203.0.114.7,c2;rat\n', { column: '1', tagsColumn: '2' }).tags).toEqual([['c2', 'rat']]);
});

it('networks are kept as networks, whatever stands behind them', () => {
  expect(read('; DROP\n203.0.112.0/20 ; SBL434604\n2a00:1450::/32\n203.0.114.7/32\n')).toMatchObject({
    networks: ['203.0.112.0/20', '2a00:1450::/32'],
    values: ['203.0.114.7'],
    ignored: 1,
  });
});

it.each([
  ['10.0.0.0/8', /never an indicator/],
  ['64.0.0.0/4', /larger than \/8/],
  ['203.0.114.7/24', /network/],
])('%s is no network that a feed may list', (line, reason) =>
  expect(read(`${line}\n`)).toMatchObject({ networks: [], values: [], rejected: [expect.stringMatching(reason)] }),
);

it.each([
  ['the old list of Spamhaus', '; ASN-DROP\nAS64500 ; BAD-NET\nAS64501\n', {}],
  [
    'the list of Spamhaus, an object a line',
    '{"asn":64500,"rir":"ripencc","domain":"x.net","asname":"X"}\n{"asn":64501,"asname":"Y"}\n',
    { column: 'asn' },
  ],
  ['a table', 'name,ASN\nx,64500\ny,AS64501\n', { column: 'asn' }],
  ['a table without a header', 'AS64500,BAD-NET\nAS64501,WORSE-NET\n', { column: '1' }],
])('AS numbers are kept as networks are: %s', (_name, body, settings) =>
  expect(read(body, settings)).toMatchObject({ networks: ['AS64500', 'AS64501'], values: [], rejected: [] }),
);

it('a list of objects wants to know which member, and names them', () => {
  expect(() => read('[{"ip":"203.0.114.7","n":1}]')).toThrow(/feeds\.csv\.column \(ip, n\)/);
  expect(() => read('{"ip":')).not.toThrow();
});

it('the networks of Spamhaus, an object a line', () => {
  const lines = '{"cidr":"203.0.112.0/20","sblid":"SBL1","rir":"ripencc"}\n{"type":"metadata","timestamp":1}\n';
  expect(read(lines, { column: 'cidr' })).toMatchObject({ networks: ['203.0.112.0/20'], rejected: ['row without a value'] });
});
