import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeSeveral } from '../../../src/engine/score/merge-outcomes.ts';
import { mergeSingle } from '../../../src/engine/score/merge-single.ts';
import type { Outcome } from '../../../src/engine/score/outcome.ts';
import type { Scoring } from '../../../src/engine/score/scoring.ts';
import { VERDICT_WORDS } from '../../../src/model/verdict.ts';

const SUBJECT = { type: 'ipv4-addr' as const, nowS: 1_790_000_000 };

const percent = fc.option(fc.integer({ min: 0, max: 100 }));
const words = fc.uniqueArray(fc.constantFrom('c2', 'phishing', 'allowlist', 'known-good', 'tor'), { maxLength: 3 });
const time = fc.option(fc.constantFrom('2020-01-01T00:00:00Z', '2026-11-20T10:00:00Z'));
const verdict = fc.record({
  provider: fc.constantFrom('ismalicious', 'virustotal'),
  verdict: fc.constantFrom(...VERDICT_WORDS),
  score: percent,
  confidence: percent,
  categories: words,
  attributes: words,
  sightings: percent,
  firstSeen: time,
  lastSeen: time,
  tlp: fc.constant('CLEAR' as const),
  reference: fc.option(fc.constant('https://example.com/report')),
  isPending: fc.boolean(),
});
const extras = fc.record(
  { detections: fc.constant({ malicious: 3, total: 90 }), note: fc.constant('said by the vendor') },
  { requiredKeys: [] },
);
const outcome: fc.Arbitrary<Outcome> = fc
  .record({ said: verdict, extra: extras, isStale: fc.boolean() })
  .map(({ said, extra, isStale }) => ({
    kind: 'answered',
    provider: said.provider,
    verdict: { ...said, ...extra },
    source: 'cache',
    checkedAtS: 1,
    expiresAtS: 2,
    isStale,
  }));
const scoring: fc.Arbitrary<Scoring> = fc.record({
  formula: fc.constant('weighted' as const),
  tiers: fc.constantFrom({ p1: 80, p2: 60, watch: 40 }, { p1: 70, p2: 40, watch: 40 }),
  autoResolveConfidence: fc.constantFrom(0, 80),
  weights: fc.constantFrom({}, { ismalicious: 0 }, { virustotal: 2.5, ismalicious: 0.1 }),
  allowlistMaxScore: fc.constantFrom(0, 59),
  halfLifeDays: fc.constant(null),
});

it('what one provider says alone is merged as the general rule merges it', () => {
  fc.assert(
    fc.property(outcome, scoring, (one, rules) => {
      expect(mergeSingle(one, rules)).toEqual(mergeSeveral([one], rules, SUBJECT));
    }),
    { numRuns: 2000 },
  );
});

it.each<[string, Partial<Outcome>, Partial<Scoring>]>([
  ['nothing is listed', { verdict: null }, {}],
  ['an analyst decided', { provider: 'feedback' }, {}],
  ['our own list says it', { provider: 'local' }, {}],
  ['the published formula counts', {}, { formula: 'seed' }],
  ['age counts', {}, { halfLifeDays: { 'ipv4-addr': 30 } as Scoring['halfLifeDays'] }],
])('%s: that is left to the general rule', (_, change, rule) => {
  const [one] = fc.sample(outcome, { numRuns: 1, seed: 1 });
  const [rules] = fc.sample(scoring, { numRuns: 1, seed: 1 });
  expect(mergeSingle({ ...one, ...change } as Outcome, { ...rules!, ...rule })).toBeNull();
});
