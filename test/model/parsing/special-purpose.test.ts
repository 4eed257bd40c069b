import { describe, expect, it } from 'vitest';
import { ipv4FromText, ipv4ToText } from '../../../src/model/parsing/ipv4-address.ts';
import { parseIndicator } from '../../../src/model/parse-indicator.ts';

// First and last address of each block, and their neighbours outside. `null`: public.
const V4_EDGES: [string, string | null][] = [
  ['0.0.0.0', '0.0.0.0/8'], ['0.255.255.255', '0.0.0.0/8'], ['1.0.0.0', null],
  ['9.255.255.255', null], ['10.0.0.0', '10.0.0.0/8'], ['10.255.255.255', '10.0.0.0/8'], ['11.0.0.0', null],
  ['100.63.255.255', null], ['100.64.0.0', '100.64.0.0/10'], ['100.127.255.255', '100.64.0.0/10'], ['100.128.0.0', null],
  ['126.255.255.255', null], ['127.0.0.0', '127.0.0.0/8'], ['127.255.255.255', '127.0.0.0/8'], ['128.0.0.0', null],
  ['169.253.255.255', null], ['169.254.0.0', '169.254.0.0/16'], ['169.254.255.255', '169.254.0.0/16'], ['169.255.0.0', null],
  ['172.15.255.255', null], ['172.16.0.0', '172.16.0.0/12'], ['172.31.255.255', '172.16.0.0/12'], ['172.32.0.0', null],
  ['191.255.255.255', null], ['192.0.0.0', '192.0.0.0/24'], ['192.0.0.255', '192.0.0.0/24'], ['192.0.1.0', null], ['192.0.1.255', null],
  ['192.0.2.0', '192.0.2.0/24'], ['192.0.2.255', '192.0.2.0/24'], ['192.0.3.0', null],
  ['192.31.195.255', null], ['192.31.196.0', '192.31.196.0/24'], ['192.31.197.0', null],
  ['192.52.192.255', null], ['192.52.193.0', '192.52.193.0/24'], ['192.52.194.0', null],
  ['192.88.98.255', null], ['192.88.99.0', '192.88.99.0/24'], ['192.88.99.255', '192.88.99.0/24'], ['192.88.100.0', null],
  ['192.167.255.255', null], ['192.168.0.0', '192.168.0.0/16'], ['192.168.255.255', '192.168.0.0/16'], ['192.169.0.0', null],
  ['192.175.47.255', null], ['192.175.48.0', '192.175.48.0/24'], ['192.175.49.0', null],
  ['198.17.255.255', null], ['198.18.0.0', '198.18.0.0/15'], ['198.19.255.255', '198.18.0.0/15'], ['198.20.0.0', null],
  ['198.51.99.255', null], ['198.51.100.0', '198.51.100.0/24'], ['198.51.100.255', '198.51.100.0/24'], ['198.51.101.0', null],
  ['203.0.112.255', null], ['203.0.113.0', '203.0.113.0/24'], ['203.0.113.255', '203.0.113.0/24'], ['203.0.114.0', null],
  ['223.255.255.255', null], ['224.0.0.0', '224.0.0.0/4'], ['239.255.255.255', '224.0.0.0/4'], ['240.0.0.0', '240.0.0.0/4'],
  ['255.255.255.254', '240.0.0.0/4'], ['255.255.255.255', '255.255.255.255/32'],
]; // prettier-ignore

const V6_EDGES: [string, string | null][] = [
  ['::', '::/128'], ['::1', '::1/128'], ['::2', '2000::/3'], ['64:ff9b:1::', '64:ff9b:1::/48'], ['64:ff9b:1:ffff::1', '64:ff9b:1::/48'],
  ['64:ff9b:0:1::', '2000::/3'], ['100::', '100::/64'], ['100:0:0:1::', '100:0:0:1::/64'], ['1fff:ffff::', '2000::/3'], ['2000::', null],
  ['2000:ffff:ffff:ffff::', null], ['2001::', '2001::/32'], ['2001:0:ffff::', '2001::/32'], ['2001:1::1', '2001::/23'], ['2001:1ff:ffff::', '2001::/23'],
  ['2001:200::', null], ['2001:db7:ffff::', null], ['2001:db8::', '2001:db8::/32'], ['2001:db8:ffff::', '2001:db8::/32'], ['2001:db9::', null],
  ['2001:4860:4860::8888', null], ['2002::', '2002::/16'], ['2002:ffff::', '2002::/16'], ['2003::', null], ['2620:4f:7fff::', null], ['2620:4f:8000::', '2620:4f:8000::/48'],
  ['2620:4f:8000:ffff::', '2620:4f:8000::/48'], ['2620:4f:8001::', null], ['2a00::', null], ['3ffe::', null], ['3fff::', '3fff::/20'], ['3fff:fff:ffff::', '3fff::/20'],
  ['3fff:1000::', null], ['4000::', '2000::/3'], ['5f00::', '5f00::/16'], ['fbff::', '2000::/3'], ['fc00::', 'fc00::/7'], ['fdff:ffff::', 'fc00::/7'],
  ['fe00::', '2000::/3'], ['fe7f::', '2000::/3'], ['fe80::', 'fe80::/10'], ['febf::', 'fe80::/10'], ['fec0::', 'fec0::/10'], ['feff::', 'fec0::/10'], ['ff02::1', 'ff00::/8'],
]; // prettier-ignore

describe('special-purpose addresses', () => {
  it.each([...V4_EDGES, ...V6_EDGES])('%s lies in %s', (address, block) => {
    const parsed = parseIndicator(address);
    expect(parsed.kind).toBe(block === null ? 'public' : 'private');
    if (parsed.kind === 'private') expect(parsed.reason).toContain(block);
  });

  it.each(V4_EDGES)('%s is read and written in the same spelling', (address) => {
    expect(ipv4ToText(ipv4FromText(address, 0, address.length))).toBe(address);
  });

  it.each([
    '10.0.0',
    '10.0.0.0.',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.01',
    '10.0.0.1 ',
    '',
    '10.0.0.0.1',
    '....',
    '10..0.1',
    'a.b.c.d',
    '10.0.0.1/8',
  ])('%j is no address', (text) => {
    expect(ipv4FromText(text, 0, text.length)).toBe(-1);
  });
});

describe('internal names', () => {
  it.each([
    ['a.local', true], ['local.com', false], ['a.localx', false], ['a.internal', true], ['internal.com', false], ['a.lan', true], ['a.corp', true], ['a.corp.com', false],
    ['a.home', true], ['a.home.arpa', true], ['home.arpa', true], ['1.168.192.in-addr.arpa', true], ['b.ip6.arpa', true], ['a.mail', true], ['mail.com', false],
    ['a.localdomain', true], ['a.intranet', true], ['a.private', true], ['a.domain', true], ['a.workgroup', true], ['a.intra', true], ['a.test', true], ['test.com', false],
    ['a.example', true], ['example.com', false], ['a.invalid', true], ['a.localhost', true], ['a.alt', true], ['a.onion', false], ['localhost', true], ['wpad', true],
  ])('%s stays in the house: %s', (name, isInternal) => {
    expect(parseIndicator(name).kind).toBe(isInternal ? 'private' : 'public');
    expect(parseIndicator(`https://${name}/a`).kind).toBe(isInternal ? 'private' : 'public');
    expect(parseIndicator(`user@${name}`).kind).toBe(isInternal ? 'private' : 'public');
  }); // prettier-ignore
});
