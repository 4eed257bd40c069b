import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesOfObservable } from '../../src/model/formats/stix-observable.ts';
import { readPattern } from '../../src/model/formats/stix-pattern.ts';
import { uuid5 } from '../../src/model/formats/stix-id.ts';
import { type StixFacts, type StixIndicator, toStixBundle, toStixObject } from '../../src/mapping/stix.ts';
import { INDICATOR_TYPES, type IndicatorType } from '../../src/model/indicator.ts';
import { TLP_LABELS } from '../../src/model/tlp.ts';
import { answerOf } from '../store/samples.ts';
import { hasPeers, runPython } from '../support/python-peers.ts';

const NOW = 1_795_000_000;
const VALUES: Readonly<Record<IndicatorType, string>> = {
  'ipv4-addr': '45.83.64.7',
  'ipv6-addr': '2606:4700::1111',
  'domain-name': 'evil-host.net',
  url: "http://evil-host.net/it's?a=\\b",
  'file:md5': 'd41d8cd98f00b204e9800998ecf8427e',
  'file:sha1': 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'file:sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'file:sha512':
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  'email-addr': 'a@evil-host.net',
  cve: 'CVE-2024-3400',
};
const factsOf = (type: IndicatorType, more: Partial<StixFacts> = {}): StixFacts => ({
  indicator: { type, value: VALUES[type] },
  answer: answerOf({ score: 87, confidence: 62, categories: ['c2'] }),
  tags: ['botnet'],
  sources: ['misp'],
  tlp: 'AMBER',
  addedS: NOW - 100,
  judgedS: NOW,
  firstSeenS: NOW - 200,
  validUntilS: NOW + 86_400,
  isRevoked: false,
  ...more,
});

it('ids are version 5 UUIDs, the same for the same name', () => {
  const namespace = Buffer.from('e0a4b57e3b0b5f5c9f3c6f1d2a7c9b41', 'hex');
  fc.assert(
    fc.property(fc.string(), (name) => {
      const hash = createHash('sha1').update(namespace).update(name).digest();
      hash[6] = (hash[6]! & 0x0f) | 0x50;
      hash[8] = (hash[8]! & 0x3f) | 0x80;
      return uuid5(name).replaceAll('-', '') === hash.subarray(0, 16).toString('hex');
    }),
  );
});

/** What is told of anything that a pattern can name. */
function indicatorOf(facts: StixFacts): StixIndicator {
  const object = toStixObject(facts);
  if (object.type !== 'indicator') throw new Error(`${object.type} is no indicator`);
  return object;
}

it.each(INDICATOR_TYPES.filter((type) => type !== 'cve'))('%s: its pattern names the very value', (type) => {
  expect(readPattern(indicatorOf(factsOf(type)).pattern)).toEqual({ values: [VALUES[type]], left: [] });
});

it('a CVE is a vulnerability with its id as external reference, which our own reader takes back', () => {
  const object = toStixObject(factsOf('cve'));
  expect(object).toMatchObject({
    type: 'vulnerability',
    name: 'CVE-2024-3400',
    external_references: [{ source_name: 'cve', external_id: 'CVE-2024-3400' }],
  });
  expect(object).not.toHaveProperty('pattern');
  expect(valuesOfObservable({ ...object })).toEqual(['CVE-2024-3400']);
});

it('any value comes back from its pattern', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (value) => {
      const { pattern } = indicatorOf(factsOf('url', { indicator: { type: 'url', value } }));
      expect(readPattern(pattern)).toEqual({ values: [value], left: [] });
    }),
  );
});

describe('an indicator', () => {
  it('keeps its id and creation, and moves its modification, when it is judged again', () => {
    const [first, second] = [
      indicatorOf(factsOf('url')),
      indicatorOf(factsOf('url', { judgedS: NOW + 5, answer: answerOf({ score: 10, verdict: 'clean' }) })),
    ];
    expect([second.id, second.created]).toEqual([first.id, first.created]);
    expect(second.modified > first.modified).toBe(true);
    expect(second.indicator_types).toEqual(['benign']);
  });
  it('never ends before it begins, and says nothing it does not know', () => {
    expect(toStixObject(factsOf('url', { validUntilS: NOW - 10_000 }))).not.toHaveProperty('valid_until');
    const bare = toStixObject(
      factsOf('url', { tlp: null, validUntilS: null, answer: answerOf({ confidence: null, score: null, verdict: 'unknown' }) }),
    );
    expect(Object.keys(bare)).not.toEqual(expect.arrayContaining(['confidence']));
    expect(bare).not.toHaveProperty('object_marking_refs');
    expect(bare.description).toContain('no score');
  });
});

describe.skipIf(!hasPeers)('stix2 3.0.2 [needs python]', () => {
  it('parses every type, marking and verdict strictly, and writes it back as it was', () => {
    const indicators = [
      ...INDICATOR_TYPES.map((type) => toStixObject(factsOf(type))),
      ...TLP_LABELS.map((tlp) => toStixObject(factsOf('url', { tlp, indicator: { type: 'url', value: `http://x.net/${tlp}` } }))),
      toStixObject(factsOf('url', { isRevoked: true, validUntilS: null, answer: answerOf({ verdict: 'clean', confidence: null }) })),
    ];
    const bundle = toStixBundle(indicators);
    const back = runPython(
      "import sys, json, stix2\nb = stix2.parse(json.load(sys.stdin), version='2.1')\nprint(b.serialize())",
      JSON.stringify(bundle),
    );
    const plain = (text: string) => (JSON.parse(text.replaceAll('.000Z', 'Z')) as { objects: unknown[] }).objects;
    expect(plain(back)).toEqual(plain(JSON.stringify(bundle)));
  });
});
