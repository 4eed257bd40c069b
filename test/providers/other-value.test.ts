import { describe, expect, it } from 'vitest';
import type { Indicator } from '../../src/model/indicator.ts';
import { ismalicious } from '../../src/providers/ismalicious.ts';
import { isAbout } from '../../src/providers/reading/verdict-facts.ts';
import { threatfox } from '../../src/providers/threatfox.ts';
import { urlhaus } from '../../src/providers/urlhaus.ts';
import { virustotal } from '../../src/providers/virustotal.ts';

const ipv4: Indicator = { type: 'ipv4-addr', value: '8.8.4.4' };
const ipv6: Indicator = { type: 'ipv6-addr', value: '2a02:6b8::1' };
const name: Indicator = { type: 'domain-name', value: 'evil-host.net' };
const url: Indicator = { type: 'url', value: 'http://evil-host.net/a%20b' };
const hash: Indicator = { type: 'file:md5', value: '0123456789abcdef0123456789abcdef' };

describe('an echoed value', () => {
  it.each<[Indicator, string]>([
    [ipv4, ' 8.8.4.4 '],
    [ipv4, '8[.]8.4[.]4'],
    [ipv6, '2A02:06B8:0:0:0:0:0:1'],
    [ipv6, '[2a02:6b8::1]'],
    [name, 'EVIL-host.net.'],
    [name, 'evil-host[.]net'],
    [url, 'http://evil-host.net/a b/'],
    [url, 'HTTPS://www.evil-host.net/a%20b#top'],
    [url, 'evil-host.net'],
    [hash, '0123456789ABCDEF0123456789ABCDEF'],
  ])('%j is named by %j', (indicator, echoed) => {
    expect(isAbout(indicator, echoed)).toBe(true);
  });
  it.each<[Indicator, string]>([
    [ipv4, '8.8.4.40'],
    [ipv4, '1.2.3.4'],
    [ipv4, ''],
    [ipv4, '__proto__'],
    [ipv6, '2a02:6b8::2'],
    [name, 'evil-host.net.example-host.com'],
    [name, 'http://evil-host.net/'],
    [url, 'http://evil-host.net/other'],
    [url, 'http://good-host.net/a%20b'],
    [url, 'good-host.net'],
    [hash, 'ffffffffffffffffffffffffffffffff'],
  ])('%j is not named by %j', (indicator, echoed) => {
    expect(isAbout(indicator, echoed)).toBe(false);
  });
});

describe('isMalicious', () => {
  const settings = ismalicious.settings.parse({ xApiKey: 'k' });
  const clean = { malicious: false, sources: [] };
  it.each([{}, { query: null }, { query: '' }, { query: '8.8.4.4' }, { query: '8[.]8[.]4[.]4' }, { query: 7 }])(
    '%j is believed',
    (echo) => {
      expect(ismalicious.read({ ...clean, ...echo }, ipv4, settings)?.verdict).toBe('clean');
    },
  );
  it('an answer about another value is refused', () => {
    expect(() => ismalicious.read({ ...clean, query: '1.2.3.4' }, ipv4, settings)).toThrow(
      expect.objectContaining({ code: 'bad_response' }),
    );
  });
  it('bulk rows are taken by their value, in any order and spelling; one about another value is none of ours', () => {
    const rows = [
      { ...clean, entity: '1.2.3.4' },
      { malicious: true, entity: '2A02:06b8::0001' },
      { ...clean, entity: '8.8.4.4' },
    ];
    const verdicts = ismalicious.bulk?.read({ results: rows }, [ipv4, ipv6], settings);
    expect(
      [...(verdicts ?? [])].map(([value, verdict]) => [value, verdict !== null && 'verdict' in verdict ? verdict.verdict : verdict]),
    ).toEqual([
      ['2a02:6b8::1', 'malicious'],
      ['8.8.4.4', 'clean'],
    ]);
  });
});

it('VirusTotal, URLhaus: an answer about another URL is refused', () => {
  const stats = { malicious: 0, suspicious: 0, undetected: 0, harmless: 80 };
  const told = (about: string) => ({ data: { id: 'x', type: 'url', attributes: { last_analysis_stats: stats, url: about } } });
  const settings = virustotal.settings.parse({ apiKey: 'k' });
  expect(() => virustotal.read(told('http://good-host.net/'), url, settings)).toThrow(/another value/);
  expect(virustotal.read(told('http://evil-host.net/a b'), url, settings)?.verdict).toBe('clean');
  const listed = { query_status: 'ok', url: 'http://good-host.net/', url_status: 'online' };
  expect(() => urlhaus.read(listed, url, urlhaus.settings.parse({ apiKey: 'k' }))).toThrow(/another value/);
});

it('ThreatFox finds an IPv6 address in any spelling', () => {
  const entry = { id: 1, ioc: '[2A02:6B8:0::1]:443', threat_type: 'constructor', confidence_level: 100 };
  const verdict = threatfox.read({ query_status: 'ok', data: [entry] }, ipv6, threatfox.settings.parse({ apiKey: 'k' }));
  expect([verdict?.score, verdict?.categories]).toEqual([90, ['constructor']]);
});
