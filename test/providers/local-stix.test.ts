import { describe, expect, it } from 'vitest';
import { parseList } from '../../src/providers/local/local-list.ts';

const read = (objects: object[]) => parseList('ours.json', JSON.stringify({ type: 'bundle', objects }));
const wordsOf = (objects: object[]) => read(objects).entries.map(({ value, verdict }) => `${value} ${verdict.verdict}`);

describe('a STIX bundle as a list of our own', () => {
  it('lists observables, hashes and vulnerabilities as it lists patterns', () => {
    expect(
      wordsOf([
        { type: 'ipv4-addr', value: '45.83.64.1' },
        { type: 'email-addr', value: 'bob@evil-host.net', labels: ['benign'] },
        { type: 'file', hashes: { MD5: 'b'.repeat(32) } },
        { type: 'vulnerability', name: 'CVE-2024-3400' },
        { type: 'identity', name: 'us' },
      ]),
    ).toEqual(['45.83.64.1 malicious', 'bob@evil-host.net clean', `${'b'.repeat(32)} malicious`, 'CVE-2024-3400 malicious']);
  });

  it.each([
    ['what the indicator says of it counts', { indicator_types: ['benign'] }, ['evil-host.net clean']],
    ['revoked with it', { revoked: true }, []],
  ])('an observable that an indicator speaks for: %s', (_name, more, words) => {
    const indicator = { type: 'indicator', pattern: "[domain-name:value = 'evil-host.net']", ...more };
    expect(wordsOf([{ type: 'domain-name', value: 'Evil-Host.net' }, indicator])).toEqual(words);
  });

  it('leaves out a revoked observable, and takes fields of another type for not said', () => {
    expect(wordsOf([{ type: 'domain-name', value: 'evil-host.net', revoked: true }])).toEqual([]);
    const [entry] = read([{ type: 'url', value: 'http://evil-host.net/', labels: 'x', confidence: 'high', created: 7 }]).entries;
    expect(entry).toMatchObject({ value: 'http://evil-host.net/', verdict: { score: 90, confidence: null, firstSeen: null } });
  });
});

it('CVE ids are read from plain lists with notes and from tables', () => {
  const values = (text: string) => parseList('kev', text).entries.map(({ value }) => value);
  expect(values('CVE-2024-3400 # PAN-OS\nCVE-2021-44228; Log4Shell\ncve-2021-45046\n')).toEqual([
    'CVE-2024-3400',
    'CVE-2021-44228',
    'cve-2021-45046',
  ]);
  expect(values('"cveID","vendorProject"\n"CVE-2024-3400","Palo Alto Networks"\n')).toEqual(['CVE-2024-3400']);
});
