import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { collectPage } from '../../../src/feeds/reading/collect-page.ts';
import { addStixObject } from '../../../src/feeds/reading/stix-objects.ts';
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
  ["[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = 'a']", ['a']],
  ["[network-traffic:src_ref.value = 'a' AND network-traffic:src_port = 8080]", ['a']],
  ["[network-traffic:dst_port = 8080 AND domain-name:value = 'a' AND network-traffic:protocols[0] = 'tcp']", ['a']],
  ["[file:name = 'a.exe' AND file:hashes.MD5 = 'bb' AND file:size = 25536]", ['bb']],
  ["[(file:hashes.MD5 = 'aa' OR file:hashes.'SHA-1' = 'bb') AND file:name = 'x']", ['aa', 'bb']],
  ["[domain-name:value = 'a' AND domain-name:resolves_to_refs[*].value = 'b']", ['a']],
  ['[file:hashes."SHA-256" = "aa"]', ['aa']],
  ["[file:hashes.SHA-256 == 'aa']", ['aa']],
  ["[process:image_ref.hashes.'SHA-256' = 'aa']", ['aa']],
  ["([ipv4-addr:value = 'a'])", ['a']],
  ["[(ipv4-addr:value = 'a' OR (ipv4-addr:value = 'b'))]", ['a', 'b']],
  ["[url:value = 'a'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'", ['a']],
  ["([url:value = 'a'] OR [url:value = 'b']) REPEATS 5 TIMES WITHIN 300.5 SECONDS", ['a', 'b']],
  ["/* seen twice */ [url:value = 'a'] // here\n OR [url:value = 'b']", ['a', 'b']],
  ["[ipv4-addr:value ISSUBSET '203.0.112.0/20']", ['203.0.112.0/20']],
  ["[domain-name:value LIKE 'a.net']", ['a.net']],
  ["[hostname:value = 'a']", ['a']],
  ["[NOT ipv4-addr:value != 'a']", ['a']],
  ["[url:value = 'a' or url:value in ('b')]", ['a', 'b']],
  ["[url:value = 'http://a/] OR [']", ['http://a/] OR [']],
  ['[autonomous-system:number = 64500]', ['ASN64500']],
  ["[autonomous-system:number IN (64500, 701)] OR [ipv4-addr:value = 'a']", ['ASN64500', 'ASN701', 'a']],
  ["[autonomous-system:number = 64500 AND autonomous-system:name = 'x']", ['ASN64500']],
])('%s lists %j', (pattern, values) => expect(readPattern(pattern)).toEqual({ values, left: [] }));

it.each([
  ["[ipv4-addr:value = 'a' OR mutex:name = 'b' OR url:value = 'c']", ['a', 'c'], /mutex:name names no indicator/],
  ["[ipv4-addr:value = 'a'] OR [url:value LIKE 'c%']", ['a'], /LIKE of url:value/],
  ["[url:value = 'a'] OR ([url:value = 'b'] FOLLOWEDBY [url:value = 'c'])", ['a'], /several observations/],
  ["[ipv4-addr:value = 'a' OR ipv4-addr:value != 'b']", ['a'], /negated/],
])('%s lists %j and tells the rest', (pattern, values, reason) =>
  expect(readPattern(pattern)).toEqual({ values, left: [expect.stringMatching(reason)] }),
);

it.each([
  ["[ipv4-addr:value = 'a' AND domain-name:value = 'b']", /several things at once/],
  ["[network-traffic:dst_ref.value = 'a' AND network-traffic:src_ref.value = 'b']", /several things at once/],
  ["[process:image_ref.hashes.MD5 = 'aa' AND process:command_line = 'b']", /several things at once/],
  ["[email-message:from_ref.value = 'a' AND email-message:subject = 'b']", /several things at once/],
  ["[NOT (ipv4-addr:value = 'a' OR ipv4-addr:value = 'b')]", /negated/],
  ["[ipv4-addr:value NOT IN ('a', 'b')]", /negated/],
  ["[ipv4-addr:value = 'a'] AND [url:value = 'b']", /several observations/],
  ["[url:value = 'a'] FOLLOWEDBY [url:value = 'b']", /several observations/],
  ["[url:value = 'a'] OR [url:value = 'c'] FOLLOWEDBY [url:value = 'b']", /several observations/],
  ["[url:value LIKE 'a%']", /more than a list/],
  ["[url:value MATCHES '^a$']", /more than a list/],
  ["[ipv4-addr:value != 'a']", /negated/],
  ["[process:name = 'cmd.exe']", /names no indicator/],
  ["[file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = 'aa']", /names no indicator/],
  ['[EXISTS url:value]', /more than a list/],
  ['[url:value = 5]', /compared with no text/],
  ['[autonomous-system:number = 0]', /no AS number/],
  ['[autonomous-system:number > 64500]', /more than a list/],
  ['[autonomous-system:number != 64500]', /negated/],
  ["[autonomous-system:number = 64500 AND ipv4-addr:value = 'a']", /several things at once/],
  ['[url:value = ]', /not a pattern we can read, at \]/],
  ["url:value = 'a'", /not a pattern/],
  ["[url:value = 'a'", /not a pattern/],
  ["[url:value = 'eat at joe's']", /not a pattern/],
  [`${'('.repeat(100)}[url:value = 'a']${')'.repeat(100)}`, /more than 64 brackets/],
  ['', /empty/],
])('%s is refused', (pattern, reason) => expect(readPattern(pattern)).toEqual({ reason: expect.stringMatching(reason) }));

it('a pattern of very many alternatives is read whole, in a time that grows with its length', () => {
  const pattern = `[${Array.from({ length: 20_000 }, (_, n) => `ipv4-addr:value = 'a${n}'`).join(' OR ')}]`;
  expect(readPattern(pattern)).toMatchObject({ values: { length: 20_000 } });
  expect(readPattern(`[url:value = '${'\\'.repeat(900_000)}`)).toMatchObject({ reason: expect.stringMatching(/not a pattern/) });
});

it('any text gives values or a reason, never throws, never hangs', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[[\]()='a-z:. ORAND]{0,60}$/)),
      (text) => 'reason' in readPattern(text) || 'values' in readPattern(text),
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

it('a pattern that is read in part gives what it names, and is kept aside for the rest', () => {
  const page = collectPage('stix');
  const pattern = "[domain-name:value = 'evil-host.net' OR mutex:name = 'x' OR process:name = 'y']";
  addStixObject(page, { type: 'indicator', pattern_type: null, pattern });
  const { items, rejected } = page.page(null, null);
  expect(items.map(({ indicator }) => indicator.value)).toEqual(['evil-host.net']);
  expect(rejected).toEqual([{ raw: pattern, reason: expect.stringMatching(/left out: mutex:name names no indicator, and 1 more/) }]);
});

it.each([
  [{ type: 'artifact', hashes: { sha256: 'ab'.repeat(32) } }, 'ab'.repeat(32)],
  [{ type: 'file', hashes: [{ algorithm: 'MD5', hash: 'cd'.repeat(16) }] }, 'cd'.repeat(16)],
  [{ type: 'x-opencti-hostname', value: 'h.evil-host.net' }, 'h.evil-host.net'],
])('%j is an observable', (object, value) => {
  const page = collectPage('stix');
  addStixObject(page, object);
  expect(page.page(null, null).items.map(({ indicator }) => indicator.value)).toEqual([value]);
});
