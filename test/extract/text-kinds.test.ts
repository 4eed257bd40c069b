import { describe, expect, it } from 'vitest';
import { extractFromText } from '../../src/extract/extract.ts';

const HEX = 'e7d705a3286e19ea42f587b344ee6865';
const find = (text: string) => extractFromText(text, { withHosts: false }).map(({ value, original }) => [value, original]);
const values = (text: string) => find(text).map(([value]) => value);

describe('schemes that were made harmless', () => {
  it.each([
    ['h[tt]ps://evil.com/a', 'https://evil.com/a'],
    ['h{tt}p://evil.com/a', 'http://evil.com/a'],
    ['h(tt)ps://evil[.]com/a', 'https://evil.com/a'],
    ['ht[t]p://evil.com/a', 'http://evil.com/a'],
    ['[h]ttp://evil.com/a', 'http://evil.com/a'],
    ['h[xx]ps://evil.com/a', 'https://evil.com/a'],
    ['h[tt]p[:]//evil.com/a', 'http://evil.com/a'],
    ['http[://evil.com/a', 'http://evil.com/a'],
    ['https(://evil[.]com/a', 'https://evil.com/a'],
    ['hxxxp://evil.com/a', 'http://evil.com/a'],
    ['hxxxps://evil.com/a', 'https://evil.com/a'],
    ['htttp://evil.com/a', 'http://evil.com/a'],
    ['xxxx://evil.com/a', 'http://evil.com/a'],
    ['xxxxs://evil.com/a', 'https://evil.com/a'],
    ['ttp://evil.com/a', 'http://evil.com/a'],
    ['ttps://evil.com/a', 'https://evil.com/a'],
    ['203.0.114.7/85.exe', 'http://203.0.114.7/85.exe'],
    ['203.0.114.7/7/bins.sh', 'http://203.0.114.7/7/bins.sh'],
    ['203.0.114.7/2.EXE', 'http://203.0.114.7/2.EXE'],
  ])('%s is one find', (text, value) => expect(find(`seen: ${text} there`)).toEqual([[value, text]]));

  it.each([
    ['mailto://drop@evil.com', ['drop@evil.com']],
    ['203.0.114.7/24 203.0.114.7/443/tcp 203.0.114.7/255.255.255.0', ['203.0.114.7', '203.0.114.7', '203.0.114.7', '255.255.255.0']],
    ['http://evil.com:/a http://[2a02:4780:1::9]:/b', ['http://evil.com/a', 'http://[2a02:4780:1::9]/b']],
    ['http://evil.com\\@good.com/a', ['http://evil.com/@good.com/a']],
    ['http://evil.com:80\\\\@good.com', ['http://evil.com//@good.com']],
    ['file://203.0.114.7/share/a.url profile://evil.com/b', ['203.0.114.7', 'profile://evil.com/b']],
    ['2a02[:]4780[:]1[::]9', ['2a02:4780:1::9']],
    ['sftp://evil.com/a ftp://evil.com/b', ['sftp://evil.com/a', 'ftp://evil.com/b']],
  ])('%s', (text, expected) => expect(values(text)).toEqual(expected));
});

describe('a URL at the start of a line', () => {
  it.each([
    ['keeps its commas', 'x\nhttps://evil.com/news,123,x.html\n', ['https://evil.com/news,123,x.html']],
    [
      'keeps its semicolons',
      'https://urldefense.us/v3/__https://evil.com/a__;!!abc$',
      ['https://urldefense.us/v3/__https://evil.com/a__;!!abc$', 'https://evil.com/a'],
    ],
    ['ends at the cell of a table', 'http://evil.com/a,malware,2024-01-01\n', ['http://evil.com/a']],
    [
      'ends at cells like those of the next line',
      'http://evil.com/a;1;x.y\nhttp://evil.com/b;2;z.y\n',
      ['http://evil.com/a', 'http://evil.com/b'],
    ],
    ['ends at the next URL', 'http://evil.com/a,http://evil.com/b', ['http://evil.com/a', 'http://evil.com/b']],
    [
      'keeps a list of numbers',
      'https://evil.com/a,1,x.html\nhttps://evil.com/p?ids=1,2,3',
      ['https://evil.com/a,1,x.html', 'https://evil.com/p?ids=1,2,3'],
    ],
    [
      'ends at cells behind a query',
      'http://evil.com/?a=1,x,3\nhttp://evil.com/?b=2,y,5',
      ['http://evil.com/?a=1', 'http://evil.com/?b=2'],
    ],
  ])('%s', (_, text, expected) => expect(values(text)).toEqual(expected));
});

