import { expect, it } from 'vitest';
import { lifetimeOf, verdictFromText, verdictToText } from '../../../src/engine/score/outcome.ts';
import { BARE_VERDICT, type Verdict } from '../../../src/model/verdict.ts';

const LIFETIMES = { listedS: 3, unknownS: 2, pendingS: 1 };
const said = (facts: Partial<Verdict>): Verdict => ({ ...BARE_VERDICT, provider: 'a', verdict: 'malicious', ...facts });

it.each<[string, Verdict | null, number]>([
  ['malicious', said({}), 3],
  ['suspicious', said({ verdict: 'suspicious' }), 3],
  ['clean', said({ verdict: 'clean' }), 3],
  ['listed without a judgement', said({ verdict: 'unknown' }), 2],
  ['not listed', null, 2],
  ['still being worked on', said({ isPending: true }), 1],
  ['still being worked on, and without a judgement so far', said({ isPending: true, verdict: 'unknown' }), 1],
])('%s: the answer is kept as its kind is', (_name, verdict, lifetimeS) => {
  expect(lifetimeOf(verdict, LIFETIMES)).toBe(lifetimeS);
});

it.each<[string, Verdict, string]>([
  ['the word alone', said({}), '{"verdict":"malicious"}'],
  ['a score of 0', said({ score: 0, verdict: 'clean' }), '{"verdict":"clean","score":0}'],
  ['lists with something in them', said({ categories: ['c2'] }), '{"verdict":"malicious","categories":["c2"]}'],
  [
    'engines and a note',
    said({ detections: { malicious: 0, total: 9 }, note: '' }),
    '{"verdict":"malicious","detections":{"malicious":0,"total":9},"note":""}',
  ],
  ['whose it is', said({ organization: 'Example GmbH' }), '{"verdict":"malicious","organization":"Example GmbH"}'],
  [
    'a time and a mark',
    said({ lastSeen: 't', tlp: 'RED', isPending: true }),
    '{"verdict":"malicious","lastSeen":"t","tlp":"RED","isPending":true}',
  ],
])('%s: is kept without what nobody said, and comes back whole', (_name, verdict, text) => {
  expect(verdictToText(verdict)).toBe(text);
  expect(verdictFromText('a', text)).toEqual(verdict);
});

it('"not listed" is a letter, and what cannot be read is as if it were not there', () => {
  expect(verdictToText(null)).toBe('n');
  expect(verdictFromText('a', 'n')).toBeNull();
  for (const text of ['', '{', '{}', 'null', '{"verdict":"good"}', '{"verdict":"clean","score":101}'])
    expect(verdictFromText('a', text)).toBeUndefined();
});
