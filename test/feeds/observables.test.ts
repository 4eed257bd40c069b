import { describe, expect, it } from 'vitest';
import type { Feed } from '../../src/feeds/feed.ts';
import { collectPage } from '../../src/feeds/reading/collect-page.ts';
import { addStixObject } from '../../src/feeds/reading/stix-objects.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { answer, walk, type Walk } from './walk.ts';

const SETTINGS = { baseUrl: 'https://feed.corp-net.com', apiKey: 'k-feed-secret' };
const feed = (id: string): Feed => FEEDS.find((known) => known.id === id) as Feed;
const valuesOf = ({ items }: Walk): string[] => items.map(({ indicator }) => `${indicator.type} ${indicator.value}`);
const read = (id: string, body: object): Walk => walk(feed(id), SETTINGS, null, () => answer(body));
const bundle = (objects: object[]) => read('stix', { type: 'bundle', objects });

describe('vulnerabilities in feeds', () => {
  it.each([
    [{ type: 'vulnerability', name: 'CVE-2024-3400' }, ['cve CVE-2024-3400']],
    [
      { type: 'vulnerability', name: 'Log4Shell', external_references: [{ source_name: 'cve', external_id: 'cve-2021-44228' }] },
      ['cve CVE-2021-44228'],
    ],
    [
      { type: 'vulnerability', name: 'CVE-2024-3400', external_references: [{ source_name: 'cve', external_id: 'CVE-2024-3400' }] },
      ['cve CVE-2024-3400'],
    ],
    [{ type: 'vulnerability', name: 'Heartbleed', external_references: 'none' }, []],
    [{ type: 'vulnerability', name: 7 }, []],
  ])('STIX: %j', (object, values) => {
    const got = bundle([object]);
    expect(valuesOf(got)).toEqual(values);
    expect(got.rejected).toEqual([]);
  });

  it('MISP: an attribute of type vulnerability', () => {
    const got = read('misp', {
      response: { Attribute: [{ type: 'vulnerability', value: 'CVE-2024-3400' }] },
    });
    expect(valuesOf(got)).toEqual(['cve CVE-2024-3400']);
  });

  it('OTX: an indicator of type CVE', () => {
    const pulse = { id: 'p', modified: '2026-11-01T00:00:00', indicators: [{ indicator: 'CVE-2024-3400', type: 'CVE' }] };
    expect(valuesOf(read('otx', { results: [pulse] }))).toEqual(['cve CVE-2024-3400']);
  });
});

describe('AS numbers in feeds are kept as networks are', () => {
  const system = { type: 'autonomous-system', id: 'autonomous-system--1', number: 64_500 };

  it.each([
    ['a pattern', [{ type: 'indicator', pattern: '[autonomous-system:number = 64500]' }], ['AS64500']],
    ['an object', [system], ['AS64500']],
    ['an object that an address belongs to', [{ type: 'ipv4-addr', value: '45.83.64.1', belongs_to_refs: [system.id] }, system], []],
    [
      'an object without a number',
      [
        { ...system, number: 'x' },
        { ...system, number: null },
      ],
      [],
    ],
  ])('STIX: %s', (_what, objects, networks) => {
    const got = bundle(objects);
    expect([got.networks, got.rejected]).toEqual([networks, []]);
  });

  it('TAXII: an object is not taken, for the addresses that it stands beside may be on another page', () => {
    const page = collectPage('taxii');
    addStixObject(page, system);
    expect(page.page(null, null)).toMatchObject({ networks: [], rejected: [], ignored: 1 });
  });

  it.each([
    ['64500', true, ['AS64500']],
    ['AS701', true, ['AS701']],
    ['64500', false, []],
  ])('MISP: an attribute of type AS, %s, meant for detection: %s', (value, to_ids, networks) => {
    const got = read('misp', { response: { Attribute: [{ type: 'AS', value, to_ids }] } });
    expect([got.networks, got.rejected]).toEqual([networks, []]);
  });
});

describe('observables of STIX', () => {
  it('2.1: each names what it is', () => {
    const got = bundle([
      { type: 'ipv4-addr', value: '45.83.64.1' },
      { type: 'ipv6-addr', value: '2606:4700::1111' },
      { type: 'domain-name', value: 'evil-host.net' },
      { type: 'x-opencti-hostname', value: 'vps7.evil-host.net' },
      { type: 'url', value: 'http://evil-host.net/a' },
      { type: 'email-addr', value: 'bob@evil-host.net' },
      { type: 'file', hashes: { 'SHA-256': 'a'.repeat(64), MD5: 'b'.repeat(32), SSDEEP: '3:x:y' } },
      { type: 'artifact', hashes: [{ algorithm: 'SHA-1', hash: 'c'.repeat(40) }] },
      { type: 'process', pid: 7 },
    ]);
    expect(valuesOf(got)).toEqual([
      'ipv4-addr 45.83.64.1',
      'ipv6-addr 2606:4700::1111',
      'domain-name evil-host.net',
      'domain-name vps7.evil-host.net',
      'url http://evil-host.net/a',
      'email-addr bob@evil-host.net',
      `file:sha256 ${'a'.repeat(64)}`,
      `file:md5 ${'b'.repeat(32)}`,
      `file:sha1 ${'c'.repeat(40)}`,
    ]);
    expect(got.rejected).toEqual([]);
  });

  it('2.0: they stand inside observed data', () => {
    const objects = {
      0: { type: 'ipv4-addr', value: '45.83.64.1' },
      1: { type: 'file', hashes: { MD5: 'b'.repeat(32) } },
      2: 'odd',
      3: { type: 'process' },
    };
    expect(valuesOf(bundle([{ type: 'observed-data', objects }]))).toEqual(['ipv4-addr 45.83.64.1', `file:md5 ${'b'.repeat(32)}`]);
  });

  it('2.1: observed data that only refers to its objects names none itself', () => {
    expect(valuesOf(bundle([{ type: 'observed-data', object_refs: ['ipv4-addr--1'] }]))).toEqual([]);
  });
});