describe('what log formats do to values', () => {
  it.each([
    ['CEF writes \\=', 'request=http://evil.com/a.html?usr\\=admin&x\\=1 msg=no', ['http://evil.com/a.html?usr=admin&x=1']],
    [
      'CEF does not escape bars',
      'CEF:0|V|P|1|2|n|5|request=http://evil.com/a|b/c dst=203.0.114.7',
      ['http://evil.com/a|b/c', '203.0.114.7'],
    ],
    ['a bar before a URL parts', 'CEF:0|V|P|1|2|n|5|cs1=http://evil.com/a|http://evil.com/b', ['http://evil.com/a', 'http://evil.com/b']],
    ['a bar at the end is none of it', 'CEF:0|V|P|1|2|n|5|cs1=http://evil.com/a| cs2=x', ['http://evil.com/a']],
    ['elsewhere a bar parts', 'request=http://evil.com/a|b/c', ['http://evil.com/a']],
    ['LEEF says what parts', 'LEEF:2.0|V|P|1|2|;|url=http://evil.com/a;dst=203.0.114.7', ['http://evil.com/a', '203.0.114.7']],
    ['LEEF says it in hex', 'LEEF:2.0|V|P|1|2|x3B|url=http://evil.com/a;dst=203.0.114.7', ['http://evil.com/a', '203.0.114.7']],
    ['elsewhere it is a parameter', 'url=http://evil.com/a;dst=203.0.114.7', ['http://evil.com/a;dst=203.0.114.7']],
    ['in JSON too', '"request=http://evil.com/a?usr\\\\=admin msg=no"', ['http://evil.com/a?usr=admin']],
    ['JSON in JSON', '{"b":"{\\"u\\":\\"http:\\\\/\\\\/evil.com\\\\/x\\\\/y\\"}"}', ['http://evil.com/x/y']],
    ['JSON in JSON in JSON', 'http:\\\\\\/\\\\\\/evil.com\\\\\\/x', ['http://evil.com/x']],
    ['JSON as ever', '{"u":"http:\\/\\/evil.com\\/x"}', ['http://evil.com/x']],
    ['the DNS server of Windows', 'UDP Rcv 10.0.0.5 Q [0001] A (4)evil(7)badhost(3)net(0)', ['10.0.0.5', 'evil.badhost.net']],
    ['lengths that are wrong', '(5)evil(7)badhost(3)net(0)', []],
    ['a list with numbers', '(1)first(2)second.com', []],
  ])('%s', (_, text, expected) => expect(values(text).filter((value) => value !== 'second.com')).toEqual(expected));
});

describe('what only looks like a host', () => {
  it.each([
    '"operationName":"Microsoft.Storage/storageAccounts/listKeys/action"',
    '/providers/Microsoft.Network/networkSecurityGroups/n',
    '"provider":"Microsoft.Web"',
    'MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE',
    'microsoft.security/alerts/write',
    'scopes: User.Read Mail.Read Files.Read',
    '{"type":"Auth0.Events"}',
    '{"event":"org.read","action":"group.settings.read"}',
    '"eventName": "project.cloud"',
    "permission='vault.tools'",
  ])('%s', (text) => expect(values(text)).toEqual([]));

  it.each(['evil.support', 'login.evil.network', 'microsoft.support', 'Bit.ly'])('%s is one', (text) =>
    expect(values(`see ${text} now`)).toEqual([text.toLowerCase()]),
  );
});

describe('hex digits that are no hash of a file', () => {
  it.each([
    `"tls":{"ja3":{"hash":"${HEX}","string":"771,4865"}}`,
    `"ja3s":{"string":"771,4865","hash":"${HEX}"}`,
    `"ja3":"${HEX}"`,
    `tls_ja3_hash=${HEX}`,
    `tls.client.ja3: ${HEX}`,
    `hassh="${HEX}"`,
    `"hasshServer":"${HEX}"`,
    `vhash: ${HEX}`,
    `imphash=${HEX}`,
    `serial: ${HEX}`,
    `"serialNumber":"${HEX}"`,
    `{\\"ja3\\":{\\"hash\\":\\"${HEX}\\"}}`,
  ])('%s', (text) => expect(values(text)).toEqual([]));

  it.each([`md5=${HEX}`, `"file":{"hash":{"md5":"${HEX}"}}`, `{"ja3":"x"},"hash":"${HEX}"`, `MD5: ${HEX}`])('%s is one', (text) =>
    expect(values(text)).toEqual([HEX]),
  );
});
