import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { collectPage } from '../../../src/feeds/collect-page.ts';
import { addStixObject } from '../../../src/feeds/stix-objects.ts';
import { readPattern } from '../../../src/model/formats/stix-pattern.ts';

it.each([
  ["[ipv4-addr:value = '45.83.64.7']", ['45.83.64.7']],
  ["[ipv4-addr:value='45.83.64.7']", ['45.83.64.7']],
  ["[ipv4-addr:value = 'a' OR domain-name:value = 'b']", ['a', 'b']],
  ["[url:value = 'a'] OR [url:value = 'b']", ['a', 'b']],
  ["[ipv4-addr:value IN ('a', 'b')]", ['a', 'b']],
  ["[file:hashes.'SHA-256' = 'aa' AND file:hashes.MD5 = 'bb']", ['aa', 'bb']],
  ["[url:value = 'http://x.net/it\\'s']", ["http://x.net/it's"]],
  ["[network-traffic:dst_ref.value = 'a']", ['a']],
])('%s lists %j', (pattern, values) => expect(readPattern(pattern)).toEqual({ values }));

it.each([
  ["[ipv4-addr:value = 'a' AND domain-name:value = 'b']", /several things at once/],
  ["[ipv4-addr:value = 'a'] AND [url:value = 'b']", /several observations/],
  ["[url:value = 'a'] FOLLOWEDBY [url:value = 'b']", /several observations/],
  ["[url:value = 'a'] WITHIN 5 SECONDS", /several observations/],
  ["[url:value LIKE 'a%']", /more than a list/],
  ["[ipv4-addr:value != 'a']", /more than a list/],
  ["[process:name = 'cmd.exe']", /names no indicator/],
  ['[url:value = ]', /compared with no text/],
  ["url:value = 'a'", /not a pattern/],
  ["[url:value = 'a'", /not a pattern/],
  ['', /empty/],
])('%s is refused', (pattern, reason) => expect(readPattern(pattern)).toEqual({ reason: expect.stringMatching(reason) }));

it('any text gives values or a reason, never throws, never hangs', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[[\]()='a-z:. ORAND]{0,60}$/)),
      (text) => Object.keys(readPattern(text)).length === 1,
    ),
  );
});

it.each([
  [['marking-definition--f88d31f6-486f-44da-b317-01333bde0b82'], 'AMBER'],
  [
    ['marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487', 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003'],
    'AMBER+STRICT',
  ],
  [['marking-definition--00000000-0000-0000-0000-000000000000'], null],
])('markings %j mean TLP %s', (refs, tlp) => {
  const page = collectPage('stix');
  addStixObject(page, { type: 'domain-name', id: 'domain-name--0', value: 'evil-host.net', object_marking_refs: refs });
  expect(page.page(null, null).items[0]?.tlp).toBe(tlp);
});

it('a revoked indicator says so, a file object gives each hash, other objects are left alone', () => {
  const page = collectPage('stix');
  addStixObject(page, { type: 'indicator', pattern_type: 'stix', pattern: "[domain-name:value = 'evil-host.net']", revoked: true });
  addStixObject(page, { type: 'file', hashes: { MD5: 'd41d8cd98f00b204e9800998ecf8427e', SSDEEP: '3:x' } });
  addStixObject(page, { type: 'malware', name: 'Emotet' });
  addStixObject(page, { type: 'indicator', pattern_type: 'yara', pattern: 'rule x {}' });
  const { items, ignored, rejected } = page.page(null, null);
  expect(items.map(({ indicator, isRevoked }) => [indicator.value, isRevoked])).toEqual([
    ['evil-host.net', true],
    ['d41d8cd98f00b204e9800998ecf8427e', false],
  ]);
  expect([ignored, rejected]).toEqual([2, []]);
});
